package check

import (
	"regexp"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// installRules are about the operator, the order of objects, and what holds for
// all objects of a cluster.
func installRules() []Rule {
	return []Rule{
		{
			ID: "IN01", Also: finding.Warning,
			Title: "every cluster has the operator",
			What: "With kiali.operator.install olm, every cluster with a Kiali resource has a Subscription. If the default gives only some " +
				"clusters a Subscription, a warning names the others.",
			Why: "The operator on the same cluster reconciles a Kiali resource, on remotes too. Without the operator there is no account, " +
				"no login and no token.",
			Fix:    "If all clusters have OLM, write install: olm. If not, install the operator on the cluster before you apply its Kiali resource.",
			Source: "Red Hat, OpenShift Service Mesh with an external Kiali, \"Installation\"",
			mesh:   operators,
		},
		{
			ID:     "IN02",
			Title:  "no OperatorGroup stops other operators",
			What:   "No OperatorGroup is rendered into openshift-operators, and no OperatorGroup for kiali-ossm has targetNamespaces.",
			Why:    "A second OperatorGroup in a namespace stops every operator there.",
			Fix:    "Leave it out. OpenShift already has the OperatorGroup global-operators.",
			Source: "OLM, OperatorGroups",
			mesh:   operatorGroups,
		},
		{
			ID: "IN03", Severity: finding.Warning,
			Title:  "on OpenShift, the operator is kiali-ossm",
			What:   "On OpenShift, the catalog of the Subscription is not community-operators or a mirror of it.",
			Why:    "Red Hat supports its mesh with kiali-ossm only. The two operators reconcile each other's resources.",
			Fix:    "Leave out kiali.operator.source. If the mesh is the community's as well, suppress the rule.",
			Source: "kiali-operator manifests/kiali-ossm, manifests/kiali-upstream",
			mesh:   communityOperator,
		},
		{
			ID: "IN04", Severity: finding.Warning,
			Title:  "the first installation needs no approval",
			What:   "installPlanApproval of the Subscription is not Manual.",
			Why:    "While a first installation waits for approval, Argo CD shows it as progressing and applies nothing after it.",
			Fix:    "Leave Automatic, or approve the install plan of every cluster by hand.",
			Source: "argo-cd resource_customizations/operators.coreos.com/Subscription/health.lua",
			mesh:   manualApproval,
		},
		{
			ID:     "IN05",
			Title:  "a Kiali resource can be applied before its definition exists",
			What:   "The Kiali resource has the sync option SkipDryRunOnMissingResource.",
			Why:    "The operator brings the definition (CRD). Without the option, Argo CD fails before it applies the operator.",
			Fix:    "Leave the annotation as rendered.",
			Source: "argo-cd docs/user-guide/sync-options.md",
			mesh:   lateDefinitions,
		},
		{
			ID:    "IN06",
			Title: "the operator is applied before the Kiali resource",
			What:  "The sync wave of the Subscription is earlier than the sync wave of the Kiali resource.",
			Why: "Argo CD removes objects in the reverse order. If the operator is gone first, the Kiali resource keeps its finalizer, and " +
				"its namespace is never deleted.",
			Fix:    "Leave the sync waves as rendered.",
			Source: "argo-cd docs/user-guide/sync-waves.md; kiali-operator finalizer",
			mesh:   operatorOrder,
		},
		{
			ID: "IN07", Severity: finding.Warning,
			Title: "the Kiali resource is deleted before its operator",
			What: "delivery.flux.deletionPolicy keeps the objects of a cluster that leaves the topology: it is Orphan, or MirrorPrune " +
				"without prune. Argo CD prunes in the reverse order of the sync waves, which IN06 checks.",
			Why: "The Kiali resource has a finalizer that only the operator removes. Flux deletes all phases at the same time. If the " +
				"operator goes first, the resource and its namespace stay in deletion for ever.",
			Fix:    "Leave out deletionPolicy, and remove a cluster as in docs/flux.md.",
			Source: "kustomize-controller docs/spec/v1/kustomizations.md; kiali-operator finalizer",
			mesh:   unorderedDeletion,
		},
		{
			ID:     "IN08",
			Title:  "cluster names stay different as object names",
			What:   "No two cluster names become the same string after conversion to lower case and of '.' and '_' to '-'.",
			Why:    "Argo CD's Applications and Flux' Kustomizations get the converted name. With one name, one object would replace the other.",
			Fix:    "Rename one of the clusters (in Istio too).",
			Source: "Kubernetes, object names",
			mesh:   sanitizedNames,
		},
		{
			ID:     "IN09",
			Title:  "every cluster has a different API server",
			What:   "No two clusters of the topology have the same server.",
			Why:    "It is a copied line. The hub would show one cluster twice, and the other one never.",
			Fix:    "Write the address of each cluster.",
			Source: "copied lines",
		},
		{
			ID:     "IN10",
			Title:  "no shell syntax is left",
			What:   "No string has a here-document marker, ${NAME} or $(command). PM04 checks the references in a relabeling ($1, ${1}).",
			Why:    "No shell runs over the rendered files. The API server takes the string as it is.",
			Fix:    "Write the value.",
			Source: "the guide's here-documents",
			mesh:   shellRemnants,
		},
		{
			ID: "IN11", Severity: finding.Warning,
			Title:  "images are pinned",
			What:   "No image is latest or lacks a tag, in deployment.image_version or anywhere else.",
			Why:    "Each restart of a pod may start another program.",
			Fix:    "Write the version, or the digest.",
			Source: "reproducible delivery",
			mesh:   unpinned,
		},
		{
			ID:    "IN12",
			Title: "an object has one owner",
			What: "Of topologies that are given together, no two render the same object for the same API server, or two Kiali resources " +
				"with one instance name.",
			Why: "Each sync of one topology undoes the sync of the other. If you remove one topology, both lose the operator or the rights. " +
				"The operator refuses the second Kiali with the same name, because its ClusterRole exists.",
			Fix: "Let one topology own the shared objects. For a second Kiali of one mesh, write in the other topology: metrics.monitors: " +
				"{manage: false} with scope: meshID, telemetry: {manage: false}, operator: {install: none}, userWorkloadMonitoring.manage: " +
				"false, and a different instanceName and namespace.",
			Source: "kiali-operator roles/default/kiali-deploy/tasks/main.yml",
			meshes: twoOwners,
		},
		{
			ID:     "IN13",
			Title:  "each object is rendered once",
			What:   "No two objects of a cluster have the same kind, namespace and name.",
			Why:    "The object that is applied last wins.",
			Fix:    "Give one of them another name.",
			Source: "Kubernetes, object names",
			mesh:   sameObject,
		},
		{
			ID:    "IN14",
			Title: "the operator knows the Kiali release line",
			What: "The version of the operator's chart, and of the Subscription's startingCSV, knows the Kiali release line of every " +
				"cluster: v2.4 from 2.5.0 on, v2.11 from 2.12.0, v2.17 from 2.18.0, v2.22 from 2.22.1 (chart 2.23.0), v2.27 from 2.27.1 (chart " +
				"2.28.0). If image.tag of the chart's values is a version, this version counts instead of the chart's version. If it is " +
				"another tag or a digest, the rule does not check.",
			Why: "The operator learns a release line one version after the version with its number. An older operator fails with \"no known " +
				"supported image\": there is no account, no token and no link.",
			Fix:    "Choose a later version of the operator, or an older release line.",
			Source: "kiali-operator playbooks/kiali-default-supported-images.yml, at its tags; helm-charts kiali-operator/templates/deployment.yaml",
			mesh:   operatorKnowsLine,
		},
	}
}

func operators(m *mesh, f *found) {
	has := map[int]bool{}
	for i := range m.clusters {
		for _, r := range m.clusters[i].Resources {
			if resource.IDOf(m.body(r)).Kind == "Subscription" {
				has[i] = true
			}
		}
	}
	install := m.Spec.Kiali.Operator.Install
	for i, o := range m.kialis {
		if o == nil || has[i] {
			continue
		}
		switch {
		case install == "olm":
			f.cluster(m, i, m.At("spec", "clusters", i), "keep the Subscription in the operator phase",
				"there is a Kiali resource but no Subscription; nothing would reconcile the resource")
		case install == "" && len(has) > 0:
			f.softer(finding.Warning).cluster(m, i, m.At("spec", "clusters", i, "platform"),
				"if the cluster has OLM, write install: olm in kiali.operator; if not, install the operator before the phase kiali is applied, "+
					"and suppress IN01",
				"there is no Subscription, because the default is for OpenShift only; without an operator, nothing reconciles its Kiali resource")
		}
	}
}

func operatorGroups(m *mesh, f *found) {
	for _, o := range m.kinds("OperatorGroup") {
		if targets, _ := o.value(spec("targetNamespaces")).([]any); o.ID.Namespace == "openshift-operators" || len(targets) > 0 {
			f.object(o, fieldPath{"spec"}, "leave it out; OpenShift has global-operators in openshift-operators",
				"the OperatorGroup %s/%s would stop the operators there", o.ID.Namespace, o.ID.Name)
		}
	}
}

func communityOperator(m *mesh, f *found) {
	if !kiali.CommunityCatalog(m.Spec.Kiali.Operator.Source) {
		return
	}
	for i := range m.Spec.Clusters {
		if c := &m.Spec.Clusters[i]; c.Platform == "openshift" && m.OperatorBySubscription(c) {
			f.on(m, m.At("spec", "kiali", "operator", "source"), "leave out source for kiali-ossm of redhat-operators; if the mesh is the "+
				"community's as well, suppress IN03",
				"%s has the upstream operator, which does not work with OpenShift Service Mesh", m.Spec.Kiali.Operator.Source)
			return
		}
	}
}

func manualApproval(m *mesh, f *found) {
	for _, o := range m.kinds("Subscription") {
		if o.text("installPlanApproval") == "Manual" {
			f.object(o, spec("installPlanApproval"), "leave Automatic, or approve the install plan of every cluster by hand",
				"the first installation waits until somebody approves it; until then, Argo CD applies nothing after it")
		}
	}
}

func lateDefinitions(m *mesh, f *found) {
	for _, o := range m.kinds("Kiali") {
		options, _ := o.value(fieldPath{"metadata", "annotations", "argocd.argoproj.io/sync-options"}).(string)
		if !strings.Contains(options, "SkipDryRunOnMissingResource=true") {
			f.object(o, fieldPath{"metadata", "annotations"}, "leave the annotation as rendered",
				"the Kiali resource has no SkipDryRunOnMissingResource=true; Argo CD fails if the operator has not brought the definition yet")
		}
	}
}

func operatorOrder(m *mesh, f *found) {
	for _, o := range m.kinds("Subscription") {
		if of := m.kialis[o.cluster]; of != nil && o.wave() >= of.wave() {
			f.object(o, fieldPath{"metadata", "annotations"}, "leave the sync waves as rendered",
				"the operator has sync wave %d and the Kiali resource %d; the operator must be applied first and deleted last", o.wave(), of.wave())
		}
	}
}

func sanitizedNames(m *mesh, f *found) {
	first := map[string]int{}
	for i, name := range m.names() {
		key := strings.ToLower(strings.NewReplacer(".", "-", "_", "-").Replace(name))
		j, ok := first[key]
		if !ok {
			first[key] = i
			continue
		}
		at := m.At("spec", "clusters", i, "name")
		f.on(m, at, "rename one of them, in Istio too", "the cluster names %q and %q both become %q where they name an object; first at %s",
			m.Spec.Clusters[j].Name, name, key, m.At("spec", "clusters", j, "name").SeenFrom(at))
	}
}

var (
	heredoc  = regexp.MustCompile(`(?m)^\s*EOF\s*$|<<-?\s*["']?[A-Z_]{2,}\b`)
	variable = regexp.MustCompile(`\\?\$\{[A-Za-z_][A-Za-z0-9_]*([:}]|$)|\$\((oc|kubectl|istioctl|cat|echo|date|jq|yq)\b`)
)

func shellRemnants(m *mesh, f *found) {
	for _, o := range m.objects {
		walk(o.content, nil, func(path fieldPath, v any) {
			if remnant := shellRemnant(path, v); remnant != "" {
				f.object(o, path, "write the value; no shell runs over it", "%s of the %s contains %q; only a shell would replace it", path, o,
					remnant)
			}
		})
	}
}

// shellRemnant returns the shell syntax in a value, or "".
func shellRemnant(path fieldPath, v any) string {
	text, ok := v.(string)
	if !ok || len(path) > 0 && path[len(path)-1] == "replacement" {
		return ""
	}
	remnant := heredoc.FindString(text)
	if remnant == "" {
		remnant = variable.FindString(replacementLine.ReplaceAllString(text, ""))
	}
	return strings.TrimSpace(remnant)
}

func unpinned(m *mesh, f *found) {
	for _, o := range m.objects {
		walk(o.content, nil, func(path fieldPath, v any) {
			text, ok := v.(string)
			if !ok || len(path) == 0 || text == "" {
				return
			}
			switch path[len(path)-1] {
			case "image_version":
				if text == "latest" || text == "dev" {
					f.object(o, path, "remove it; kiali.version sets the release line that the operator installs",
						"image_version is %q; the image behind it changes", text)
				}
			case "image":
				base := text[strings.LastIndexByte(text, '/')+1:]
				if strings.HasSuffix(text, ":latest") || !strings.ContainsAny(base, ":@") {
					f.object(o, path, "write the version, or the digest", "the image %s is not pinned", finding.Shorten(text))
				}
			}
		})
	}
}

// replacementLine is the replacement of a relabeling in a string that holds
// YAML.
var replacementLine = regexp.MustCompile(`(?m)^[-\s]*replacement:.*$`)

// ids yields the identity of every object of a cluster.
func (m *mesh) ids(i int, visit func(r resource.Resource, id resource.ID)) {
	c := &m.clusters[i]
	for _, r := range c.Resources {
		for values := range c.Each(r) {
			if id, err := r.Body.ID(values); err == nil { // else rendering fails
				visit(r, id)
			}
		}
	}
}

func sameObject(m *mesh, f *found) {
	seen := map[resource.ID]bool{}
	for i := range m.clusters {
		clear(seen)
		m.ids(i, func(_ resource.Resource, id resource.ID) {
			if seen[id] {
				f.cluster(m, i, m.At("spec", "clusters", i), "give one of them another name", "there are two objects %s", id)
			}
			seen[id] = true
		})
	}
}

func twoOwners(ms []*mesh, f *found) {
	for j, m := range ms {
		for _, other := range ms[:j] {
			for _, pair := range sharedServers(m, other) {
				theirs := map[string]bool{}
				other.ids(pair[1], func(_ resource.Resource, id resource.ID) { theirs[owned(id)] = true })
				var both []string
				m.ids(pair[0], func(_ resource.Resource, id resource.ID) {
					if theirs[owned(id)] {
						both = append(both, strings.TrimSpace(id.Kind+" "+strings.TrimPrefix(id.Namespace+"/"+id.Name, "/")))
					}
				})
				if a, b := m.kialis[pair[0]], other.kialis[pair[1]]; a != nil && b != nil && a.ID != b.ID && a.text(
					"deployment.instance_name") == b.text("deployment.instance_name") {
					both = append(both, "the ClusterRole "+a.text("deployment.instance_name")+" of the operator")
				}
				if len(both) == 0 {
					continue
				}
				at := m.At("spec", "clusters", pair[0])
				f.cluster(m, pair[0], at, "let one topology own them; `sightline explain IN12` says how",
					"the topology %q has this cluster too, as %q (%s), and both own %s",
					other.Metadata.Name, other.Spec.Clusters[pair[1]].Name,
					other.At("spec", "clusters", pair[1]).SeenFrom(at), finding.List(both, most))
			}
		}
	}
}

// owned identifies an object without the version of its API.
func owned(id resource.ID) string {
	group, _, _ := strings.Cut(id.APIVersion, "/")
	return group + " " + id.Kind + " " + id.Namespace + "/" + id.Name
}

func operatorKnowsLine(m *mesh, f *found) {
	if m.OperatorByChart() {
		chartKnowsLine(m, f)
	}
	for _, o := range m.kinds("Subscription") {
		csv := o.text("startingCSV")
		version, ok := strings.CutPrefix(csv, "kiali-operator.v")
		if !ok {
			continue
		}
		for i := range m.Spec.Clusters {
			c := &m.Spec.Clusters[i]
			if first, _ := c.Kiali.Version.FirstOperator(); first != "" && c.Platform == m.of(o).Platform && kiali.OperatorBefore(version, first) {
				f.object(o, spec("startingCSV"), "write startingCSV: kiali-operator.v"+first+" or a later one, or choose an older line",
					"the operator %s does not know the line %s; it came with %s", version, c.Kiali.Version, first)
				break
			}
		}
	}
}

// versionTag is the tag of an image of the operator that was released.
var versionTag = regexp.MustCompile(`^v\d+\.\d+\.\d+$`)

// chartKnowsLine is operatorKnowsLine for the operator's chart. The image of the
// operator has the chart's version, unless a value sets another one.
func chartKnowsLine(m *mesh, f *found) {
	chart := &m.Spec.Kiali.Operator.Chart
	what, version, path := "the operator's chart", chart.Version, []any{"spec", "kiali", "operator", "chart", "version"}
	image, _ := chart.Values["image"].(map[string]any)
	tag, tagged := image["tag"].(string)
	switch {
	case tagged && versionTag.MatchString(tag):
		what, version, path = "the operator's image", tag, []any{"spec", "kiali", "operator", "chart", "values", "image", "tag"}
	case tagged:
		return
	}
	said := map[kiali.Line]bool{}
	for i := range m.Spec.Clusters {
		line := m.Spec.Clusters[i].Kiali.Version
		operator, first := line.FirstOperator()
		write := "write version: " + first
		if tagged {
			first = "v" + operator
			write = "write tag: " + first
		}
		if operator == "" || said[line] || !kiali.OperatorBefore(version, first) {
			continue
		}
		said[line] = true
		f.on(m, m.At(path...), write+" or a later one, or choose an older line",
			"%s %s does not know the line %s; it came with %s", what, version, line, first)
	}
}
