//go:build unix

package render_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkDiff compares 1,000 clusters with 20 namespaces with their tree:
// once without a change, and once with another interval, which changes 22,001
// objects. It compares the CPU time of both with a render of the tree.
func BenchmarkDiff(b *testing.B) { diffBenchmark(b, "kustomize") }

// BenchmarkHelmDiff does the same for a chart. With another interval, Helm's
// engine renders the chart for every cluster, before and after.
func BenchmarkHelmDiff(b *testing.B) { diffBenchmark(b, "helm") }

func diffBenchmark(b *testing.B, format string) {
	sightline := buildBinary(b)
	work := fastDir(b)
	file := fleet(b, work, 1000, 20)
	text, err := os.ReadFile(file)
	require.NoError(b, err)
	slower := filepath.Join(work, "slower.yaml")
	require.NoError(b, os.WriteFile(slower, []byte(strings.Replace(string(text), "metrics: {", "metrics: {interval: 60s, ", 1)), 0o644))
	var write, same, changed time.Duration
	for b.Loop() {
		out := filepath.Join(work, "out")
		require.NoError(b, os.RemoveAll(out))
		least(&write, cpu(b, 0, sightline, "render", file, "-o", out, "--format", format))
		least(&same, cpu(b, 0, sightline, "diff", file, "-o", out))
		least(&changed, cpu(b, 1, sightline, "diff", slower, "-o", out))
	}
	b.ReportMetric(same.Seconds()/write.Seconds(), "x-of-render-unchanged")
	b.ReportMetric(changed.Seconds()/write.Seconds(), "x-of-render-changed")
	b.ReportMetric(write.Seconds(), "s-cpu-render")
}

func least(of *time.Duration, d time.Duration) {
	if *of == 0 || d < *of {
		*of = d
	}
}

// cpu runs a program that must end with the given exit code, and returns its
// CPU time.
func cpu(b *testing.B, code int, name string, args ...string) time.Duration {
	b.Helper()
	cmd := exec.Command(name, args...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.Fatal(err)
	}
	require.Equal(b, code, cmd.ProcessState.ExitCode(), "%s", out)
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}
