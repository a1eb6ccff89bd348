package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inFences are the blocks of commands of a page that have no file's name.
var inFences = regexp.MustCompile("(?ms)^```sh\n.*?^```$")

// TestDocumentedCommands runs the commands of sightline that the pages show, by a
// shell, in the clone and with the simulated clusters of TestHelpExamples. Something
// may be found or differ; nothing else may go wrong but what is listed here.
func TestDocumentedCommands(t *testing.T) {
	mesh := strings.Replace(watchedMesh, "auth: ", "viewOnly: true, auth: ", 1) +
		"  delivery: {repoURL: \"https://git.example.com/mesh.git\", argocd: {source: plugin}}\n"
	f := newFleet(t, mesh)
	f.store = newStore(t)
	r := newHelpRepository(t, mesh, f, newSealing(t))
	// With … at its end: the beginning of a command.
	otherwise := map[string]int{
		"render mesh.yaml -o rendered --format helm":                     exitRefused, // rendered/ has a tree of another format
		"seal west --topology mesh.yaml --finish":                        exitRefused, // no rotation has begun
		"seal west --topology mesh.yaml --cert hub.pem --accept-cert…":   exitRefused, // of another certificate than this hub's
		"seal west --topology mesh.yaml --cert hub.pem --ca-file…":       exitFailure, // the token is read from a vault's program
		"seal --all --topology mesh.yaml --hub-context east --context …": exitFailure, // of a third cluster
		"seal --all --topology mesh.yaml":                                exitFailure, // the page seals for SOPS, which takes no certificate
		"render fleet -o rendered":                                       exitFailure, // the page shows the files of fleet/
	}
	unused := maps.Clone(otherwise)
	names := strings.NewReplacer("cluster1", "east", "cluster2", "west", "cluster3", "north", "--hub-context hub", "--hub-context east",
		"--wait --timeout 15m", "--wait --timeout 1s", "--wait", "--wait --timeout 1s",
		"sightline status mesh.yaml", "sightline status mesh.yaml --kiali-url "+f.kiali.URL+"/kiali --prometheus-url "+f.store.URL)
	all := pages(t)
	ran := map[string]bool{}
	for _, page := range slices.Sorted(maps.Keys(all)) {
		if page == "CHANGELOG.md" || page == "docs/commands.md" || strings.HasPrefix(page, "docs/adr/") {
			continue // commands.md has what --help has
		}
		text := strings.ReplaceAll(inFences.ReplaceAllStringFunc(all[page], indented), "\\\n", " ")
		for _, match := range regexp.MustCompile("(?m)^ +sightline ([a-z][^\n#]*)").FindAllStringSubmatch(text, -1) {
			command := strings.TrimSpace(names.Replace("sightline " + match[1]))
			if ran[command] || strings.ContainsAny(command, "…$") || strings.HasSuffix(command, "| source") {
				continue
			}
			ran[command] = true
			r.run("git", "clean", "-qfd")
			r.run("git", "checkout", "-q", ".")
			if strings.HasPrefix(command, "sightline init") {
				require.NoError(t, os.Remove(filepath.Join(r.dir, "mesh.yaml"))) // which init is to write
			}
			if strings.Contains(command, " --plain") {
				require.NoError(t, os.RemoveAll(filepath.Join(r.dir, "sealed"))) // whose controller would write the same Secret
			}
			if strings.Contains(command, " --status status.json") {
				r.script(names.Replace("sightline status mesh.yaml --output json > status.json")) // the line before it
			}
			// The output of a test's command is a pipe, as the page has one.
			command, _, _ = strings.Cut(command, " | kubectl")
			code, _ := r.script(command)
			want := []int{exitOK, exitFound}
			for begins, other := range otherwise {
				start, more := strings.CutSuffix("sightline "+begins, "…")
				if command == start || more && strings.HasPrefix(command, start) {
					want = []int{other}
					delete(unused, begins)
				}
			}
			assert.Contains(t, want, code, "%s: %s", page, match[0])
		}
	}
	assert.Greater(t, len(ran), 40)
	assert.Empty(t, unused, "no page has these commands")
}
