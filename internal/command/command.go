// Package command writes the command lines that messages give their readers to
// copy. No other room knows the flags of a program.
package command

import (
	"regexp"
	"strings"

	"github.com/sightline-mesh/sightline/internal/labels"
)

// Word writes a text as one word of a shell.
func Word(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,=-]+$`)

// Step is a flag by which seal does something else than to seal what has changed.
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

// All stands for every remote in place of the name of one.
const All = "--all"

// Seal is "sightline seal" for a remote, or for All, of the topology in a file,
// which is "" where it is in none. What else is given is appended: flags of this
// package, and steps.
func Seal(which, topology string, more ...string) string {
	if topology == "" {
		topology = "FILE"
	} else {
		topology = Word(topology)
	}
	return joined(append([]string{"sightline seal", which, "--topology", topology}, more...))
}

// HubContext is the flag that names the context of the hub.
func HubContext(context string) string { return "--hub-context " + Word(context) }

// Kubectl is kubectl at a context and in a namespace, each where one is given, with
// what it is to do there.
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

// Istiods is what kubectl does to list the Deployments of istiod.
const Istiods = "get deployments -A -l " + labels.Istiod

// ExternalSecrets says how to ask the External Secrets Operator about a link: on the hub about
// what fetches it, on the remote about what pushes it.
func ExternalSecrets(hub, remote, namespace, external, push string) string {
	return "see what the External Secrets Operator says: " + Kubectl(hub, namespace, "get externalsecret "+external+" -o yaml") + "; " +
		Kubectl(remote, namespace, "get pushsecret "+push+" -o yaml")
}

// Apply takes objects from a pipe to a cluster. A manager of its own keeps what others
// apply to the same object.
func Apply(context, manager string) string {
	return Kubectl(context, "", "apply --server-side --field-manager="+Word(manager)+" -f -")
}

// Reconcile makes the operator look at its Kiali resource at once.
func Reconcile(context, namespace, instance string) string {
	return Kubectl(context, namespace, "annotate --overwrite kiali/"+instance+` kiali.io/reconcile="$(date)"`)
}

// Render is the command that writes the tree of a topology in a file.
func Render(topology string) string { return "sightline render " + Word(topology) }

// Verify checks it.
func Verify(topology string) string { return "sightline verify " + Word(topology) }

// Live compares it with the clusters, which flags of this package lead to.
func Live(topology string, flags ...string) string {
	return joined(append([]string{"sightline diff", Word(topology), "--live"}, flags...))
}

// Context is the flag that names the context of a cluster.
func Context(cluster, context string) string { return "--context " + Word(cluster+"="+context) }

// Kubeconfig is the flag that names a file in place of the usual ones; "" for none.
func Kubeconfig(file string) string {
	if file == "" {
		return ""
	}
	return "--kubeconfig " + Word(file)
}

// SealedWith are the flags that say what a link is sealed with: a file with a
// certificate, or with "" what the hub's controller answers, which is at a context and
// under a name in a namespace; "" for those that kubeseal assumes too.
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

// SOPS is the flag that names the recipients of a link by SOPS; "" for those of the
// topology.
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

// Rights prints what status may need to ask about a topology in a file.
func Rights(topology string) string {
	return joined([]string{"sightline status", Word(topology), "--rights"})
}

// Annotate sets an annotation of a namespace.
func Annotate(context, namespace, key, value string) string {
	return Kubectl(context, "", "annotate namespace "+namespace+" "+key+"="+Word(value))
}

// Remove takes a file out of a repository.
func Remove(file string) string { return "git rm " + Word(file) }

// joined leaves out what is empty, such as the step Again.
func joined(words []string) string {
	var said []string
	for _, w := range words {
		if w != "" {
			said = append(said, w)
		}
	}
	return strings.Join(said, " ")
}
