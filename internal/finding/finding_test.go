package finding

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSorted(t *testing.T) {
	at := func(file string, line, col int, rule, message string) Finding {
		return Finding{Position: Position{file, line, col}, Rule: rule, Message: message}
	}
	want := Findings{
		at("a", 1, 1, "A", "a"),
		at("a", 1, 1, "A", "b"),
		at("a", 1, 1, "B", "a"),
		at("a", 1, 2, "A", "a"),
		at("a", 2, 1, "A", "a"),
		at("a", 10, 1, "A", "a"),
		at("b", 1, 1, "A", "a"),
	}
	mixed := Findings{want[5], want[1], want[6], want[0], want[1], want[4], want[3], want[2], want[6]}
	before := append(Findings{}, mixed...)
	require.Equal(t, want, mixed.Sorted())
	require.Equal(t, before, mixed, "the list itself is left alone")
	require.Empty(t, Findings(nil).Sorted())
}

func TestSortedOfVeryMany(t *testing.T) {
	var fs Findings
	for line := range maxCollected + 1 {
		fs.Add(Position{"a", line + 1, 1}, "SY01", "remove it", "line %d is wrong", line+1)
	}
	require.Len(t, fs, maxCollected)
	sorted := fs.Sorted()
	require.Len(t, sorted, maxShown+1)
	require.Equal(t, "a:1001:1: error: SY01: there are more than 1000 findings; the others are not shown", sorted[maxShown].String())
}

func TestString(t *testing.T) {
	f := Finding{Position: Position{"a", 3, 4}, Rule: "SY01", Message: "it is wrong", Hint: "remove it"}
	require.Equal(t, "a:3:4: error: SY01: it is wrong\nhint: remove it", f.String())
	f.Severity, f.Hint = Warning, ""
	require.Equal(t, "a:3:4: warning: SY01: it is wrong", f.String())
	require.Equal(t, "3:4", f.SeenFrom(Position{File: "a"}))
	require.Equal(t, "a:3:4", f.SeenFrom(Position{File: "b"}))
}

func TestWords(t *testing.T) {
	known := []string{"cluster", "platform", "server"}
	require.Equal(t, `did you mean "platform"?`, DidYouMean("plaftorm", known))
	require.Equal(t, `did you mean "server"?`, DidYouMean("SERVERS", known))
	require.Empty(t, DidYouMean("gateway", known))
	names := []string{"a", "b", "c"}
	require.Equal(t, "a, b, c", List(names, 3))
	require.Equal(t, "a, b and 1 more", List(names, 2))
	require.Equal(t, "a, b or c", OneOf(names))
	require.Equal(t, "a", OneOf(names[:1]))
	require.Equal(t, "1 link", Count(1, "link"))
	require.Equal(t, "0 links", Count(0, "link"))
}
