package finding

import "fmt"

// Refusal is the error of a guard: the command refused to do something, and changed
// nothing.
type Refusal struct {
	Position        // the place that causes it; the zero value: no place in a file
	Message  string // what was found and what was expected
	Hint     string // what to do about it; may be empty
}

// Refuse makes a refusal without a position. The hint says what to do; the message is
// as for [fmt.Sprintf].
func Refuse(hint, format string, args ...any) *Refusal {
	return &Refusal{Message: fmt.Sprintf(format, args...), Hint: hint}
}

// Error returns the message without the hint, after the position if there is one.
func (r *Refusal) Error() string {
	if r.Position == (Position{}) {
		return r.Message
	}
	return r.Position.String() + ": " + r.Message
}
