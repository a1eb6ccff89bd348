package topology

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// The rules about the text of a topology, before it means anything. What it
// means is the matter of the rules of check.
const (
	RuleSyntax    = "SY01" // not readable as one YAML document
	RuleKind      = "SY02" // not a topology
	RuleUnknown   = "SY03" // a key that does not exist
	RuleDuplicate = "SY04" // a key or list entry that stands twice
	RuleType      = "SY05" // a value of the wrong type
	RuleValue     = "SY06" // a value of the right type that is not allowed
	RuleMissing   = "SY07" // a required key that is absent
	RuleAlias     = "SY08" // an anchor, alias or merge key
)

// MaxSize bounds what a topology may take: 10,000 clusters with a hundred
// namespaces of their own are about 20 MiB.
const MaxSize = 64 << 20

var byteOrderMark = []byte("\ufeff")

// fileKind is what a file is to be, in messages, and what to do where it is not.
type fileKind struct {
	what              string
	of                reflect.Type
	emptyHint         string
	wrongFileHint     string
	otherDocumentHint string
}

var (
	aTopology = fileKind{
		what:              "topology",
		of:                reflect.TypeFor[Topology](),
		emptyHint:         "a topology can be about ten lines: sightline example single prints one, and sightline example lists more",
		wrongFileHint:     "this may be the wrong file; name that of a topology",
		otherDocumentHint: "keep one document in a file, or make the topology a directory",
	}
	aSealedLink = fileKind{
		what:              "sealed link",
		of:                reflect.TypeFor[SealedLink](),
		emptyHint:         sealAgainHint,
		wrongFileHint:     sealAgainHint,
		otherDocumentHint: "keep one document in a file",
	}
)

// in names the kind of a file in a sentence.
func (k fileKind) in() string {
	if strings.ContainsRune("aeiou", rune(k.what[0])) {
		return "an " + k.what
	}
	return "a " + k.what
}

const sealAgainHint = "take the file from before it was edited, or remove it and seal the link again"

// documents reads the YAML documents of a source, at most so many, or finds why
// there are none.
func documents(file string, data []byte, most int, want fileKind, findings *finding.Findings) []*yaml.Node {
	add := func(line, col int, rule, hint, format string, args ...any) {
		findings.Add(finding.Position{File: file, Line: line, Col: col}, rule, hint, format, args...)
	}
	if len(data) > MaxSize {
		add(1, 1, RuleSyntax, want.wrongFileHint, "the file is larger than %d MiB, the most that %s may have", MaxSize>>20, want.in())
		return nil
	}
	data = bytes.TrimPrefix(data, byteOrderMark)
	if line, col, message, hint := unreadable(data, want); message != "" {
		add(line, col, RuleSyntax, hint, "%s", message)
		return nil
	}
	if bytes.ContainsAny(data, "\\\t") && json.Valid(data) {
		data = unescaped(bytes.ReplaceAll(data, []byte("\t"), []byte(" "))) // a tab is between values, and YAML takes it for none
	}
	in := &lineReader{rest: data}
	dec := yaml.NewDecoder(in)
	var docs []*yaml.Node
	for len(docs) < most {
		var doc yaml.Node
		switch err := dec.Decode(&doc); {
		case errors.Is(err, io.EOF) && len(docs) == 0 && want.emptyHint != "":
			found := "the file is empty"
			if len(bytes.TrimSpace(data)) > 0 {
				found = "the file has nothing in it but comments"
			}
			add(1, 1, RuleSyntax, want.emptyHint, "%s; expected %s", found, want.in())
			return nil
		case errors.Is(err, io.EOF):
			return docs
		case err != nil:
			syntaxError(file, data, in.line, err, want, findings)
			return nil
		}
		if len(docs) > 0 && isEmpty(&doc) {
			continue // what follows a line --- at the end
		}
		if n := tooDeep(&doc, MaxNesting+1); n != nil {
			add(n.Line, n.Column, RuleSyntax, NestingHint, "values are nested more than %d deep", MaxNesting)
			return nil
		}
		docs = append(docs, &doc)
	}
	return docs
}

