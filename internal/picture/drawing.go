package picture

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// drawing is what a layout gives: shapes on a plane, in the order in which they
// cover each other. Lengths are pixels of a drawing at its own size.
type drawing struct {
	width, height int
	shapes        []shape
}

// shape is a rectangle, a line or a text.
type shape struct {
	class      string // one of palette
	x, y, w, h int    // of a rectangle; x and y of a text
	radius     int
	points     []point // of a line
	arrow      bool    // at its end
	text       string
	size       int
	anchor     string // of a text: "", middle or end
	title      string // what is shown by a pointer that rests on it
}

type point struct{ x, y int }

func (d *drawing) rect(class string, x, y, w, h, radius int, title string) {
	d.shapes = append(d.shapes, shape{class: class, x: x, y: y, w: w, h: h, radius: radius, title: title})
}

// line draws a line from one point to the next.
func (d *drawing) line(class string, arrow bool, points ...point) {
	d.shapes = append(d.shapes, shape{class: class, points: points, arrow: arrow})
}

// write puts a text at the left end of its base line, cut off where it is wider
// than there is room. The whole of it is its title then.
func (d *drawing) write(class string, x, y, size, room int, text string) {
	if class == "strong" || class == "name" || class == "accent" {
		room = room * 7 / 8 // bold characters are wider
	}
	short := fitted(text, size, room)
	title := ""
	if short != text {
		title = text
	}
	d.shapes = append(d.shapes, shape{class: class, x: x, y: y, size: size, text: short, title: title})
}

// pill is a small label at the right of a place, and returns where it begins.
func (d *drawing) pill(class string, right, y int, text string) int {
	w := textWidth(text, 11) + 14
	d.rect(class, right-w, y, w, 18, 9, "")
	d.shapes = append(d.shapes, shape{class: class + "Text", x: right - w/2, y: y + 13, size: 11, anchor: "middle", text: text})
	return right - w
}

// fitted is a text that is cut off at a width.
func fitted(text string, size, room int) string {
	if textWidth(text, size) <= room {
		return text
	}
	runes := []rune(text)
	for len(runes) > 0 && textWidth(string(runes)+"…", size) > room {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimRight(string(runes), " ") + "…"
}

// textWidth is about how wide a text is in the fonts that browsers take for
// sans-serif. It is rather too wide than too narrow.
func textWidth(text string, size int) int {
	sum := 0.0
	for _, r := range text {
		switch kind := width.LookupRune(r).Kind(); {
		case kind == width.EastAsianWide || kind == width.EastAsianFullwidth:
			sum += 1.0
		case strings.ContainsRune("ijl.,:;'|!()[] ", r):
			sum += 0.32
		case strings.ContainsRune("frt-/", r):
			sum += 0.4
		case strings.ContainsRune("mwMW@%<>+=~^&#$…", r):
			sum += 0.92
		case unicode.IsUpper(r):
			sum += 0.72
		default:
			sum += 0.58
		}
	}
	return int(sum*float64(size)) + 1
}

// counts says how many there are, with a comma between thousands.
func counts(n int, noun string) string {
	s := thousands(n) + " " + noun
	if n != 1 {
		s += "s"
	}
	return s
}

func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
