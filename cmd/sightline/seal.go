package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
)

const sealDoc = `Make, check or renew the sealed links: the kubeconfigs with which Kiali on the hub
reaches the remotes, encrypted so that only the sealed-secrets controller on the
hub can open them. Each is a file to be committed,

  <directory of the topology>/sealed/<name of the topology>/<cluster>.yaml

and every later render puts them into the hub's tree.

The token and the CA of a remote are read from it, by a context of the
kubeconfig: the one with the cluster's own name, or the one of --context. The
command waits until the cluster has put the token into its Secret. Or they come
from files, by --token-file and --ca-file. The server in the link is always
that of the topology.

The certificate to seal with comes from the controller, by --hub-context, or
from a file that kubeseal --fetch-cert has written. The first one is used, and
its fingerprint is printed and kept in the links. A later one from a file has to
be accepted by its fingerprint (--accept-cert). Over a connection that is not
verified nothing is taken but a token, with a warning.

Nothing is written while token, CA, server and name are what they were. A
certificate that the controller has renewed is no reason to seal again, since it
keeps the earlier keys; --rekey does it.

A token is rotated in three commits, each of which is synced before the next:

  sightline seal CLUSTER --rotate ...    the remote gets a second token
  sightline seal CLUSTER ...             the link moves to it
  sightline seal CLUSTER --finish ...    the first one goes

A token that has leaked is not mended by deleting its Secret, which comes back
with the same token. One commit takes it out, the hub is without the cluster
until the next one is sealed:

  sightline seal CLUSTER --revoke ...    a new token in place of the old one
  sightline seal CLUSTER ...             the link moves to it

A link that moves to another Secret, because links.format has changed, remembers
the Secret of before. --finish ends that as well, once it is gone from the hub.

With links.source sops the links are encrypted in the format of SOPS, for the age
recipients of the topology or of --sops, and Flux decrypts them. There is no
certificate then. With links.format single all remotes are sealed together.

Without sealed-secrets, --plain prints the Secret that the hub is to have, for
kubectl apply --server-side. It has the tokens in the clear, so it goes to a pipe
only: a terminal and a file are refused. For one remote the field manager has to
be its own, or the apply of the next remote takes the first one away.

No flag takes a token. But for --plain, none is ever printed or written in the
clear.`

func newSealCommand() *cobra.Command {
	var o sealOptions
	cmd := &cobra.Command{
		Use:   "seal CLUSTER... --topology FILE",
		Short: "Make, check or renew the sealed links of remotes",
		Long:  sealDoc,
		Example: `  sightline seal west --topology mesh.yaml --cert hub.pem
  sightline seal west --topology mesh.yaml --context admin@west --hub-context east
  sightline seal --all --topology mesh.yaml --cert hub.pem --context west=admin@west
  sightline seal west --topology mesh.yaml --cert hub.pem --token-file - --ca-file west.pem <token
  sightline seal --all --topology mesh.yaml --plain | kubectl --context east apply --server-side --field-manager=sightline -f -
  sightline seal --all --topology mesh.yaml --check
  sightline seal --all --topology mesh.yaml --check --live --hub-context east`,
		ValidArgsFunction: clusterArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), args, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.add(cmd.Flags())
	return cmd
}

// sealRun is one run of seal.
type sealRun struct {
	*sealOptions
	contextOf    map[string]string                 // of a remote, as the flags say
	contextsOnce func() (*cluster.Contexts, error) // reads the kubeconfig
	certificates seal.Trust                        // what is known of the hub's
}

func (o *sealOptions) run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if err := o.refuse(args); err != nil {
		return err
	}
	in, err := o.read()
	if err != nil {
		return err
	}
	run := sealRun{
		sealOptions:  o,
		contextOf:    map[string]string{},
		contextsOnce: sync.OnceValues(func() (*cluster.Contexts, error) { return cluster.ReadContexts(o.kubeconfig) }),
	}
	return run.seal(ctx, in, args, stdin, stdout, stderr)
}

