//go:build unix

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const wrongMesh = `apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh, annotations: {sightline.dev/suppress: "PM13, RS18"}}
spec:
  mesh: {id: mesh1}
  namespaces: [sample]
  kiali: {hub: east, version: v2.22}
  clusters:
    - {name: east, domain: apps.east.example.com, plaftorm: openshift}
    - {name: west, server: "https://api.west-of-the-rivers.example.com:6443", plaftorm: openshift} # a` + "\u202e" + `b
`

// wrongMeshShown is what a terminal of 80 columns shows without colours.
const wrongMeshShown = `mesh.yaml:9:51: error: SY03: spec.clusters[0] has no key "plaftorm"
    9 |     - {name: east, domain: apps.east.example.com, plaftorm: openshift}
      |                                                   ^~~~~~~~
hint: did you mean "platform"?
more: sightline explain SY03

mesh.yaml:10:79: error: SY03: spec.clusters[1] has no key "plaftorm"
   10 | …t, server: "https://api.west-of-the-rivers.example.com:6443", plaftorm…
      |                                                                ^~~~~~~~
hint: did you mean "platform"?

`

// TestTerminal shows findings on a real terminal of 80 columns. Everywhere else, they are
// the same as on a pipe.
func TestTerminal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	write("mesh.yaml", wrongMesh)
	verify := []string{"verify", "mesh.yaml"}

	t.Run("verify", func(t *testing.T) {
		assert.Equal(t, inColours(wrongMeshShown), onTerminal(t, dir, nil, "", verify...))
	})
	t.Run("no colours", func(t *testing.T) {
		assert.Equal(t, wrongMeshShown, onTerminal(t, dir, []string{"NO_COLOR=1"}, "", verify...))
	})
	t.Run("a dumb terminal shows what a pipe does", func(t *testing.T) {
		assert.Equal(t, onPipe(t, dir, verify...), onTerminal(t, dir, []string{"TERM=dumb"}, "", verify...))
	})
	t.Run("standard input", func(t *testing.T) {
		shown := onTerminal(t, dir, nil, wrongMesh, "verify", "-")
		assert.Equal(t, inColours(wrongMeshShown), strings.ReplaceAll(shown, "<stdin>", "mesh.yaml"))
	})
	t.Run("other outputs", func(t *testing.T) {
		for _, output := range []string{"json", "sarif", "github"} {
			args := append(verify, "--output", output)
			assert.Equal(t, onPipe(t, dir, args...), onTerminal(t, dir, nil, "", args...), output)
		}
	})
	t.Run("an example", func(t *testing.T) {
		shown := onTerminal(t, dir, []string{"NO_COLOR=1"}, "", "verify", "--example")
		assert.Contains(t, shown, "   10 |     hub: cluster1\n      |     ^~~\n")
	})
	t.Run("no line with a credential", func(t *testing.T) {
		for name, line := range map[string]string{
			"value.yaml":  `  kiali: {hub: east, spec: {login_token: {signing_key: "hunter2hunter2"}}, x: 1}`,
			"broken.yaml": "  kiali: {hub: east, password: hunter2hunter2, {",
			"url.yaml":    `  kiali: {hub: east, spec: {external_services: {grafana: {x: "https://me:hunter2hunter2@example.com"}}}}`,
		} {
			write(name, "apiVersion: sightline.dev/v1alpha1\nkind: Topology\nmetadata: {name: mesh}\nspec:\n"+line+
				"\n  mesh: {id: mesh1}\n  clusters: [{name: east, domain: apps.east.example.com}]\n")
			shown := onTerminal(t, dir, nil, "", "verify", name)
			assert.Contains(t, shown, name+":5:", "nothing is found in the line")
			assert.NotContains(t, shown, "hunter2", name)
		}
	})
	t.Run("a file that is gone, or has been cut", func(t *testing.T) {
		s := sources{files: map[string][]string{}}
		assert.Empty(t, s.read(filepath.Join(dir, "none.yaml")))
		assert.Empty(t, s.read(dir))
	})
}

// onTerminal runs the program with a terminal as its standard output, and returns what
// the terminal shows. Its messages go to a file.
func onTerminal(t *testing.T, dir string, env []string, stdin string, args ...string) string {
	t.Helper()
	screen, tty, err := pty.Open()
	require.NoError(t, err)
	defer screen.Close()
	require.NoError(t, pty.Setsize(screen, &pty.Winsize{Rows: 25, Cols: 80}))
	cmd := exec.Command("sightline", args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "TERM=xterm", "NO_COLOR="), env...)
	cmd.Stdin = bytes.NewBufferString(stdin)
	cmd.Stdout = tty
	require.NoError(t, cmd.Start())
	tty.Close()
	shown, _ := io.ReadAll(screen) // the end of a terminal is an error
	_ = cmd.Wait()
	return strings.ReplaceAll(string(shown), "\r\n", "\n")
}

func onPipe(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("sightline", args...)
	cmd.Dir = dir
	out, _ := cmd.Output()
	require.NotEmpty(t, out)
	return string(out)
}

func inColours(text string) string {
	return strings.NewReplacer(" error:", " \x1b[31merror\x1b[0m:", "^~~~~~~~", "\x1b[31m^~~~~~~~\x1b[0m").Replace(text)
}
