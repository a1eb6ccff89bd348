package seal

import (
	"fmt"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Encode writes a link as the file that topology.ParseSealedLink reads.
func Encode(l *topology.SealedLink) []byte {
	s := &l.Spec
	spec := map[string]any{
		"server":        s.Server,
		"secret":        map[string]any{"namespace": s.Secret.Namespace, "name": s.Secret.Name, "key": s.Secret.Key},
		"generation":    s.Generation,
		"certificate":   map[string]any{"fingerprint": s.Certificate.Fingerprint, "notAfter": s.Certificate.NotAfter},
		"encryptedData": s.EncryptedData,
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
