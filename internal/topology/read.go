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

// The rules about the form of a topology. Package check has the rules about its
// meaning.
const (
	RuleSyntax    = "SY01" // not readable as one YAML document
	RuleKind      = "SY02" // not a topology
	RuleUnknown   = "SY03" // a key that does not exist
	RuleDuplicate = "SY04" // a key or list entry that is written twice
	RuleType      = "SY05" // a value of the wrong type
	RuleValue     = "SY06" // a value of the right type that is not allowed
	RuleMissing   = "SY07" // a required key that is absent
	RuleAlias     = "SY08" // an anchor, alias or merge key
)

// MaxSize is the largest size of a topology. 10,000 clusters with a hundred
// namespaces each take about 20 MiB.
const MaxSize = 64 << 20

var byteOrderMark = []byte("\ufeff")

// fileKind is the expected kind of a file: its name in messages, and the hints
// for other files.
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
		emptyHint:         "a topology can have about ten lines: sightline example single prints one, and sightline example lists more",
		wrongFileHint:     "this may be the wrong file; name the file of a topology",
		otherDocumentHint: "keep one document in a file, or use a directory for the topology",
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

const sealAgainHint = "restore the file from before it was edited, or remove it and seal the link again"

// documents reads at most the given number of YAML documents of a source. If it
// cannot read any, it adds a finding.
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
		// Each tab is between values. The YAML library does not accept it there.
		data = unescaped(bytes.ReplaceAll(data, []byte("\t"), []byte(" ")))
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
				found = "the file has only comments"
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
			continue // an empty document after a final line ---
		}
		if n := tooDeep(&doc, MaxNesting+1); n != nil {
			add(n.Line, n.Column, RuleSyntax, NestingHint, "values are nested more than %d deep", MaxNesting)
			return nil
		}
		docs = append(docs, &doc)
	}
	return docs
}

// only starts to decode a file with one document. If the document is not an
// object of the kind, it adds findings, and root is nil.
func only(file string, data []byte, want fileKind, kind string, findings *finding.Findings) (d *decoder, root *yaml.Node) {
	docs := documents(file, data, 2, want, findings)
	if len(docs) == 0 {
		return nil, nil
	}
	if len(docs) > 1 {
		findings.Add(finding.Position{File: file, Line: docs[1].Line, Col: 1}, RuleSyntax, want.otherDocumentHint,
			"found a second document; expected one %s in the file", want.what)
		return nil, nil
	}
	d = newDecoder(file, want, findings)
	d.credentials(docs[0])
	if root = docs[0].Content[0]; d.head(root, kind) == "" {
		return nil, nil
	}
	return d, root
}

// Documents reads the YAML documents of a file that this package does not
// define, such as a file of an overlay. what names the kind of the file in
// messages. Empty documents are left out.
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

// jsonEscapes matches escapes of JSON that the YAML library does not know: the
// two halves of a character beyond the first 65,536, and \/, which PHP writes.
// They come after an even number of backslashes.
var jsonEscapes = regexp.MustCompile(`\\(\\|/|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})`)

// unescaped replaces these escapes with the characters themselves.
func unescaped(data []byte) []byte {
	return jsonEscapes.ReplaceAllFunc(data, func(escape []byte) []byte {
		var text string
		if escape[1] == '\\' || json.Unmarshal([]byte(`"`+string(escape)+`"`), &text) != nil {
			return escape
		}
		return []byte(text)
	})
}

// MaxNesting is the deepest nesting of values. A value of N bytes can get up to
// N bytes of indentation for each level when it is written. No Kubernetes
// object has half as many levels.
const MaxNesting = 64

// NestingHint says what to do about nesting.
const NestingHint = "nothing here needs so many levels"

// tooDeep finds the first value that is nested deeper than the given number of
// levels.
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

// unreadable finds the first character that YAML does not allow. It also finds
// characters that end a line in YAML, but not in editors and grep.
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
			return line, col, "found a carriage return inside a line", "end lines with a line feed, or with a carriage return and a line feed"
		case unicode.IsControl(r), strings.ContainsRune("\u2028\u2029\ufeff\ufffe\uffff", r):
			return line, col, fmt.Sprintf("found the character %U, which is not allowed in %s", r, want.in()),
				"remove it; an editor may not show it"
		}
		col++
		i += size
	}
	return 0, 0, "", ""
}

// lineReader returns one line at a time. Its line shows how far a YAML reader
// has read.
type lineReader struct {
	rest []byte
	line int // the last line that was begun
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

// syntaxError turns an error of the YAML reader into a finding at the first
// character of the line where the YAML becomes invalid. The line in the
// reader's message is the line of the surrounding object or list, often far
// above. stopped is the line up to which the reader has read, at or below the
// mistake.
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
			hint = "if the value begins with *, put it in quotes"
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
		findings.Add(at, RuleSyntax, "keep one of the two sides and remove the markers", "found a conflict marker of Git in the file")
		return
	}
	if strings.Contains(text, "${") {
		findings.Add(at, RuleSyntax, "write the value itself; nothing replaces ${…} here", "the file is not YAML: %s", message)
		return
	}
	findings.Add(at, RuleSyntax, syntaxHint(message), "the file is not YAML: %s", message)
}

// breaksAt returns the line at which a string stops being valid YAML:
// everything above this line is valid, and with it no longer. It searches
// upwards from a line at or below the mistake. It returns 0 if the search would
// take too long.
func breaksAt(data []byte, line int) int {
	var starts []int // of the lines up to this line
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
		{"mapping values are not allowed", "compare the indentation with the lines above; a string that contains \": \" needs quotes"},
		{"expected key", "compare the indentation with the lines above, and check the quotes and brackets on this line"},
		{"expected '-' indicator", "compare the indentation with the lines above"},
		{"expected ':'", "write a colon and a space after a key"},
		{"expected ',' or", "close the bracket that opens here, and put commas between the entries"},
		{"expected node content", "close the bracket that opens here"},
		{"unexpected end of stream", "close the quotes that open here"},
		{"cannot start any token", "put the string in quotes"},
		{"expected alphabetic or numeric character", "if a value begins with * or &, put it in quotes"},
		{"unknown escape character", "write a backslash twice, or use single quotes"},
		{"block sequence entries are not allowed", "begin the list on a line of its own"},
		{"exceeded max depth", NestingHint},
		{"incompatible YAML document", "remove the line with %YAML"},
	} {
		if strings.Contains(message, known.message) {
			return known.hint
		}
	}
	return "the mistake is on this line or just before it"
}

// position is the position of a node.
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

// bare shortens a value for a message without quotes. It adds quotes if the
// value would garble the message.
func bare(s string) string {
	s = finding.Shorten(s)
	if quoted := strconv.Quote(s); len(quoted) != len(s)+2 {
		return quoted
	}
	return s
}
