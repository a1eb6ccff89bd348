package check

import (
	"regexp"
	"strings"
)

// ShellWord writes a text as one word of a shell, for a command that is to be
// copied.
func ShellWord(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,=-]+$`)
