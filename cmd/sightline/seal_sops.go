package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// sealSOPS makes the links of remotes in the format of SOPS. SOPS encrypts the
// kubeconfigs of one Secret together. So with links.format single, it seals all remotes
// or none.
func (o *sealRun) sealSOPS(ctx context.Context, t *topology.Topology, remotes []*topology.Cluster, links string, stdin io.Reader,
	stderr io.Writer) error {
	recipients, err := o.recipients(t)
	if err != nil {
		return err
	}
	if t.SealedTogether() && !o.all {
		return finding.Refuse(command.Seal(command.All, o.topology, o.flagsFor(t))+
			"; or write links: {format: perCluster}: then each remote has a separate Secret",
			"with links.format single, SOPS encrypts the kubeconfigs of all remotes with one key, so %s cannot be sealed alone",
			finding.List(clusterNames(remotes), listed))
	}
	requests := make([]seal.Request, len(remotes))
	said := make([][]string, len(remotes))
	errs := together(remotes, stderr, func(c *topology.Cluster, _, progress io.Writer) error {
		i := slices.Index(remotes, c)
		var err error
		requests[i], said[i], err = o.sopsRequest(ctx, o.remote(t, c), recipients, links, stdin, progress)
		return err
	})
	var failed several
	for i, err := range errs {
		if err != nil {
			failed = append(failed, &aboutCluster{remotes[i].Name, err})
		}
	}
	if t.SealedTogether() {
		if len(failed) > 0 {
			return append(failed, errors.New("nothing is sealed, because one Secret has the kubeconfigs of all remotes")).err()
		}
		return o.writeTogether(requests, said, links, stderr)
	}
	for i := range requests {
		if errs[i] != nil {
			continue
		}
		if err := o.writeTogether(requests[i:i+1], said[i:i+1], links, stderr); err != nil {
			failed = append(failed, err)
		}
	}
	return failed.err()
}

// recipients returns the age recipients for which links are encrypted: those of the
// topology or, if it names none, those of --sops.
func (o *sealRun) recipients(t *topology.Topology) (*seal.Recipients, error) {
	named := t.Spec.Kiali.Links.SOPS.Age
	at := t.At("spec", "kiali", "links", "source")
	switch {
	case o.cert != "" || o.hubContext != "":
		return nil, finding.Refuse("leave out --cert and --hub-context",
			"%s: links.source is sops, so the links are encrypted for age recipients, not with the certificate of a controller", at)
	case o.rekey:
		return nil, finding.Refuse("leave it out: if the recipients change, seal makes new links; --force makes them in any case",
			"--rekey is for the certificate of a controller, but links.source is sops")
	case len(o.sops) == 0 && len(named) == 0:
		return nil, finding.Refuse("write links: {sops: {age: [age1…]}}, or name them with --sops; age-keygen makes a key and prints "+
			"its recipient", "%s: no age recipient", at)
	case len(o.sops) == 0:
		return seal.ParseRecipients(named)
	}
	given, err := seal.ParseRecipients(o.sops)
	if err == nil && len(named) > 0 && !given.Same(named) {
		return nil, finding.Refuse("leave out --sops, or change the topology", "--sops does not name the recipients of the topology at %s",
			t.At("spec", "kiali", "links", "sops", "age"))
	}
	return given, err
}

// sopsRequest reads the credential and the earlier link of a remote, and returns
// warnings.
func (o *sealRun) sopsRequest(ctx context.Context, c seal.Remote, recipients *seal.Recipients, links string, stdin io.Reader,
	progress io.Writer) (r seal.Request, warnings []string, err error) {
	before, findings, err := readLink(filepath.Join(links, c.Cluster.Name+".yaml"))
	if err != nil {
		return r, nil, err
	}
	if len(findings) > 0 {
		return r, nil, &invalid{findings: findings}
	}
	r = seal.Request{Remote: c, Recipients: recipients, Before: before, Force: o.force, Now: time.Now(), Rand: rand.Reader}
	if warnings, err = o.credential(ctx, &r, stdin, progress); err != nil {
		return r, nil, err
	}
	return r, warnings, o.tryCA(ctx, &r)
}

// writeTogether seals the links of one Secret, and writes their files.
func (o *sealRun) writeTogether(requests []seal.Request, said [][]string, links string, stderr io.Writer) error {
	results, err := seal.SOPS(requests)
	var of *seal.OfCluster
	if errors.As(err, &of) {
		return several{&aboutCluster{of.Cluster, of.Err}}.err()
	}
	if err != nil {
		return err
	}
	for i, result := range results {
		result.Warnings = append(said[i], result.Warnings...)
		if err := keep(requests[i].Cluster.Name, links, result, stderr); err != nil {
			return err
		}
	}
	return nil
}
