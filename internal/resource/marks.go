package resource

import "strings"

// Part is a piece of a string with marks: literal text, or the path of a value.
type Part struct{ Literal, Path string }

// Parts splits a string at its marks.
func Parts(s string) []Part {
	var parts []Part
	for {
		before, rest, ok := strings.Cut(s, holeOpen)
		path, after, closed := strings.Cut(rest, holeClose)
		if !ok || !closed {
			if s != "" {
				parts = append(parts, Part{Literal: s})
			}
			return parts
		}
		if before != "" {
			parts = append(parts, Part{Literal: before})
		}
		parts = append(parts, Part{Path: path})
		s = after
	}
}
