package topology

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
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

// document reads the one YAML document of a source, or finds why it is none.
func document(file string, data []byte, findings *Findings) *yaml.Node {
	at := func(line, col int) Position { return Position{file, line, col} }
	if len(data) > MaxSize {
		findings.add(at(1, 1), RuleSyntax, "", "the file has %d MiB; a topology may have at most %d", len(data)>>20, MaxSize>>20)
		return nil
	}
	data = bytes.TrimPrefix(data, byteOrderMark)
	if line, col, ok := invalidUTF8(data); ok {
		findings.add(at(line, col), RuleSyntax, "save the file as UTF-8", "found a byte that is not UTF-8")
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		findings.add(at(1, 1), RuleSyntax, emptyHint, "the file is empty; expected a topology")
		return nil
	case err != nil:
		syntaxError(at, data, err, findings)
		return nil
	}
	switch err := dec.Decode(&next); {
	case errors.Is(err, io.EOF):
	case err != nil:
		syntaxError(at, data, err, findings)
		return nil
	default:
		findings.add(at(next.Line, 1), RuleSyntax, "keep one document in a file",
			"found a second document; expected one topology in the file")
		return nil
	}
	return doc.Content[0]
}

const emptyHint = "the smallest topology is about ten lines: see the README, or topologies/east-west.yaml"

func invalidUTF8(data []byte) (line, col int, found bool) {
	if utf8.Valid(data) {
		return 0, 0, false
	}
	line, col = 1, 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size == 1 {
			return line, col, true
		}
		if col++; r == '\n' {
			line, col = line+1, 1
		}
		data = data[size:]
	}
	return 0, 0, false
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// syntaxError turns what the YAML reader says, which names a line at most,
// into a finding at the first character of that line.
func syntaxError(at func(line, col int) Position, data []byte, err error, findings *Findings) {
	line, message := 1, err.Error()
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		message = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	lines := strings.Split(string(data), "\n")
	line = min(max(line, 1), len(lines))
	text := lines[line-1]
	rest := strings.TrimLeft(text, " ")
	col := len(text) - len(rest) + 1
	if strings.HasPrefix(rest, "\t") {
		findings.add(at(line, col), RuleSyntax, "indent with spaces", "found a tab in the indentation, which YAML does not allow")
		return
	}
	if strings.TrimSpace(rest) == "" {
		col = 1
	}
	findings.add(at(line, col), RuleSyntax, "the mistake is on this line or right before it",
		"the file is not YAML: %s", message)
}

// position gives the place of a node.
func position(file string, n *yaml.Node) Position {
	return Position{file, max(n.Line, 1), max(n.Column, 1)}
}

// describe says what a node is, in the words of somebody who looks at the
// file.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	text := strconv.Quote(shorten(n.Value))
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!bool":
		return "the boolean " + n.Value
	case "!!int", "!!float":
		return "the number " + shorten(n.Value)
	case "!!timestamp":
		return "the date " + shorten(n.Value)
	case "!!str":
		return "the text " + text
	}
	return fmt.Sprintf("%s with the tag %s", text, n.ShortTag())
}

// shorten keeps a value from flooding a message.
func shorten(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}
