//go:build unix

package render_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/chart"
	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/manifests"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/tree"
	"github.com/sightline-mesh/sightline/render"
)

// The benchmarks of this file compare two things in one run and report the
// ratio of their best times, because a ratio does not depend on the machine.
// They run the program as a process, as users do.

// BenchmarkFleet renders 1,000 clusters with 20 namespaces. It compares with cp
// -r of the tree, and with a render that changes nothing.
func BenchmarkFleet(b *testing.B) {
	fleetBenchmark(b, 1000, 20)
}

// BenchmarkLargeFleet renders 10,000 clusters with 100 namespaces, and a tenth
// of the clusters, to show how the cost grows.
func BenchmarkLargeFleet(b *testing.B) {
	sightline := buildBinary(b)
	work := fastDir(b)
	small, large := fleet(b, work, 1000, 100), fleet(b, work, 10_000, 100)
	var one, ten best
	var peak int64
	for b.Loop() {
		for _, m := range []struct {
			file string
			t    *best
		}{{small, &one}, {large, &ten}} {
			out := filepath.Join(work, "out")
			require.NoError(b, os.RemoveAll(out))
			peak = max(peak, m.t.process(b, sightline, "render", m.file, "-o", out))
		}
	}
	b.ReportMetric(ten.seconds()/one.seconds(), "x-for-10x-clusters")
	b.ReportMetric(ten.seconds(), "s-10000x100")
	b.ReportMetric(float64(peak)/(1<<20), "MiB-peak")
}

func fleetBenchmark(b *testing.B, clusters, namespaces int) {
	sightline := buildBinary(b)
	work := fastDir(b)
	file := fleet(b, work, clusters, namespaces)
	var first, second, cp best
	var peak int64
	for b.Loop() {
		out, copied := filepath.Join(work, "out"), filepath.Join(work, "copied")
		require.NoError(b, os.RemoveAll(out))
		require.NoError(b, os.RemoveAll(copied))
		peak = max(peak, first.process(b, sightline, "render", file, "-o", out))
		cp.process(b, "cp", "-r", out, copied)
		second.process(b, sightline, "render", file, "-o", out)
	}
	b.ReportMetric(first.seconds()/cp.seconds(), "x-of-cp")
	b.ReportMetric(second.seconds()/first.seconds(), "x-again")
	b.ReportMetric(first.seconds(), "s-first")
	b.ReportMetric(float64(peak)/(1<<20), "MiB-peak")
}

// BenchmarkFill compares, in memory, filling the bodies of clusters with
// building the same clusters' trees with the kustomize library.
func BenchmarkFill(b *testing.B) {
	const clusters = 20
	ready, files := inMemory(b, clusters, render.Kustomize)
	built, err := kustomize.Load(files)
	require.NoError(b, err)

	var fill, build best
	for b.Loop() {
		fill.time(func() { fillAll(b, ready) })
		build.time(func() {
			for i := range ready {
				_, err := built.Build("clusters/" + ready[i].Name)
				require.NoError(b, err)
			}
		})
	}
	b.ReportMetric(build.seconds()/fill.seconds(), "x-faster-than-kustomize")
	b.ReportMetric(fill.seconds()*1e6/clusters, "µs/cluster")
}

// BenchmarkHelmFleet renders 1,000 clusters with 20 namespaces as a chart, and
// as a tree.
func BenchmarkHelmFleet(b *testing.B) {
	sightline := buildBinary(b)
	work := fastDir(b)
	file := fleet(b, work, 1000, 20)
	var charted, tree best
	var peak int64
	for b.Loop() {
		out := filepath.Join(work, "out")
		require.NoError(b, os.RemoveAll(out))
		peak = max(peak, charted.process(b, sightline, "render", file, "-o", out, "--format", "helm"))
		require.NoError(b, os.RemoveAll(out))
		tree.process(b, sightline, "render", file, "-o", out)
	}
	b.ReportMetric(charted.seconds()/tree.seconds(), "x-of-kustomize")
	b.ReportMetric(charted.seconds(), "s")
	b.ReportMetric(float64(peak)/(1<<20), "MiB-peak")
}

// BenchmarkFillAgainstHelm compares, in memory, filling the bodies of clusters
// with Helm's engine on the chart of the same clusters.
func BenchmarkFillAgainstHelm(b *testing.B) {
	const clusters = 20
	ready, files := inMemory(b, clusters, render.Helm)
	loaded, err := chart.Load(files)
	require.NoError(b, err)
	values := map[string][]byte{}
	for _, f := range files {
		values[f.Path] = f.Content
	}

	var fill, engine best
	for b.Loop() {
		fill.time(func() { fillAll(b, ready) })
		engine.time(func() {
			for i := range ready {
				_, err := loaded.Manifests(values[chart.ValuesFile(ready[i].Name)])
				require.NoError(b, err)
			}
		})
	}
	b.ReportMetric(engine.seconds()/fill.seconds(), "x-faster-than-helm")
	b.ReportMetric(engine.seconds()*1e6/clusters, "helm-µs/cluster")
	b.ReportMetric(fill.seconds()*1e6/clusters, "µs/cluster")
}