// seal does what the flags say with the links of the remotes that the arguments name.
func (o *sealRun) seal(ctx context.Context, in *input, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	t := in.topology
	remotes, err := o.remotes(t, args)
	if err != nil {
		return err
	}
	if err := endsItself(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, errTimeout)
	defer cancel()
	links := in.linkFolder()
	if o.certificates, err = o.trust(links); err != nil {
		return err
	}
	if o.check {
		return o.checkLinks(ctx, t, remotes, len(args) == 0, links, stdout, stderr)
	}
	if len(remotes) == 0 {
		fmt.Fprintf(stderr, "%s: there are no remotes\n", t.Metadata.Name)
		return nil
	}
	if o.plain {
		return o.printPlain(ctx, t, remotes, links, stdin, stdout, stderr)
	}
	if t.Spec.Kiali.Links.Source == "sops" && !o.rotate && !o.revoke && !o.finish {
		return o.sealSOPS(ctx, t, remotes, links, stdin, stderr)
	}
	step, err := o.step(ctx, t, stdin, stderr)
	if err != nil {
		return err
	}
	var failed several
	var interrupted []string
	for i, err := range together(remotes, stderr, func(c *topology.Cluster, out, progress io.Writer) error {
		return o.one(ctx, o.remote(t, c), links, step, out, progress)
	}) {
		switch name := remotes[i].Name; {
		case errors.Is(err, context.Canceled):
			interrupted = append(interrupted, name)
		case err != nil:
			failed = append(failed, &aboutCluster{name, err})
		}
	}
	if len(interrupted) > 0 {
		failed = append(failed, fmt.Errorf("interrupted; nothing has changed for %s", finding.List(interrupted, listed)))
	}
	return failed.err()
}

// errTimeout is why a context ends when the time of --timeout is over.
var errTimeout = errors.New("the time is over")

// read reads the topology, and makes sure that it wants sealed links.
func (o *sealOptions) read() (*input, error) {
	inputs, err := readInputs([]string{o.topology}, nil)
	if err != nil {
		return nil, err
	}
	t := inputs[0].topology
	switch source := t.Spec.Kiali.Links.Source; {
	case t.Spec.Kiali.Links.ByFile(), o.check, source == "external" && o.plain:
	case source == "external":
		return nil, finding.Refuse("leave out links.source to seal them; --plain prints the Secret for you to apply",
			"%s: links.source is external, so the links come from elsewhere and none is sealed", t.At("spec", "kiali", "links", "source"))
	default:
		return nil, finding.Refuse("leave out links.source to seal them; sightline status says how they are",
			"%s: links.source is %s, so the tokens come to the hub by that and none is sealed", t.At("spec", "kiali", "links", "source"), source)
	}
	return inputs[0], nil
}

// remotes are the clusters that the arguments name; for --check without any,
// all of them.
func (o *sealRun) remotes(t *topology.Topology, args []string) ([]*topology.Cluster, error) {
	byName := map[string]*topology.Cluster{}
	all := t.Remotes()
	var names []string
	for _, c := range all {
		byName[c.Name] = c
		names = append(names, c.Name)
	}
	if o.all || len(args) == 0 {
		return all, o.assign(all, names)
	}
	var named []*topology.Cluster
	for _, arg := range args {
		c := byName[arg]
		switch {
		case arg == t.Spec.Kiali.Hub:
			return nil, &hinted{fmt.Errorf("%q is the hub, which needs no link to itself", arg), "the remotes are " + finding.List(names, listed)}
		case c == nil && len(names) == 0:
			return nil, &hinted{fmt.Errorf("no remote %q in the topology, which has the hub alone", finding.Shorten(seal.Redact(arg))), ""}
		case c == nil:
			return nil, &hinted{fmt.Errorf("no remote %q in the topology", finding.Shorten(seal.Redact(arg))), "the remotes are " +
				finding.List(names, listed)}
		case !slices.Contains(named, c):
			named = append(named, c)
		}
	}
	return named, o.assign(named, names)
}

// assign says which context leads to which remote: the one that names it, else
// the one that names none where there is one remote, else that of its own name.
func (o *sealRun) assign(remotes []*topology.Cluster, names []string) error {
	for _, given := range o.contexts {
		name, context, ok := strings.Cut(given, "=")
		switch {
		case ok && slices.Contains(names, name):
			o.contextOf[name] = context
		case len(remotes) == 1:
			o.contextOf[remotes[0].Name] = given
		default:
			return &hinted{fmt.Errorf("--context %s names no remote", seal.Redact(given)),
				"with several remotes write it as CLUSTER=NAME; the remotes are " + finding.List(names, listed)}
		}
	}
	return nil
}

// remote is one with the command for it.
func (o *sealRun) remote(t *topology.Topology, c *topology.Cluster) seal.Remote {
	sealing := c.Name
	if t.SealedTogether() {
		sealing = command.All
	}
	return seal.Remote{
		Topology: t, Cluster: c, Command: command.Seal(c.Name, o.topology), Sealing: command.Seal(sealing, o.topology), Flags: o.flagsFor(t),
		HubContext: cmp.Or(o.hubContext, t.Spec.Kiali.Hub), Context: cmp.Or(o.contextOf[c.Name], c.Name),
	}
}
