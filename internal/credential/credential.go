// Package credential knows the forms of credentials. It finds them by their form and
// by the names of the fields that hold them, and removes them from printed text. It
// never returns a credential.
package credential

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Find names the kind of credential in a text, or returns "". It looks for
// unmistakable forms: tokens with the prefixes of their issuers, JWTs, private keys,
// values of Authorization headers and URLs with a password. It also looks for all of
// them in base64.
func Find(text string) string { return find(text, 2, nil) }

// FindSetting does what Find does, and also looks for settings with revealing names:
// parameters of a URL, options of a command and variables, such as ?api_key=… and
// --token=….
func FindSetting(text string) string { return find(text, 2, set) }

// set names the kind of credential in the settings of a text.
func set(text string) string {
	if !strings.Contains(text, "=") {
		return ""
	}
	for _, m := range setting().FindAllStringSubmatch(text, -1) {
		before, name, value := m[1], m[2], m[3]
		if (Named(name) || parameter(before, name, value)) && !harmless(value) && !strings.ContainsAny(value[:1], placeholder) {
			return "a credential (" + name + ")"
		}
	}
	return ""
}

// setting is name=value in a URL, among the arguments of a command, or alone.
var setting = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(^|[?&;"'\s]|--?)([A-Za-z][A-Za-z0-9_-]*)=([^\s&;"']{4,})`)
})

// parameter tells whether a setting is a URL parameter that gives access, such as the
// signature of a shared address. It is long and has digits.
func parameter(before, name, value string) bool {
	words := wordsOf(name)
	return (before == "?" || before == "&") && slices.Contains(inURLs, words[len(words)-1]) && len(value) >= 16 &&
		strings.ContainsAny(value, "0123456789")
}

// find decodes base64 up to the given depth. more looks for other things than forms.
func find(text string, depth int, more func(string) string) string {
	if len(text) < 12 || len(text) < 20 && isName(text) {
		return ""
	}
	for _, k := range kinds() {
		if strings.Contains(text, k.mark) && k.form.MatchString(text) {
			return k.what
		}
	}
	if basic(text) {
		return "a user and a password"
	}
	if more != nil {
		if what := more(text); what != "" {
			return what
		}
	}
	if depth == 0 {
		return ""
	}
	for _, word := range base64Words(text) {
		if what := find(word, depth-1, more); what != "" {
			return what + " in base64"
		}
	}
	return ""
}

// isName tells whether a text is a name in Kubernetes.
func isName(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

var basicValue = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\bbasic[ \t]+([A-Za-z0-9+/]{4,}={0,2})`)
})

// basic tells whether a text has a value of Authorization with a user and a password.
func basic(text string) bool {
	if !strings.Contains(text, "asic ") && !strings.Contains(text, "ASIC ") {
		return false
	}
	for _, m := range basicValue().FindAllStringSubmatch(text, -1) {
		if decoded, ok := fromBase64(m[1]); ok && strings.Contains(decoded, ":") {
			return true
		}
	}
	return false
}

// base64Words yields the base64 words of a text that decode to text: their beginning,
// their end and the decoded text.
func base64Words(text string) func(yield func(word [2]int, decoded string) bool) {
	const shortest = 24
	return func(yield func([2]int, string) bool) {
		start := 0
		for i := 0; i <= len(text); i++ {
			if i < len(text) && inBase64(text[i]) {
				continue
			}
			if i-start >= shortest {
				if decoded, ok := fromBase64(text[start:i]); ok && !yield([2]int{start, i}, decoded) {
					return
				}
			}
			start = i + 1
		}
	}
}

func inBase64(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '+' || c == '/' || c == '-' || c == '_'
}

// fromBase64 decodes base64 of printable text, in both alphabets.
func fromBase64(word string) (string, bool) {
	word = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(word), "=")
	if len(word)%4 == 1 {
		return "", false
	}
	data, err := base64.RawStdEncoding.DecodeString(word)
	if err != nil || !utf8.Valid(data) {
		return "", false
	}
	for _, r := range string(data) {
		if unicode.IsControl(r) && !unicode.IsSpace(r) {
			return "", false
		}
	}
	return string(data), true
}

const gone = "[redacted]"

// Redact removes credentials with a known form from a text, also parts of credentials
// that were cut off.
func Redact(text string) string {
	text = parts().ReplaceAllString(text, gone)
	for _, k := range kinds() {
		if strings.Contains(text, k.mark) {
			text = k.form.ReplaceAllString(text, "${1}"+gone)
		}
	}
	text = basicValue().ReplaceAllStringFunc(text, func(match string) string {
		if basic(match) {
			return gone
		}
		return match
	})
	var kept strings.Builder
	from := 0
	for word, decoded := range base64Words(text) {
		if Find(decoded) != "" {
			kept.WriteString(text[from:word[0]] + gone)
			from = word[1]
		}
	}
	return kept.String() + text[from:]
}

// parts are forms of credentials that were cut off, as in messages: parts of JWTs,
// also in base64, and everything after the head of a private key.
var parts = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`eyJ[A-Za-z0-9_-]{12,}(\.[A-Za-z0-9_-]*)*|(ZXlK|V5S|leU)[A-Za-z0-9+/=_-]{24,}|sha256~[A-Za-z0-9_-]{12,}|` +
		`(?s:-----BEGIN [A-Z0-9 ]*PRIVATE KEY.*)|LS0tLS1CRUdJTi[A-Za-z0-9+/=_-]{24,}`)
})
