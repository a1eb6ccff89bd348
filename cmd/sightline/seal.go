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
	"time"

	"github.com/spf13/cobra"

	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
)

const sealDoc = `Make, check or renew the sealed links: the kubeconfigs by which Kiali on the hub
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

Without sealed-secrets, --plain prints the Secret that the hub is to have, for
kubectl apply --server-side. It has the tokens in the clear, so it goes to a pipe
only: a terminal and a file are refused. For one remote the field manager has to
be its own, or the apply of the next remote takes the first one away.

No flag takes a token. But for --plain, none is ever printed or written in the
clear.`

type sealOptions struct {
	topology string
	all      bool

	contexts   []string
	contextOf  map[string]string // of a remote, as they say
	kubeconfig string
	tokenFile  string
	caFile     string
	timeout    time.Duration

	cert                string
	acceptCert          string
	hubContext          string
	controllerName      string
	controllerNamespace string

	contextsOnce func() (*cluster.Contexts, error) // reads the kubeconfig
	certificates seal.Trust                        // what is known of the hub's
	tryServer    bool

	force, rekey, rotate, revoke, finish, plain, check, live bool
	output                                                   string
}

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
	f := cmd.Flags()
	f.StringVar(&o.topology, "topology", "", "the topology, a file or a directory")
	f.BoolVar(&o.all, "all", false, "every remote of the topology")
	f.StringArrayVar(&o.contexts, "context", nil, "context of the remote, NAME or CLUSTER=NAME (repeatable); default: the cluster's name")
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig with the contexts; default: as for kubectl")
	f.StringVar(&o.tokenFile, "token-file", "", `file with the token of the remote's account, or "-" for standard input`)
	f.StringVar(&o.caFile, "ca-file", "", "file with the CA of the remote's API server (PEM)")
	f.DurationVar(&o.timeout, "timeout", time.Minute, "how long all of it may take")
	f.StringVar(&o.cert, "cert", "", "file with the certificate of the controller on the hub (PEM)")
	f.StringVar(&o.acceptCert, "accept-cert", "", "fingerprint of a later certificate in --cert, SHA256:…, which you have compared with the controller's")
	f.StringVar(&o.hubContext, "hub-context", "", "context of the hub, to get the certificate from the controller, or to look at the hub's Secrets")
	f.StringVar(&o.controllerName, "controller-name", controllerName, "service of the controller")
	f.StringVar(&o.controllerNamespace, "controller-namespace", controllerNamespace, "namespace of the controller")
	f.BoolVar(&o.force, "force", false, "seal even what has not changed")
	f.BoolVar(&o.rekey, "rekey", false, "seal again what was sealed with another certificate")
	f.BoolVar(&o.rotate, "rotate", false, "begin the rotation of the token")
	f.BoolVar(&o.revoke, "revoke", false, "take out a token that has leaked")
	f.BoolVar(&o.finish, "finish", false, "end the rotation of the token, or a change of links.format")
	f.BoolVar(&o.tryServer, "try-server", true, "try the CA against the API server of the link, where it can be reached from here")
	f.BoolVar(&o.plain, "plain", false, "print the Secret of the hub in the clear, to a pipe")
	f.BoolVar(&o.check, "check", false, "say which links need work; exit code 1 if one does")
	f.BoolVar(&o.live, "live", false, "with --check: ask the clusters too")
	f.StringVar(&o.output, "output", "text", "how --check prints: text or json")
	return cmd
}

func (o *sealOptions) run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if err := o.flags(args); err != nil {
		return err
	}
	in, err := o.read()
	if err != nil {
		return err
	}
	t := in.topology
	remotes, err := o.remotes(t, args)
	if err != nil {
		return err
	}
	o.contextsOnce = sync.OnceValues(func() (*cluster.Contexts, error) { return cluster.ReadContexts(o.kubeconfig) })
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

