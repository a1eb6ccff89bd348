// Package finding describes a mistake in an input: its place, its severity, what was
// found and expected, and what to do. It also has the phrases of messages, so that they
// are the same everywhere.
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

// SeenFrom returns the position for a message at another position. It leaves out the
// file if both are in the same file.
func (p Position) SeenFrom(other Position) string {
	if p.File == other.File {
		return fmt.Sprintf("%d:%d", p.Line, p.Col)
	}
	return p.String()
}

// Severity says how serious a finding is.
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

// Finding is one mistake, at the position that causes it.
type Finding struct {
	Position
	Rule     string // the id of the rule, for its page and for suppressions
	Message  string // what was found and what was expected, lower case, no full stop
	Hint     string // what to do about it; may be empty
	Severity Severity
}

// String returns the finding as one line that editors and grep understand, and the hint
// on the next line. The severity is at the same place as in messages of compilers.
func (f Finding) String() string {
	s := fmt.Sprintf("%s: %s: %s: %s", f.Position, f.Severity, f.Rule, f.Message)
	if f.Hint != "" {
		s += "\nhint: " + f.Hint
	}
	return s
}

// Findings is a list of findings. A check collects all findings and does not stop at
// the first one.
type Findings []Finding

// The limits for a file with very many mistakes: how many findings are collected, and
// how many are shown.
const (
	maxCollected = 200_000
	maxShown     = 1000
)

// Add adds an error at a position: the rule, the hint, and the message as for
// [fmt.Sprintf]. Above a limit, it drops findings.
func (fs *Findings) Add(at Position, rule, hint, format string, args ...any) {
	if len(*fs) < maxCollected {
		*fs = append(*fs, Finding{Position: at, Rule: rule, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
}

// Sorted returns the findings by file, line, column, rule and message, each once. If
// there are very many, it returns the first ones, and the last one says so.
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
		last.Message, last.Hint = fmt.Sprintf("there are more than %d findings; the others are not shown", maxShown), ""
		sorted = append(sorted[:maxShown:maxShown], last)
	}
	return sorted
}
