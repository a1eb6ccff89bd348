package discover

import (
	"bytes"
	"strings"
)

// Of pods only the metadata is needed, and of one the environment of its proxy.
// They are by far the most of a dump, so the rest of them is not decoded.

// wanted is in the spec of a pod that is needed.
const wanted = "ISTIO_META_CLUSTER_ID"

// notation is how kubectl prints a pod: a key a line, apiVersion and kind before
// spec and status, and what is below a key indented deeper.
type notation struct{ apiVersion, kind, spec, status string }

var (
	inYAML = notation{"apiVersion: v1", "kind: Pod", "spec:", "status:"}
	inJSON = notation{`"apiVersion": "v1",`, `"kind": "Pod",`, `"spec": {`, `"status": {`}
)

// prune takes the spec and the status of pods out of what kubectl prints. One
// spec that has what is wanted stays. Anything that looks otherwise stays too.
func (n *notation) prune(data []byte, have *bool) []byte {
	if !bytes.Contains(data, []byte(n.kind+"\n")) {
		return data
	}
	kept := make([]byte, 0, len(data)/4)
	pod := -1   // the indent of the keys of a pod; -1: not in one
	begun := -1 // that of apiVersion, in the line before
	for len(data) > 0 {
		line, rest := cutLine(data)
		indent, text := indentOf(line)
		keys := indent
		if strings.HasPrefix(text, "- ") {
			keys += 2
		}
		switch {
		case text == n.kind && indent == begun: // and no text that somebody has put into an annotation
			pod = indent
		case indent < pod && text != "":
			pod = -1
		case indent == pod && (text == n.spec || text == n.status):
			block, after := below(data, indent)
			switch {
			case text == n.spec && !*have && bytes.Contains(block, []byte(wanted)):
				*have = true
				kept = append(kept, block...)
			case n.spec == inJSON.spec: // the brace that ends it follows, perhaps with a comma
				line, _ := cutLine(after)
				_, end := indentOf(line)
				kept = append(kept, strings.TrimSuffix(text, "{")+"null"+strings.TrimPrefix(end, "}")+"\n"...)
				after = after[len(line):]
			}
			data = after
			continue
		}
		if begun = -1; strings.TrimPrefix(text, "- ") == n.apiVersion {
			begun = keys
		}
		kept, data = append(kept, line...), rest
	}
	return kept
}

func cutLine(data []byte) (line, rest []byte) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return data[:i+1], data[i+1:]
	}
	return data, nil
}

func indentOf(line []byte) (indent int, text string) {
	trimmed := bytes.TrimLeft(line, " ")
	return len(line) - len(trimmed), string(bytes.TrimRight(trimmed, "\r\n "))
}

// below cuts off a key with all that is indented deeper.
func below(data []byte, indent int) (block, rest []byte) {
	_, rest = cutLine(data)
	for len(rest) > 0 {
		line, after := cutLine(rest)
		if own, text := indentOf(line); own <= indent && text != "" {
			break
		}
		rest = after
	}
	return data[:len(data)-len(rest)], rest
}
