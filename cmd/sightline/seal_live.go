package main

import (
	"context"
	"io"
	"net/http"
	"slices"

	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// earlier is how many earlier generations askRemote looks for.
const earlier = 10

// asked asks the clusters about the links of remotes. A remote without a link is not
// asked.
func (o *sealRun) asked(ctx context.Context, t *topology.Topology, remotes []*topology.Cluster, links map[string]*topology.SealedLink,
	stderr io.Writer) (map[string]seal.Live, error) {
	var h *hub
	if o.hubContext != "" {
		var err error
		if h, err = o.openHub(); err != nil {
			return nil, err
		}
	}
	all := make([]seal.Live, len(remotes))
	together(remotes, stderr, func(c *topology.Cluster, _, _ io.Writer) error {
		if l := links[c.Name]; l != nil {
			live := &all[slices.Index(remotes, c)]
			live.Problem = o.askRemote(ctx, t, c, l, live)
			if h != nil {
				live.HubAsked = true
				live.HubProblem = o.askHub(ctx, h, t, c, l, live)
			}
		}
		return nil
	})
	found := make(map[string]seal.Live, len(remotes))
	for i, c := range remotes {
		found[c.Name] = all[i]
	}
	return found, nil
}

// askRemote reads from a remote what its link contains.
func (o *sealRun) askRemote(ctx context.Context, t *topology.Topology, c *topology.Cluster, l *topology.SealedLink, live *seal.Live) error {
	s, err := o.openRemote(c.Name)
	if err != nil {
		return err
	}
	wait := func(generation int) tokenWait {
		return tokenWait{namespace: t.Spec.Kiali.Namespace, secret: t.TokenSecret(generation), account: t.Account()}
	}
	if c.Access.Exec == nil && !l.Spec.Revoked() {
		found, err := s.lookForToken(ctx, wait(l.Spec.Generation))
		if err != nil {
			return o.late(ctx, s.Name(), s.explain(err, wait(l.Spec.Generation)))
		}
		live.Token, live.TokenCreated = found.token, found.created
	}
	if !c.Access.InsecureSkipTLSVerify {
		if o.caFile != "" {
			live.CA, err = readFile(o.caFile)
		} else if c.Access.CA != "" {
			live.CA = []byte(c.Access.CA)
		} else {
			live.CA, err = s.certificateAuthority(ctx, t.Spec.Kiali.Namespace)
		}
		if err != nil {
			return o.late(ctx, s.Name(), err)
		}
	}
	first := slices.Min(l.Spec.Tokens)
	for g := max(1, first-earlier); g < first; g++ {
		var secret struct{ Type string }
		err := s.Read(ctx, cluster.Core(t.Spec.Kiali.Namespace, "secrets", t.TokenSecret(g)), &secret)
		switch {
		case err == nil:
			live.Earlier = append(live.Earlier, g)
		case cluster.Status(err) != http.StatusNotFound:
			return o.late(ctx, s.Name(), err)
		}
	}
	live.Names, err = s.otherName(ctx, t, c)
	return o.late(ctx, s.Name(), err)
}

// askHub reads the Secret of a link, and the Secrets that may have had it before.
func (o *sealRun) askHub(ctx context.Context, h *hub, t *topology.Topology, c *topology.Cluster, l *topology.SealedLink,
	live *seal.Live) error {
	is := l.Spec.Secret
	var err error
	if live.Link, err = h.link(ctx, is.Namespace, is.Name, is.Key); err != nil {
		return o.late(ctx, h.Name(), err)
	}
	for _, name := range t.LinkSecrets(c) {
		if name == is.Name {
			continue
		}
		other, err := h.link(ctx, is.Namespace, name, is.Key)
		if err != nil {
			return o.late(ctx, h.Name(), err)
		}
		if other != nil {
			live.Others = append(live.Others, name)
		}
	}
	return nil
}
