package resource

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Encode appends v to dst as a YAML document without a document marker, and
// returns the extended slice.
//
// Fields come in the order that a person expects (see fieldRank). Encode quotes a string
// or a key only if readers of YAML 1.1 and 1.2 can disagree about it. Values have the
// types of encoding/json, or int, []string and map[string]string.
func Encode(dst []byte, v any) []byte {
	e := encoder{dst: dst}
	e.document(v)
	return e.dst
}

// encoder prints values. If holes is set, it records a string with marks instead.
// Body.Append prints the string later.
type encoder struct {
	dst   []byte
	holes *[]hole
}

func (e *encoder) document(v any) {
	switch v := normal(v).(type) {
	case map[string]any:
		if len(v) > 0 {
			e.entries(v, 0, false)
			return
		}
	case []any:
		if len(v) > 0 {
			e.sequence(v, 0, false)
			return
		}
	}
	start := len(e.dst)
	e.after(v, 0)
	e.dst = slices.Delete(e.dst, start, start+1) // the space that separates a value from its key
}

// normal turns the additional types into types of encoding/json.
func normal(v any) any {
	switch v := v.(type) {
	case []string:
		list := make([]any, len(v))
		for i, s := range v {
			list[i] = s
		}
		return list
	case map[string]string:
		m := make(map[string]any, len(v))
		for k, s := range v {
			m[k] = s
		}
		return m
	case int:
		return json.Number(strconv.Itoa(v))
	}
	return v
}

// entries prints the entries of m, each on its own line. With inline set, the first key
// follows "- " on the same line.
func (e *encoder) entries(m map[string]any, indent int, inline bool) {
	for _, k := range sortedKeys(m) {
		if !inline {
			e.indent(indent)
		}
		inline = false
		key := scalar(nil, k)
		if len(key) > maxSimpleKey {
			e.dst = append(e.dst, "? "...)
			e.dst = append(e.dst, key...)
			e.dst = append(e.dst, '\n')
			e.indent(indent)
		} else {
			e.dst = append(e.dst, key...)
		}
		e.dst = append(e.dst, ':')
		e.after(m[k], indent)
	}
}

// maxSimpleKey stays below the 1024 characters that YAML allows a key
// without "? ".
const maxSimpleKey = 1000

// after prints a value behind "key:", with the space or line break before it and the line
// break at its end.
func (e *encoder) after(v any, indent int) {
	if e.record(v, indent, inMapping) {
		return
	}
	switch v := normal(v).(type) {
	case map[string]any:
		if len(v) == 0 {
			e.dst = append(e.dst, " {}\n"...)
			return
		}
		e.dst = append(e.dst, '\n')
		e.entries(v, indent+2, false)
	case []any:
		if len(v) == 0 {
			e.dst = append(e.dst, " []\n"...)
			return
		}
		e.dst = append(e.dst, '\n')
		e.sequence(v, indent, false)
	default:
		e.dst = append(e.dst, ' ')
		e.scalarLine(v, indent+2)
	}
}

func (e *encoder) sequence(list []any, indent int, inline bool) {
	for _, v := range list {
		if !inline {
			e.indent(indent)
		}
		inline = false
		e.dst = append(e.dst, '-')
		e.item(v, indent)
	}
}

// item prints a value behind "-", as after does behind "key:".
func (e *encoder) item(v any, indent int) {
	if e.record(v, indent, inSequence) {
		return
	}
	switch v := normal(v).(type) {
	case map[string]any:
		e.dst = append(e.dst, ' ')
		if len(v) == 0 {
			e.dst = append(e.dst, "{}\n"...)
			return
		}
		e.entries(v, indent+2, true)
	case []any:
		e.dst = append(e.dst, ' ')
		if len(v) == 0 {
			e.dst = append(e.dst, "[]\n"...)
			return
		}
		e.sequence(v, indent+2, true)
	default:
		e.dst = append(e.dst, ' ')
		e.scalarLine(v, indent+2)
	}
}

func (e *encoder) indent(n int) {
	for range n {
		e.dst = append(e.dst, ' ')
	}
}

// scalarLine prints a scalar and its line break. A text of several lines becomes a literal
// block with lines indented by indent.
func (e *encoder) scalarLine(v any, indent int) {
	switch v := v.(type) {
	case nil:
		e.dst = append(e.dst, "null"...)
	case bool:
		e.dst = strconv.AppendBool(e.dst, v)
	case json.Number:
		e.dst = append(e.dst, number(v)...)
	case string:
		if isBlock(v) {
			e.block(v, indent)
			return
		}
		e.dst = scalar(e.dst, v)
	default:
		// Other types do not occur: objects come from JSON or have the types of normal.
		e.dst = scalar(e.dst, fmt.Sprint(v))
	}
	e.dst = append(e.dst, '\n')
}

