package finding

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Visible returns a text as one line without invisible characters. Use it for a text
// from outside, such as the name of a file or an error of another program. It escapes
// control characters, characters that change the direction of the text, other invisible
// characters, and bytes that are not UTF-8.
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

// VisibleText does the same for a text of several lines. It keeps tabs and the ends of
// lines.
func VisibleText(s string) string {
	from := 0 // the start of the part that is not yet written
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

// isVisible tells whether a text needs no escape. It is fast for ASCII, as most texts
// are.
func isVisible(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// writeVisible writes a character. It uses the escapes of JSON, so that JSON stays
// JSON.
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
