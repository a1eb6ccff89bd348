package compare

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// A value is shown in one line. What is longer is cut.
const longestValue = 100

// hidden stands for a credential.
const hidden = "(hidden)"

// secretKey are the keys whose strings may be credentials. A topology may have
// none, but an object on a cluster may.
var secretKey = regexp.MustCompile(`(?i)(password|passwd|token|secret|signing_key|api_?key|private_?key|access_?key|credentials?)$`)

// secretLine is a line of YAML with such a key and a value.
var secretLine = regexp.MustCompile(`(?im)^([ \t-]*["']?[a-z_]*` +
	`(?:password|passwd|token|secret|signing_key|api_?key|private_?key|access_?key|credentials?)` +
	`["']?[ \t]*:[ \t]*)(\S.*)$`)

// reference is what Kiali reads from a Secret, which is no credential.
const reference = "secret:"

// masked takes the credentials out of a string of YAML.
func masked(text string) string {
	return secretLine.ReplaceAllStringFunc(text, func(line string) string {
		parts := secretLine.FindStringSubmatch(line)
		value := strings.Trim(parts[2], `"'`)
		if strings.HasPrefix(value, reference) || value == "true" || value == "false" || value == "{}" {
			return line
		}
		return parts[1] + hidden
	})
}

// safe returns a value without credentials, to be shown at a path.
func safe(key string, v any) any {
	switch v := v.(type) {
	case string:
		switch {
		case v == "", strings.HasPrefix(v, reference):
			return v
		case secretKey.MatchString(key):
			return hidden
		}
		return masked(v)
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, item := range v {
			m[k] = safe(k, item)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = safe(key, item)
		}
		return list
	}
	return v
}

func lastKey(p Path) string {
	for i := len(p) - 1; i >= 0; i-- {
		if !p[i].List {
			return p[i].Key
		}
	}
	return ""
}

// shown is a value in one line, as a person reads it.
func shown(p Path, v any) string {
	v = safe(lastKey(p), v)
	var text string
	switch v := v.(type) {
	case string:
		text = v
		if v == "" || strings.ContainsAny(v, "\n\t") || strings.TrimSpace(v) != v {
			text = string(encoded(v))
		}
	case nil:
		text = "nothing"
	default:
		text = string(encoded(v))
	}
	if runes := []rune(text); len(runes) > longestValue {
		text = fmt.Sprintf("%s… (%s characters)", string(runes[:longestValue/2]), thousands(len(runes)))
	}
	return text
}

func encoded(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte(err.Error()) // no object has such a value
	}
	return bytes.TrimSpace(b.Bytes())
}
