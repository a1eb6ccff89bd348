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
	unguessable bool   // it cannot be found from its digest by trying
	subject     string // the account
	secret      string // the name of its Secret, if the token has it
	from        time.Time
	expires     time.Time
}

// guessable is the length of a signature, in bytes, below which a JWT might be found by
// trying. The other parts of a JWT are known or easy to guess.
const guessable = 32

// maxToken is the largest size of a token, in bytes. Real tokens have at most a few KiB.
const maxToken = 64 << 10

// parseToken reads a token from a file or a Secret. Only an end of a line may follow it.
func parseToken(data []byte) (token, error) {
	text := string(bytes.TrimSpace(data))
	const hint = "it is data.token of the token Secret on the remote, decoded"
	switch {
	case text == "":
		return token{}, finding.Refuse(hint, "the token is empty")
	case len(text) > maxToken:
		return token{}, finding.Refuse(hint, "the token has %d bytes; expected a token and nothing else", len(text))
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return token{}, finding.Refuse(hint, "the token has spaces, ends of lines or characters that a token cannot have; "+
			"expected a token and nothing else")
	}
	if decoded, err := base64.StdEncoding.DecodeString(text); err == nil && isJWT(string(decoded)) {
		return token{}, finding.Refuse("decode it first: … -o jsonpath='{.data.token}' | base64 -d | sightline seal … --token-file -",
			"the token is still in base64, as in a Secret")
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
		return token{}, finding.Refuse("copy all of it again", "the token begins like a JWT, but is not a valid one")
	}
	t.jwt = true
	t.unguessable = len(signature) >= guessable
	t.subject, t.secret = claims.Sub, claims.Secret
	t.from, t.expires = moment(claims.Nbf), moment(claims.Exp)
	return t, nil
}

// isJWT tells whether a text has the form of a signed JWT: three parts, and the first
// one is a JSON object.
func isJWT(s string) bool {
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return false
	}
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	return err == nil && bytes.HasPrefix(bytes.TrimSpace(header), []byte("{"))
}

// moment returns the time of a NumericDate of RFC 7519. It returns the zero time if there
// is none, and for a time after the year 9999.
func moment(seconds *float64) time.Time {
	if seconds == nil || math.IsNaN(*seconds) || math.Abs(*seconds) > 253402300799 { // the end of the year 9999
		return time.Time{}
	}
	return time.Unix(int64(*seconds), 0)
}

// check refuses a token of another account, and a token that is not valid now. Otherwise
// it returns warnings about the token.
func (t token) check(topo *topology.Topology, generation int, rotating bool, now time.Time) (warnings []string, err error) {
	account := "system:serviceaccount:" + topo.Spec.Kiali.Namespace + ":" + topo.Account()
	secret := topo.TokenSecret(generation)
	switch {
	case !t.jwt:
		return []string{"the token is no JWT, so its account and its end are unknown, and a later run cannot detect a change"},
			nil
	case t.subject != account:
		return nil, finding.Refuse("give the token of the Secret "+secret+" on the remote",
			"the token belongs to %q, expected %q", finding.Shorten(t.subject), account)
	case !t.expires.IsZero() && !now.Before(t.expires):
		return nil, finding.Refuse("give the token of the Secret "+secret+" on the remote, which does not expire", "the token expired on %s",
			stamp(t.expires))
	case !t.from.IsZero() && now.Before(t.from):
		return nil, finding.Refuse("compare the clocks of this machine and the remote", "the token is valid from %s on, but now it is %s",
			stamp(t.from), stamp(now))
	case t.secret != "" && t.secret != secret && rotating:
		return nil, finding.Refuse("give the token of the Secret "+secret+" on the remote", "the token belongs to the Secret %q, expected %q",
			finding.Shorten(t.secret), secret)
	}
	if t.secret != "" && t.secret != secret {
		warnings = append(warnings, fmt.Sprintf("the token belongs to the Secret %q, but the rendered Secret is %q",
			finding.Shorten(t.secret), secret))
	}
	if !t.expires.IsZero() {
		warnings = append(warnings, fmt.Sprintf("the token, and so the link, expires on %s; the token of the Secret %s does not expire",
			stamp(t.expires), secret))
	}
	if !t.unguessable {
		warnings = append(warnings, "the token has a short signature or none, so the link keeps no digest, and a later run cannot detect "+
			"a change")
	}
	return warnings, nil
}
