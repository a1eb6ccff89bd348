package tree

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// benchTree has the form of a kustomize tree: a few folders for each cluster and
// small files, six for each.
func benchTree(clusters int) []File {
	var files []File
	for i := range clusters {
		for _, name := range []string{
			"kustomization.yaml", "operator/kustomization.yaml", "monitoring/kustomization.yaml",
			"kiali/kustomization.yaml", "kiali/kiali.yaml", "link/secret.yaml",
		} {
			path := fmt.Sprintf("clusters/cluster-%05d/%s", i, name)
			files = append(files, File{Path: path, Content: bytes.Repeat([]byte(path+"\n"), 20)})
		}
	}
	files, err := Sign(files)
	if err != nil {
		panic(err)
	}
	return files
}

// memoryDir is on a memory file system where there is one, so that the figures
// are of the code and not of a disk.
func memoryDir(tb testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "tree-bench-")
	if err != nil {
		return tb.TempDir()
	}
	tb.Cleanup(func() { require.NoError(tb, os.RemoveAll(dir)) })
	return dir
}

// fastest returns the shortest time of several; before is not timed.
func fastest(times int, before, work func()) time.Duration {
	best := time.Duration(math.MaxInt64)
	for range times {
		before()
		start := time.Now()
		work()
		best = min(best, time.Since(start))
	}
	return best
}

// render does what a run does: everything from the first look to the last rename.
func render(tb testing.TB, dir string, files []File) {
	d, err := Lock(dir, Marker{Topology: "bench", Format: "kustomize", Version: "v1"})
	require.NoError(tb, err)
	defer d.Unlock()
	plan, err := d.Compare(context.Background(), files, Claims{})
	require.NoError(tb, err)
	require.NoError(tb, plan.Apply(context.Background()))
}

// BenchmarkFirstWrite reports the time to write 6,000 files against `cp -r` of
// the tree that results.
func BenchmarkFirstWrite(b *testing.B) {
	cp, err := exec.LookPath("cp")
	if err != nil {
		b.Skip("there is no cp here to compare with")
	}
	files := benchTree(1000)
	dir := memoryDir(b)
	out, copied := filepath.Join(dir, "out"), filepath.Join(dir, "copied")
	remove := func(path string) func() { return func() { require.NoError(b, os.RemoveAll(path)) } }
	for b.Loop() {
		write := fastest(5, remove(out), func() { render(b, out, files) })
		copying := fastest(5, remove(copied), func() { require.NoError(b, exec.Command(cp, "-r", out, copied).Run()) })
		b.ReportMetric(float64(write)/float64(copying), "write/cp")
		b.ReportMetric(float64(write.Milliseconds()), "write-ms")
		b.ReportMetric(float64(copying.Milliseconds()), "cp-ms")
	}
}

// BenchmarkSecondRun reports the time of a run that changes nothing, and of one
// that changes every file, against the first write of the same 6,000 files.
func BenchmarkSecondRun(b *testing.B) {
	files := benchTree(1000)
	var other []File
	for _, f := range files {
		f.Content = append(slices.Clip(f.Content), "# new\n"...)
		other = append(other, f)
	}
	out := filepath.Join(memoryDir(b), "out")
	for b.Loop() {
		first := fastest(5, func() { require.NoError(b, os.RemoveAll(out)) }, func() { render(b, out, files) })
		second := fastest(5, func() {}, func() { render(b, out, files) })
		all := fastest(5, func() { render(b, out, files) }, func() { render(b, out, other) })
		b.ReportMetric(float64(second)/float64(first), "unchanged/first")
		b.ReportMetric(float64(all)/float64(first), "all-changed/first")
		b.ReportMetric(float64(first.Milliseconds()), "first-ms")
		b.ReportMetric(float64(second.Milliseconds()), "unchanged-ms")
	}
}