// Documents reads the YAML documents of a file that is none of this package's, such as
// one of an overlay, by the same reader; what is what messages call it. Documents with
// nothing in them are left out.
func Documents(file string, data []byte, what string, findings *finding.Findings) (docs []*yaml.Node) {
	want := fileKind{what: what, wrongFileHint: "this may be the wrong file"}
	for _, doc := range documents(file, data, math.MaxInt, want, findings) {
		if doc.Content[0].ShortTag() != "!!null" {
			docs = append(docs, doc)
		}
	}
	return docs
}

func isEmpty(doc *yaml.Node) bool {
	return len(doc.Content) == 1 && doc.Content[0].Kind == yaml.ScalarNode && doc.Content[0].ShortTag() == "!!null" &&
		doc.Content[0].Value == ""
}

// jsonEscapes are those of JSON that the library of YAML does not know: the two
// halves of a character beyond the first 65,536, and \/, which PHP writes. They
// follow an even number of backslashes.
var jsonEscapes = regexp.MustCompile(`\\(\\|/|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})`)

// unescaped writes what JSON escapes in these ways as it is.
func unescaped(data []byte) []byte {
	return jsonEscapes.ReplaceAllFunc(data, func(escape []byte) []byte {
		var text string
		if escape[1] == '\\' || json.Unmarshal([]byte(`"`+string(escape)+`"`), &text) != nil {
			return escape
		}
		return []byte(text)
	})
}

// MaxNesting is how deep values may be nested. What is written for each level
// of a value of N bytes has up to N bytes of indentation, and no object of
// Kubernetes has half as many levels.
const MaxNesting = 64

// NestingHint says what to do about nesting.
const NestingHint = "nothing here needs such nesting"

// tooDeep finds the first value that is further down than so many levels.
func tooDeep(n *yaml.Node, levels int) *yaml.Node {
	if levels < 0 {
		return n
	}
	for _, below := range n.Content {
		if deep := tooDeep(below, levels-1); deep != nil {
			return deep
		}
	}
	return nil
}

// unreadable finds the first character that YAML does not take, or that it
// takes for the end of a line where editors and grep do not.
func unreadable(data []byte, want fileKind) (line, col int, message, hint string) {
	line, col = 1, 1
	for i := 0; i < len(data); {
		r, size := rune(data[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(data[i:])
		}
		switch {
		case r == utf8.RuneError && size == 1:
			hint := "save the file as UTF-8"
			if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
				hint += "; it looks like UTF-16"
			}
			return line, col, fmt.Sprintf("found the byte 0x%X, which is not UTF-8", data[i]), hint
		case r == '\n':
			line, col = line+1, 0
		case r == '\t', r == '\r' && bytes.HasPrefix(data[i:], []byte("\r\n")):
		case r == '\r':
			return line, col, "found a carriage return inside a line", "end lines with a line feed; a carriage return may stand before it"
		case unicode.IsControl(r), strings.ContainsRune("\u2028\u2029\ufeff\ufffe\uffff", r):
			return line, col, fmt.Sprintf("found the character %U, which is not allowed in %s", r, want.in()),
				"remove it; an editor may not show it"
		}
		col++
		i += size
	}
	return 0, 0, "", ""
}

// lineReader hands out one line at a time, which tells how far a YAML reader
// has come.
type lineReader struct {
	rest []byte
	line int // that was begun last
	open bool
}

func (r *lineReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	if !r.open {
		r.line++
	}
	end := bytes.IndexByte(r.rest[:min(len(p), len(r.rest))], '\n') + 1
	if r.open = end == 0; r.open {
		end = len(r.rest)
	}
	n := copy(p, r.rest[:end])
	r.rest = r.rest[n:]
	return n, nil
}

