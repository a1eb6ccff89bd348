package resource

// Part is a piece of a string with marks: literal text, or the path of the
// value that goes there.
type Part struct{ Literal, Path string }

// Parts takes a string apart at its marks.
func Parts(s string) []Part {
	var parts []Part
	for _, p := range split(s) {
		parts = append(parts, Part{p.literal, p.path})
	}
	return parts
}

// MergeOf takes what MergeHole made apart; ok tells whether v is that.
func MergeOf(v any) (ours map[string]any, theirs string, ok bool) { return asMerge(v) }
