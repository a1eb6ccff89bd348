package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Recipients are the age recipients for which links are encrypted.
type Recipients struct {
	names  []string
	parsed []age.Recipient
}

const recipientHint = "write the public key that age-keygen prints, which starts with age1; separate several with commas"

// ParseRecipients reads age recipients. Its errors do not repeat a wrong one, because it
// may be a private key.
func ParseRecipients(names []string) (*Recipients, error) {
	r := &Recipients{}
	for i, name := range names {
		name = strings.TrimSpace(name)
		parsed, err := topology.ParseAgeRecipient(name)
		switch {
		case err != nil && strings.HasPrefix(strings.ToUpper(name), "AGE-SECRET-KEY-"):
			return nil, finding.Refuse("make a new one, because the history of your shell has this one; "+recipientHint,
				"recipient %d is a private age key, expected the public key", i+1)
		case err != nil:
			return nil, finding.Refuse(recipientHint, "recipient %d is no public age key", i+1)
		case slices.Contains(r.names, name):
			continue
		}
		r.names, r.parsed = append(r.names, name), append(r.parsed, parsed)
	}
	if len(r.names) == 0 {
		return nil, finding.Refuse(recipientHint, "there is no recipient")
	}
	return r, nil
}

// Same tells whether names has the same keys.
func (r *Recipients) Same(names []string) bool {
	return slices.Equal(r.sorted(), slices.Sorted(slices.Values(names)))
}

func (r *Recipients) sorted() []string { return slices.Sorted(slices.Values(r.names)) }

// SOPS makes the links of all remotes whose kubeconfigs are in one Secret, in the format
// of SOPS. If nothing has changed, it keeps the present links. One data key encrypts the
// whole Secret, and seal cannot decrypt the present data key. So if one kubeconfig is
// new, all are encrypted again. The results are in the order of the requests. Its errors
// are of type *OfCluster with a *finding.Refusal, except errors of the source of
// randomness.
func SOPS(requests []Request) ([]Result, error) {
	var all []*prepared
	var keys []string
	for _, r := range requests {
		p, err := prepare(r)
		if err != nil {
			return nil, &OfCluster{r.Cluster.Name, err}
		}
		all, keys = append(all, p), append(keys, p.want.Key)
	}
	slices.Sort(keys)
	again := slices.ContainsFunc(all, func(p *prepared) bool { return p.reason != "" || !p.belongs(all[0], keys) })
	if !again {
		results := make([]Result, len(all))
		for i, p := range all {
			results[i] = p.result
			results[i].Done, results[i].Next = p.unchanged(p.kubeconfig)
		}
		return results, nil
	}
	d, err := encrypt(all, keys)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(all))
	for i, p := range all {
		if p.reason == "" {
			p.because("together with the other links of the Secret " + p.want.Name)
		}
		results[i], err = p.finish(func(spec *topology.SealedLinkSpec) {
			spec.SOPS, spec.EncryptedData = d.envelope, d.values[p.want.Key]
		})
		if err != nil {
			return nil, err
		}
	}
	return results, nil
}

// belongs tells whether the present link was encrypted together with the link of another
// remote, for the same recipients.
func (p *prepared) belongs(other *prepared, keys []string) bool {
	if p.Before == nil || other.Before == nil || p.Before.Spec.SOPS == nil || other.Before.Spec.SOPS == nil {
		return false
	}
	return p.Before.Spec.SOPS.Together(other.Before.Spec.SOPS) && slices.Equal(p.Before.Spec.SOPS.Keys, keys)
}

// OfCluster is an error about one of several remotes.
type OfCluster struct {
	Cluster string
	Err     error
}

func (e *OfCluster) Error() string { return e.Cluster + ": " + e.Err.Error() }
func (e *OfCluster) Unwrap() error { return e.Err }

// document has the encrypted values of a Secret in the format of SOPS.
type document struct {
	envelope *topology.SealedSOPS
	values   map[string]string // by their keys
}

// macOfEncrypted is the first input of a MAC over encrypted values only
// (MACOnlyEncryptedInitialization of getsops/sops sops.go: the SHA-256 of "sops").
var macOfEncrypted = []byte{0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b,
	0x0b, 0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69}

// encrypt encrypts the data of a Secret, with sorted keys, as SOPS does with
// encrypted_regex ^(data|stringData)$ and mac_only_encrypted. render writes the rest of
// the Secret, such as its labels.
func encrypt(all []*prepared, keys []string) (*document, error) {
	r := all[0]
	dataKey := make([]byte, 32)
	if _, err := io.ReadFull(r.Rand, dataKey); err != nil {
		return nil, err
	}
	d := &document{envelope: &topology.SealedSOPS{LastModified: r.Now.UTC().Format(time.RFC3339), Keys: keys}, values: map[string]string{}}
	texts := map[string]string{}
	for _, p := range all {
		texts[p.want.Key] = base64.StdEncoding.EncodeToString(p.kubeconfig.text)
	}
	mac := sha512.New()
	mac.Write(macOfEncrypted)
	var err error
	for _, key := range keys {
		mac.Write([]byte(texts[key]))
		if d.values[key], err = sopsValue(r.Rand, dataKey, texts[key], "data:"+key+":"); err != nil {
			return nil, err
		}
	}
	if d.envelope.MAC, err = sopsValue(r.Rand, dataKey, fmt.Sprintf("%X", mac.Sum(nil)), d.envelope.LastModified); err != nil {
		return nil, err
	}
	for i, recipient := range r.Recipients.parsed {
		enc, err := ageArmored(dataKey, recipient)
		if err != nil {
			return nil, fmt.Errorf("recipient %d: %w", i+1, err)
		}
		d.envelope.Age = append(d.envelope.Age, topology.SOPSKey{Recipient: r.Recipients.names[i], Enc: enc})
	}
	return d, nil
}

// sopsValue encrypts a string as getsops/sops aes/cipher.go does: AES-256-GCM with a
// nonce of 32 bytes.
func sopsValue(rand io.Reader, key []byte, text, additional string) (string, error) {
	const nonceSize = 32
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", err
	}
	gcm, err := cipher.NewGCMWithNonceSize(block, nonceSize)
	if err != nil {
		return "", err
	}
	iv := make([]byte, nonceSize)
	if _, err := io.ReadFull(rand, iv); err != nil {
		return "", err
	}
	sealed := gcm.Seal(nil, iv, []byte(text), []byte(additional))
	at := len(sealed) - gcm.Overhead()
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("ENC[AES256_GCM,data:%s,iv:%s,tag:%s,type:str]", encode(sealed[:at]), encode(iv), encode(sealed[at:])), nil
}

// ageArmored encrypts a data key for one recipient, as SOPS does for each recipient.
func ageArmored(dataKey []byte, recipient age.Recipient) (string, error) {
	var text bytes.Buffer
	armored := armor.NewWriter(&text)
	w, err := age.Encrypt(armored, recipient)
	if err == nil {
		_, err = w.Write(dataKey)
	}
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		err = armored.Close()
	}
	return text.String(), err
}
