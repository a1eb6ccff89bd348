package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The limits for an input of 64 kB. An idle core of today needs a fifth of this CPU time.
// So a busy core that is five times slower does not fail.
const (
	hostileSize   = 64 << 10
	hostileCPU    = 10 * time.Second
	hostileMemory = 256 << 20
)

// cost runs the program in a folder as a separate process. It returns the output, the
// exit code, and the CPU time and memory of the program with its child processes.
func cost(t *testing.T, dir string, args ...string) (words string, code int, cpu time.Duration, memory int64) {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Args, cmd.Dir, cmd.Stdout, cmd.Stderr = append([]string{"sightline"}, args...), dir, &out, &out
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	require.True(t, ok)
	return out.String(), cmd.ProcessState.ExitCode(), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), usage.Maxrss << 10
}

// forgetPeak resets the peak memory of this process. Linux counts the peak of a process
// also for the programs that it starts.
func forgetPeak() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

// fill repeats a part between two others, as often as it fits.
func fill(before, part, after string) string {
	return before + strings.Repeat(part, (hostileSize-len(before)-len(after))/len(part)) + after
}

// named puts as many clusters into a topology as fit, each with another number.
func named(topology, cluster string) string {
	before, after, _ := strings.Cut(topology, "clusters: [")
	text := before + "clusters: ["
	for i := 0; len(text)+len(cluster)+len(after) < hostileSize; i++ {
		text += fmt.Sprintf(cluster, i, i)
	}
	return text + after
}

// TestCostOfHostileInput verifies inputs of 64 kB that cost as much as possible.
func TestCostOfHostileInput(t *testing.T) {
	forgetPeak()
	head, _, _ := strings.Cut(overlaid, "  delivery:")
	head += "  clusters: [{name: east, domain: apps.east.example.com}]\n"
	free := strings.Replace(head, "version: v2.27}", "version: v2.27, spec: {a: @}}", 1)
	place := func(part string) string { before, after, _ := strings.Cut(free, "@"); return fill(before, part, after) }
	quoted := func(part string) string {
		before, after, _ := strings.Cut(free, "@")
		return fill(before+`"`, part, `"`+after)
	}
	nested := func(open, shut string) string {
		before, after, _ := strings.Cut(free, "@")
		n := (hostileSize - len(free)) / (len(open) + len(shut))
		return before + strings.Repeat(open, n) + strings.Repeat(shut, n) + after
	}
	clusters := func(part string) string {
		before, after, _ := strings.Cut(head, "clusters: [")
		return fill(before+"clusters: [", part, after)
	}
	for name, text := range map[string]string{
		"lists in lists":     place("["),
		"closed lists":       nested("[", "]"),
		"objects in objects": nested("{a: ", "}"),
		"questions":          fill(head, "? ", ""),
		"dashes":             fill(head, "- ", ""),
		"many keys":          place("{a, ") + "}",
		"many equal keys":    strings.Replace(free, "@", "{"+strings.Repeat("a: 1, ", 10_000)+"}", 1),
		"many wrong keys":    fill(head, "a: b\n", ""),
		"anchors":            fill("a: &a [x,x,x,x,x,x,x,x,x]\nb: [", "*a,", "*a]"),
		"merge keys":         fill(head, "<<: {a: b}\n", ""),
		"tags":               place("!!x "),
		"a long name":        strings.Replace(head, "mesh1", strings.Repeat("m", hostileSize-len(head)), 1),
		"many namespaces":    strings.Replace(head, "[shop]", fill("[", "aaaa,", "b]")[:hostileSize-len(head)-2]+"]", 1),
		"many clusters":      clusters("{name: a, x: y}, "),
		"clusters to guess":  named(head, "{name: a%d, platform: x, server: 'https://a%d:1'}, "),
		"a line to guess":    named(strings.Replace(head, "v2.27", "v9", 1), "{name: a%d, server: 'https://a%d:1'}, "),
		"many to guess":      named(strings.Replace(head, "v2.27", "v9", 1), "{name: a%d, namespaces: [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,'1','2','3','4','5','6','7','8','9'], server: 'https://a%d:1'}, "),
		"many documents":     fill(head, "---\n", ""),
		"one line of quotes": fill(head, `"`, ""),
		"backslashes":        quoted(`\\`),
		"a broken end":       fill(head, "x: [\n", ""),
		"base64":             quoted("ZXlKaGJHY2lPaUpT"),
		"equal signs":        quoted("?token="),
		"a URL without end":  quoted("a://b:"),
		"tokens":             quoted("ghp_0123456789abcdefghijklmnopqrstuvwxyz0 "),
		"begins of keys":     quoted("-----BEGIN RSA PRIVATE KEY-----"),
		"braces":             quoted("{{${$("),
		"documents in text":  strings.Replace(free, "@}}", "a}}", 1) + fill("  x: |\n    ", "[", "")[:hostileSize-len(head)-20],
		"comments":           fill(head, "# password: aaaaaaaaaaaa\n", ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.LessOrEqual(t, len(text), hostileSize+1)
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "mesh.yaml"), []byte(text), 0o644))
			words, code, cpu, memory := cost(t, dir, "verify", "mesh.yaml")
			assert.Contains(t, []int{exitOK, exitInvalid}, code, "%.1000s", words)
			assert.Less(t, cpu, hostileCPU)
			assert.Less(t, memory, int64(hostileMemory))
			assert.Less(t, len(words), 1<<20)
			t.Logf("%v of CPU, %d MiB, %d bytes of words", cpu, memory>>20, len(words))
		})
	}
}

