package seal

import (
	"encoding/base64"
	"strings"

	"github.com/sightline-mesh/sightline/internal/credential"
)

// Redact removes from a text everything that looks like a credential, and the given
// credentials, also in base64. Use it for text of other programs, such as the errors of
// an API server.
func Redact(text string, known ...string) string {
	for _, k := range known {
		for _, form := range forms(k) {
			text = strings.ReplaceAll(text, form, "[redacted]")
		}
	}
	return credential.Redact(text)
}

// shortest is the smallest length of a part of a credential that Redact removes. A
// shorter part would also match ordinary words.
const shortest = 8

// forms returns a credential, and the parts of its base64 encoding that do not depend
// on its place in an encoded text.
func forms(known string) []string {
	if known == "" {
		return nil
	}
	all := []string{known}
	for skip := range min(3, len(known)) {
		whole := known[skip : skip+(len(known)-skip)/3*3] // the ends depend on the bytes beside them
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			if form := encoding.EncodeToString([]byte(whole)); len(form) >= shortest {
				all = append(all, form)
			}
		}
	}
	return all
}