// flags refuses flags that make no sense together, before anything is read.
func (o *sealOptions) flags(args []string) error {
	given := func(choices ...choice) string {
		for _, c := range choices {
			if c.made {
				return c.flag
			}
		}
		return ""
	}
	check, rotate, revoke, finish := choice{"--check", o.check}, choice{"--rotate", o.rotate}, choice{"--revoke", o.revoke}, choice{"--finish", o.finish}
	plain := choice{"--plain", o.plain}
	step := given(check, rotate, revoke, finish, plain)
	steps := 0
	for _, c := range []choice{check, rotate, revoke, finish, plain} {
		if c.made {
			steps++
		}
	}
	credential := given(choice{"--context", len(o.contexts) > 0}, choice{"--token-file", o.tokenFile != ""}, choice{"--ca-file", o.caFile != ""})
	certificate := given(choice{"--cert", o.cert != ""}, choice{"--hub-context", o.hubContext != ""})
	again := given(choice{"--force", o.force}, choice{"--rekey", o.rekey})
	several := o.all || len(args) > 1
	switch {
	case o.topology == "":
		return &hinted{errors.New("no topology, and the built-in example has no directory to keep links in"), "name one with --topology FILE"}
	case o.topology == "-":
		return &hinted{errors.New("a topology on standard input has no directory to keep links in"), "write it to a file, and name that with --topology FILE"}
	case len(args) == 0 && !o.all && !o.check:
		return &hinted{errors.New("no cluster"), "name the remotes whose links are to be sealed, or all of them with --all"}
	case len(args) > 0 && o.all:
		return &hinted{fmt.Errorf("--all is every remote, and %s is named too", finding.List(redacted(args), listed)), "leave out one of the two"}
	case !slices.Contains([]string{"text", "json"}, o.output):
		return &hinted{fmt.Errorf("unknown output %q", o.output), "the outputs are text and json"}
	case o.output != "text" && !o.check:
		return &hinted{errors.New("--output is about what --check prints"), "add --check, or leave it out"}
	case steps > 1:
		return &hinted{errors.New("--check, --rotate, --revoke, --finish and --plain are steps of their own"), "do one after the other"}
	case o.live && !o.check:
		return &hinted{errors.New("--live is about what --check looks at"), "add --check, or leave it out"}
	case o.plain && len(args) > 1:
		return &hinted{errors.New("--plain prints one remote, whose field manager it then is, or all of them"), "name one cluster, or print all remotes with --all"}
	case step != "" && credential != "" && !o.live && !o.plain:
		return &hinted{fmt.Errorf("%s looks at no credential, and %s gives one", step, credential), "leave out one of the two"}
	case step != "" && again != "":
		return &hinted{fmt.Errorf("%s seals nothing, and %s is about sealing", step, again), "leave out one of the two"}
	case step != "" && !o.check && certificate != "" && !((o.finish || o.plain) && o.cert == ""):
		return &hinted{fmt.Errorf("%s seals nothing, and %s gives a certificate to seal with", step, certificate), "leave out one of the two"}
	case o.cert != "" && o.hubContext != "":
		return &hinted{errors.New("--cert and --hub-context are two sources of one certificate"), "leave out one of the two"}
	case o.timeout <= 0:
		return &hinted{fmt.Errorf("--timeout %s is no time to wait", o.timeout), "write it like 1m30s"}
	case o.acceptCert != "" && o.cert == "":
		return &hinted{errors.New("--accept-cert is about the certificate in --cert"), "add --cert, or leave it out"}
	case step != "" && !o.plain:
		return nil
	case certificate == "" && !o.plain:
		return &hinted{errors.New("no certificate to seal with"), certificateHint}
	case o.tokenFile != "" && several:
		return &hinted{errors.New("--token-file has the token of one remote"), "name one cluster, or let the tokens be read by contexts"}
	case o.caFile != "" && several:
		return &hinted{errors.New("--ca-file has the CA of one remote"), "name one cluster, or let the CAs be read by contexts"}
	case o.tokenFile != "" && len(o.contexts) > 0:
		return &hinted{errors.New("--token-file and --context are two sources of one token"), "leave out one of the two"}
	}
	return nil
}

// choice is a flag that may be given.
type choice struct {
	flag string
	made bool
}

// read reads the topology, and makes sure that it wants sealed links.
func (o *sealOptions) read() (*input, error) {
	inputs, err := readInputs([]string{o.topology}, nil)
	if err != nil {
		return nil, err
	}
	t := inputs[0].topology
	if t.Spec.Kiali.Links.Source == "external" && !o.plain {
		return nil, finding.Refuse("leave out links.source to seal them; --plain prints the Secret for you to apply",
			"%s: links.source is external, so the links come from elsewhere and none is sealed", t.At("spec", "kiali", "links", "source"))
	}
	return inputs[0], nil
}

// remotes are the clusters that the arguments name; for --check without any,
// all of them.
func (o *sealOptions) remotes(t *topology.Topology, args []string) ([]*topology.Cluster, error) {
	byName := map[string]*topology.Cluster{}
	var all []*topology.Cluster
	var names []string
	for i := range t.Spec.Clusters {
		if c := &t.Spec.Clusters[i]; !t.IsHub(c) {
			byName[c.Name] = c
			all = append(all, c)
			names = append(names, c.Name)
		}
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
			return nil, &hinted{fmt.Errorf("no remote %q in the topology", finding.Shorten(seal.Redact(arg))), "the remotes are " + finding.List(names, listed)}
		case !slices.Contains(named, c):
			named = append(named, c)
		}
	}
	return named, o.assign(named, names)
}

// assign says which context leads to which remote: the one that names it, else
// the one that names none where there is one remote, else that of its own name.
func (o *sealOptions) assign(remotes []*topology.Cluster, names []string) error {
	o.contextOf = map[string]string{}
	for _, given := range o.contexts {
		name, context, ok := strings.Cut(given, "=")
		switch {
		case ok && slices.Contains(names, name):
			o.contextOf[name] = context
		case len(remotes) == 1:
			o.contextOf[remotes[0].Name] = given
		default:
			return &hinted{fmt.Errorf("--context %s names no remote", seal.Redact(given)), "with several remotes write it as CLUSTER=NAME; the remotes are " + finding.List(names, listed)}
		}
	}
	return nil
}

// remote is one with the command for it.
func (o *sealOptions) remote(t *topology.Topology, c *topology.Cluster) seal.Remote {
	return seal.Remote{
		Topology: t, Cluster: c, Command: command.Seal(c.Name, o.topology), Flags: o.flagsFor(t),
		HubContext: cmp.Or(o.hubContext, t.Spec.Kiali.Hub), Context: cmp.Or(o.contextOf[c.Name], c.Name),
	}
}

// flagsFor are the flags that say what is sealed with. Where none says what the hub
// is called, it is by its name, as the remotes are.
func (o *sealOptions) flagsFor(t *topology.Topology) string {
	flags := "--cert " + command.Word(o.cert)
	if o.cert == "" {
		flags = command.HubContext(cmp.Or(o.hubContext, t.Spec.Kiali.Hub))
		if o.controllerName != controllerName {
			flags += " --controller-name " + command.Word(o.controllerName)
		}
		if o.controllerNamespace != controllerNamespace {
			flags += " --controller-namespace " + command.Word(o.controllerNamespace)
		}
	}
	if o.kubeconfig != "" {
		flags += " --kubeconfig " + command.Word(o.kubeconfig)
	}
	return flags
}

// Where the controller is if nobody says otherwise, as with kubeseal.
const (
	controllerName      = "sealed-secrets-controller"
	controllerNamespace = "kube-system"
)
