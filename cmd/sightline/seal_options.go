package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
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
	f.StringVar(&o.topology, "topology", "", "file or directory of the topology")
	f.BoolVar(&o.all, "all", false, "all remotes of the topology")
	f.StringArrayVar(&o.contexts, "context", nil, "context of the remote, NAME or CLUSTER=NAME (repeatable); default: the cluster's name")
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig with the contexts; default: as for kubectl")
	f.StringVar(&o.tokenFile, "token-file", "", `file with the token of the remote's account, or "-" for standard input`)
	f.StringVar(&o.caFile, "ca-file", "", "file with the CA of the remote's API server (PEM)")
	f.DurationVar(&o.timeout, "timeout", time.Minute, "time limit for all steps together")
	f.StringVar(&o.cert, "cert", "", "file with the certificate of the controller on the hub (PEM)")
	f.StringVar(&o.acceptCert, "accept-cert", "", "accept the later certificate in --cert by its fingerprint, SHA256:…; compare it with "+
		"the controller's first")
	f.StringVar(&o.hubContext, "hub-context", "", "context of the hub, to read the certificate from the controller, or to check the hub's "+
		"Secrets")
	f.StringVar(&o.controllerName, "controller-name", controllerName, "service of the controller")
	f.StringVar(&o.controllerNamespace, "controller-namespace", controllerNamespace, "namespace of the controller")
	f.StringSliceVar(&o.sops, "sops", nil, "with links.source: sops, the age recipients, age1…[,age1…]; default: those of "+
		"the topology")
	f.BoolVar(&o.force, "force", false, "seal also if nothing has changed")
	f.BoolVar(&o.rekey, "rekey", false, "seal the links again that were sealed with another certificate")
	f.BoolVar(&o.rotate, "rotate", false, "begin the rotation of the token")
	f.BoolVar(&o.revoke, "revoke", false, "replace a token that has leaked")
	f.BoolVar(&o.finish, "finish", false, "end the rotation of the token, or a change of links.format")
	f.BoolVar(&o.tryServer, "try-server", true, "check the CA against the API server of the link, if this machine reaches it")
	f.BoolVar(&o.plain, "plain", false, "print the Secret of the hub in the clear, to a pipe")
	f.BoolVar(&o.check, "check", false, "print which links need work; the exit code is 1 if one does")
	f.BoolVar(&o.live, "live", false, "with --check, ask the clusters too")
	f.StringVar(&o.output, "output", "text", "how --check prints: "+finding.OneOf(findingOutputs()))
}

// refuse refuses flags that do not fit together, before anything is read.
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
		hint := "name it: --topology mesh.yaml"
		if i := slices.IndexFunc(args, func(arg string) bool { return strings.ContainsAny(arg, "./") }); i >= 0 {
			hint = "name it: --topology " + command.Word(args[i])
		}
		return &hinted{errors.New("no topology"), hint}
	case o.topology == "-":
		return &hinted{errors.New("a topology on standard input has no directory for its links"),
			"write it to a file, and name the file with --topology FILE"}
	case len(args) == 0 && !o.all && !o.check:
		return &hinted{errors.New("no cluster"), "name the remotes to seal, or all of them with --all"}
	case len(args) > 0 && o.all:
		return &hinted{fmt.Errorf("found --all and %s, expected one of the two", finding.List(redacted(args), listed)),
			"leave out one of the two"}
	case unknownOutput(o.output, findingOutputs()) != nil:
		return unknownOutput(o.output, findingOutputs())
	case o.output != "text" && !o.check:
		return &hinted{errors.New("--output is for --check"), "add --check, or leave it out"}
	case steps > 1:
		return &hinted{errors.New("found more than one of --check, --rotate, --revoke, --finish and --plain, expected one"),
			"use one of them; sightline seal --help has the order of the steps"}
	case o.live && !o.check:
		return &hinted{errors.New("--live is for --check"), "add --check, or leave it out"}
	case o.plain && len(args) > 1:
		return &hinted{errors.New("--plain prints the link of one remote or of all remotes"),
			"name one cluster, or print all remotes with --all"}
	case step != "" && credential != "" && !o.live && !o.plain:
		return &hinted{fmt.Errorf("%s uses no credential, but %s gives one", step, credential), "leave out one of the two"}
	case step != "" && again != "":
		return &hinted{fmt.Errorf("%s seals nothing, but %s is for sealing", step, again), "leave out one of the two"}
	case step != "" && !o.check && certificate != "" && !((o.finish || o.plain) && o.cert == ""):
		return &hinted{fmt.Errorf("%s seals nothing, but %s gives a certificate for sealing", step, certificate), "leave out one of the two"}
	case len(o.sops) > 0 && cmp.Or(certificate, again) != "" && !o.force && !o.check:
		return &hinted{fmt.Errorf("--sops encrypts for age recipients, but %s is about the certificate of a controller",
			cmp.Or(certificate, again)),
			"leave out one of the two"}
	case step != "" && !o.check && len(o.sops) > 0:
		return &hinted{fmt.Errorf("%s seals nothing, but --sops names recipients", step), "leave out one of the two"}
	case o.cert != "" && o.hubContext != "":
		return &hinted{errors.New("found --cert and --hub-context, expected one source of the certificate"), "leave out one of the two"}
	case o.timeout <= 0:
		return &hinted{fmt.Errorf("--timeout is %s, expected more than 0", o.timeout), "write it like 1m30s"}
	case o.acceptCert != "" && o.cert == "":
		return &hinted{errors.New("--accept-cert is for the certificate in --cert"), "add --cert, or leave it out"}
	case step != "" && !o.plain:
		return nil
	case o.tokenFile != "" && several:
		return &hinted{errors.New("--token-file has the token of one remote"),
			"name one cluster, or leave it out: then each token is read from its cluster"}
	case o.caFile != "" && several:
		return &hinted{errors.New("--ca-file has the CA of one remote"),
			"name one cluster, or leave it out: then each CA is read from its cluster"}
	case o.tokenFile != "" && len(o.contexts) > 0:
		return &hinted{errors.New("found --token-file and --context, expected one source of the token"), "leave out one of the two"}
	}
	return nil
}

// choice is a flag, and whether it was given.
type choice struct {
	flag string
	made bool
}

// flagsFor returns the given flags for the certificate or the recipients, for hints.
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

// The default service of the controller, as in kubeseal.
const (
	controllerName      = "sealed-secrets-controller"
	controllerNamespace = "kube-system"
)
