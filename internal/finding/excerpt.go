package finding

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// Excerpt returns two lines for a screen: a line of a source with its number, and a
// caret under the place of the finding. Each has at most the given number of columns. Of
// a longer line, the excerpt has the part around the place. Invisible characters are
// escaped as in [Visible].
func (p Position) Excerpt(line string, columns int) (shown, under string) {
	cells := cellsOf(strings.TrimRight(line, "\r\n"))
	at := min(max(p.Col-1, 0), len(cells))
	end := max(wordEnd(cells, at), at+1)
	number := fmt.Sprintf("%5d | ", p.Line)
	from, to := window(cells, at, end, max(columns-len(number), 20))

	var above, below strings.Builder
	if from > 0 {
		above.WriteString("…")
		below.WriteString(" ")
	}
	for i := from; i < to; i++ {
		above.WriteString(cells[i].text)
		switch {
		case i < at:
			below.WriteString(strings.Repeat(" ", cells[i].columns))
		case i == at:
			below.WriteString("^" + strings.Repeat("~", max(cells[i].columns-1, 0)))
		case i < end:
			below.WriteString(strings.Repeat("~", cells[i].columns))
		}
	}
	if at == len(cells) {
		below.WriteString("^")
	}
	if to < len(cells) {
		above.WriteString("…")
	}
	return number + above.String(), strings.Repeat(" ", len(number)-2) + "| " + below.String()
}

// cell is a character on a screen.
type cell struct {
	char    rune
	text    string
	columns int
}

func cellsOf(line string) []cell {
	var cells []cell
	for i, r := range line {
		c := cell{r, Visible(string(r)), 1}
		switch kind := width.LookupRune(r).Kind(); {
		case r == '\t':
			c.text, c.columns = "  ", 2 // the width of a tab depends on the screen
		case r == unicode.ReplacementChar:
			c.text = Visible(line[i : i+1])
			if strings.HasPrefix(line[i:], string(r)) {
				c.text = string(r)
			}
			c.columns = len([]rune(c.text))
		case c.text != string(r):
			c.columns = len(c.text)
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Me, r):
			c.columns = 0
		case kind == width.EastAsianWide, kind == width.EastAsianFullwidth:
			c.columns = 2
		}
		cells = append(cells, c)
	}
	return cells
}

// wordEnd returns the end of the key or value that begins at a place.
func wordEnd(cells []cell, at int) int {
	if at >= len(cells) {
		return at
	}
	quote := cells[at].char
	if quote == '"' || quote == '\'' {
		for i := at + 1; i < len(cells); i++ {
			if cells[i].char == quote {
				return i + 1
			}
		}
		return len(cells)
	}
	for i := at; i < len(cells); i++ {
		switch c := cells[i].char; {
		case unicode.IsSpace(c), strings.ContainsRune(",[]{}", c):
			return i
		case c == ':' && (i+1 == len(cells) || unicode.IsSpace(cells[i+1].char)):
			return i
		}
	}
	return len(cells)
}

// window returns the part of a line that fits into a number of columns. It is the
// beginning of the line or, if the word ends later, the part that ends with the word.
func window(cells []cell, at, end, columns int) (from, to int) {
	used, all := 0, 0
	for i, c := range cells {
		if all += c.columns; i < end {
			used = all
		}
	}
	if all <= columns {
		return 0, len(cells)
	}
	columns -= 2 // for the marks of left-out parts
	for ; used > columns && from < at; from++ {
		used -= cells[from].columns
	}
	used = 0
	for to = from; to < len(cells) && used+cells[to].columns <= columns; to++ {
		used += cells[to].columns
	}
	return from, to
}
