package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// sealOptions are the flags of seal.
type sealOptions struct {
	topology string
	all      bool

	contexts   []string
	kubeconfig string
	tokenFile  string
	caFile     string
	timeout    time.Duration

	cert                string
	acceptCert          string
	hubContext          string
	controllerName      string
	controllerNamespace string
	sops                []string
	tryServer           bool

	force, rekey, rotate, revoke, finish, plain, check, live bool
	output                                                   string
}

func (o *sealOptions) add(f *pflag.FlagSet) {
	f.StringVar(&o.topology, "topology", "", "the topology, a file or a directory")
	f.BoolVar(&o.all, "all", false, "every remote of the topology")
	f.StringArrayVar(&o.contexts, "context", nil, "context of the remote, NAME or CLUSTER=NAME (repeatable); default: the cluster's name")
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig with the contexts; default: as for kubectl")
	f.StringVar(&o.tokenFile, "token-file", "", `file with the token of the remote's account, or "-" for standard input`)
	f.StringVar(&o.caFile, "ca-file", "", "file with the CA of the remote's API server (PEM)")
	f.DurationVar(&o.timeout, "timeout", time.Minute, "how long all of it may take")
	f.StringVar(&o.cert, "cert", "", "file with the certificate of the controller on the hub (PEM)")
	f.StringVar(&o.acceptCert, "accept-cert", "", "fingerprint of a later certificate in --cert, SHA256:…, which you have compared "+
		"with the controller's")
	f.StringVar(&o.hubContext, "hub-context", "", "context of the hub, to get the certificate from the controller, or to look at the hub's "+
		"Secrets")
	f.StringVar(&o.controllerName, "controller-name", controllerName, "service of the controller")
	f.StringVar(&o.controllerNamespace, "controller-namespace", controllerNamespace, "namespace of the controller")
	f.StringSliceVar(&o.sops, "sops", nil, "with links.source sops: the age recipients to encrypt for, age1…[,age1…]; default: those of "+
		"the topology")
	f.BoolVar(&o.force, "force", false, "seal even what has not changed")
	f.BoolVar(&o.rekey, "rekey", false, "seal again what was sealed with another certificate")
	f.BoolVar(&o.rotate, "rotate", false, "begin the rotation of the token")
	f.BoolVar(&o.revoke, "revoke", false, "take out a token that has leaked")
	f.BoolVar(&o.finish, "finish", false, "end the rotation of the token, or a change of links.format")
	f.BoolVar(&o.tryServer, "try-server", true, "try the CA against the API server of the link, where it can be reached from here")
	f.BoolVar(&o.plain, "plain", false, "print the Secret of the hub in the clear, to a pipe")
	f.BoolVar(&o.check, "check", false, "say which links need work; exit code 1 if one does")
	f.BoolVar(&o.live, "live", false, "with --check: ask the clusters too")
	f.StringVar(&o.output, "output", "text", "how --check prints: "+finding.OneOf(findingOutputs()))
}

// refuse refuses flags that make no sense together, before anything is read.
func (o *sealOptions) refuse(args []string) error {
	given := func(choices ...choice) string {
		for _, c := range choices {
			if c.made {
				return c.flag
			}
		}
		return ""
	}
	check, rotate, revoke, finish := choice{"--check", o.check}, choice{"--rotate", o.rotate}, choice{"--revoke", o.revoke}, choice{"--finish",
		o.finish}
	plain := choice{"--plain", o.plain}
	step := given(check, rotate, revoke, finish, plain)
	steps := 0
	for _, c := range []choice{check, rotate, revoke, finish, plain} {
		if c.made {
			steps++
		}
	}
	credential := given(choice{"--context", len(o.contexts) > 0}, choice{"--token-file", o.tokenFile != ""},
		choice{"--ca-file", o.caFile != ""})
	certificate := given(choice{"--cert", o.cert != ""}, choice{"--hub-context", o.hubContext != ""})
	again := given(choice{"--force", o.force}, choice{"--rekey", o.rekey})
	several := o.all || len(args) > 1
	switch {
	case o.topology == "":
		return &hinted{errors.New("no topology, and the built-in example has no directory to keep links in"), "name one with --topology FILE"}
	case o.topology == "-":
		return &hinted{errors.New("a topology on standard input has no directory to keep links in"),
			"write it to a file, and name that with --topology FILE"}
	case len(args) == 0 && !o.all && !o.check:
		return &hinted{errors.New("no cluster"), "name the remotes whose links are to be sealed, or all of them with --all"}
	case len(args) > 0 && o.all:
		return &hinted{fmt.Errorf("--all is every remote, and %s is named too", finding.List(redacted(args), listed)), "leave out one of the two"}
	case unknownOutput(o.output, findingOutputs()) != nil:
		return unknownOutput(o.output, findingOutputs())
	case o.output != "text" && !o.check:
		return &hinted{errors.New("--output is about what --check prints"), "add --check, or leave it out"}
	case steps > 1:
		return &hinted{errors.New("--check, --rotate, --revoke, --finish and --plain are steps of their own"), "do one after the other"}
	case o.live && !o.check:
		return &hinted{errors.New("--live is about what --check looks at"), "add --check, or leave it out"}
	case o.plain && len(args) > 1:
		return &hinted{errors.New("--plain prints one remote, whose field manager it then is, or all of them"),
			"name one cluster, or print all remotes with --all"}
	case step != "" && credential != "" && !o.live && !o.plain:
		return &hinted{fmt.Errorf("%s looks at no credential, and %s gives one", step, credential), "leave out one of the two"}
	case step != "" && again != "":
		return &hinted{fmt.Errorf("%s seals nothing, and %s is about sealing", step, again), "leave out one of the two"}
	case step != "" && !o.check && certificate != "" && !((o.finish || o.plain) && o.cert == ""):
		return &hinted{fmt.Errorf("%s seals nothing, and %s gives a certificate to seal with", step, certificate), "leave out one of the two"}
	case len(o.sops) > 0 && cmp.Or(certificate, again) != "" && !o.force && !o.check:
		return &hinted{fmt.Errorf("--sops encrypts for keys of age, and %s is about the certificate of a controller", cmp.Or(certificate, again)),
			"leave out one of the two"}
	case step != "" && !o.check && len(o.sops) > 0:
		return &hinted{fmt.Errorf("%s seals nothing, and --sops says for whom to seal", step), "leave out one of the two"}
	case o.cert != "" && o.hubContext != "":
		return &hinted{errors.New("--cert and --hub-context are two sources of one certificate"), "leave out one of the two"}
	case o.timeout <= 0:
		return &hinted{fmt.Errorf("--timeout %s is no time to wait", o.timeout), "write it like 1m30s"}
	case o.acceptCert != "" && o.cert == "":
		return &hinted{errors.New("--accept-cert is about the certificate in --cert"), "add --cert, or leave it out"}
	case step != "" && !o.plain:
		return nil
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

// flagsFor are the flags that say what is sealed with.
func (o *sealOptions) flagsFor(t *topology.Topology) string {
	other := func(given, usual string) string {
		if given == usual {
			return ""
		}
		return given
	}
	flags := command.SealedWith(o.cert, o.hub(t), other(o.controllerName, controllerName), other(o.controllerNamespace, controllerNamespace))
	if t.Spec.Kiali.Links.Source == "sops" {
		flags = command.SOPS(o.sops)
	}
	return strings.TrimSpace(flags + " " + command.Kubeconfig(o.kubeconfig))
}

// Where the controller is if nobody says otherwise, as with kubeseal.
const (
	controllerName      = "sealed-secrets-controller"
	controllerNamespace = "kube-system"
)
