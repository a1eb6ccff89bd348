package topology

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"reflect"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
)

// SealedLinkKind is the kind of a file from seal.
const SealedLinkKind = "SealedLink"

// SealedLink is the hub's credential for one remote, sealed. Seal writes it
// next to the topology, one file for each remote. The file is committed, and
// every later render reads it. Nothing in it is secret.
type SealedLink struct {
	// The version of the format.
	APIVersion string `yaml:"apiVersion" required:"apiVersion: sightline.dev/v1alpha1" enum:"sightline.dev/v1alpha1"`
	// What the document is.
	Kind string `yaml:"kind" required:"kind: SealedLink" enum:"SealedLink"`
	// The name of the cluster to which the link leads.
	Metadata memberMetadata `yaml:"metadata" required:"metadata: {name: cluster2}"`
	// The content of the link.
	Spec SealedLinkSpec `yaml:"spec" required:"spec: {…}"`

	file string
	root *yaml.Node
}

// SealedLinkSpec is the content of a link.
type SealedLinkSpec struct {
	// The URL in the kubeconfig.
	Server string `yaml:"server" required:"server: https://api.west.example.com:6443"`
	// The only Secret for which the controller opens the link (strict scope).
	Secret SealedFor `yaml:"secret" required:"secret: {namespace: …, name: …, key: …}"`
	// The generation of the remote's token Secret from which the token in the kubeconfig comes. The
	// first is 1.
	Generation int `yaml:"generation" default:"1"`
	// The generations of token Secrets on the remote: one, or two during a rotation. Default: generation.
	Tokens []int `yaml:"tokens"`
	// The certificate that encrypts the link for the sealed-secrets controller.
	// Absent with SOPS.
	Certificate *SealedWith `yaml:"certificate"`
	// The metadata of the Secret in the format of SOPS. Absent with
	// sealed-secrets.
	SOPS *SealedSOPS `yaml:"sops"`
	// When the token in the kubeconfig expires, if it does.
	TokenExpires string `yaml:"tokenExpires" format:"instant"`
	// When the first CA in the kubeconfig expires, if there is a CA.
	CAExpires string `yaml:"caExpires" format:"instant"`
	// A digest to compare a kubeconfig with the sealed one: <salt>:<SHA-256 of salt and kubeconfig>, both in hexadecimal. Absent if
	// somebody could guess the token from it.
	Digest string `yaml:"digest" format:"linkDigest"`
	// When the token Secret was created, if the token was read from a cluster.
	// A newer Secret with the same token is the same Secret created again; this
	// revokes nothing.
	TokenCreated string `yaml:"tokenCreated" format:"instant"`
	// The name of the Secret on the hub that held the link before links.format was changed, until seal --finish.
	Replaces string `yaml:"replaces" format:"name"`
	// SHA-256 of encryptedData and of the content of sops, in hexadecimal. It
	// shows damage. Links of earlier versions do not have it.
	Checksum string `yaml:"checksum" format:"fingerprint"`
	// The kubeconfig, sealed: an item of encryptedData of a SealedSecret, or of data of a Secret in the format of SOPS.
	EncryptedData string `yaml:"encryptedData" required:"encryptedData: …"`
}

// SealedFor is the place of an item in a Secret.
type SealedFor struct {
	// The namespace of the Secret.
	Namespace string `yaml:"namespace" required:"namespace: istio-system"`
	// The name of the Secret.
	Name string `yaml:"name" required:"name: kiali-multi-cluster-secret"`
	// The key in the Secret.
	Key string `yaml:"key" required:"key: cluster2"`
}

// SealedWith is the certificate of the controller that opens the link.
type SealedWith struct {
	// SHA-256 of the certificate in DER, in hexadecimal.
	Fingerprint string `yaml:"fingerprint" required:"fingerprint: …" format:"fingerprint"`
	// When it expires, in UTC.
	NotAfter string `yaml:"notAfter" required:"notAfter: \"2036-01-01T00:00:00Z\"" format:"instant"`
}

// ParseSealedLink reads a file from seal. The link is nil if the file is not a
// sealed link.
func ParseSealedLink(file string, data []byte) (*SealedLink, finding.Findings) {
	var findings finding.Findings
	d, root := only(file, data, aSealedLink, SealedLinkKind, &findings)
	if root == nil {
		return nil, findings.Sorted()
	}
	l := &SealedLink{file: file, root: root}
	v := reflect.ValueOf(l).Elem()
	setDefaults(v)
	d.structure(root, v, "")
	d.close()
	if (l.Spec.Certificate == nil) == (l.Spec.SOPS == nil) && len(findings) == 0 {
		findings.Add(l.At("spec"), RuleMissing, sealAgainHint, "spec must have certificate or sops, and not both")
	}
	if len(l.Spec.Tokens) == 0 {
		l.Spec.Tokens = []int{l.Spec.Generation}
	}
	if !tokensFit(l.Spec.Tokens, l.Spec.Generation) {
		findings.Add(l.At("spec", "tokens"), RuleValue, sealAgainHint,
			"spec.tokens must be the generation %d, a later generation, or two consecutive generations that include it", l.Spec.Generation)
		l.Spec.Tokens = []int{l.Spec.Generation}
	}
	return l, d.all(findings)
}

