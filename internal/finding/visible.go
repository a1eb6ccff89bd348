package finding

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Visible returns a text of somebody else, such as the name of a file or an
// error of another program, as one line on which nothing hides: a control
// character, one that turns the direction of the text, and one that cannot be
// seen stand as their escapes, and so does a byte that is not UTF-8.
func Visible(s string) string {
	if isVisible(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		writeVisible(&b, r, s[i:i+size])
		i += size
	}
	return b.String()
}

// VisibleText does the same with a text of several lines, and leaves the ends of
// lines and tabs as they are.
func VisibleText(s string) string {
	from := 0 // of what is not looked at yet
	for from < len(s) && (s[from] >= ' ' && s[from] < 0x7f || s[from] == '\n' || s[from] == '\t') {
		from++
	}
	if from == len(s) {
		return s
	}
	var b strings.Builder
	b.WriteString(s[:from])
	for i := from; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == '\n' || r == '\t' {
			b.WriteByte(s[i])
		} else {
			writeVisible(&b, r, s[i:i+size])
		}
		i += size
	}
	return b.String()
}

// isVisible is a quick look: most texts are of ASCII.
func isVisible(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// writeVisible writes a character. The escapes are those of JSON, so that what
// is JSON stays JSON.
func writeVisible(b *strings.Builder, r rune, raw string) {
	switch {
	case r == utf8.RuneError && len(raw) == 1:
		fmt.Fprintf(b, `\x%02x`, raw[0])
	case unicode.IsGraphic(r):
		b.WriteString(raw)
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\t':
		b.WriteString(`\t`)
	case r > 0xffff:
		high, low := utf16.EncodeRune(r)
		fmt.Fprintf(b, `\u%04x\u%04x`, high, low)
	default:
		fmt.Fprintf(b, `\u%04x`, r)
	}
}
