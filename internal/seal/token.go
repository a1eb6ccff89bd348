package seal

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// token is the credential of a service account.
type token struct {
	text        string
	jwt         bool
	unguessable bool   // nobody finds it by trying what has the digest
	subject     string // whose it is
	secret      string // the Secret that it is of, if it says so
	from        time.Time
	expires     time.Time
}

// guessable is the length of a signature below which a JWT might be found by
// trying: all its other parts are known or nearly so.
const guessable = 32

// maxToken bounds a token; the largest ones have a few KiB.
const maxToken = 64 << 10

// parseToken reads what a file or a Secret has: the token, and nothing else but
// a line end.
func parseToken(data []byte) (token, error) {
	text := string(bytes.TrimSpace(data))
	const hint = "it is data.token of the token Secret on the remote, decoded"
	switch {
	case text == "":
		return token{}, finding.Refuse(hint, "the token is empty")
	case len(text) > maxToken:
		return token{}, finding.Refuse(hint, "the token has %d bytes; expected a token and nothing else", len(text))
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return token{}, finding.Refuse(hint, "the token has spaces, line ends or characters that no token has; expected a token and nothing else")
	}
	if decoded, err := base64.StdEncoding.DecodeString(text); err == nil && isJWT(string(decoded)) {
		return token{}, finding.Refuse("decode it first: … -o jsonpath='{.data.token}' | base64 -d | sightline seal … --token-file -",
			"the token is still in base64, as it stands in a Secret")
	}
	t := token{text: text}
	if !isJWT(text) {
		return t, nil
	}
	parts := strings.Split(text, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	signature, err2 := base64.RawURLEncoding.DecodeString(parts[2])
	var claims struct {
		Sub    string   `json:"sub"`
		Exp    *float64 `json:"exp"`
		Nbf    *float64 `json:"nbf"`
		Secret string   `json:"kubernetes.io/serviceaccount/secret.name"`
	}
	if err != nil || err2 != nil || json.Unmarshal(payload, &claims) != nil {
		return token{}, finding.Refuse("copy it again, all of it", "the token begins like a JWT and cannot be read as one")
	}
	t.jwt = true
	t.unguessable = len(signature) >= guessable
	t.subject, t.secret = claims.Sub, claims.Secret
	t.from, t.expires = moment(claims.Nbf), moment(claims.Exp)
	return t, nil
}

// isJWT tells whether a text has the form of a signed JWT: three parts, the
// first of them a JSON object.
func isJWT(s string) bool {
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return false
	}
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	return err == nil && bytes.HasPrefix(bytes.TrimSpace(header), []byte("{"))
}

// moment is a NumericDate of RFC 7519; the zero time for none, and for what is
// so far off that it does not matter.
func moment(seconds *float64) time.Time {
	if seconds == nil || math.IsNaN(*seconds) || math.Abs(*seconds) > 253402300799 { // the end of the year 9999
		return time.Time{}
	}
	return time.Unix(int64(*seconds), 0)
}

// check refuses a token that is not, or not now, the one of the account that
// the hub is to be, and says what is worth knowing about one that is.
func (t token) check(topo *topology.Topology, generation int, rotating bool, now time.Time) (warnings []string, err error) {
	account := "system:serviceaccount:" + topo.Spec.Kiali.Namespace + ":" + topo.Account()
	secret := topo.TokenSecret(generation)
	switch {
	case !t.jwt:
		return []string{"the token is no JWT, so nobody can tell whose it is and until when; and a later run cannot tell whether it has changed"},
			nil
	case t.subject != account:
		return nil, finding.Refuse("give the token of the Secret "+secret+" on the remote",
			"the token is that of %q, expected %q", finding.Shorten(t.subject), account)
	case !t.expires.IsZero() && !now.Before(t.expires):
		return nil, finding.Refuse("give the token of the Secret "+secret+" on the remote, which does not expire", "the token expired on %s",
			stamp(t.expires))
	case !t.from.IsZero() && now.Before(t.from):
		return nil, finding.Refuse("compare the clocks of this machine and the remote", "the token is valid from %s on, and now it is %s",
			stamp(t.from), stamp(now))
	case t.secret != "" && t.secret != secret && rotating:
		return nil, finding.Refuse("give the token of the Secret "+secret+" on the remote", "the token is that of the Secret %q, expected %q",
			finding.Shorten(t.secret), secret)
	}
	if t.secret != "" && t.secret != secret {
		warnings = append(warnings, fmt.Sprintf("the token is that of the Secret %q and not of %q, which is the one that is rendered",
			finding.Shorten(t.secret), secret))
	}
	if !t.expires.IsZero() {
		warnings = append(warnings, fmt.Sprintf("the token expires on %s, and the link with it; that of the Secret %s does not", stamp(t.expires),
			secret))
	}
	if !t.unguessable {
		warnings = append(warnings, "the token has a short signature or none, so no digest of it is kept, and a later run cannot tell whether "+
			"it has changed")
	}
	return warnings, nil
}
