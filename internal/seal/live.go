package seal

import (
	"slices"
	"strings"
	"time"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Live has the facts about a link that the clusters give.
type Live struct {
	// The remote.
	Problem      error     // why it could not be asked; then the other fields are empty
	Token        []byte    // in the Secret of the link's generation; nil: there is no token
	TokenCreated time.Time // when that Secret was created
	CA           []byte    // of its API server
	Earlier      []int     // earlier generations whose Secrets still exist
	Names        []string  // warnings about the name of the cluster

	// The hub.
	HubAsked   bool
	HubProblem error    // why it could not be asked
	Link       []byte   // the kubeconfig in the Secret of the link; nil: there is none
	Others     []string // other Secrets with a kubeconfig of the cluster
}

// AddLive adds findings about the facts that the clusters give.
func (s *Status) AddLive(r Remote, l *topology.SealedLink, live Live, now time.Time) {
	if l == nil {
		return
	}
	before := s.Work
	s.remote(r, l, live, now)
	s.hub(r, l, live)
	if s.Work && !before {
		s.State = Outdated
	}
}

func (s *Status) remote(r Remote, l *topology.SealedLink, live Live, now time.Time) {
	spec := &l.Spec
	secret := r.Topology.TokenSecret(spec.Generation)
	if live.Problem != nil {
		s.work(finding.Error, "", "the remote could not be asked: %s", Redact(live.Problem.Error()))
		return
	}
	for _, name := range live.Names {
		s.work(finding.Warning, "rename the cluster in the topology, and seal it again", "%s", name)
	}
	switch {
	case r.Cluster.Access.Exec != nil || spec.Revoked():
	case live.Token == nil:
		s.work(finding.Error, "apply the rendered phase link of the remote; if the Secret was deleted on purpose: "+r.does(command.Revoke),
			"the remote has no token in the Secret %s, so the link does not work", secret)
	default:
		s.same(r, l, live, now)
	}
	for _, g := range live.Earlier {
		s.work(finding.Warning, command.Kubectl(r.Context, r.Topology.Spec.Kiali.Namespace, "delete secret "+r.Topology.TokenSecret(g)),
			"the Secret %s of generation %d is still on the remote, and its token is valid", r.Topology.TokenSecret(g), g)
	}
}

// same compares the token and the CA on the remote with the sealed ones.
func (s *Status) same(r Remote, l *topology.SealedLink, live Live, now time.Time) {
	alone := *l // ignores a rotation that has begun
	alone.Spec.Tokens = []int{l.Spec.Generation}
	request := Request{Remote: r, Token: live.Token, TokenCreated: live.TokenCreated, CA: live.CA, Before: &alone, Now: now}
	k, err := newKubeconfig(request)
	switch {
	case err != nil:
		s.work(finding.Error, r.again(), "the token or the CA on the remote cannot be sealed: %s", Redact(err.Error()))
	case !k.unguessable || l.Spec.Digest == "":
		s.add(finding.Info, "", "the token cannot be compared with the sealed one")
	case !matches(l.Spec.Digest, k.text):
		s.work(finding.Error, r.again(), "the token, the CA or the access on the remote differs from the sealed one")
	default:
		for _, text := range request.sameToken() {
			s.add(finding.Warning, "", "%s", text)
		}
	}
}

func (s *Status) hub(r Remote, l *topology.SealedLink, live Live) {
	is := l.Spec.Secret
	switch {
	case !live.HubAsked:
		s.add(finding.Info, "to ask it: "+command.HubContext(r.HubContext), "the hub was not asked")
		return
	case live.HubProblem != nil:
		s.work(finding.Error, "", "the hub could not be asked: %s", Redact(live.HubProblem.Error()))
		return
	case live.Link == nil:
		look := "read the status of its SealedSecret"
		if l.Spec.SOPS != nil {
			look = "read the status of the Flux Kustomization that decrypts it"
		}
		s.work(finding.Error, "render and let it sync to the hub, and "+look,
			"the hub has no key %s in the Secret %s/%s", is.Key, is.Namespace, is.Name)
	case l.Spec.Digest != "" && !matches(l.Spec.Digest, live.Link):
		s.work(finding.Error, "render and let it sync to the hub",
			"the Secret %s/%s on the hub does not have the sealed kubeconfig", is.Namespace, is.Name)
	}
	if len(live.Others) > 0 && live.Link != nil {
		names := slices.Sorted(slices.Values(append(slices.Clone(live.Others), is.Name)))
		s.work(finding.Error, command.Kubectl(r.HubContext, is.Namespace,
			"delete "+l.Spec.Maker()+" "+strings.Join(live.Others, " "))+"; if no SealedSecret owns it: delete secret",
			"the hub has the cluster in %d Secrets, and Kiali uses %s", len(names), names[0])
	}
}
