// Package command makes the command lines in messages, which a reader can copy. No other
// package knows the flags of a program.
package command

import (
	"regexp"
	"strings"

	"github.com/sightline-mesh/sightline/internal/labels"
)

// Word quotes a text as one word of a shell, if necessary.
func Word(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,=-]+$`)

// Step is a flag of seal that chooses another step than sealing.
type Step string

// The steps of seal.
const (
	Again  Step = ""
	Force  Step = "--force"
	Rekey  Step = "--rekey"
	Rotate Step = "--rotate"
	Revoke Step = "--revoke"
	Finish Step = "--finish"
	Plain  Step = "--plain"
)

// All stands for all remotes, instead of the name of one.
const All = "--all"

// Seal returns "sightline seal" for a remote or for All. topology is the file of the
// topology, or "". more are flags of this package and steps, which are appended.
func Seal(which, topology string, more ...string) string {
	if topology == "" {
		topology = "FILE"
	} else {
		topology = Word(topology)
	}
	return joined(append([]string{"sightline seal", which, "--topology", topology}, more...))
}

// HubContext returns the flag with the context of the hub.
func HubContext(context string) string { return "--hub-context " + Word(context) }

// Kubectl returns a kubectl command. An empty context or namespace adds no flag.
func Kubectl(context, namespace, do string) string {
	at, in := "", ""
	if context != "" {
		at = "--context " + Word(context)
	}
	if namespace != "" {
		in = "-n " + Word(namespace)
	}
	return joined([]string{"kubectl", at, in, do})
}

// Istiods are the arguments of kubectl that list the Deployments of istiod.
const Istiods = "get deployments -A -l " + labels.Istiod

// ExternalSecrets returns the commands that read the state of a link of the External
// Secrets Operator: the ExternalSecret on the hub, and the PushSecret on the remote.
func ExternalSecrets(hub, remote, namespace, external, push string) string {
	return "read what the External Secrets Operator reports: " + Kubectl(hub, namespace, "get externalsecret "+external+" -o yaml") + "; " +
		Kubectl(remote, namespace, "get pushsecret "+push+" -o yaml")
}

// Apply returns the command that applies objects from a pipe to a cluster. With a
// separate field manager, the fields that others apply to the same object stay.
func Apply(context, manager string) string {
	return Kubectl(context, "", "apply --server-side --field-manager="+Word(manager)+" -f -")
}

// Reconcile returns the command that makes the operator reconcile its Kiali resource at
// once.
func Reconcile(context, namespace, instance string) string {
	return Kubectl(context, namespace, "annotate --overwrite kiali/"+instance+` kiali.io/reconcile="$(date)"`)
}

// Render returns the command that renders the topology in a file.
func Render(topology string) string { return "sightline render " + Word(topology) }

// Verify returns the command that checks the topology in a file.
func Verify(topology string) string { return "sightline verify " + Word(topology) }

// Live returns the command that compares the topology in a file with the clusters. flags
// are flags of this package for their contexts.
func Live(topology string, flags ...string) string {
	return joined(append([]string{"sightline diff", Word(topology), "--live"}, flags...))
}

// Context returns the flag with the context of a cluster.
func Context(cluster, context string) string { return "--context " + Word(cluster+"="+context) }

// Kubeconfig returns the flag with the file of a kubeconfig, or "" for the default file.
func Kubeconfig(file string) string {
	if file == "" {
		return ""
	}
	return "--kubeconfig " + Word(file)
}

// SealedWith returns the flags for the certificate of a link. cert is the file of the
// certificate. If it is "", the certificate comes from the controller on the hub: then the
// flags have the hub's context, and the name and the namespace of the controller. These
// two are "" for the defaults of kubeseal.
func SealedWith(certificate, hub, controller, namespace string) string {
	if certificate != "" {
		return "--cert " + Word(certificate)
	}
	flags := []string{HubContext(hub)}
	if controller != "" {
		flags = append(flags, "--controller-name "+Word(controller))
	}
	if namespace != "" {
		flags = append(flags, "--controller-namespace "+Word(namespace))
	}
	return joined(flags)
}

// SOPS returns the flag with the recipients of links in the format of SOPS, or "" for
// the recipients of the topology.
func SOPS(recipients []string) string {
	if len(recipients) == 0 {
		return ""
	}
	return "--sops " + Word(strings.Join(recipients, ","))
}

// AnyRecipient is the flag for recipients that the reader has to fill in.
const AnyRecipient = "--sops age1…"

// AcceptCertificate is the flag that accepts the certificate with this fingerprint.
func AcceptCertificate(fingerprint string) string { return "--accept-cert " + Word(fingerprint) }

// Rights returns the command that prints the roles for status, for the topology in a
// file.
func Rights(topology string) string {
	return joined([]string{"sightline status", Word(topology), "--rights"})
}

// Annotate returns the command that sets an annotation of a namespace.
func Annotate(context, namespace, key, value string) string {
	return Kubectl(context, "", "annotate namespace "+namespace+" "+key+"="+Word(value))
}

// Remove returns the command that removes a file from a repository.
func Remove(file string) string { return "git rm " + Word(file) }

// joined joins words with spaces. It leaves out empty ones, such as the step Again.
func joined(words []string) string {
	var said []string
	for _, w := range words {
		if w != "" {
			said = append(said, w)
		}
	}
	return strings.Join(said, " ")
}