// number returns a JSON number in a form that every YAML reader takes for a number. YAML
// 1.1 needs a dot before an exponent.
func number(n json.Number) string {
	s := string(n)
	mantissa, exponent, ok := strings.Cut(strings.ToLower(s), "e")
	if !ok {
		return s
	}
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	if exponent[0] != '-' && exponent[0] != '+' {
		exponent = "+" + exponent
	}
	return mantissa + "e" + exponent
}

// isBlock tells whether s is printed as a literal block: it has several lines, and the
// block is safe.
func isBlock(s string) bool {
	if !strings.Contains(s, "\n") || strings.ContainsRune(" \t\n", rune(s[0])) {
		return false
	}
	for _, r := range s {
		if r != '\n' && r != '\t' && !printable(r) {
			return false
		}
	}
	return utf8.ValidString(s)
}

func (e *encoder) block(s string, indent int) {
	body := strings.TrimRight(s, "\n")
	switch len(s) - len(body) {
	case 0:
		e.dst = append(e.dst, "|-\n"...)
	case 1:
		e.dst = append(e.dst, "|\n"...)
	default:
		e.dst = append(e.dst, "|+\n"...)
	}
	for line := range strings.SplitSeq(body, "\n") {
		if line != "" {
			e.indent(indent)
			e.dst = append(e.dst, line...)
		}
		e.dst = append(e.dst, '\n')
	}
	for range len(s) - len(body) - 1 {
		e.dst = append(e.dst, '\n')
	}
}

// scalar appends a string as a scalar on one line. The scalar is plain if every reader
// takes it for this string, else quoted.
func scalar(dst []byte, s string) []byte {
	if isPlain(s) {
		return append(dst, s...)
	}
	if strings.ContainsAny(s, `\"`) && isPrintable(s) {
		dst = append(dst, '\'')
		dst = append(dst, strings.ReplaceAll(s, "'", "''")...)
		return append(dst, '\'')
	}
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case printable(r):
			dst = utf8.AppendRune(dst, r)
		case r > 0xffff:
			dst = fmt.Appendf(dst, `\U%08x`, r)
		default:
			dst = fmt.Appendf(dst, `\u%04x`, r)
		}
	}
	return append(dst, '"')
}

func isPrintable(s string) bool {
	for _, r := range s {
		if !printable(r) {
			return false
		}
	}
	return utf8.ValidString(s)
}

// printable tells whether a character is printed without an escape. YAML also permits
// invisible characters (no-break space, zero width space, byte order mark), but a
// reviewer must be able to see them.
func printable(r rune) bool {
	return r == ' ' || r > ' ' && r < 0x7f || r >= 0xa1 && unicode.IsGraphic(r) && !unicode.IsSpace(r)
}

// isPlain tells whether s needs no quotes.
func isPlain(s string) bool {
	if s == "" || !isPrintable(s) {
		return false
	}
	if strings.ContainsRune("-?:,[]{}#&*!|>'\"%@` =~<", rune(s[0])) || s[len(s)-1] == ' ' || s[len(s)-1] == ':' {
		return false
	}
	if strings.Contains(s, ": ") || strings.Contains(s, " #") {
		return false
	}
	switch strings.ToLower(s) {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		return false
	}
	return !looksNumeric(s)
}

// looksNumeric tells whether a YAML reader can take s for a number (also 0o7, 1_000, 1:30,
// .inf) or a date. "30s" and "v1.73" are neither.
func looksNumeric(s string) bool {
	if s[0] != '+' && s[0] != '.' && (s[0] < '0' || s[0] > '9') {
		return false
	}
	switch strings.ToLower(strings.TrimLeft(s, "+.")) {
	case "", "inf", "nan":
		return true
	}
	if len(s) > 2 && s[0] == '0' && strings.ContainsRune("xX", rune(s[1])) {
		return strings.Trim(s[2:], "0123456789abcdefABCDEF_") == ""
	}
	return strings.Trim(s, "0123456789+-_.:eEobOBtTzZ ") == ""
}

// fieldRank puts the fields that identify an object first. Fields without a rank follow,
// sorted by name.
var fieldRank = map[string]int{
	"apiVersion": -9,
	"apiGroup":   -9,
	"kind":       -8,
	"metadata":   -7,
	"name":       -6,
	"namespace":  -5,
	"labels":     -4,
	"spec":       -3,
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	SortKeys(keys)
	return keys
}

// SortKeys sorts keys as Encode prints them.
func SortKeys(keys []string) {
	slices.SortFunc(keys, func(a, b string) int {
		if ra, rb := fieldRank[a], fieldRank[b]; ra != rb {
			return ra - rb
		}
		return strings.Compare(a, b)
	})
}
