package discover

import (
	"fmt"
	"strings"
)

// Part is a part of a topology.
type Part struct {
	Fields []string // with all fields below them
	Why    string   // one sentence: where the fact is
}

// Untold lists the parts of a topology that no cluster shows. [New] leaves them out,
// so a topology that had them renders other objects. All other parts come back.
func Untold() []Part {
	return []Part{
		{[]string{"metadata.annotations"}, "They are for tools and are not rendered."},
		{[]string{"spec.overlays", "spec.clusters[].labels"},
			"An overlay's result is on the clusters, its files are not. What one has changed in a Kiali resource becomes `kiali.spec`."},
		{[]string{"spec.clusters[].access"},
			"It is in the sealed kubeconfig, as the token is. With `links.source: externalSecrets` the template of the Secret tells it, but for " +
				"`exec.subject`."},
		{[]string{"spec.kiali.links.sops.age"},
			"Who can decrypt stands in the files of `sealed/`: Flux decrypts them before it applies them."},
		{[]string{"spec.metrics.acm.allowList.more"}, "It is merged into the list on the ACM hub, with what is rendered."},
		{[]string{"spec.delivery.argocd.permit.namespaces"}, "The project's other namespaces do not say that they are additional."},
	}
}

// Tells tells whether [New] reads the field of a path, written as package topology
// writes it.
func Tells(path string) bool {
	for _, p := range Untold() {
		for _, f := range p.Fields {
			if path == f || strings.HasPrefix(path, f+".") || strings.HasPrefix(path, f+"[]") {
				return false
			}
		}
	}
	return true
}

// UntoldTable is the table of [Untold] in docs/adopt.md.
func UntoldTable() string {
	var b strings.Builder
	b.WriteString("| field | why, and what is told in its place |\n|---|---|\n")
	for _, p := range Untold() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", strings.Join(p.Fields, "`, `"), p.Why)
	}
	return b.String()
}
