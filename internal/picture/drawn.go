package picture

import "bytes"

// Drawn tells whether the content of a file is one of the drawings of this package.
// An empty file counts as one.
func Drawn(content []byte) bool {
	starts := func(prefix string) bool { return bytes.HasPrefix(content, []byte(prefix)) }
	styled := bytes.Contains(content, []byte(".sl-ground"))
	return len(content) == 0 || starts("<svg ") && styled || starts("<!DOCTYPE html>") && styled || starts(mermaidStart)
}
