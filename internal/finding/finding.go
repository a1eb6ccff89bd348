// Package finding is what is wrong with an input: where it is, how grave it is,
// what was found and expected, and what to do about it. It also has the phrases
// that messages are built of, so that each reads the same everywhere.
package finding

import (
	"cmp"
	"fmt"
	"slices"
)

// Position is a place in a source. Line and Col count from 1; Col counts
// characters, as editors do.
type Position struct {
	File      string
	Line, Col int
}

func (p Position) String() string {
	return fmt.Sprintf("%s:%d:%d", Visible(p.File), p.Line, p.Col)
}

// SeenFrom is the position as a message at another position names it: without
// the file where both are in the same one.
func (p Position) SeenFrom(other Position) string {
	if p.File == other.File {
		return fmt.Sprintf("%d:%d", p.Line, p.Col)
	}
	return p.String()
}

// Severity says what a finding means for whoever renders.
type Severity int

// The severities. With an error, nothing is rendered.
const (
	Error Severity = iota
	Warning
	Info
)

func (s Severity) String() string {
	return [...]string{"error", "warning", "info"}[s]
}

// Finding is one thing that is wrong, at the position that causes it.
type Finding struct {
	Position
	Rule     string // an identifier that documentation and suppressions use
	Message  string // what was found and what was expected, lower case, no full stop
	Hint     string // what to do about it; may be empty
	Severity Severity
}

// String is one line that editors and grep understand, and the hint on the
// next. The severity stands where compilers have it.
func (f Finding) String() string {
	s := fmt.Sprintf("%s: %s: %s: %s", f.Position, f.Severity, f.Rule, f.Message)
	if f.Hint != "" {
		s += "\nhint: " + f.Hint
	}
	return s
}

// Findings is a list of findings. Whoever looks for them collects all instead
// of stopping at the first.
type Findings []Finding

// A file that is wrong from end to end says no more by a million findings: so
// many are collected, and the first of them shown.
const (
	maxCollected = 200_000
	maxShown     = 1000
)

// Add adds an error at a position: the rule it breaks, what to do, and the
// message as for [fmt.Sprintf]. Of a file that is wrong from end to end, those
// above a limit are dropped.
func (fs *Findings) Add(at Position, rule, hint, format string, args ...any) {
	if len(*fs) < maxCollected {
		*fs = append(*fs, Finding{Position: at, Rule: rule, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
}

// Sorted returns the findings by file, line, column, rule and message, each
// once. Of very many it returns the first, and says so in the last.
func (fs Findings) Sorted() Findings {
	sorted := slices.Clone(fs)
	slices.SortFunc(sorted, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Col, b.Col),
			cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Message, b.Message),
		)
	})
	sorted = slices.Compact(sorted)
	if len(sorted) > maxShown {
		last := sorted[maxShown]
		last.Message, last.Hint = fmt.Sprintf("there are more than %d findings; from here on none is shown", maxShown), ""
		sorted = append(sorted[:maxShown:maxShown], last)
	}
	return sorted
}