// KubeconfigSize returns the size of the sealed kubeconfig, or says what is
// wrong with the form of the encrypted value. kubeseal writes the length of an
// RSA ciphertext in two bytes, then this ciphertext, then the kubeconfig
// encrypted with AES-GCM (bitnami-labs/sealed-secrets pkg/crypto/crypto.go).
// SOPS has its own form.
func (s *SealedLinkSpec) KubeconfigSize() (size int, problem string) {
	const length, tag, smallestKey = 2, 16, 1024 / 8
	if s.Checksum != "" && s.Checksum != s.Sum() {
		return 0, "does not match its checksum: it has been edited"
	}
	if s.SOPS != nil {
		return sopsSize(s.EncryptedData)
	}
	data, err := base64.StdEncoding.DecodeString(s.EncryptedData)
	if err != nil {
		return 0, "is not base64: it has been truncated or edited"
	}
	if len(data) >= length {
		key := int(binary.BigEndian.Uint16(data))
		if size = len(data) - length - key - tag; key >= smallestKey && size > 0 {
			return size, ""
		}
	}
	return 0, "does not have the form of kubeseal: it has been truncated or edited"
}

// Fingerprint is the fingerprint of the certificate with which the link is
// sealed, or "" if there is none.
func (s *SealedLinkSpec) Fingerprint() string {
	if s.Certificate == nil {
		return ""
	}
	return s.Certificate.Fingerprint
}

// Source is the value of links.source for which the link was sealed.
func (s *SealedLinkSpec) Source() string {
	if s.SOPS != nil {
		return "sops"
	}
	return "sealed"
}

// Maker is the kind of the object that makes the Secret on the hub, in
// kubectl's form.
func (s *SealedLinkSpec) Maker() string {
	if s.SOPS != nil {
		return "secret"
	}
	return "sealedsecret"
}

// Sum is the checksum of the encrypted content.
func (s *SealedLinkSpec) Sum() string {
	text := s.EncryptedData
	if s.SOPS != nil {
		text += s.SOPS.text()
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Revoked tells whether the token in the link was removed from the remote
// before the link was sealed with the next token.
func (s *SealedLinkSpec) Revoked() bool { return !slices.Contains(s.Tokens, s.Generation) }

// tokensFit tells whether seal can have written these generations: only the
// link's generation; during a rotation, also the one before or after it; or
// only a later one, if the token of the link is revoked.
func tokensFit(tokens []int, generation int) bool {
	switch len(tokens) {
	case 1:
		return tokens[0] >= generation && generation > 0
	case 2:
		return slices.Contains(tokens, generation) && tokens[1] == tokens[0]+1
	}
	return false
}

// At gives the position of the value at a path of keys, or of the nearest
// value above it.
func (l *SealedLink) At(path ...any) finding.Position {
	if l.root == nil {
		return finding.Position{} // the link was not read from a file
	}
	return position(l.file, deepest(l.root, path))
}

// SomeLink is a link for a cluster without any other content.
func SomeLink(file, cluster string) *SealedLink {
	l := &SealedLink{file: file, root: &yaml.Node{Kind: yaml.MappingNode, Line: 1, Column: 1}}
	setDefaults(reflect.ValueOf(l).Elem())
	l.Metadata.Name, l.Spec.Tokens = cluster, []int{l.Spec.Generation}
	return l
}

// Name is the cluster to which the link leads.
func (l *SealedLink) Name() string { return l.Metadata.Name }

// SealedFor is the item of a Secret on the hub that holds the kubeconfig of a
// remote. With links.format single it is in the Secret for all remotes, with
// perCluster in a Secret for this remote.
func (t *Topology) SealedFor(c *Cluster) SealedFor {
	names := t.LinkSecrets(c)
	name := names[0]
	if t.Spec.Kiali.Links.Format == "perCluster" {
		name = names[1]
	}
	return SealedFor{Namespace: t.Spec.Kiali.Namespace, Name: name, Key: c.Name}
}

// SealedTogether tells whether the links of all remotes have to be sealed together:
// they are in one Secret, which SOPS encrypts as a whole.
func (t *Topology) SealedTogether() bool {
	return t.Spec.Kiali.Links.Source == "sops" && t.Spec.Kiali.Links.Format == "single" && len(t.Spec.Clusters) > 2
}

// LinkSecrets returns the names of the Secrets on the hub that may hold a
// remote's link: first with links.format single, then with perCluster.
func (t *Topology) LinkSecrets(c *Cluster) [2]string {
	return [2]string{kiali.SingleSecret, kiali.RemoteSecret(c.Name)}
}

// Account is the service account that the operator creates for Kiali, on the
// hub and on remotes.
func (t *Topology) Account() string { return kiali.Account(t.Spec.Kiali.InstanceName) }

// TokenSecret is the Secret on a remote with the token of a generation. The
// first Secret has the name of its account, as in the published guide.
func (t *Topology) TokenSecret(generation int) string {
	if generation == 1 {
		return t.Account()
	}
	return t.Account() + "-g" + strconv.Itoa(generation)
}
