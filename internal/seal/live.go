package seal

import (
	"slices"
	"strings"
	"time"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Live is what the clusters say about a link.
type Live struct {
	// The remote.
	Problem      error     // why it could not be asked; nothing else is known then
	Token        []byte    // in the Secret of the link's generation; nil where there is none
	TokenCreated time.Time // that Secret
	CA           []byte    // of its API server
	Earlier      []int     // generations that the link no longer has, whose Secrets are there
	Names        []string  // what is wrong with the name of the cluster, in words

	// The hub.
	HubAsked   bool
	HubProblem error    // why it could not be asked
	Link       []byte   // the kubeconfig in the Secret of the link; nil where there is none
	Others     []string // other Secrets that have a kubeconfig of the cluster
}

// AddLive adds what the clusters say to what is known of a link.
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
		s.work(finding.Error, "apply the phase link of the remote as it is rendered; if the Secret was deleted for good: "+r.does(command.Revoke),
			"the remote has no token in the Secret %s, so the link is of no use", secret)
	default:
		s.same(r, l, live, now)
	}
	for _, g := range live.Earlier {
		s.work(finding.Warning, command.Kubectl(r.Context, r.Topology.Spec.Kiali.Namespace, "delete secret "+r.Topology.TokenSecret(g)),
			"the Secret %s of generation %d is still on the remote, and its token is valid", r.Topology.TokenSecret(g), g)
	}
}

// same compares the token and the CA on the remote with those that are sealed.
func (s *Status) same(r Remote, l *topology.SealedLink, live Live, now time.Time) {
	alone := *l // a rotation that has begun is of no matter here
	alone.Spec.Tokens = []int{l.Spec.Generation}
	request := Request{Remote: r, Token: live.Token, TokenCreated: live.TokenCreated, CA: live.CA, Before: &alone, Now: now}
	k, err := newKubeconfig(request)
	switch {
	case err != nil:
		s.work(finding.Error, r.again(), "what is on the remote would not be sealed: %s", Redact(err.Error()))
	case !k.unguessable || l.Spec.Digest == "":
		s.add(finding.Info, "", "whether the token is the one that is sealed cannot be told")
	case !matches(l.Spec.Digest, k.text):
		s.work(finding.Error, r.again(), "the token, the CA or the access on the remote is not what is sealed")
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
		look := "look at the status of its SealedSecret"
		if l.Spec.SOPS != nil {
			look = "look at the Kustomization of Flux that decrypts it"
		}
		s.work(finding.Error, "render and let it sync to the hub, and "+look,
			"the hub has no key %s in the Secret %s/%s", is.Key, is.Namespace, is.Name)
	case l.Spec.Digest != "" && !matches(l.Spec.Digest, live.Link):
		s.work(finding.Error, "render and let it sync to the hub",
			"the Secret %s/%s on the hub has another kubeconfig than the one that is sealed", is.Namespace, is.Name)
	}
	if len(live.Others) > 0 && live.Link != nil {
		names := slices.Sorted(slices.Values(append(slices.Clone(live.Others), is.Name)))
		s.work(finding.Error, command.Kubectl(r.HubContext, is.Namespace,
			"delete "+l.Spec.Maker()+" "+strings.Join(live.Others, " "))+"; where it is no SealedSecret's: delete secret",
			"the hub has the cluster in %d Secrets, and Kiali uses %s", len(names), names[0])
	}
}
