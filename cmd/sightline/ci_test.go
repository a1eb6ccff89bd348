package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// ciRepository is a clone of a bare repository, with a branch that changes the
// topology that is on main.
type ciRepository struct {
	t    *testing.T
	dir  string
	bin  string // has sightline and the program that posts
	post string // the file with the last post

	topology string
}

// ciExample is a topology whose remotes have sealed links.
const ciExample = "../../topologies/linked.yaml"

func newCIRepository(t *testing.T) *ciRepository {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git, so the examples for CI are not run")
	}
	root := t.TempDir()
	r := &ciRepository{t: t, dir: filepath.Join(root, "clone"), bin: filepath.Join(root, "bin"), post: filepath.Join(root, "posted")}
	for key, value := range map[string]string{
		"HOME": root, "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
		"PATH": r.bin + string(os.PathListSeparator) + os.Getenv("PATH"), "POSTED": r.post,
	} {
		t.Setenv(key, value)
	}
	require.NoError(t, os.MkdirAll(r.bin, 0o755))
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(self, filepath.Join(r.bin, "sightline"))) // TestMain makes the test's program one
	for name, script := range map[string]string{
		// Each program writes its post to a file.
		"post": `cp "$1" "$POSTED"`,
		"gh":   `while [ "$1" != --body-file ]; do shift; done; cp "$2" "$POSTED"`,
		"curl": `for a; do case $a in body=\<*) cp "${a#body=<}" "$POSTED";; esac; done`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(r.bin, name), []byte("#!/bin/sh\nset -eu\n"+script+"\n"), 0o755))
	}
	bare := filepath.Join(root, "bare.git")
	r.runIn(root, "git", "init", "-q", "--bare", "-b", "main", bare)
	r.runIn(root, "git", "clone", "-q", bare, r.dir)
	text, err := os.ReadFile(ciExample)
	require.NoError(t, err)
	r.topology = strings.Replace(string(text), "namespaces: [sample]", "namespaces: [sample]\n  metrics: {interval: 30s}", 1)
	require.NoError(t, os.CopyFS(filepath.Join(r.dir, "sealed/linked"), os.DirFS("../../topologies/sealed/linked")))
	r.write("", "")
	r.run("git", "checkout", "-q", "-b", "main")
	r.commit()
	r.run("git", "push", "-q", "origin", "main")
	r.run("git", "checkout", "-q", "-b", "change")
	return r
}

// write writes the topology with a change.
func (r *ciRepository) write(old, new string) {
	r.t.Helper()
	require.Contains(r.t, r.topology, old)
	require.NoError(r.t, os.WriteFile(filepath.Join(r.dir, "mesh.yaml"), []byte(strings.Replace(r.topology, old, new, 1)), 0o644))
}

// commit renders and commits.
func (r *ciRepository) commit() {
	r.run("sightline", "render", "mesh.yaml", "-o", "rendered", "--allow-remove", "all")
	r.run("git", "add", "-A")
	r.run("git", "commit", "-qm", "change")
}

func (r *ciRepository) run(name string, args ...string) { r.runIn(r.dir, name, args...) }

func (r *ciRepository) runIn(dir, name string, args ...string) {
	r.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(r.t, err, "%s %v\n%s", name, args, out)
}

// script runs lines of shell as CI does, and returns the exit code and the post.
func (r *ciRepository) script(script string, env ...string) (code int, posted string) {
	r.t.Helper()
	os.Remove(r.post)
	cmd := exec.Command("sh", "-e", "-c", script)
	cmd.Dir, cmd.Env = r.dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	r.t.Logf("%s\n%s", script, out)
	if err != nil {
		require.IsType(r.t, &exec.ExitError{}, err)
	}
	text, err := os.ReadFile(r.post)
	if err != nil {
		require.ErrorIs(r.t, err, os.ErrNotExist)
	}
	return cmd.ProcessState.ExitCode(), string(text)
}

// ciExamples returns the blocks of docs/ci.md by the names of their files.
func ciExamples(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/ci.md")
	require.NoError(t, err)
	examples := map[string]string{}
	for _, block := range regexp.MustCompile("(?ms)^```[a-z]+ ([^\n]+)\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		examples[block[1]] = block[2]
	}
	return examples
}

