package picture

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// drawing is the result of a layout: shapes on a plane. A later shape covers an
// earlier one. Lengths are pixels.
type drawing struct {
	width, height int
	shapes        []shape
}

// shape is a rectangle, a line or a text.
type shape struct {
	class      string // a class of palette
	x, y, w, h int    // of a rectangle; x and y of a text
	radius     int
	points     []point // for a line
	arrow      bool    // it has an arrow at its end
	text       string
	size       int
	anchor     string // of a text: "", middle or end
	title      string // shown while the pointer is on the shape
}

type point struct{ x, y int }

func (d *drawing) rect(class string, x, y, w, h, radius int, title string) {
	d.shapes = append(d.shapes, shape{class: class, x: x, y: y, w: w, h: h, radius: radius, title: title})
}

// line draws a line from one point to the next.
func (d *drawing) line(class string, arrow bool, points ...point) {
	d.shapes = append(d.shapes, shape{class: class, points: points, arrow: arrow})
}

// write puts a text at the left end of its base line. If the text is wider than
// room, it is cut off, and its title has the whole text.
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

// pill puts a small label to the left of the position right. It returns the
// left end of the label.
func (d *drawing) pill(class string, right, y int, text string) int {
	w := textWidth(text, 11) + 14
	d.rect(class, right-w, y, w, 18, 9, "")
	d.shapes = append(d.shapes, shape{class: class + "Text", x: right - w/2, y: y + 13, size: 11, anchor: "middle", text: text})
	return right - w
}

// fitted cuts a text off at a width.
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

// textWidth estimates the width of a text in the sans-serif fonts of browsers.
// The estimate is rather too wide than too narrow.
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

// counts returns a number with a noun, such as "1,000 clusters".
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
