package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// before is a topology of a user, before a change.
const before = `apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh, annotations: {sightline.dev/suppress: "PM13,RS18"}}
spec:
  mesh: {id: mesh1}
  kiali: {hub: east, version: v2.22}
  namespaces: [sample]
  clusters:
  - {name: east, domain: apps.east.example.com}
  - {name: west, server: "https://api.west.example.com:6443"}
`

// repository is a Git repository with a topology and its committed tree.
type repository struct {
	t    *testing.T
	dir  string
	path string // of programs
}

func newRepository(t *testing.T, programs string) *repository {
	r := &repository{t, t.TempDir(), programs + string(os.PathListSeparator) + os.Getenv("PATH")}
	r.write("mesh.yaml", before)
	r.must("git", "init", "--quiet", "--initial-branch=main")
	r.must("sightline", "render", "mesh.yaml", "-o", "rendered")
	r.commit("Render the mesh")
	return r
}

func (r *repository) write(name, content string) {
	r.t.Helper()
	require.NoError(r.t, os.WriteFile(filepath.Join(r.dir, name), []byte(content), 0o755))
}

func (r *repository) commit(subject string) (string, error) {
	r.must("git", "add", "--all")
	return r.run("git", "-c", "user.name=A user", "-c", "user.email=user@example.com", "commit", "--quiet", "--message", subject)
}

func (r *repository) run(program string, args ...string) (string, error) {
	return r.runWith(nil, program, args...)
}

func (r *repository) runWith(env []string, program string, args ...string) (string, error) {
	cmd := exec.Command("env", append([]string{program}, args...)...)
	cmd.Dir = r.dir
	cmd.Env = append(append(os.Environ(), "PATH="+r.path, "GIT_CONFIG_GLOBAL=/dev/null"), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (r *repository) must(program string, args ...string) string {
	r.t.Helper()
	out, err := r.run(program, args...)
	require.NoError(r.t, err, out)
	return out
}

// tryAction runs the steps of action.yml against a release that is published on
// loopback, in a repository with a pull request. GitHub's own program gh is
// replaced by a script that keeps what would be posted.
func tryAction(t *testing.T, out string) {
	published := t.TempDir()
	require.NoError(t, os.Symlink(out, filepath.Join(published, "v0.0.0-test")))
	server := httptest.NewServer(http.FileServer(http.Dir(published)))
	defer server.Close()
	script, err := filepath.Abs("../../.github/action/sightline.sh")
	require.NoError(t, err)
	temp, bin := t.TempDir(), t.TempDir()
	paths := filepath.Join(temp, "path")
	env := []string{"RUNNER_TEMP=" + temp, "GITHUB_PATH=" + paths, "SIGHTLINE_DOWNLOADS=" + server.URL}
	r := &repository{t, t.TempDir(), os.Getenv("PATH")}

	for version, says := range map[string]string{
		"latest":       `version is "latest"; expected one such as v0.1.0`,
		"v9.9.9":       "cannot be downloaded",
		"v1.0.0;false": "expected one such as v0.1.0",
	} {
		text, err := r.runWith(append(env, "SIGHTLINE_VERSION="+version), script, "install")
		require.Error(t, err)
		require.Contains(t, text, says)
	}
	text, err := r.runWith(append(env, "SIGHTLINE_VERSION=v0.0.0-test"), script, "install")
	require.NoError(t, err, text)
	installed, err := os.ReadFile(paths)
	require.NoError(t, err)

	require.NoError(t, os.WriteFile(filepath.Join(bin, "gh"), []byte("#!/bin/sh\necho \"$@\" >\"$GH_OUT.args\"\ncp \"$7\" \"$GH_OUT\"\n"), 0o755))
	r = newRepository(t, strings.TrimSpace(string(installed))+string(os.PathListSeparator)+bin)
	posted := filepath.Join(temp, "posted")
	env = append(env, "SIGHTLINE_TOPOLOGY=mesh.yaml", "SIGHTLINE_RENDERED=rendered", "SIGHTLINE_BASE=main", "SIGHTLINE_PULL_REQUEST=7", "GH_OUT="+posted)
	step := func(name string) (string, error) { return r.runWith(env, script, name) }
	for _, name := range []string{"verify", "tree"} {
		text, err := step(name)
		require.NoError(t, err, text)
	}
	r.must("git", "switch", "--quiet", "--create", "change")
	r.write("mesh.yaml", strings.Replace(before, "[sample]", "[sample, shop]", 1))
	text, err = step("tree")
	require.Error(t, err, "the committed tree is that of before")
	require.Contains(t, text, "rendered")
	text, err = step("comment")
	require.NoError(t, err, text)
	comment, err := os.ReadFile(posted)
	require.NoError(t, err)
	require.Contains(t, string(comment), "shop/istio-proxies-monitor")
	r.write("mesh.yaml", strings.Replace(before, "hub: east", "hub: north", 1))
	text, err = step("verify")
	require.Error(t, err)
	require.Contains(t, text, "::error file=mesh.yaml,line=6,col=16,")
}

// tryHook commits to a repository whose pre-commit hook runs the entries of
// .pre-commit-hooks.yaml, by Git's own hook.
func tryHook(t *testing.T, unpacked string) {
	hooks, err := os.ReadFile("../../.pre-commit-hooks.yaml")
	require.NoError(t, err)
	hook := "#!/bin/sh\nset -e\n"
	for line := range strings.Lines(string(hooks)) {
		entry, ok := strings.CutPrefix(strings.TrimSpace(line), "entry: ")
		switch {
		case !ok:
		case strings.Contains(entry, "render"):
			hook += entry + " mesh.yaml -o rendered\n"
		case strings.Contains(entry, "verify"):
			hook += entry + " mesh.yaml\n"
		}
	}
	require.Equal(t, 4, strings.Count(hook, "\n"))
	r := newRepository(t, unpacked)
	r.write(".git/hooks/pre-commit", hook)
	r.write("mesh.yaml", strings.Replace(before, "[sample]", "[sample, shop]", 1))
	text, err := r.commit("Forget to render")
	require.Error(t, err, text)
	r.must("sightline", "render", "mesh.yaml", "-o", "rendered")
	text, err = r.commit("Add a namespace")
	require.NoError(t, err, text)
}
