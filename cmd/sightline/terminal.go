package main

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// terminal is the one that a stream leads to, or nil. One that is dumb, as an
// editor's, is none: it shows plain lines.
func terminal(w io.Writer) *os.File {
	if v, ok := w.(*visible); ok {
		w = v.out
	}
	if f, ok := w.(*os.File); ok && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd())) {
		return f
	}
	return nil
}

// columnsOf is how wide a terminal is.
func columnsOf(screen *os.File) int {
	if columns, _, err := term.GetSize(int(screen.Fd())); err == nil && columns > 0 {
		return columns
	}
	return 80
}

// The colours, as terminals number them.
const (
	red    = 31
	green  = 32
	yellow = 33
	cyan   = 36
)

// painted puts a text into a colour, unless the user wants none
// (https://no-color.org).
func painted(colour int, text string) string {
	if os.Getenv("NO_COLOR") != "" {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, text)
}
