package credential

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Named tells whether a field with this name holds a credential itself: its last word
// says so, as in clientSecret, X-API-Key and DB_PASSWORD. In secretName, token_url
// and keyFile, the last word is another one.
func Named(field string) bool {
	words := wordsOf(field)
	if len(words) == 0 {
		return false
	}
	last, before := words[len(words)-1], ""
	if len(words) > 1 {
		before = words[len(words)-2]
	}
	switch {
	case last == "key":
		return slices.Contains(keysOf, before)
	case last == "secret" || last == "credentials":
		return !slices.Contains(secretsFor, before)
	case last == "base": // SECRET_KEY_BASE, of Rails
		return before == "key"
	}
	return slices.Contains(credentialWords, last) || strings.HasSuffix(last, "password") // PGPASSWORD
}

var credentialWords = []string{
	"passwords", "pass", "passwd", "pwd", "passphrase", "passcode", "token", "authorization", "credential", "cookie", "jwt", "bearer",
	"apikey", "accesskey", "secretkey", "privatekey", "signingkey", "authtoken", "accesstoken", "clientsecret",
	"pat", // a personal access token
}

// inURLs are names of parameters that hold a credential in a URL, but can hold
// anything elsewhere.
var inURLs = []string{"key", "sig", "signature", "auth"}

// keysOf are words before "key" if the key is a credential. Other keys are keys of
// labels and of Secrets.
var keysOf = []string{
	"api", "access", "secret", "private", "signing", "encryption", "auth", "account", "master", "shared", "license", "subscription", "hmac",
	"service", "storage", "app", "application", "client", "session", "jwt", "ssh", "pgp", "gpg",
}

// secretsFor are words before "secret" in the names of fields that hold the name of a
// Secret.
var secretsFor = []string{
	"pull", "tls", "ca", "cert", "certificate", "key", "config", "existing", "registry", "image", "external", "sealed", "kube", "from",
}

// wordsOf splits a name into words in lower case: at characters other than letters
// and digits, and before capital letters.
func wordsOf(name string) []string {
	var words []string
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			end()
			continue
		}
		if unicode.IsUpper(r) && i > 0 && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			end()
		}
		word.WriteRune(unicode.ToLower(r))
	}
	end()
	return words
}

var (
	reference = regexp.MustCompile(`^secret:[a-z0-9]([-.a-z0-9]*[a-z0-9])?:[-._a-zA-Z0-9]+$`)
	file      = regexp.MustCompile(`^(/[A-Za-z0-9._-]+){2,}$`)
)

// placeholder is the beginning of a placeholder that somebody else fills in.
const placeholder = "$<{[*"

// harmless tells whether the value of a field with the name of a credential is no
// credential: a reference to a Secret, a file of the pod, a placeholder of a
// template, or a word that is a setting.
func harmless(value string) bool {
	switch strings.ToLower(value) {
	case "", "true", "false", "yes", "no", "on", "off", "none", "enabled", "disabled", "access_token", "id_token":
		return true
	}
	return reference.MatchString(value) || file.MatchString(value) || strings.HasPrefix(value, "{{") && strings.HasSuffix(value, "}}")
}
