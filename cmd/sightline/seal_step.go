package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// step is done for each remote. before is its present link, or nil. Lines to progress
// are printed at once.
type step func(ctx context.Context, c seal.Remote, before *topology.SealedLink, progress io.Writer) (seal.Result, error)

// unless returns a step that, with --all, skips remotes that do not need it.
func (o *sealOptions) unless(idle func(*topology.SealedLink) bool, done string, do step) step {
	return func(ctx context.Context, c seal.Remote, before *topology.SealedLink, progress io.Writer) (seal.Result, error) {
		if o.all && before != nil && idle(before) {
			return seal.Result{Done: done}, nil
		}
		return do(ctx, c, before, progress)
	}
}

// offline returns a step that needs only the link.
func offline(do func(seal.Remote, *topology.SealedLink) (seal.Result, error)) step {
	return func(_ context.Context, c seal.Remote, before *topology.SealedLink, _ io.Writer) (seal.Result, error) {
		return do(c, before)
	}
}

func revoked(l *topology.SealedLink) bool { return l.Spec.Revoked() }

func idle(l *topology.SealedLink) bool { return !seal.Unfinished(l) }

// step returns the step of the flags. It reads the certificate once for all remotes.
func (o *sealRun) step(ctx context.Context, t *topology.Topology, stdin io.Reader, stderr io.Writer) (step, error) {
	switch {
	case len(o.sops) > 0:
		return nil, finding.Refuse("write links: {source: sops} below spec.kiali, or leave out --sops",
			"%s: --sops encrypts for age recipients, but links.source is %s", t.At("spec", "kiali", "links", "source"), t.Spec.Kiali.Links.Source)
	case o.rotate:
		return o.unless(seal.Rotating, "a rotation has already begun", offline(seal.Rotate)), nil
	case o.revoke:
		return o.unless(revoked, "its token is already revoked", offline(seal.Revoke)), nil
	case o.finish:
		return o.unless(idle, "there is no rotation to finish", o.finishing), nil
	}
	certificate, err := o.certificate(ctx)
	if err != nil {
		return nil, err
	}
	if err := certificate.Trusted(o.certificates, o.command(t)); err != nil {
		return nil, err
	}
	if certificate.New(o.certificates) {
		fmt.Fprintf(stderr, "%s: the hub's certificate is %s, valid until %s\n", t.Metadata.Name, certificate.Name(),
			certificate.NotAfter.UTC().Format(time.DateOnly))
	}
	return func(ctx context.Context, c seal.Remote, before *topology.SealedLink, progress io.Writer) (seal.Result, error) {
		r := seal.Request{
			Remote: c, Certificate: certificate, Before: before,
			Force: o.force, Rekey: o.rekey, Now: time.Now(), Rand: rand.Reader,
		}
		warnings, err := o.credential(ctx, &r, stdin, progress)
		if err != nil {
			return seal.Result{}, err
		}
		if err := o.tryCA(ctx, &r); err != nil {
			return seal.Result{}, err
		}
		result, err := seal.Seal(r)
		result.Warnings = append(warnings, result.Warnings...)
		return result, err
	}, nil
}

// finishing is the step of --finish. After a change of links.format, it asks the hub
// for the earlier Secret, if --hub-context is given.
func (o *sealRun) finishing(ctx context.Context, c seal.Remote, before *topology.SealedLink, _ io.Writer) (seal.Result, error) {
	if o.hubContext == "" || before == nil || before.Spec.Replaces == "" {
		return seal.Finish(c, before, seal.Hub{})
	}
	h, err := o.openHub()
	if err != nil {
		return seal.Result{}, err
	}
	has, err := h.has(ctx, before)
	if err != nil {
		return seal.Result{}, o.late(ctx, h.Name(), err)
	}
	return seal.Finish(c, before, has)
}

// one does the step for a remote, and prints the result.
func (o *sealRun) one(ctx context.Context, c seal.Remote, links string, do step, out, progress io.Writer) error {
	name := c.Cluster.Name
	file := filepath.Join(links, name+".yaml")
	before, findings, err := readLink(file)
	if err != nil {
		return err
	}
	if len(findings) > 0 {
		return &invalid{findings: findings}
	}
	result, err := do(ctx, c, before, progress)
	if err != nil {
		return err
	}
	return keep(name, links, result, out)
}

// keep writes the link that a step has made, if there is one, and prints the result.
func keep(name, links string, result seal.Result, out io.Writer) error {
	for _, w := range result.Warnings {
		fmt.Fprintf(out, "%s: warning: %s\n", name, w)
	}
	if result.Link == nil {
		fmt.Fprintf(out, "%s: %s\n", name, result.Done)
	} else {
		file := filepath.Join(links, name+".yaml")
		if err := writeLink(file, seal.Encode(result.Link)); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: %s: %s\n", name, result.Done, file)
	}
	if result.Next != "" {
		fmt.Fprintf(out, "hint: %s\n", result.Next)
	}
	return nil
}

// credential reads the token and the CA of a remote if the link needs them, and returns
// warnings about their source.
func (o *sealRun) credential(ctx context.Context, r *seal.Request, stdin io.Reader, progress io.Writer) (warnings []string, err error) {
	needToken, needCA := r.Cluster.Access.Exec == nil, !r.Cluster.Access.InsecureSkipTLSVerify
	if o.tokenFile != "" && !needToken {
		return nil, &hinted{errors.New("access.exec gives the credential, but --token-file names another one"), "leave out --token-file"}
	}
	if o.caFile != "" {
		if r.CA, err = readFile(o.caFile); err != nil {
			return nil, &hinted{fmt.Errorf("--ca-file: %w", err), "it is certificate-authority-data of a kubeconfig for the remote, decoded, or " +
				"ca.crt of the ConfigMap kube-root-ca.crt"}
		}
	}
	if o.caFile == "" && r.Cluster.Access.CA != "" {
		r.CA, needCA = []byte(r.Cluster.Access.CA), false
	}
	if o.tokenFile != "" {
		if needCA && o.caFile == "" {
			return nil, &hinted{errors.New("--token-file needs a CA"), "name the CA of the remote's API server with --ca-file FILE"}
		}
		r.Token, err = readToken("--token-file", o.tokenFile, stdin)
		return nil, err
	}
	needCA = needCA && o.caFile == ""
	if !needToken && !needCA {
		return nil, nil
	}
	return o.readRemote(ctx, r, needToken, needCA, progress)
}

// readToken reads the file of a token. Its errors do not name the path, because a user
// may have given the token itself.
func readToken(flag, name string, stdin io.Reader) ([]byte, error) {
	if name == "-" {
		token, err := readAll(stdin)
		if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		return token, nil
	}
	token, err := readFile(name)
	var at *fs.PathError
	if errors.As(err, &at) {
		hint := "the flag takes the name of a file with the token in it, or - for standard input"
		if seal.Redact(name) != name {
			hint += "; if this was the token itself, make a new token: the history of your shell has this one"
		}
		return nil, &hinted{fmt.Errorf("the file of %s cannot be read: %w", flag, at.Err), hint}
	}
	return token, err
}

func redacted(texts []string) []string {
	safe := make([]string, len(texts))
	for i, text := range texts {
		safe[i] = finding.Shorten(seal.Redact(text))
	}
	return safe
}
