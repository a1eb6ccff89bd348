// Package seal makes the hub's access to a remote: a kubeconfig, sealed so that only
// the controller on the hub can open it. No other package handles credentials.
//
// Everything here is a function of bytes, a time and a source of randomness. The command
// reads the bytes from a file or a cluster.
//
// No error and no warning contains a credential. Text of other programs goes through
// [Redact] before it is shown.
package seal

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bitnami-labs/sealed-secrets/pkg/crypto"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Near is the time before expiry from which something should be renewed. NearDays is
// the same time in days.
const (
	NearDays = 30
	Near     = NearDays * 24 * time.Hour
)

// Remote is a cluster to which the hub has a link.
type Remote struct {
	Topology *topology.Topology
	Cluster  *topology.Cluster

	// For hints. Command is the command for this remote, without a step. Sealing is the
	// command that seals it; it differs if one Secret has all links and is encrypted as a
	// whole. Flags are the additional flags of Sealing.
	Command, Sealing, Flags string
	// The contexts of the kubeconfig for the hub and for the remote.
	HubContext, Context string
}

// again returns the command that seals the remote.
func (r Remote) again() string {
	return strings.TrimSpace(cmp.Or(r.Sealing, r.Command) + " " + r.Flags)
}

// does returns the command for a step that seals nothing.
func (r Remote) does(step command.Step) string { return r.Command + " " + string(step) }

// Request is the input of a seal: the credential, its certificate or recipients, and the
// present link.
type Request struct {
	Remote

	Token        []byte    // of the service account; empty if access.exec gives the credential
	TokenCreated time.Time // when its Secret was created; zero: unknown
	CA           []byte    // PEM; empty if access.insecureSkipTLSVerify turns the check off

	Certificate *Certificate         // of the controller on the hub, for Seal
	Recipients  *Recipients          // the age recipients, for SOPS
	Before      *topology.SealedLink // the present link, or nil

	Force bool // seal also if nothing has changed
	Rekey bool // seal again if the link has another certificate

	Now  time.Time
	Rand io.Reader
}

// Result is the result of a request or of a step.
type Result struct {
	Link     *topology.SealedLink // the link to write; nil: the present one stays
	Done     string               // what was done, or why nothing was done
	Warnings []string
	Next     string // what to do next; may be empty
}

// Generation returns the generation of the next seal: the youngest one with a token
// Secret on the remote.
func Generation(before *topology.SealedLink) int {
	if before == nil {
		return 1
	}
	return slices.Max(before.Spec.Tokens)
}

// Seal makes the link of a remote for the controller on the hub. If nothing has
// changed, it keeps the present link. Its errors are of type *finding.Refusal, except
// errors of the source of randomness.
func Seal(r Request) (Result, error) {
	p, err := prepare(r)
	if err != nil {
		return Result{}, err
	}
	p.result.Warnings = append(p.result.Warnings, r.Certificate.warnings(r.Now)...)
	if p.reason == "" {
		p.result.Done, p.result.Next = r.unchanged(p.kubeconfig)
		return p.result, nil
	}
	sealed, err := crypto.HybridEncrypt(r.Rand, r.Certificate.key, p.kubeconfig.text, label(p.want))
	if err != nil {
		return Result{}, err
	}
	return p.finish(func(spec *topology.SealedLinkSpec) {
		spec.Certificate = &topology.SealedWith{Fingerprint: r.Certificate.Fingerprint, NotAfter: stamp(r.Certificate.NotAfter)}
		spec.EncryptedData = base64.StdEncoding.EncodeToString(sealed)
	})
}

// prepared is a request with the kubeconfig to seal.
type prepared struct {
	Request
	kubeconfig *kubeconfig
	want       topology.SealedFor
	reason     string // why it is sealed; "": the present link stays
	result     Result // has the warnings
}

// prepare makes the kubeconfig, and compares it with the present link.
func prepare(r Request) (*prepared, error) {
	if err := owns(r.Before, r.Cluster); err != nil {
		return nil, err
	}
	k, err := newKubeconfig(r)
	if err != nil {
		return nil, err
	}
	p := &prepared{Request: r, kubeconfig: k, want: r.Topology.SealedFor(r.Cluster), reason: "sealed", result: Result{Warnings: k.warnings}}
	if r.Before == nil {
		return p, nil
	}
	reason, err := r.reason(k, p.want, Generation(r.Before))
	if err != nil {
		return nil, err
	}
	if k.unguessable && matches(r.Before.Spec.Digest, k.text) {
		p.result.Warnings = append(p.result.Warnings, r.sameToken()...)
	}
	p.because(reason)
	return p, nil
}

// because sets the reason for a new link. With "", the present link stays.
func (p *prepared) because(reason string) {
	if p.reason = reason; reason != "" {
		p.reason = "sealed again, " + reason
	}
}