// BenchmarkEastWest compares rendering the built-in example with only starting
// the program.
func BenchmarkEastWest(b *testing.B) {
	sightline := buildBinary(b)
	out := filepath.Join(fastDir(b), "out")
	var render, version best
	for b.Loop() {
		for range 10 {
			version.process(b, sightline, "version")
			require.NoError(b, os.RemoveAll(out))
			render.process(b, sightline, "render", "-o", out)
		}
	}
	b.ReportMetric(render.seconds()/version.seconds(), "x-of-version")
	b.ReportMetric(render.seconds()*1e3, "ms")
}

// inMemory returns the clusters of a fleet, ready to be filled, and its tree.
func inMemory(b *testing.B, clusters int, format render.Format) ([]resource.Cluster, []tree.File) {
	b.Helper()
	data, err := os.ReadFile(fleet(b, b.TempDir(), clusters, 20))
	require.NoError(b, err)
	t, findings := check.Parse("fleet.yaml", data)
	require.Empty(b, findings)
	ready, err := render.Clusters(t, render.SourcesOf(t))
	require.NoError(b, err)
	files, err := render.Tree(t, render.SourcesOf(t), format)
	require.NoError(b, err)
	return ready, files
}

func fillAll(b *testing.B, ready []resource.Cluster) {
	b.Helper()
	for i := range ready {
		_, err := manifests.Cluster(&ready[i])
		require.NoError(b, err)
	}
}

// best is the shortest of several times.
type best struct{ d time.Duration }

func (t *best) seconds() float64 { return t.d.Seconds() }

func (t *best) time(f func()) {
	start := time.Now()
	f()
	if d := time.Since(start); t.d == 0 || d < t.d {
		t.d = d
	}
}

// process runs a program and returns its peak resident memory in bytes.
func (t *best) process(b *testing.B, name string, args ...string) int64 {
	b.Helper()
	cmd := exec.CommandContext(context.Background(), name, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	t.time(func() { require.NoError(b, cmd.Run(), "%s", &stderr) })
	return cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss * 1024
}

func buildBinary(b *testing.B) string {
	b.Helper()
	file := filepath.Join(b.TempDir(), "sightline")
	out, err := exec.Command("go", "build", "-o", file, "../cmd/sightline").CombinedOutput()
	require.NoError(b, err, "%s", out)
	return file
}

// fastDir returns a folder on a memory file system if there is one.
func fastDir(b *testing.B) string {
	b.Helper()
	const memory = "/dev/shm"
	if info, err := os.Stat(memory); err != nil || !info.IsDir() {
		return b.TempDir()
	}
	dir, err := os.MkdirTemp(memory, "sightline-bench-")
	require.NoError(b, err)
	b.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// fleet writes a topology of n clusters that share namespaces.
func fleet(b *testing.B, dir string, n, namespaces int) string {
	b.Helper()
	var text strings.Builder
	text.WriteString(`apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: fleet}
spec:
  mesh: {id: mesh1}
  kiali: {hub: c0}
  metrics: {userWorkloadMonitoring: {manage: true, config: {enableUserWorkload: true}}}
  namespaces:
`)
	for i := range namespaces {
		fmt.Fprintf(&text, "    - app-%d\n", i)
	}
	text.WriteString("  clusters:\n")
	for i := range n {
		fmt.Fprintf(&text, "    - name: c%d\n      server: https://api.c%d.example.com:6443\n      domain: apps.c%d.example.com\n", i, i, i)
	}
	file := filepath.Join(dir, fmt.Sprintf("fleet-%d-%d.yaml", n, namespaces))
	require.NoError(b, os.WriteFile(file, []byte(text.String()), 0o644))
	return file
}

// BenchmarkVerify compares verifying 1,000 clusters with 20 namespaces with
// rendering them, which writes the tree and applies the same rules.
func BenchmarkVerify(b *testing.B) {
	sightline := buildBinary(b)
	work := fastDir(b)
	file := fleet(b, work, 1000, 20)
	data, err := os.ReadFile(file)
	require.NoError(b, err)
	var verify, write, rules, bare best
	for b.Loop() {
		out := filepath.Join(work, "out")
		require.NoError(b, os.RemoveAll(out))
		write.process(b, sightline, "render", file, "-o", out)
		verify.process(b, sightline, "verify", file)
		// In memory: the rules alone, compared with rendering alone.
		t, findings := check.Parse("fleet.yaml", data)
		require.Empty(b, findings)
		bare.time(func() {
			_, err := render.Tree(t, render.SourcesOf(t), render.Manifests)
			require.NoError(b, err)
		})
		clusters, err := render.Clusters(t, render.SourcesOf(t))
		require.NoError(b, err)
		rules.time(func() {
			_, err := check.Find([]check.Input{{Topology: t, Clusters: clusters}}, check.Options{})
			require.NoError(b, err)
		})
	}
	b.ReportMetric(verify.seconds()/write.seconds(), "x-of-render")
	b.ReportMetric(verify.seconds(), "s-verify")
	b.ReportMetric(rules.seconds()*1e3, "ms-rules")
	b.ReportMetric(rules.seconds()/bare.seconds(), "x-rules-of-manifests-in-memory")
}