// TestCIExamples runs the examples of docs/ci.md for four changes: a correct one, one
// without a new render, one with a wrong topology, and one that removes too much.
func TestCIExamples(t *testing.T) {
	r := newCIRepository(t)
	examples := ciExamples(t)
	var github struct {
		Jobs map[string]struct {
			Steps []struct{ Run, If string }
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(examples[".github/workflows/mesh.yml"]), &github))
	var always, before []string
	for _, step := range github.Jobs["mesh"].Steps {
		switch {
		case step.If != "":
			always = append(always, step.Run)
		case step.Run != "":
			before = append(before, step.Run)
		}
	}
	require.Len(t, before, 3)
	require.Len(t, always, 1)

	scan := github
	scan.Jobs = nil
	require.NoError(t, yaml.Unmarshal([]byte(examples[".github/workflows/scan.yml"]), &scan))
	code, _ := r.script(scan.Jobs["scan"].Steps[1].Run)
	assert.Equal(t, exitOK, code)
	found, err := os.ReadFile(filepath.Join(r.dir, "findings.sarif"))
	require.NoError(t, err)
	assert.Contains(t, string(found), `"version": "2.1.0"`)
	require.NoError(t, os.Remove(filepath.Join(r.dir, "findings.sarif")))
	var gitlab map[string]struct{ Script []string }
	require.NoError(t, yaml.Unmarshal([]byte(examples[".gitlab-ci.yml"]), &gitlab))
	require.NotEmpty(t, gitlab["mesh"].Script)
	require.NotEmpty(t, examples["check.sh"])

	shell := func() (int, string) {
		require.NoError(t, os.WriteFile(filepath.Join(r.bin, "check.sh"), []byte(examples["check.sh"]), 0o755))
		return r.script("check.sh mesh.yaml rendered origin/main", "POST=post", "MAX_REMOVED=6")
	}
	onGitHub := func() (int, string) {
		code, _ := r.script(strings.Join(before, "\n"))
		last, posted := r.script(strings.ReplaceAll(always[0], "--max-removed 100", "--max-removed 6"), "BASE=origin/main", "PULL_REQUEST=1")
		return max(code, last), posted
	}
	onGitLab := func() (int, string) {
		return r.script(strings.ReplaceAll(strings.Join(gitlab["mesh"].Script, "\n"), "--max-removed 100", "--max-removed 6"), "CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main", "MESH_TOKEN=t",
			"CI_API_V4_URL=u", "CI_PROJECT_ID=1", "CI_MERGE_REQUEST_IID=1")
	}
	for _, ci := range []struct {
		name, base string
		run        func() (int, string)
	}{{"shell", "origin/main", shell}, {"GitHub", "origin/main", onGitHub}, {"GitLab", "FETCH_HEAD", onGitLab}} {
		t.Run(ci.name, func(t *testing.T) {
			r.t = t
			r.run("git", "reset", "-q", "--hard", "main")
			code, posted := ci.run()
			assert.Zero(t, code)
			assert.Equal(t, "### Sightline: linked\n\nno changes against "+ci.base+"\n", posted)

			r.write("30s", "15s")
			r.commit()
			code, posted = ci.run()
			assert.Zero(t, code)
			assert.Contains(t, posted, "~ PodMonitor istio-proxies-monitor              6 objects on cluster1, cluster2, cluster3\n    spec.podMetricsEndpoints[0].interval        30s -> 15s\n")

			r.write("30s", "20s") // and not rendered
			code, _ = ci.run()
			assert.Equal(t, exitFound, code)

			r.write("hub: cluster1", "hub: north")
			code, posted = ci.run()
			assert.Equal(t, exitInvalid, code)
			assert.Empty(t, posted)

			r.write(r.topology[strings.Index(r.topology, "    # The token of this cluster is being rotated"):], "")
			require.NoError(t, os.Remove(filepath.Join(r.dir, "sealed/linked/cluster3.yaml")))
			r.commit()
			code, posted = ci.run()
			assert.Equal(t, exitRefused, code)
			assert.Contains(t, posted, "- cluster cluster3 ")
		})
	}
}
