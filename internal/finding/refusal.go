package finding

import "fmt"

// Refusal is the error of a guard: something is not done, and nothing has been
// changed.
type Refusal struct {
	Position        // what causes it; the zero value where that is in no file
	Message  string // what was found and what was expected
	Hint     string // what to do about it; may be empty
}

// Refuse makes a refusal that is about no file: what to do, and the message as
// for [fmt.Sprintf].
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
