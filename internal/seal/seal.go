// Package seal makes the hub's access to a remote: a kubeconfig, sealed so that
// only the controller on the hub can open it. It is the only room that sees a
// credential.
//
// Everything here is a function of bytes, a time and a source of randomness.
// Where the bytes come from, a file or a cluster, is the matter of the command.
//
// No error and no warning repeats a credential. Text that others have made goes
// through [Redact] before it is shown.
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

// How long before the end of something its renewal is due.
const (
	NearDays = 30
	Near     = NearDays * 24 * time.Hour
)

// Remote is a cluster that the hub has a link to.
type Remote struct {
	Topology *topology.Topology
	Cluster  *topology.Cluster

	// For hints: the command for it, to which a step is added; the one that seals it,
	// where that is another, because the Secret of all links is encrypted as a whole; and
	// what else that needs.
	Command, Sealing, Flags string
	// The contexts of a kubeconfig that lead to the hub and to the remote.
	HubContext, Context string
}

// again is the command that seals it.
func (r Remote) again() string {
	return strings.TrimSpace(cmp.Or(r.Sealing, r.Command) + " " + r.Flags)
}

// does is the command for a step that seals nothing.
func (r Remote) does(step command.Step) string { return r.Command + " " + string(step) }

// Request is what is sealed, for whom, and what is there already.
type Request struct {
	Remote

	Token        []byte    // of the service account; none where access.exec gives the credential
	TokenCreated time.Time // when its Secret was made; zero where nobody knows
	CA           []byte    // PEM; none where access.insecureSkipTLSVerify says that it is not looked at

	Certificate *Certificate         // of the controller on the hub, for Seal
	Recipients  *Recipients          // of the keys that decrypt it, for SOPS
	Before      *topology.SealedLink // what is there, or nil

	Force bool // seal even what has not changed
	Rekey bool // seal what was sealed with another certificate

	Now  time.Time
	Rand io.Reader
}

// Result is what came of a request.
type Result struct {
	Link     *topology.SealedLink // to be written; nil where what is there stays
	Done     string               // what was done, or why nothing was
	Warnings []string
	Next     string // what to do next; may be empty
}

// Generation is the one that the next sealing is of: the youngest of which the
// remote has a token Secret.
func Generation(before *topology.SealedLink) int {
	if before == nil {
		return 1
	}
	return slices.Max(before.Spec.Tokens)
}

// Seal makes the link of a remote for the controller on the hub, or leaves the one
// that is there where nothing has changed. Its errors are of type *finding.Refusal, but
// for those of the source of randomness.
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

// prepared is a request with what is to be sealed.
type prepared struct {
	Request
	kubeconfig *kubeconfig
	want       topology.SealedFor
	reason     string // why it is sealed; "" if the link that is there stays
	result     Result // with the warnings
}

// prepare makes the kubeconfig, and compares it with the link that is there.
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

// because says why a link that is there is made again; "" if it is not.
func (p *prepared) because(reason string) {
	if p.reason = reason; reason != "" {
		p.reason = "sealed again, " + reason
	}
}

// finish makes the link, of which sealed adds what is sealed.
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

// sameToken says that a token Secret which has been deleted is there again, with
// the token that it had. A JWT of a token Secret holds no time, and its signature
// follows from its text, so only another Secret or another account has another.
func (r *Request) sameToken() []string {
	before, err := time.Parse(time.RFC3339, r.Before.Spec.TokenCreated)
	if err != nil || !r.TokenCreated.After(before) {
		return nil
	}
	return []string{fmt.Sprintf("the token Secret %s was made anew on %s, with the same token: deleting it has revoked nothing. If the "+
		"token has leaked: %s",
		r.Topology.TokenSecret(r.Before.Spec.Generation), stamp(r.TokenCreated), r.does(command.Revoke))}
}

// owns refuses a file that was copied from another cluster's.
func owns(before *topology.SealedLink, c *topology.Cluster) error {
	if before != nil && before.Name() != c.Name {
		return finding.Refuse("remove the file, and seal again", "%s: the link is that of %q, expected %q", before.At("metadata", "name"),
			before.Name(), c.Name)
	}
	return nil
}

// reason says why the link that is there is made again; "" if it is not.
func (r *Request) reason(k *kubeconfig, want topology.SealedFor, generation int) (string, error) {
	before := &r.Before.Spec
	same := k.unguessable && matches(before.Digest, k.text)
	switch {
	case generation != before.Generation && same:
		return "", finding.Refuse(fmt.Sprintf("give the token of the Secret %s on the remote", r.Topology.TokenSecret(generation)),
			"the token is the one that is sealed already, of generation %d; expected that of generation %d", before.Generation, generation)
	case generation != before.Generation:
		return fmt.Sprintf("with the token of generation %d", generation), nil
	case r.Force:
		return "because of --force", nil
	case before.Source() != r.Topology.Spec.Kiali.Links.Source:
		return "for links.source " + r.Topology.Spec.Kiali.Links.Source, nil
	case damaged(before) != "":
		return "since what was sealed is damaged", nil
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

// damaged says what is wrong with the form of what is sealed; "" if nothing is.
func damaged(s *topology.SealedLinkSpec) string {
	_, problem := s.KubeconfigSize()
	return problem
}

// unchanged says that the link which is there stays, and what is to be known
// about it.
func (r *Request) unchanged(k *kubeconfig) (done, next string) {
	switch {
	case !k.unguessable:
		return "left as it is: whether the token has changed cannot be told", "to seal it again: " + r.again() + " " + string(command.Force)
	case r.Certificate != nil && r.Before.Spec.Fingerprint() != r.Certificate.Fingerprint:
		return "unchanged, and sealed for another certificate", "the controller keeps the keys of earlier certificates; if it has lost them, " +
			"to seal for this one: " + r.again() + " " + string(command.Rekey)
	}
	return "unchanged", ""
}

// label is what binds a sealed item to its Secret, in the scope strict:
// EncryptionLabel of pkg/apis/sealedsecrets/v1alpha1 in bitnami-labs/sealed-secrets.
func label(s topology.SealedFor) []byte {
	return []byte(s.Namespace + "/" + s.Name)
}

// stamp is a time as the file has it; "" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// day is a time as messages have it.
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
