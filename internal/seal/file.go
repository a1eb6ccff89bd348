package seal

import (
	"fmt"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Encode returns a link as the file that topology.ParseSealedLink reads.
func Encode(l *topology.SealedLink) []byte {
	s := &l.Spec
	spec := map[string]any{
		"server":        s.Server,
		"secret":        map[string]any{"namespace": s.Secret.Namespace, "name": s.Secret.Name, "key": s.Secret.Key},
		"generation":    s.Generation,
		"encryptedData": s.EncryptedData,
	}
	if s.Certificate != nil {
		spec["certificate"] = map[string]any{"fingerprint": s.Certificate.Fingerprint, "notAfter": s.Certificate.NotAfter}
	}
	if s.SOPS != nil {
		spec["sops"] = envelope(s.SOPS)
	}
	var tokens []any
	for _, g := range s.Tokens {
		tokens = append(tokens, g)
	}
	spec["tokens"] = tokens
	for key, value := range map[string]string{"tokenExpires": s.TokenExpires, "caExpires": s.CAExpires, "digest": s.Digest,
		"tokenCreated": s.TokenCreated, "replaces": s.Replaces, "checksum": s.Checksum} {
		if value != "" {
			spec[key] = value
		}
	}
	head := fmt.Appendf(nil, "# The hub's access to %s, sealed by sightline seal. Nothing in it is a secret: commit it.\n", l.Name())
	return resource.Encode(head, map[string]any{
		"apiVersion": l.APIVersion,
		"kind":       l.Kind,
		"metadata":   map[string]any{"name": l.Name()},
		"spec":       spec,
	})
}

// envelope returns the metadata of SOPS in a link: the data keys, the MAC and its time.
func envelope(s *topology.SealedSOPS) map[string]any {
	var keys []any
	for _, key := range s.Keys {
		keys = append(keys, key)
	}
	return map[string]any{"age": AgeKeys(s), "lastModified": s.LastModified, "mac": s.MAC, "keys": keys}
}

// AgeKeys returns the encrypted data keys of a Secret in the format of SOPS, for its
// field sops.
func AgeKeys(s *topology.SealedSOPS) []any {
	var keys []any
	for _, key := range s.Age {
		keys = append(keys, map[string]any{"recipient": key.Recipient, "enc": key.Enc})
	}
	return keys
}
