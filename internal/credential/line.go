package credential

import (
	"regexp"
	"strings"
	"sync"
)

// InLine tells whether a line of a file may have a credential in it, so that the line
// must not be shown. It does not know the other lines, so it says yes too often
// rather than too seldom.
func InLine(line string) bool {
	if FindSetting(line) != "" {
		return true
	}
	for _, word := range longWord().FindAllString(line, -1) {
		if strings.ContainsAny(word, digits) && (isHex(word) || strings.ToLower(word) != word && strings.ToUpper(word) != word) {
			return true
		}
	}
	for _, m := range entry().FindAllStringSubmatch(line, -1) {
		if Named(m[1]) && !harmless(m[2]) {
			return true
		}
	}
	return false
}

const digits = "0123456789"

// longWord is a line from the middle of a key.
var longWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[A-Za-z0-9+/_=]{32,}`) })

func isHex(word string) bool { return strings.Trim(strings.ToLower(word), digits+"abcdef") == "" }

// entry is a key with a value after it.
var entry = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`([A-Za-z0-9_.-]+)["']?\s*[:=]\s*["']?([^\s"',{}\[\]]+)`)
})