// finish makes the link. sealed adds the encrypted part to it.
func (p *prepared) finish(sealed func(*topology.SealedLinkSpec)) (Result, error) {
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(p.Rand, salt); err != nil {
		return Result{}, err
	}
	k, result := p.kubeconfig, p.result
	link := &topology.SealedLink{APIVersion: topology.APIVersion, Kind: topology.SealedLinkKind}
	link.Metadata.Name = p.Cluster.Name
	spec := &link.Spec
	spec.Generation = Generation(p.Before)
	spec.Tokens = []int{spec.Generation}
	if p.Before != nil {
		spec.Tokens = p.Before.Spec.Tokens
	}
	spec.Server = p.Cluster.Server
	spec.Secret = p.want
	spec.TokenExpires = stamp(k.tokenExpires)
	spec.CAExpires = stamp(k.caExpires)
	if k.unguessable {
		spec.Digest = digest(salt, k.text)
	}
	spec.TokenCreated = stamp(p.TokenCreated)
	spec.Replaces = replaces(p.Before, p.want)
	sealed(spec)
	spec.Checksum = spec.Sum()
	result.Link = link
	result.Done = p.reason
	result.Next = "commit it, and render again"
	switch {
	case spec.Replaces != "":
		result.Next = "commit it, render again and let it sync; " + leftover(p.Remote, link)
	case len(spec.Tokens) > 1:
		result.Next = fmt.Sprintf("commit it, render again and let it sync; once Kiali on the hub has restarted and shows %s: %s", p.Cluster.Name,
			p.does(command.Finish))
	}
	return result, nil
}

// sameToken returns a warning if a deleted token Secret exists again with the same
// token. The JWT of a token Secret has no time, and its signature depends only on its
// text. So the token changes only with the name of the Secret or the account.
func (r *Request) sameToken() []string {
	before, err := time.Parse(time.RFC3339, r.Before.Spec.TokenCreated)
	if err != nil || !r.TokenCreated.After(before) {
		return nil
	}
	return []string{fmt.Sprintf("the token Secret %s was created again on %s, with the same token: its deletion revoked nothing. If the "+
		"token has leaked: %s",
		r.Topology.TokenSecret(r.Before.Spec.Generation), stamp(r.TokenCreated), r.does(command.Revoke))}
}

// owns refuses the file of a link that was copied from another cluster.
func owns(before *topology.SealedLink, c *topology.Cluster) error {
	if before != nil && before.Name() != c.Name {
		return finding.Refuse("remove the file, and seal again", "%s: the link is for %q, expected %q", before.At("metadata", "name"),
			before.Name(), c.Name)
	}
	return nil
}

// reason returns why a new link is made, or "" if the present one stays.
func (r *Request) reason(k *kubeconfig, want topology.SealedFor, generation int) (string, error) {
	before := &r.Before.Spec
	same := k.unguessable && matches(before.Digest, k.text)
	switch {
	case generation != before.Generation && same:
		return "", finding.Refuse(fmt.Sprintf("give the token of the Secret %s on the remote", r.Topology.TokenSecret(generation)),
			"the token is the sealed one, of generation %d; expected the token of generation %d", before.Generation, generation)
	case generation != before.Generation:
		return fmt.Sprintf("with the token of generation %d", generation), nil
	case r.Force:
		return "because of --force", nil
	case before.Source() != r.Topology.Spec.Kiali.Links.Source:
		return "for links.source " + r.Topology.Spec.Kiali.Links.Source, nil
	case damaged(before) != "":
		return "because the present link is damaged", nil
	case before.Secret != want:
		return fmt.Sprintf("for the key %s of %s/%s", want.Key, want.Namespace, want.Name), nil
	case before.Server != r.Cluster.Server:
		return "for another server", nil
	case r.Rekey && r.Certificate != nil && before.Fingerprint() != r.Certificate.Fingerprint:
		return "for another certificate", nil
	case before.SOPS != nil && !slices.Equal(before.SOPS.Recipients(), r.Recipients.sorted()):
		return "for other recipients", nil
	case same, !k.unguessable && before.Digest == "":
		return "", nil
	}
	return "because the credential, the CA or the access has changed", nil
}

// damaged says what is wrong with the form of the encrypted data, or returns "".
func damaged(s *topology.SealedLinkSpec) string {
	_, problem := s.KubeconfigSize()
	return problem
}

// unchanged returns the message and the hint for a link that stays.
func (r *Request) unchanged(k *kubeconfig) (done, next string) {
	switch {
	case !k.unguessable:
		return "left as it is: a change of the token cannot be detected", "to seal it again: " + r.again() + " " + string(command.Force)
	case r.Certificate != nil && r.Before.Spec.Fingerprint() != r.Certificate.Fingerprint:
		return "unchanged, and sealed with another certificate", "the controller keeps the keys of earlier certificates; if it has lost them, " +
			"seal with this one: " + r.again() + " " + string(command.Rekey)
	}
	return "unchanged", ""
}

// label returns the text that binds a sealed value to its Secret in the scope strict:
// EncryptionLabel of pkg/apis/sealedsecrets/v1alpha1 in bitnami-labs/sealed-secrets.
func label(s topology.SealedFor) []byte {
	return []byte(s.Namespace + "/" + s.Name)
}

// stamp returns a time in the form of the file, or "" for the zero time.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// day returns a time in the form of messages.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func generations(list []int) string {
	s := ""
	for i, g := range list {
		if i > 0 {
			s += " and "
		}
		s += strconv.Itoa(g)
	}
	return s
}
