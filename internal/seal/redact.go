package seal

import (
	"strings"

	"github.com/sightline-mesh/sightline/internal/credential"
)

// Redact takes out of a text what looks like a credential, and the given ones.
// It is for text that others have made, such as the errors of an API server.
func Redact(text string, known ...string) string {
	for _, k := range known {
		if k != "" {
			text = strings.ReplaceAll(text, k, "[redacted]")
		}
	}
	return credential.Redact(text)
}
