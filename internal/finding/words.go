package finding

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Shorten returns the first 60 characters of a value, so that a long value does not
// fill a message.
func Shorten(s string) string {
	const most = 60
	end := 0
	for range most {
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
	}
	if end == len(s) {
		return s
	}
	return s[:end] + "…"
}

// DidYouMean returns the hint for a mistyped word, with the nearest known word in
// quotes. It returns "" if none is near.
func DidYouMean(word string, known []string) string {
	near := Nearest(word, known)
	if near == "" {
		return ""
	}
	return Meant(strconv.Quote(near))
}

// Meant returns the hint "did you mean …?".
func Meant(what string) string { return "did you mean " + what + "?" }

// List returns the first names of a list, and the number of the others.
func List(names []string, most int) string {
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), more)
	}
	return strings.Join(names, ", ")
}

// OneOf returns all names of a list, with "or" before the last one.
func OneOf(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// Count returns a number with a noun. The plural of the noun must end in s.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
