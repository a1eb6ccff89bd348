package topology

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
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Finding is one thing that is wrong with a topology, at the position that
// causes it.
type Finding struct {
	Position
	Rule    string // an identifier that documentation and suppressions use
	Message string // what was found and what was expected, lower case, no full stop
	Hint    string // what to do about it; may be empty
}

// String is one line that editors and grep understand, and the hint on the
// next.
func (f Finding) String() string {
	s := fmt.Sprintf("%s: %s: %s", f.Position, f.Rule, f.Message)
	if f.Hint != "" {
		s += "\nhint: " + f.Hint
	}
	return s
}

// Findings is a list of findings. Parse collects all it can find instead of
// stopping at the first.
type Findings []Finding

// maxFindings is where a list stops: a file that is wrong from end to end says
// no more by a million findings.
const maxFindings = 1000

func (fs *Findings) add(at Position, rule, hint, format string, args ...any) {
	switch n := len(*fs); {
	case n < maxFindings:
		*fs = append(*fs, Finding{Position: at, Rule: rule, Message: fmt.Sprintf(format, args...), Hint: hint})
	case n == maxFindings:
		*fs = append(*fs, Finding{Position: at, Rule: rule, Message: fmt.Sprintf("more than %d findings; from here on none is shown", maxFindings)})
	}
}

// Sorted returns the findings by file, line, column, rule and message, each
// once.
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
	return slices.Compact(sorted)
}
