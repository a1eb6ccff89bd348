package discover

import (
	"bytes"
	"strings"
)

// Of pods, only the metadata is needed, and of one pod the environment of its proxy.
// Pods are most of a dump, so the rest of them is not decoded.

// wanted is in the spec of the pod that is needed.
const wanted = "ISTIO_META_CLUSTER_ID"

// notation is the layout in which kubectl prints a pod: one key on a line, apiVersion
// and kind before spec and status, and deeper indentation for everything below a key.
type notation struct{ apiVersion, kind, spec, status string }

var (
	inYAML = notation{"apiVersion: v1", "kind: Pod", "spec:", "status:"}
	inJSON = notation{`"apiVersion": "v1",`, `"kind": "Pod",`, `"spec": {`, `"status": {`}
)

// prune removes the spec and the status of pods from the output of kubectl. It keeps
// one spec that is wanted, and text with another layout.
func (n *notation) prune(data []byte, have *bool) []byte {
	if !bytes.Contains(data, []byte(n.kind+"\n")) {
		return data
	}
	kept := make([]byte, 0, len(data)/4)
	pod := -1   // the indent of the keys of a pod; -1: outside a pod
	begun := -1 // the indent of apiVersion in the line before
	for len(data) > 0 {
		line, rest := cutLine(data)
		indent, text := indentOf(line)
		keys := indent
		if strings.HasPrefix(text, "- ") {
			keys += 2
		}
		switch {
		case text == n.kind && indent == begun: // and it is no text in an annotation
			pod = indent
		case indent < pod && text != "":
			pod = -1
		case indent == pod && (text == n.spec || text == n.status):
			block, after := below(data, indent)
			switch {
			case text == n.spec && !*have && bytes.Contains(block, []byte(wanted)):
				*have = true
				kept = append(kept, block...)
			case n.spec == inJSON.spec: // its closing brace follows, perhaps with a comma
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

// below removes a key and all lines that are indented deeper.
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
