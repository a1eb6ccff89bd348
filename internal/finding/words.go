package finding

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Shorten keeps a value from flooding a message: it returns the first 60
// characters.
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

// DidYouMean is the hint for a mistyped word: it offers the known word that is
// nearest, in quotes. It is "" where none is near.
func DidYouMean(word string, known []string) string {
	near := Nearest(word, known)
	if near == "" {
		return ""
	}
	return Meant(strconv.Quote(near))
}

// Meant is the hint that offers something in place of what was written.
func Meant(what string) string { return "did you mean " + what + "?" }

// List names the first things of a list, and says how many more there are.
func List(names []string, most int) string {
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), more)
	}
	return strings.Join(names, ", ")
}

// OneOf names all things of a list, one of which may be chosen.
func OneOf(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// Count says how many things there are, by a noun whose plural ends in s.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
