package main

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// terminal returns the terminal of a stream, or nil. A dumb terminal, such as in an
// editor, does not count: it shows plain lines.
func terminal(w io.Writer) *os.File {
	if v, ok := w.(*visible); ok {
		w = v.out
	}
	if f, ok := w.(*os.File); ok && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd())) {
		return f
	}
	return nil
}

// columnsOf returns the width of a terminal in columns.
func columnsOf(screen *os.File) int {
	if columns, _, err := term.GetSize(int(screen.Fd())); err == nil && columns > 0 {
		return columns
	}
	return 80
}

// The numbers of colours in the escape sequences of terminals.
const (
	red    = 31
	green  = 32
	yellow = 33
	cyan   = 36
)

// painted returns a text in a colour, or the plain text if NO_COLOR is set
// (https://no-color.org).
func painted(colour int, text string) string {
	if os.Getenv("NO_COLOR") != "" {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, text)
}
