// Package golden compares whole files in tests. Of two that differ it names the
// line, because nobody reads both of them in a log.
package golden

import (
	"fmt"
	"strings"
	"testing"
)

// Difference says where a file that was made differs from the one that is kept; ""
// if it does not.
func Difference(kept, made string) string {
	if kept == made {
		return ""
	}
	a, b := strings.Split(kept, "\n"), strings.Split(made, "\n")
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	switch {
	case n == len(a):
		return fmt.Sprintf("differs at line %d: expected its end, got %.120q", n+1, b[n])
	case n == len(b):
		return fmt.Sprintf("differs at line %d: expected %.120q, got its end", n+1, a[n])
	}
	return fmt.Sprintf("differs at line %d: expected %.120q, got %.120q", n+1, a[n], b[n])
}

// Equal fails a test for a file that differs from what the test makes of it. The
// command rewrites the file.
func Equal(t testing.TB, name, kept, made, command string) {
	t.Helper()
	if d := Difference(kept, made); d != "" {
		t.Fatalf("%s %s; run %s, and read the diff", name, d, command)
	}
}
