package main

import (
	"bytes"
	"io"
	"unicode/utf8"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// visible is a stream that makes control characters visible. File names, errors of API
// servers and messages of Jsonnet may have such characters. Ends of lines and tabs
// stay.
type visible struct {
	out  io.Writer
	rest []byte         // the first bytes of an incomplete character
	read *standardInput // the input that findings may be about; may be nil
}

// standardInput is standard input. It keeps the topology that was read from it, so that
// findings can show its lines.
type standardInput struct {
	io.Reader
	topology []byte
}

// givenTo returns the topology that the command of a stream has read from standard
// input.
func givenTo(w io.Writer) []byte {
	if v, ok := w.(*visible); ok && v.read != nil {
		return v.read.topology
	}
	return nil
}

// Write implements io.Writer.
func (v *visible) Write(text []byte) (int, error) {
	all := text
	if len(v.rest) > 0 {
		all = append(v.rest, text...)
		v.rest = nil
	}
	if n := cutOff(all); n > 0 {
		v.rest = bytes.Clone(all[len(all)-n:])
		all = all[:len(all)-n]
	}
	if _, err := io.WriteString(v.out, finding.VisibleText(string(all))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Close writes the bytes of an incomplete character at the end.
func (v *visible) Close() error {
	rest := v.rest
	v.rest = nil
	_, err := io.WriteString(v.out, finding.VisibleText(string(rest)))
	return err
}

// cutOff returns the number of bytes of an incomplete character at the end of a text.
func cutOff(text []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if b := text[len(text)-n]; utf8.RuneStart(b) {
			if b >= utf8.RuneSelf && !utf8.FullRune(text[len(text)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}