// TestWholeHostileOverlay verifies overlays that take as much memory as they can. Each
// ends the run with exit code 2 and the place of the overlay, and never with a crash
// message of Go.
func TestWholeHostileOverlay(t *testing.T) {
	forgetPeak()
	topology := strings.Replace(strings.Replace(overlaid, "  delivery:", "  overlays: [{name: own, jsonnet: own/x.jsonnet}]\n  delivery:", 1), "\n  delivery:", "\n  #", 1)
	topology, _, _ = strings.Cut(topology, "  #")
	topology += "  clusters: [{name: east, domain: apps.east.example.com}]\n"
	const double = "local d(s, n) = if n == 0 then s else d(s + s, n - 1); "
	in := func(value string) string { return double + "function(resource, cluster) resource + {a: " + value + "}" }
	const memory, deep = "takes more than 128 MiB of memory", "is nested deeper than can be evaluated"
	for name, c := range map[string]struct{ script, says string }{
		"string":             {in("d('x', 40)"), memory},
		"string of 256 MB":   {in("d('x', 26)"), memory},
		"too long for Go":    {in("d('x', 60)"), memory},
		"list":               {in("d([1], 30)"), memory},
		"objects":            {in("{ [std.toString(i)]: i for i in std.range(1, 1000000) }"), memory},
		"repeat":             {in("std.repeat([1], 1e9)"), memory},
		"range":              {in("std.range(1, 1e9)"), memory},
		"makeArray":          {in("std.makeArray(1e9, function(i) i)"), memory},
		"join":               {in("std.join(d('x', 20), std.makeArray(100000, function(i) 'y'))"), memory},
		"strReplace":         {in("std.strReplace(d('x', 22), 'x', d('y', 20))"), memory},
		"comprehension":      {in("[a + b for a in std.range(1, 10000) for b in std.range(1, 10000)]"), memory},
		"JSON":               {in("std.parseJson(d('[', 24))"), memory},
		"escapes":            {in(`std.escapeStringJson(d('\u0001', 25))`), memory},
		"indentation":        {in("std.manifestJsonEx({ a: { b: 1 } }, d(' ', 27))"), memory},
		"base64":             {in("std.base64(d('x', 26))"), memory},
		"characters":         {in("std.stringChars(d('x', 24))"), memory},
		"field":              {double + "function(resource, cluster) resource + { [d('x', 27)]: 1 }", memory},
		"error":              {double + "function(resource, cluster) error d('x', 28)", memory},
		"trace":              {double + "function(resource, cluster) std.trace(d('x', 27), resource)", memory},
		"lists in lists":     {"function(resource, cluster) " + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), deep},
		"sums":               {"function(resource, cluster) " + fill("", "1+", "1"), deep},
		"when it is read":    {double + "std.length(d('x', 40) + d('y', 40)[0])", memory},
		"in what it imports": {"local x = import 'x.libsonnet'; function(resource, cluster) x", memory},
	} {
		if !whole() && !slices.Contains([]string{"string", "objects", "JSON", "field", "trace", "lists in lists", "sums", "when it is read",
			"in what it imports"}, name) {
			continue // the sample: one of each way to grow
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			require.NoError(t, os.Mkdir(filepath.Join(dir, "own"), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "mesh.yaml"), []byte(topology), 0o644))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "own", "x.jsonnet"), []byte(c.script), 0o644))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "own", "x.libsonnet"), []byte(double+"{ a: d('x', 40) }"), 0o644))
			words, code, cpu, memory := cost(t, dir, "verify", "mesh.yaml")
			assert.Equal(t, exitFailure, code)
			assert.Regexp(t, fmt.Sprintf(`^sightline: mesh.yaml:\d+:\d+: overlay "own".*: .*%s\nhint: .*\n$`, c.says), words)
			assert.Less(t, cpu, hostileCPU)
			assert.Less(t, memory, int64(hostileMemory))
			t.Logf("%v of CPU, %d MiB", cpu, memory>>20)
		})
	}
}
