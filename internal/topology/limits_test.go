//go:build unix

package topology_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	. "github.com/sightline-mesh/sightline/internal/topology"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// TestWholeHostileText gives Parse texts that nobody writes by hand. Parse must
// refuse all of them in little processor time, with messages that fit on a
// screen.
func TestWholeHostileText(t *testing.T) {
	// The sample of tier 0 has texts, and time for them, of a quarter.
	part := 4
	if os.Getenv("SIGHTLINE_WHOLE") != "" {
		part = 1
	}
	mega, items := 1<<20/part, 100_000/part
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	config := func(text string) string {
		return strings.Replace(Small, "{hub: east}", "{hub: east, spec: "+text+"}", 1)
	}
	bomb := "    a0: &a0 [lol, lol]\n"
	for i := range 30 {
		bomb += fmt.Sprintf("    a%d: &a%d [*a%d, *a%d, *a%d]\n", i+1, i+1, i, i, i)
	}

	for name, test := range map[string]struct {
		input    string
		findings int
		first    string
	}{
		"too large":        {strings.Repeat("#", MaxSize+1), 1, "input:1:1: error: SY01: the file is larger than 64 MiB"},
		"brackets":         {strings.Repeat("[", 10*mega), 1, "input:1:1: error: SY01: the file is not YAML: exceeded max depth"},
		"braces":           {strings.Repeat("{", 10*mega), 1, "input:1:1: error: SY01: the file is not YAML: exceeded max depth"},
		"dashes":           {strings.Repeat("- ", 5*mega), 1, "input:1:1: error: SY01: the file is not YAML: exceeded max depth"},
		"question marks":   {strings.Repeat("? ", 5*mega), 1, "input:1:1: error: SY01: the file is not YAML: exceeded max depth"},
		"quotes":           {strings.Repeat(`"`, 10*mega), 1, "input:1:1: error: SY01: the file is not YAML"},
		"lines of [":       {strings.Repeat("[\n", 5*mega), 1, "input:1"},
		"one open bracket": {"a: [\n" + strings.Repeat("- b\n", mega), 1, "input:"},
		"one long text":    {strings.Repeat("x", 10*mega), 1, "input:1:1: error: SY02: expected a topology"},
		"one long key":     {Small + strings.Repeat("x", 5*mega) + ": 1\n", 1, "input:8:1: error: SY01: the file is not YAML: could not find expected ':'"},
		"one long ? key":   {Small + "? " + strings.Repeat("x", 5*mega) + "\n: 1\n", 1, `input:8:3: error: SY03: the topology has no key "xxx`},
		"long number":      {strings.Replace(Small, "mesh1", strings.Repeat("1", 300), 1), 1, "input:5:14: error: SY05: spec.mesh.id must be a string, found the number 111"},
		"long alias":       {strings.Replace(Small, "mesh1", "*"+strings.Repeat("a", mega), 1), 1, "input:5:14: error: SY08: found the alias *aaa"},
		"blank lines":      {strings.Repeat("\n", 10*mega), 1, "input:1:1: error: SY01: the file is empty"},
		"comments":         {strings.Repeat("# \n", 3*mega), 1, "input:1:1: error: SY01: the file has only comments"},
		"tabs":             {strings.Repeat("\t", 10*mega), 1, "input:1:1: error: SY01"},
		"documents":        {Small + strings.Repeat("---\na: 1\n", mega/8), 1, "input:8:1: error: SY01: found a second document"},
		"same key":         {Head + "spec:\n" + strings.Repeat("  mesh: {id: mesh1}\n", items), items + 1, "input:5:3: error: SY07: spec.clusters is missing"},
		"unknown keys":     {Small + many(items, "key%d: 1\n"), items, `input:8:1: error: SY03: the topology has no key "key0"`},
		"near keys":        {Small + many(items, "spec%d: 1\n"), items, `input:8:1: error: SY03: the topology has no key "spec0"`},
		"same cluster":     {Small[:len(Small)-2] + strings.Repeat(",\n {name: east}", items) + "]\n", items, `input:8:9: error: ID01: two clusters are named "east"; first at 7:21`},
		"no server":        {strings.Replace(Small, "{name: east}", "{name: east, domain: a.b}"+many(items, ",\n {name: c%d}"), 1), items, `input:8:2: error: SY07: cluster "c0": server is missing`},
		"no hub":           {strings.Replace(Small, "[{name: east}", "[{name: west}"+many(items, ",\n {name: c%d}"), 1), 1, `input:6:16: error: ID04: the hub "east"`},
		"misplaced keys":   {strings.Replace(Small, "{name: east}", "{name: east}"+strings.Repeat(",\n {channel: a}", items/2), 1), items/2*3 + 1, `input:7:14: error: SY07: cluster "east": domain is missing`},
		"same namespace":   {Small + "  namespaces: [a" + strings.Repeat(", a", items) + "]\n", items, "input:8:19: error: SY04"},
		"aliases":          {Small + "  x: &x 1\n  namespaces: [a" + strings.Repeat(", *x", items) + "]\n", items + 1, "input:8:3: error: SY03"},
		"alias bomb":       {strings.Replace(Small, "{hub: east}", "\n   hub: east\n   spec:\n"+bomb, 1), 121, "input:9:9: error: SY08: found the anchor &a0"},
		"deep config":      {config(strings.Repeat("{a: ", 5000) + strings.Repeat("}", 5000)), 1, "input:6:273: error: SY01: values are nested"},
		"deep long config": {config(strings.Repeat("{\n? "+strings.Repeat("k", 1000)+"\n: ", 5000) + strings.Repeat("}", 5000)), 1, "input:129:3: error: SY01: values are nested"},
		"deep list":        {config("{a: " + strings.Repeat("[", 5000) + "~" + strings.Repeat("]", 5000) + "}"), 1, "input:6:93: error: SY01: values are nested"},
	} {
		t.Run(name, func(t *testing.T) {
			began := processorTime(t)
			_, findings := check.Parse("input", []byte(test.input))
			require.Less(t, processorTime(t)-began, 20*time.Second/time.Duration(part))
			require.Equal(t, min(test.findings, 1001), len(findings))
			require.True(t, strings.HasPrefix(findings[0].String(), test.first), "%s", findings[0])
			for _, f := range findings {
				if n := len(f.String()); n > 1000 {
					t.Fatalf("a finding has %d bytes: %.100s…", n, f)
				}
			}
		})
	}
}

// processorTime is the processor time of this process. Other programs on the
// machine do not change it.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// TestLineEnds checks that Windows line ends and a byte order mark do not move
// a finding.
func TestLineEnds(t *testing.T) {
	input := []byte(strings.Replace(Small, "mesh1", "7", 1))
	_, want := check.Parse("input", input)
	require.Len(t, want, 1)
	require.Equal(t, finding.Position{File: "input", Line: 5, Col: 14}, want[0].Position)

	crlf := bytes.ReplaceAll(input, []byte("\n"), []byte("\r\n"))
	for name, same := range map[string][]byte{
		"crlf":          crlf,
		"mark":          append([]byte("\ufeff"), input...),
		"mark and crlf": append([]byte("\ufeff"), crlf...),
		"no last line":  bytes.TrimRight(input, "\n"),
	} {
		_, got := check.Parse("input", same)
		require.Equal(t, want, got, name)
	}
}
