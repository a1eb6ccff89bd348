package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestWatched ends a run whose evaluation has no end, and leaves others alone.
func TestWatched(t *testing.T) {
	t.Cleanup(func() { debug.SetTraceback("single") })
	end := make(chan struct{})
	defer close(end)
	err := watched(t.Context(), io.Discard, 50*time.Millisecond, func(ctx context.Context) error {
		host(ctx).Watch("short")()
		defer host(ctx).Watch("own")()
		<-end
		return nil
	})
	require.EqualError(t, err, `overlay "own": one evaluation takes longer than 50ms`)
	var words bytes.Buffer
	require.Equal(t, exitFailure, report(&words, err))
	require.Contains(t, words.String(), "hint: look for a loop")

	require.NoError(t, watched(t.Context(), io.Discard, time.Millisecond, func(ctx context.Context) error {
		host(ctx).Watch("own")()
		time.Sleep(60 * time.Millisecond) // not in an evaluation
		return nil
	}))
}

// TestWatchedInterrupted ends runs at once until they say that they do it
// themselves, and never lets one begin to write when it is over.
func TestWatchedInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	came, late := make(chan struct{}), make(chan error)
	err := watched(ctx, io.Discard, time.Minute, func(ctx context.Context) error {
		untilEndsItself(ctx, "nothing was written")
		cancel()
		<-came
		late <- endsItself(ctx)
		return nil
	})
	require.EqualError(t, err, "interrupted; nothing was written")
	close(came)
	require.ErrorIs(t, <-late, context.Canceled)

	ctx, cancel = context.WithCancel(t.Context())
	require.EqualError(t, watched(ctx, io.Discard, time.Minute, func(ctx context.Context) error {
		untilEndsItself(ctx, "nothing was written")
		require.NoError(t, endsItself(ctx))
		cancel()
		time.Sleep(60 * time.Millisecond)
		return errors.New("put back")
	}), "put back")
}

// TestWatchedMemory ends a run whose evaluation takes too much memory.
func TestWatchedMemory(t *testing.T) {
	w := &watch{longest: time.Minute, largest: 1, running: map[*evaluation]bool{}}
	require.NoError(t, w.exceeded())
	defer w.begin("own")()
	require.ErrorContains(t, w.exceeded(), `overlay "own": the evaluation takes more than 0 MiB of memory`)
}

// TestCostOfHostileInput renders and verifies inputs of 64 kB that are made to
// cost as much as they can. The limits are far above what they cost, so that a
// busy machine does not fail them.
func TestCostOfHostileInput(t *testing.T) {
	const size = 64 << 10
	fill := func(before, part, after string) string {
		return before + strings.Repeat(part, (size-len(before)-len(after))/len(part)) + after
	}
	head, _, _ := strings.Cut(overlaid, "  delivery:")
	head += "  clusters: [{name: east, domain: apps.east.example.com}]\n"
	free := strings.Replace(head, "version: v2.27}", "version: v2.27, spec: {a: @}}", 1)
	place := func(value string) string { return strings.Replace(free, "@", value, 1) }
	for name, text := range map[string]string{
		"lists in lists":     place(fill("", "[", "")),
		"closed lists":       place(strings.Repeat("[", 9000) + strings.Repeat("]", 9000)),
		"objects in objects": place(strings.Repeat("{a: ", 9000) + strings.Repeat("}", 9000)),
		"questions":          head + fill("", "? ", ""),
		"dashes":             head + fill("", "- ", ""),
		"many keys":          place("{" + fill("", "a, ", "") + "}"),
		"many wrong keys":    head + strings.Repeat("a: b\n", size/5),
		"anchors":            "a: &a [x,x,x,x,x,x,x,x,x]\n" + fill("b: [", "*a,", "*a]"),
		"a long name":        strings.Replace(head, "mesh1", strings.Repeat("m", size), 1),
		"many namespaces":    strings.Replace(head, "[shop]", "["+fill("", "aaaa,", "b")+"]", 1),
		"many clusters":      strings.Replace(head, "clusters: [", "clusters: ["+strings.Repeat("{name: a, x: y}, ", 3000), 1),
		"many documents":     fill(head, "---\n", ""),
		"one line of quotes": head + fill("", `"`, ""),
		"backslashes":        place(`"` + strings.Repeat(`\`, size) + `"`),
		"a broken end":       head + fill("", "x: [\n", ""),
		"base64":             place(fill(`"`, "ZXlKaGJHY2lPaUpT", `"`)),
		"equal signs":        place(fill(`"`, "?token=", `"`)),
		"a URL without end":  place(fill(`"`, "a://b:", `"`)),
		"documents in text":  place("|\n        " + strings.Repeat("[", size)),
	} {
		t.Run(name, func(t *testing.T) {
			require.LessOrEqual(t, len(text), 2*size)
			file := filepath.Join(t.TempDir(), "mesh.yaml")
			require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
			began := time.Now()
			var stdout, stderr bytes.Buffer
			run(t.Context(), []string{"verify", file}, nil, &stdout, &stderr)
			require.Less(t, time.Since(began), 20*time.Second)
			require.Less(t, stdout.Len(), 1<<20)
			t.Logf("%v", time.Since(began))
		})
	}
}
