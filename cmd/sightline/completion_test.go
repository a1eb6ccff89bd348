package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/topologies"
)

// completed asks the program as the scripts of all shells do (cobra's __complete). It
// returns the offered words without descriptions, and the directive for the shell.
func completed(t *testing.T, args ...string) (words []string, directive string) {
	t.Helper()
	code, stdout, stderr := sightline(t, append([]string{"__complete"}, args...)...)
	require.Equal(t, exitOK, code, stderr)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	last := len(lines) - 1
	for _, line := range lines[:last] {
		word, _, _ := strings.Cut(line, "\t")
		words = append(words, word)
	}
	return words, lines[last]
}

// TestCompletion shows what a shell offers.
func TestCompletion(t *testing.T) {
	dir := t.TempDir()
	kubeconfig := filepath.Join(dir, "config")
	require.NoError(t, os.WriteFile(kubeconfig, []byte("apiVersion: v1\nkind: Config\ncontexts:\n- {name: admin@west, context: {}}\n- "+
		"{name: prod/east, context: {}}\n"), 0o600))
	t.Setenv("KUBECONFIG", kubeconfig)
	mesh := filepath.Join(dir, "mesh.yaml")
	require.NoError(t, os.WriteFile(mesh, []byte(watchedMesh), 0o600))
	broken := filepath.Join(dir, "broken.yaml")
	require.NoError(t, os.WriteFile(broken, []byte("kind: ["), 0o600))
	const noFiles = ":4"
	for _, test := range []struct {
		args []string
		want []string
	}{
		{[]string{"init", "--context", ""}, []string{"admin@west", "prod/east"}},
		{[]string{"init", "--context", "admin"}, []string{"admin@west"}},
		{[]string{"init", "--context", "west=a"}, []string{"west=admin@west"}},
		{[]string{"init", "--kubeconfig", broken, "--context", ""}, nil},
		{[]string{"status", mesh, "--hub-context", "p"}, []string{"prod/east"}},
		{[]string{"status", mesh, "--cluster", ""}, []string{"east", "west"}},
		{[]string{"diff", mesh, "--live", "--cluster", "w"}, []string{"west"}},
		{[]string{"render", broken, "--cluster", ""}, nil},
		{[]string{"render", "-", "--cluster", ""}, nil},
		{[]string{"render", "--example=east-west", "--cluster", ""}, []string{"cluster1", "cluster2"}},
		{[]string{"render", mesh, "--allow-remove", "e"}, []string{"east"}},
		{[]string{"seal", "--topology", mesh, ""}, []string{"east", "west"}},
		{[]string{"seal", "--topology", mesh, "east", ""}, []string{"west"}},
		{[]string{"render", "--format", ""}, []string{"kustomize", "helm", "manifests"}},
		{[]string{"verify", "--format", "h"}, []string{"helm"}},
		{[]string{"verify", "--output", ""}, []string{"text", "json", "sarif", "github"}},
		{[]string{"diff", "--output", ""}, []string{"text", "markdown", "json"}},
		{[]string{"seal", "--output", "j"}, []string{"json"}},
		{[]string{"graph", "--output", ""}, []string{"svg", "mermaid", "html"}},
		{[]string{"render", "--output", "j"}, []string{"json"}},
		{[]string{"verify", "--suppress", "PM1"}, softer("PM1")},
		{[]string{"verify", "--suppress", "pm13"}, []string{"PM13"}},
		{[]string{"status", mesh, "--only", "l"}, []string{"links"}},
		{[]string{"status", mesh, "--only", "ST0"}, []string{"ST01", "ST02", "ST03", "ST04", "ST05", "ST06", "ST07", "ST08", "ST09"}},
		{[]string{"explain", "AD0"}, []string{"AD01", "AD02", "AD03", "AD04", "AD05", "AD06", "AD07", "AD08", "AD09"}},
		{[]string{"explain", "rul"}, []string{"rules"}},
		{[]string{"explain", "spec.kiali.links.f"}, []string{"spec.kiali.links.format"}},
		{[]string{"example", ""}, topologies.Names()},
		{[]string{"verify", "--example=th"}, []string{"thanos"}},
		{[]string{"plugin", "generate", "--objects", ""}, []string{"cluster", "delivery"}},
		{[]string{"init", "--name", ""}, nil},
	} {
		words, directive := completed(t, test.args...)
		assert.Equal(t, test.want, words, test.args)
		assert.Equal(t, noFiles, directive, test.args)
	}
	words, directive := completed(t, "status", mesh, "--context", "")
	assert.Equal(t, []string{"admin@west", "prod/east", "east=", "west="}, words)
	assert.Equal(t, ":6", directive, "no space behind the cluster")
	_, directive = completed(t, "init", "--from", "")
	assert.Equal(t, ":16", directive, "directories only")
	for _, args := range [][]string{{"render", ""}, {"status", ""}, {"seal", "--cert", ""}, {"init", "--out", ""}} {
		_, directive = completed(t, args...)
		assert.Equal(t, ":0", directive, "files, by the shell: %v", args)
	}
}

// softer returns the rules that can be suppressed and whose ids begin with a text.
func softer(begun string) []string {
	var ids []string
	for _, r := range check.Rules() {
		if r.Softens() && strings.HasPrefix(r.ID, begun) {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// ofFiles returns the flags whose values are paths. Shells complete them.
var ofFiles = []string{"ca-file", "cert", "kiali-token-file", "kubeconfig", "out", "pod", "prometheus-token-file", "status", "token-file", "topology"}

// TestEveryFlagIsCompleted fails for a flag that is in no list of completion.
func TestEveryFlagIsCompleted(t *testing.T) {
	t.Parallel()
	known := completes()
	var visit func(cmd *cobra.Command)
	used := map[string]bool{}
	visit = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			used[f.Name] = true
			if f.Value.Type() == "bool" || slices.Contains(ofFiles, f.Name) {
				return
			}
			assert.NotNil(t, known[f.Name], "%s --%s", cmd.CommandPath(), f.Name)
		})
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(newCommand())
	for name := range known {
		assert.True(t, used[name], "no command has the flag %s", name)
	}
}

// TestCompletionScripts makes each installed shell read its script. Every script uses
// the protocol that TestCompletion shows.
func TestCompletionScripts(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/install.md")
	require.NoError(t, err)
	for shell, check := range map[string][]string{"bash": {"-n"}, "zsh": {"-n"}, "fish": {"--no-execute"}} {
		code, script, stderr := sightline(t, "completion", shell)
		require.Equal(t, exitOK, code, stderr)
		assert.Contains(t, script, "__complete", shell)
		assert.Contains(t, string(page), "sightline completion "+shell)
		file := filepath.Join(t.TempDir(), "script")
		require.NoError(t, os.WriteFile(file, []byte(script), 0o600))
		if _, err := exec.LookPath(shell); err != nil {
			t.Logf("%s is not here to read its script", shell)
			continue
		}
		out, err := exec.Command(shell, append(check, file)...).CombinedOutput()
		assert.NoError(t, err, "%s: %s", shell, out)
	}
}
