//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/golden"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// marked is an output that a page shows: a comment says where it comes from, and a
// block has it.
var marked = regexp.MustCompile("(?ms)^<!-- (output|terminal|simulated|works|folders): ([^\n]*) -->\n```([a-z]*)\n(.*?)^```$")

// TestPageOutputs makes every output that a page shows, and compares it:
//
//   - output: what a shell prints for the commands. They run where mesh.yaml is the
//     first topology that the page shows, or the one of the README, and rendered/ its tree.
//   - terminal: what the last command shows on a terminal.
//   - simulated: what the command prints for simulated clusters. Istio calls cluster2 west.
//   - works: the last line that the command prints for simulated clusters without a fault.
//   - folders: the block lists the folders of a directory, each with words about it.
func TestPageOutputs(t *testing.T) {
	t.Parallel()
	all := pages(t)
	clusters := simulatedPages(t, "mesh")
	shown := map[string]int{}
	for _, page := range slices.Sorted(maps.Keys(all)) {
		dir := pageDirectory(t, all[page], all["README.md"])
		made := marked.ReplaceAllStringFunc(all[page], func(block string) string {
			m := marked.FindStringSubmatch(block)
			kind, command, fence, kept := m[1], m[2], m[3], m[4]
			shown[kind]++
			var out string
			switch kind {
			case "output":
				out = inShell(t, dir, command)
			case "terminal":
				before, args, ok := strings.Cut(command, "sightline ")
				require.True(t, ok, command)
				_ = inShell(t, dir, before)
				out = onTerminal(t, dir, []string{"NO_COLOR=1"}, "", strings.Fields(args)...)
			case "simulated":
				args, ok := strings.CutPrefix(command, "sightline status mesh.yaml ")
				require.True(t, ok, command)
				_, out, _ = clusters.run(strings.Fields(args)...)
			case "works":
				require.Equal(t, "sightline status mesh.yaml", command)
				f := newFleet(t, watchedMesh)
				f.store = newStore(t)
				_, out, _ = f.run()
				out = out[strings.LastIndex(strings.TrimSpace(out), "\n"):]
			case "folders":
				assert.Equal(t, folders(t, filepath.Join(dir, command)), foldersShown(kept), "%s: the folders of %s", page, command)
				return block
			}
			out = strings.TrimSpace(out) + "\n"
			require.NotEqual(t, "\n", out, "%s: %s", page, command)
			return "<!-- " + kind + ": " + command + " -->\n```" + fence + "\n" + out + "```"
		})
		path := filepath.Join("../..", filepath.FromSlash(page))
		if *update && made != all[page] {
			require.NoError(t, os.WriteFile(path, []byte(made), 0o644))
			continue
		}
		golden.Equal(t, path, all[page], made, "go test ./cmd/sightline -run TestPageOutputs -update")
	}
	for kind, least := range map[string]int{"output": 6, "terminal": 1, "simulated": 2, "works": 1, "folders": 1} {
		assert.GreaterOrEqual(t, shown[kind], least, kind)
	}
}

// pageDirectory is a folder with what the commands of a page read.
func pageDirectory(t *testing.T, page, readme string) string {
	t.Helper()
	dir := t.TempDir()
	if !marked.MatchString(page) {
		return dir
	}
	first := regexp.MustCompile("(?ms)^```yaml\n(apiVersion: sightline.dev.*?)^```$")
	topology := first.FindStringSubmatch(page)
	if topology == nil {
		topology = first.FindStringSubmatch(readme)
	}
	require.NotNil(t, topology)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mesh.yaml"), []byte(topology[1]), 0o644))
	for _, name := range []string{"before.yaml", "after.yaml"} { // of docs/diff.md
		content, err := os.ReadFile(filepath.Join("testdata/diff", name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o644))
	}
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata/pages"))) // the dumps of docs/adopt.md
	require.NoError(t, os.CopyFS(filepath.Join(dir, "sealed", "linked"), os.DirFS("../../topologies/sealed/linked")))
	linked, err := os.ReadFile("../../topologies/linked.yaml") // which docs/seal.md checks
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "linked.yaml"), linked, 0o644))
	inShell(t, dir, "sightline render mesh.yaml -o rendered")
	return dir
}

// inShell is what commands print. Findings and differences may be among it.
func inShell(t *testing.T, dir, script string) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	bin := t.TempDir()
	require.NoError(t, os.Symlink(self, filepath.Join(bin, "sightline"))) // TestMain makes the test's program one
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

// simulatedPages are the clusters whose status the pages show, of a topology of this name.
func simulatedPages(t *testing.T, name string) *fleetOf {
	t.Helper()
	f := newFleet(t, strings.NewReplacer("east", "cluster1", "west", "cluster2", "name: mesh", "name: "+name).Replace(watchedMesh)+
		"    - {name: cluster3, platform: kubernetes, server: \"https://cluster3.example.com:6443\"}\n")
	istiod := f.clusters["cluster2"].get(resource.ID{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "istio-system", Name: "istiod"})
	istiod["spec"] = map[string]any{"template": map[string]any{"spec": map[string]any{"containers": []any{
		map[string]any{"name": "discovery", "env": []any{map[string]any{"name": "CLUSTER_ID", "value": "west"}}},
	}}}}
	return f
}

