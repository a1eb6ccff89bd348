package render_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/sightline-mesh/sightline/"

// impure are the packages with which a render could depend on more than its
// input.
var impure = []string{
	"crypto/rand", "log", "log/slog", "math/rand", "math/rand/v2", "net", "net/http", "os", "os/exec", "os/signal", "os/user", "syscall", "time",
}

// mayImport has the exceptions, by file or folder.
var mayImport = map[string][]string{
	"internal/upstream":      {"os", "os/exec"},                 // only for tests: runs Go to find modules
	"internal/tree/disk*.go": {"crypto/rand", "os", "syscall"},  // writes the files
	"internal/cluster":       {"net", "net/http", "os", "time"}, // finds kubeconfigs, and talks to clusters
	"internal/observe":       {"net/http", "time"},              // asks clusters the questions of status
	"internal/openshift":     {"time"},                          // parses durations
	"internal/relabel":       {"net"},                           // parses addresses, and opens no connection
	"internal/seal":          {"time"},                          // gets the time as an argument
	"internal/status":        {"time"},                          // gets the time as an argument
}

// clocks are the functions that read the time. Importing time only for its
// types is allowed.
var clocks = []string{"Now", "Since", "Until", "Sleep", "After", "NewTimer", "NewTicker"}

// TestRoomsArePure shows that everything below cmd is a function of its input,
// that imports lead inward, and that only one package knows Jsonnet.
func TestRoomsArePure(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{"render/*.go", "internal/*/*.go", "templates/*.go", "topologies/*.go"} {
		found, err := filepath.Glob("../" + pattern)
		require.NoError(t, err)
		files = append(files, found...)
	}
	rooms := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		name := strings.TrimPrefix(filepath.ToSlash(file), "../")
		room := path.Dir(name)
		rooms[room] = true
		var allowed []string
		for pattern, packages := range mayImport {
			if file, _ := path.Match(pattern, name); file || pattern == room {
				allowed = append(allowed, packages...)
			}
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			if slices.Contains(impure, imported) && !slices.Contains(allowed, imported) {
				t.Errorf("%s imports %s", name, imported)
			}
			ours, inside := strings.CutPrefix(imported, module)
			switch {
			case strings.HasPrefix(imported, "github.com/google/go-jsonnet"):
				assert.Equal(t, "internal/template", room, "%s knows Jsonnet", name)
			case inside && (strings.HasPrefix(ours, "cmd/") || ours == "render"):
				t.Errorf("%s imports %s, which is further out", name, ours)
			case inside && ours == "internal/cluster" && room != "internal/observe", inside && ours == "internal/observe":
				t.Errorf("%s imports %s: only commands talk to clusters", name, ours)
			case room == "internal/tree" && ours == "internal/finding": // for its refusals
			case inside && slices.Contains([]string{"internal/finding", "internal/resource", "internal/tree"}, room):
				t.Errorf("%s imports %s, and should know of no other room", name, ours)
			}
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if of, ok := s.X.(*ast.Ident); ok && of.Name == "time" && slices.Contains(clocks, s.Sel.Name) {
					t.Errorf("%s looks at the clock: time.%s", name, s.Sel.Name)
				}
			}
			return true
		})
	}
	for _, room := range []string{"render", "internal/check", "internal/delivery", "internal/finding", "internal/kiali", "internal/seal", "internal/topology", "templates"} {
		assert.Contains(t, rooms, room)
	}
}
