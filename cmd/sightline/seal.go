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

const sealDoc = `Make, check or renew the sealed links. A link is a kubeconfig with which Kiali on
the hub reaches a remote. It is encrypted, so that only the sealed-secrets
controller on the hub can open it. Each link is a file to commit:

  <directory of the topology>/sealed/<name of the topology>/<cluster>.yaml

Later renders put the links into the hub's tree.

seal reads the token and the CA from the remote, by a context of the kubeconfig:
the one with the cluster's name, or the one of --context. It waits until the
cluster has put the token into its Secret. Or the two come from files, with
--token-file and --ca-file. The server in the link is always the one in the
topology.

The certificate for sealing comes from the controller, with --hub-context, or from
a file of kubeseal --fetch-cert, with --cert. seal uses the first one, prints its
fingerprint and keeps it in the links. A later certificate from a file needs
--accept-cert with its fingerprint. Over an unverified connection seal reads only a
token, with a warning.

seal writes nothing if token, CA, server and name are the same as before. If the
controller has a new certificate, the link still works, because the controller
keeps its earlier keys. --rekey seals with the new certificate.

Rotate a token in three commits. Wait for the sync of each before the next:

  sightline seal CLUSTER --rotate ...    the remote gets a second token
  sightline seal CLUSTER ...             the link uses the second token
  sightline seal CLUSTER --finish ...    the first token is removed

If a token has leaked, do not only delete its Secret: the Secret comes back with
the same token. Use two commits. Between them, Kiali does not show the cluster:

  sightline seal CLUSTER --revoke ...    a new token replaces the old one
  sightline seal CLUSTER ...             the link uses the new token

If links.format changes, a link moves to another Secret and remembers the earlier
Secret. Remove that Secret from the hub, and then run --finish.

With links.source: sops, the links have the format of SOPS. seal encrypts them for
the age recipients of the topology or of --sops, and Flux decrypts them. There is
no certificate. With links.format: single, all remotes are sealed together.

Without sealed-secrets, --plain prints the Secret of the hub for kubectl apply
--server-side. It has the tokens in the clear, so it goes only to a pipe, not to a
terminal or a file. For one remote, use a separate field manager. With the same
field manager, the apply of the next remote removes this one.

No flag takes a token. Only --plain prints a token, and nothing writes one in the
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
	contextOf    map[string]string                 // the contexts of remotes that flags give
	contextsOnce func() (*cluster.Contexts, error) // reads the kubeconfig once
	certificates seal.Trust                        // the known certificates of the hub
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

// seal does the step of the flags for the remotes that the arguments name.
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

// errTimeout is the cause of a context that --timeout has ended.
var errTimeout = errors.New("the time is over")

// read reads the topology. It refuses a topology without sealed links.
func (o *sealOptions) read() (*input, error) {
	inputs, err := readInputs([]string{o.topology}, nil)
	if err != nil {
		return nil, err
	}
	t := inputs[0].topology
	switch source := t.Spec.Kiali.Links.Source; {
	case t.Spec.Kiali.Links.ByFile(), o.check, source == "external" && o.plain:
	case source == "external":
		return nil, finding.Refuse("to seal links, leave out links.source; --plain prints the Secret for you to apply",
			"%s: links.source is external, so seal makes no links", t.At("spec", "kiali", "links", "source"))
	default:
		return nil, finding.Refuse("to seal links, leave out links.source; sightline status checks the links of the hub",
			"%s: links.source is %s, which brings the tokens to the hub, so seal makes no links", t.At("spec", "kiali", "links", "source"), source)
	}
	return inputs[0], nil
}

// remotes returns the remotes that the arguments name, or all of them for --all and
// for --check without arguments.
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

// assign fills contextOf from --context. CLUSTER=NAME is for that remote. NAME alone
// is allowed if there is one remote. A remote without a flag has the context with its
// own name.
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

// remote returns a remote with the commands for its hints.
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