// folders returns the folders of a directory by their paths, and the files at its top.
func folders(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if d.IsDir() || !strings.Contains(name, "/") {
			all = append(all, name)
		}
		return err
	}))
	slices.Sort(all)
	return all
}

// foldersShown returns the folders in a drawing with the lines of tree(1).
func foldersShown(drawing string) []string {
	var all, at []string
	for line := range strings.Lines(drawing) {
		m := regexp.MustCompile(`^([│ ]*)[├└]── ([^ \n]+)`).FindStringSubmatch(line)
		if m == nil {
			continue // the directory itself
		}
		depth := len([]rune(m[1])) / 4
		at = append(slices.Clip(at[:depth]), strings.TrimSuffix(m[2], "/"))
		all = append(all, strings.Join(at, "/"))
	}
	slices.Sort(all)
	return all
}

// TestPageBlocks has every block of a page be one that a test reads: a command, an
// object of YAML, a file of a language, or an output that TestPageOutputs makes.
func TestPageBlocks(t *testing.T) {
	t.Parallel()
	otherwise := map[string]string{
		"docs/metrics.md: each cluster": "a drawing",
		"docs/overlays.md:overlays/kiali-resources/kustomization.yaml:5:12: error: OV04": "its end is left out; the script overlays-kustomize has it all",
		"docs/seal.md:<directory of the topology>/sealed/":                               "the form of a path",
		"docs/argocd.md:resource.customizations.health":                                  "a setting of Argo CD in Lua, which e2e/suite runs",
	}
	unused := maps.Clone(otherwise)
	command := regexp.MustCompile(`^(sightline|kubectl|kubeseal|git|helm|argocd|flux|make|curl|tar|sudo|grep|cosign|age-keygen|sh|nsenter|for|phase|` +
		`source|#|[a-z]+=)`)
	count := 0
	for page, text := range pages(t) {
		if page == "docs/rules.md" || page == "docs/commands.md" || page == "CHANGELOG.md" {
			continue // made from the program, as rules and --help show it
		}
		for _, block := range blocks(marked.ReplaceAllString(text, "")) {
			count++
			start := page + ":" + block
			known := false
			for begins := range otherwise {
				if strings.HasPrefix(start, begins) {
					known = true
					delete(unused, begins)
				}
			}
			var object map[string]any
			if !known && !command.MatchString(strings.TrimSpace(block)) && yaml.Unmarshal([]byte(block), &object) != nil {
				line, _, _ := strings.Cut(block, "\n")
				assert.Fail(t, "no test makes this block", "%s: %s", page, line)
			}
		}
	}
	assert.Greater(t, count, 100)
	assert.Empty(t, unused, "no page has these blocks")
}

// TestPageFields reads every part of a topology that a page shows: there are such
// fields, and they take such values. A part with … is not one.
func TestPageFields(t *testing.T) {
	t.Parallel()
	fields := []string{"delivery", "kiali", "clusters", "metrics", "tracing", "argocd", "access", "acm"}
	const head = "{apiVersion: sightline.dev/v1alpha1, kind: Topology, metadata: {name: mesh}, spec: "
	parents := []string{"%s", "{delivery: %s}", "{metrics: %s}", "{clusters: [%s]}"}
	read := 0
	for page, text := range pages(t) {
		for _, block := range blocks(marked.ReplaceAllString(text, "")) {
			var object map[string]any
			if yaml.Unmarshal([]byte(block), &object) != nil || object["apiVersion"] != nil || strings.Contains(block, "…") {
				continue
			}
			if !slices.ContainsFunc(fields, func(key string) bool { return object[key] != nil }) {
				continue
			}
			part, err := json.Marshal(object)
			require.NoError(t, err)
			var wrong []string
			for _, parent := range parents {
				found := unreadable(head + fmt.Sprintf(parent, part) + "}")
				if found == "" {
					wrong = nil
					break
				}
				wrong = append(wrong, found)
			}
			read++
			assert.Empty(t, wrong, "%s: the part of a topology\n%s", page, block)
		}
	}
	assert.Greater(t, read, 15)
}

// unreadable are the findings about keys and values that no field has.
func unreadable(text string) string {
	_, findings := topology.Parse("mesh.yaml", []byte(text))
	var all strings.Builder
	for _, f := range findings {
		if f.Rule == "SY03" || f.Rule == "SY05" || f.Rule == "SY06" || f.Rule == "SY08" {
			fmt.Fprintln(&all, f)
		}
	}
	return all.String()
}

// blocks are the blocks of code of a page that name no language, without their indentation.
func blocks(text string) []string {
	var all []string
	for _, m := range regexp.MustCompile("(?ms)^```([^\n]*)\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		if m[1] == "" || m[1] == "text" {
			all = append(all, m[2])
		}
	}
	text = outsideOfCode(text)
	for _, m := range regexp.MustCompile(`(?m)(?:\A|\n)\n((?: {4,}[^\n]*\n|\n)+)`).FindAllStringSubmatch(text, -1) {
		indent := len(m[1]) - len(strings.TrimLeft(m[1], " "))
		block := regexp.MustCompile(`(?m)^ {0,`+string(rune('0'+min(indent, 9)))+`}`).ReplaceAllString(m[1], "")
		if strings.TrimSpace(block) != "" && !regexp.MustCompile(`^(- |\d+\. |\|)`).MatchString(block) {
			all = append(all, block)
		}
	}
	return all
}
