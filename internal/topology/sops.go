package topology

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strings"

	"filippo.io/age"
)

// SealedSOPS is the metadata of a Secret in the format of SOPS (getsops/sops
// stores/stores.go). All links of one Secret have the same metadata, because
// one data key encrypts them, and one MAC covers all of them.
type SealedSOPS struct {
	// The data key, encrypted for each recipient.
	Age []SOPSKey `yaml:"age" required:"age: [{recipient: age1…, enc: …}]"`
	// When it was encrypted, in UTC.
	LastModified string `yaml:"lastModified" required:"lastModified: \"2026-01-01T00:00:00Z\"" format:"instant"`
	// The MAC over the kubeconfigs, encrypted.
	MAC string `yaml:"mac" required:"mac: ENC[…]"`
	// The keys of the Secret that the MAC covers: the remotes that were sealed
	// together.
	Keys []string `yaml:"keys" required:"keys: [cluster2]"`
}

// SOPSKey is a data key that one recipient can decrypt.
type SOPSKey struct {
	// The recipient's public key.
	Recipient string `yaml:"recipient" required:"recipient: age1…" format:"ageRecipient"`
	// The data key, as age armors it.
	Enc string `yaml:"enc" required:"enc: |"`
}

// Recipients lists the recipients that can decrypt the Secret, sorted.
func (s *SealedSOPS) Recipients() []string {
	var names []string
	for _, key := range s.Age {
		names = append(names, key.Recipient)
	}
	slices.Sort(names)
	return names
}

// Together tells whether two links were encrypted with one data key. The links
// of one Secret must be.
func (s *SealedSOPS) Together(other *SealedSOPS) bool { return s.text() == other.text() }

func (s *SealedSOPS) text() string {
	parts := []string{"", s.LastModified, s.MAC, strings.Join(s.Keys, ",")}
	for _, key := range s.Age {
		parts = append(parts, key.Recipient, key.Enc)
	}
	return strings.Join(parts, "\x00")
}

// sopsValue matches a value that SOPS encrypted (getsops/sops aes/cipher.go).
var sopsValue = regexp.MustCompile(`^ENC\[AES256_GCM,data:([A-Za-z0-9+/=]+),iv:[A-Za-z0-9+/=]{44},tag:[A-Za-z0-9+/=]{24},type:str\]$`)

// EncryptedBySOPS tells whether SOPS encrypted a string.
func EncryptedBySOPS(value string) bool { return sopsValue.MatchString(value) }

// sopsSize returns the size of the encrypted kubeconfig. SOPS encrypts its
// base64, because it is an item of data.
func sopsSize(value string) (size int, problem string) {
	found := sopsValue.FindStringSubmatch(value)
	if found == nil {
		return 0, "does not have the form of SOPS: it has been truncated or edited"
	}
	text, err := base64.StdEncoding.DecodeString(found[1])
	if err != nil {
		return 0, "does not have the form of SOPS: it has been truncated or edited"
	}
	return base64.StdEncoding.DecodedLen(len(text)), ""
}

// ParseAgeRecipient reads a public key of age: X25519, or the hybrid with
// ML-KEM that starts with age1pq1. Keys of plugins or of SSH need programs that
// Flux lacks.
func ParseAgeRecipient(s string) (age.Recipient, error) {
	if strings.HasPrefix(s, "age1pq1") {
		return age.ParseHybridRecipient(s)
	}
	return age.ParseX25519Recipient(s)
}

func ageRecipientProblem(s string) (problem, hint string) {
	if _, err := ParseAgeRecipient(s); err != nil {
		return "must be an age recipient: age1 and lower-case letters and digits", ""
	}
	return "", ""
}