var (
	yamlError     = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// syntaxError turns what the YAML reader says into a finding at the first
// character of the line where the text stops being YAML. The line in the
// reader's message is that of the mapping or list around the mistake, often far
// above; stopped is the one that it has come to, at or below the mistake.
func syntaxError(file string, data []byte, stopped int, err error, want fileKind, findings *finding.Findings) {
	line, message := 1, err.Error()
	if m := yamlError.FindStringSubmatch(message); m != nil {
		message = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	if n := breaksAt(data, stopped); n > 0 {
		line = n
	}
	lines := bytes.SplitN(data, []byte("\n"), line+1)
	line = min(line, len(lines))
	text := string(bytes.TrimRight(lines[line-1], "\r"))
	indent := len(text) - len(strings.TrimLeft(text, " -"))
	at := finding.Position{File: file, Line: line, Col: len(text) - len(strings.TrimLeft(text, " ")) + 1}
	if m := unknownAnchor.FindStringSubmatch(message); m != nil {
		if before, _, ok := strings.Cut(text, "*"+m[1]); ok {
			at.Col = utf8.RuneCountInString(before) + 1
		}
		hint := PlainHint
		if strings.ContainsAny(m[1], "./:") {
			hint = "put the value in quotes, if it is one that begins with *"
		}
		findings.Add(at, RuleAlias, hint, "found the alias *%s; aliases are not supported in %s", bare(m[1]), want.in())
		return
	}
	if strings.HasPrefix(text[indent:], "\t") {
		at.Col = indent + 1
		findings.Add(at, RuleSyntax, "indent with spaces", "found a tab in the indentation, which YAML does not allow")
		return
	}
	if strings.HasPrefix(text, "<<<<<<<") {
		findings.Add(at, RuleSyntax, "keep one of the two sides and remove the marks", "found a conflict that Git has left in the file")
		return
	}
	if strings.Contains(text, "${") {
		findings.Add(at, RuleSyntax, "write the value that ${…} stands for; nothing replaces it here", "the file is not YAML: %s", message)
		return
	}
	findings.Add(at, RuleSyntax, syntaxHint(message), "the file is not YAML: %s", message)
}

// breaksAt gives the line at which a text stops being YAML: what is above is
// YAML, and with it, or with what it leaves open, there is none any more. It
// looks upwards from a line that is at or below that one. It returns 0 where
// looking would take too long.
func breaksAt(data []byte, line int) int {
	var starts []int // of the lines up to that one
	for at := 0; len(starts) < line; {
		starts = append(starts, at)
		end := bytes.IndexByte(data[at:], '\n')
		if end < 0 {
			break
		}
		at += end + 1
	}
	most := 2 << 20
	for n := len(starts); n > 1; n-- {
		above := data[:starts[n-1]]
		if most -= len(above); most < 0 {
			return 0
		}
		if isYAML(above) {
			return n
		}
	}
	return 1
}

func isYAML(data []byte) bool {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var doc yaml.Node
		if err := dec.Decode(&doc); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

// syntaxHint says what to do about a message of the YAML reader.
func syntaxHint(message string) string {
	for _, known := range []struct{ message, hint string }{
		{"mapping values are not allowed", "compare the indentation with the lines above; a string with \": \" in it needs quotes"},
		{"expected key", "compare the indentation with the lines above, and the quotes and brackets on this one"},
		{"expected '-' indicator", "compare the indentation with the lines above"},
		{"expected ':'", "a key has a colon and a space after it"},
		{"expected ',' or", "close the bracket that is opened here, and put commas between the entries"},
		{"expected node content", "close the bracket that is opened here"},
		{"unexpected end of stream", "close the quotes that are opened here"},
		{"cannot start any token", "put the string in quotes"},
		{"expected alphabetic or numeric character", "put a value that begins with * or & in quotes"},
		{"unknown escape character", "write a backslash twice, or use single quotes"},
		{"block sequence entries are not allowed", "begin the list on a line of its own"},
		{"exceeded max depth", NestingHint},
		{"incompatible YAML document", "leave out the line with %YAML"},
	} {
		if strings.Contains(message, known.message) {
			return known.hint
		}
	}
	return "the mistake is on this line or right before it"
}

// position gives the place of a node.
func position(file string, n *yaml.Node) finding.Position {
	return finding.Position{File: file, Line: max(n.Line, 1), Col: max(n.Column, 1)}
}

// Describe says what a node is, in the words of somebody who looks at the file.
func Describe(n *yaml.Node) string { return describe(n) }

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "an object"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!bool":
		return "the boolean " + bare(n.Value)
	case "!!int", "!!float":
		return "the number " + bare(n.Value)
	case "!!timestamp":
		return "the date " + bare(n.Value)
	case "!!merge":
		return "the merge key <<"
	}
	return fmt.Sprintf("the string %q", finding.Shorten(n.Value))
}

// bare shortens a value that stands in a message without quotes, and quotes it
// where it would garble the message.
func bare(s string) string {
	s = finding.Shorten(s)
	if quoted := strconv.Quote(s); len(quoted) != len(s)+2 {
		return quoted
	}
	return s
}
