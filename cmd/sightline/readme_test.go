//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/golden"
)

// TestReadmeOutputs runs the commands in README.md for which it shows what they
// print, on the topology that it shows. Those of a terminal have one.
func TestReadmeOutputs(t *testing.T) {
	t.Parallel()
	const page = "../../README.md"
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	dir, bin := t.TempDir(), t.TempDir()
	require.NoError(t, os.Symlink(self, filepath.Join(bin, "sightline"))) // TestMain makes the test's program one
	topology := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindSubmatch(text)
	require.NotNil(t, topology)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mesh.yaml"), topology[1], 0o644))
	output := func(script string) string {
		cmd := exec.Command("sh", "-c", script)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			require.IsType(t, &exec.ExitError{}, err)
		}
		require.NotEqual(t, exitFailure, cmd.ProcessState.ExitCode(), "%s\n%s", script, &stderr)
		return stdout.String()
	}
	output("sightline render mesh.yaml -o rendered; sed 's/:6443//' mesh.yaml > typo.yaml")
	shown := 0
	made := regexp.MustCompile("(?ms)(^<!-- (?:output|terminal): ([^\n]*) -->\n```[a-z]*\n).*?(^```$)").ReplaceAllStringFunc(string(text), func(block string) string {
		shown++
		head, _, _ := strings.Cut(block, "-->\n")
		fence, _, _ := strings.Cut(strings.TrimPrefix(block, head+"-->\n"), "\n")
		var out string
		if args, ok := strings.CutPrefix(head, "<!-- terminal: sightline "); ok {
			out = onTerminal(t, dir, []string{"NO_COLOR=1"}, "", strings.Fields(args)...)
		} else {
			out = output(strings.TrimSpace(strings.TrimPrefix(head, "<!-- output: ")))
		}
		out = strings.TrimSpace(out) + "\n"
		require.NotEqual(t, "\n", out, head)
		return head + "-->\n" + fence + "\n" + out + "```"
	})
	require.GreaterOrEqual(t, shown, 3)
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(made), 0o644))
		return
	}
	golden.Equal(t, page, string(text), made, "go test ./cmd/sightline -run TestReadmeOutputs -update")
}
