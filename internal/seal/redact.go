package seal

import (
	"encoding/base64"
	"strings"

	"github.com/sightline-mesh/sightline/internal/credential"
)

// Redact takes out of a text what looks like a credential, and the given ones,
// also in base64. It is for text that others have made, such as the errors of
// an API server.
func Redact(text string, known ...string) string {
	for _, k := range known {
		for _, form := range forms(k) {
			text = strings.ReplaceAll(text, form, "[redacted]")
		}
	}
	return credential.Redact(text)
}

// shortest is the length from which a part of a credential is taken for one. A
// shorter part would be found in words that are none.
const shortest = 8

// forms are a credential, and what of it stays the same in base64 wherever it
// stands in the text that was encoded.
func forms(known string) []string {
	if known == "" {
		return nil
	}
	all := []string{known}
	for skip := range min(3, len(known)) {
		whole := known[skip : skip+(len(known)-skip)/3*3] // the ends depend on what is beside them
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			if form := encoding.EncodeToString([]byte(whole)); len(form) >= shortest {
				all = append(all, form)
			}
		}
	}
	return all
}
