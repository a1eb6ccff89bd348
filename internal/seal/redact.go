package seal

import (
	"regexp"
	"strings"
)

// credentials are texts that nobody writes but for a credential: JWTs and parts
// of them, also in base64, and the tokens of OpenShift.
var credentials = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{12,}(\.[A-Za-z0-9_-]*)*|(ZXlK|V5S|leU)[A-Za-z0-9+/=_-]{24,}|sha256~[A-Za-z0-9_-]{12,}|(?s:-----BEGIN [A-Z ]*PRIVATE KEY-----.*)`)

// Redact takes out of a text what looks like a credential, and the given ones.
// It is for text that others have made, such as the errors of an API server.
func Redact(text string, known ...string) string {
	const gone = "[redacted]"
	for _, k := range known {
		if k != "" {
			text = strings.ReplaceAll(text, k, gone)
		}
	}
	return credentials.ReplaceAllString(text, gone)
}
