package chart

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// metadata returns Chart.yaml. It is made last, because the version depends on
// the content of the other files.
func (w *writer) metadata() []byte {
	fields := map[string]any{
		"apiVersion":  "v2",
		"name":        w.Name,
		"description": "What the clusters of the topology " + w.Name + " need for Kiali to see the whole mesh",
		"type":        "application",
		"version":     w.version(),
		"kubeVersion": ">=1.25.0-0",
	}
	if w.Version != "" {
		fields["appVersion"] = w.Version
	}
	return resource.Encode(nil, fields)
}

// version returns the chart's version. Equal charts have equal versions, and
// different charts have different ones. So a registry that never replaces a
// version accepts every chart. The version is a pre-release, because the order
// of versions means nothing, and by default no program selects the latest
// pre-release. Build metadata would not work, because a tag in a registry has
// no +.
func (w *writer) version() string {
	files := slices.SortedFunc(slices.Values(w.files), func(a, b tree.File) int { return strings.Compare(a.Path, b.Path) })
	hash := sha256.New()
	fmt.Fprintf(hash, "%s\n", w.Version)
	for _, f := range files {
		fmt.Fprintf(hash, "%s %d\n%s", f.Path, len(f.Content), f.Content)
	}
	return fmt.Sprintf("0.1.0-h%x", hash.Sum(nil)[:5])
}

// notes returns the text that Helm prints after an installation.
func (w *writer) notes() []byte {
	w.usedValues["kiali.namespace"] = true
	w.usedValues["kiali.instanceName"] = true
	var every, hubs []int
	for i, s := range w.Shapes {
		every = append(every, i)
		if s.Fields["hub"] == true {
			hubs = append(hubs, i)
		}
	}
	p := printer{writer: w}
	hub, remote := hubNotes, ""
	if len(hubs) == 0 {
		hub = ""
	}
	condition := ""
	if len(hubs) < len(every) {
		remote = w.remoteNotes()
		if hub != "" {
			condition = p.condition(every, hubs)
		}
	}
	text := "On {{ .Values.cluster.name }}: " + notesHead
	switch {
	case condition != "":
		text += "{{- if " + condition + " }}\n" + hub + "{{- else }}\n" + remote + "{{- end }}\n"
	default:
		text += hub + remote
	}
	return []byte(text)
}

// remoteNotes names every token Secret that a remote of the chart may have.
func (w *writer) remoteNotes() string {
	// The shape of a remote whose token has been replaced.
	const replaced = "noFirstToken"
	const account = "kiali.serviceAccount"
	if !w.usedValues[account] { // no remote has a token Secret
		return notesUninstall
	}
	first := fmt.Sprintf(notesToken, "", ".Values."+account)
	if w.usedFields[replaced] {
		first = "{{- if not .Values.shape." + replaced + " }}\n" + first + "{{- end }}\n"
	}
	later := ""
	if w.usedLists[resource.ScopeToken] {
		later = "{{- range .Values." + w.list(resource.ScopeToken).Path + " }}\n" + fmt.Sprintf(notesToken, "$", ".") + "{{- end }}\n"
	}
	return notesRemote + first + later + "{{- end }}\n" + notesUninstall
}

const (
	notesHead = `{{ range $phase, $on := .Values.phases }}{{ if $on }}{{ $phase }}, {{ end }}{{ end }}from the topology.

{{- if and .Values.phases.operator (not .Values.phases.kiali) }}

Install the next phase when these commands return:
  kubectl wait --for=create crd/kialis.kiali.io --timeout=10m
  kubectl wait --for=condition=Established crd/kialis.kiali.io --timeout=2m
{{- end }}
{{- if .Values.phases.kiali }}

The operator has finished when this command returns:
  kubectl -n {{ .Values.kiali.namespace }} wait --for=condition=Successful kiali/{{ .Values.kiali.instanceName }} --timeout=10m
{{- end }}
`
	hubNotes = `
This is the hub. Kiali reads the Secrets with the kubeconfigs of the remotes when
it starts. So install the phase link before kiali. A kubeconfig has the token
that the phase link makes on the remote. So install the remotes before the hub.
` + notesUninstall
	notesRemote = `
This is a remote.

{{- if .Values.phases.link }} The token for the hub exists when this command returns.
It belongs in the kubeconfig of {{ .Values.cluster.name }} on the hub.
`
	notesToken     = "  kubectl -n {{ %s.Values.kiali.namespace }} wait --for=jsonpath='{.data.token}' secret/{{ %s }} --timeout=1m\n"
	notesUninstall = `
Before you uninstall the operator, delete the Kiali resource: only the operator
removes its finalizer.
  kubectl -n {{ .Values.kiali.namespace }} delete kiali {{ .Values.kiali.instanceName }}
`
)

// readme returns README.md.
func (w *writer) readme(settings []setting) []byte {
	var out strings.Builder
	off, onACM := "", ""
	for _, phase := range w.phases() {
		off += pathPhases + "." + string(phase) + "=false,"
		if phase == resource.ACM {
			onACM = readmeACM
		}
	}
	fmt.Fprintf(&out, readmeText, w.Name, w.defaultOf("kiali.namespace"), w.defaultOf("kiali.instanceName"), off, onACM)
	out.WriteString("| value | default | meaning |\n|---|---|---|\n")
	for _, s := range settings {
		value, _ := json.Marshal(s.value) // strings, booleans, and maps of them
		shown := "`" + strings.ReplaceAll(string(value), "|", "\\|") + "`"
		if s.required {
			shown = "required"
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s |\n", s.path, shown, strings.ReplaceAll(s.doc, "|", "\\|"))
	}
	return []byte(out.String())
}

func (w *writer) defaultOf(path string) any {
	for _, v := range w.Values {
		if v.Path == path {
			return v.Default
		}
	}
	return nil
}

// readmeACM is about the cluster on which ACM runs.
const readmeACM = `
On the hub of ACM, install the phase acm before kiali on the hub: one of its Policies
creates the certificate that Kiali's pod needs to start.
`

const readmeText = `# %[1]s

Written by sightline from the topology %[1]s. Change the topology: the next render
replaces edits in this folder. One chart serves every cluster. The values of one
cluster are in ` + "`clusters/<name>.yaml`" + ` beside the chart. Helm refuses the chart
without this file.

    helm template %[1]s chart -f clusters/NAME.yaml

The chart supports exactly the kinds of clusters in the topology. A cluster of a
new kind, such as the first on another platform, changes the templates.

## Installing on a fresh cluster

Install one release per phase, for two reasons:

- Helm looks up every kind before it creates the first object. The cluster knows
  the kind Kiali only after the operator is installed.
- Helm creates Secrets before custom resources. The cluster deletes a token
  Secret if its service account does not exist. The operator makes this account
  for the Kiali resource.

First, on each remote:

    phase() {
      helm upgrade --install "%[1]s-$1" chart -f clusters/NAME.yaml \
        --set "%[4]sphases.$1=true"
    }
    phase operator
    kubectl wait --for=create crd/kialis.kiali.io --timeout=10m
    kubectl wait --for=condition=Established crd/kialis.kiali.io --timeout=2m
    phase kiali
    kubectl -n %[2]s wait --for=condition=Successful kiali/%[3]s --timeout=10m
    phase link
    phase monitoring

Then, on the hub, with the links of the remotes in its values: operator and its
waits, link, kiali, monitoring. Kiali reads the links when it starts.
%[5]s
Uninstall in the opposite order. The operator must still run when you delete the
Kiali resource, because it removes the finalizer.

## Values

`
