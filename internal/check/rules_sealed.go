package check

import (
	"cmp"
	"slices"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/delivery"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// sealedRules are about the sealed links next to a topology, and about the
// objects rendered from them.
func sealedRules() []Rule {
	return []Rule{
		{
			ID:    "RS01",
			Title: "a link belongs to its cluster",
			What: "The name of the file, the name in the file and the key of the Secret are the cluster's name. The server is the one in " +
				"the topology. (Sightline checks a kubeconfig before it seals it.)",
			Why: "Kiali takes a cluster's name from the key. With a wrong key, it would show one cluster under the name of another. With an " +
				"old server, it would wait at startup for a server that no longer exists.",
			Fix:    "Seal the link again.",
			Source: "kiali kubernetes/cluster_secret.go, cmd/server.go",
			mesh:   linkFlaws,
		},
		{
			ID: "RS04", Also: finding.Warning,
			Title: "the CA in a link is valid",
			What: "The CA in a sealed kubeconfig is valid for " + daysLeft +
				" more. Only verify checks the days: the rendered output does not depend on the date.",
			Why:    "Kiali no longer trusts the API server, and stops at startup.",
			Fix:    "Seal the link again with the cluster's CA.",
			Source: "kiali kubernetes/client_factory.go, cmd/server.go",
			mesh:   linkFlaws,
		},
		{
			ID: "RS06", Also: finding.Warning,
			Title: "a sealed link can be opened on the hub",
			What: "A link is sealed for links.source and for the Secret in the topology, by namespace and name. The sealed data matches its " +
				"checksum and has the form that the controller or SOPS reads. All items of one Secret are sealed with one certificate. With " +
				"SOPS, they are sealed in one run, for the age recipients in the topology.",
			Why: "The controller opens only data that was sealed for this Secret. If a Secret has several items, the controller opens all " +
				"or none. If the key of one certificate is lost, every link in the Secret is lost. With SOPS, a Secret has one data key, and " +
				"one MAC for all its items.",
			Fix: "Seal the link again. With --rekey, also seal what was sealed with another certificate.",
			Source: "bitnami-labs/sealed-secrets pkg/crypto/crypto.go, pkg/apis/sealedsecrets/v1alpha1/sealedsecret_expansion.go; getsops/sops " +
				"sops.go",
			mesh: openable,
		},
		{
			ID:    "RS07",
			Title: "a link's Secret has the labels for Kiali and the operator",
			What: "The object that creates the Secret gives it the label kiali.io/kiali-multi-cluster-secret: \"true\". With links.format " +
				"perCluster, it gives the label kiali.io/multiCluster: \"true\" and the annotation kiali.io/cluster.",
			Why: "Without its label, nothing finds the Secret of a remote. Without its label, a change of the single Secret does not " +
				"restart Kiali.",
			Fix:    "Leave the template as rendered.",
			Source: "kiali-operator watches-os.yaml, roles/default/kiali-deploy/tasks/main.yml",
			mesh:   linkLabels,
		},
		{
			ID: "RS08", Severity: finding.Warning,
			Title: "Kiali restarts when a link changes",
			What: "With links.format perCluster, deployment.pod_annotations of the hub's Kiali resource has the rendered value of " +
				"sightline.dev/links.",
			Why: "Kiali reads the kubeconfigs once, at startup, and the operator does not watch these Secrets. The annotation changes with " +
				"the links, so the operator reconciles and replaces the pods.",
			Fix:    "Leave the annotation as rendered, or use links.format: single.",
			Source: "kiali kubernetes/client_factory.go; kiali-operator watches-os.yaml; kiali/kiali issue 6941",
			mesh:   restart,
		},
		{
			ID:    "RS11",
			Title: "Kiali may run the program of a kubeconfig",
			What: "If access.exec of a remote names a program, clustering.enable_exec_provider of the hub's Kiali resource is true, and the " +
				"hub's Kiali is v2.17 or later.",
			Why:    "Otherwise Kiali removes the user from such a kubeconfig, and has no access.",
			Fix:    "Leave the field as rendered. On an older release line, use a token and leave out access.exec.",
			Source: "kiali kubernetes/client_factory.go; kiali-operator roles/*/kiali-deploy/defaults/main.yml",
			mesh:   execProvider,
		},
		{
			ID: "RS12", Severity: finding.Warning,
			Title: "each cluster is in one Secret",
			What: "clustering.clusters of the hub's Kiali resource names no Secret for a remote that has a sealed link. After a change of " +
				"links.format, the old Secret is removed.",
			Why: "If Kiali finds two kubeconfigs for a cluster, it uses the one whose folder sorts first, and logs the other as an error. " +
				"After a change of links.format from single to perCluster, Kiali keeps using kiali-multi-cluster-secret, and every object " +
				"still says Synced.",
			Fix:    "Remove the entry or the old Secret, then run `sightline seal CLUSTER --finish`.",
			Source: "kiali kubernetes/cluster_secret.go",
			mesh:   twoSecrets,
		},
		{
			ID: "RS13", Also: finding.Warning,
			Title: "a link's token lasts",
			What: "The token in a sealed kubeconfig is not revoked. It does not expire, or not within " + daysLeft +
				". Only verify checks the days: the rendered output does not depend on the date.",
			Why:    "Kiali loses the cluster, and does not start until it can reach the cluster again.",
			Fix:    "Seal the link again with the token from the rendered Secret of the remote. This token does not expire.",
			Source: "kiali/kiali issues 8198, 5070",
			mesh:   linkFlaws,
		},
		{
			ID: "RS17", Also: finding.Warning,
			Title:  "all links fit into their Secret",
			What:   "Together, the kubeconfigs in one Secret have at most 1 MiB. Below 80% of it there is room for more links.",
			Why:    "The API server refuses a larger Secret, so the controller can open no link.",
			Fix:    "Write links: {format: perCluster}, and seal every link again.",
			Source: "kubernetes pkg/apis/core/validation/validation.go (MaxSecretSize)",
			mesh:   secretSizes,
		},
		{
			ID: "RS18", Also: finding.Warning,
			Title: "every remote has a link",
			What: "If links.source is sealed or sops, each remote has a sealed link. With --require-links, a missing link is an error. " +
				"`seal --check` gives the warning too, and exits with 1.",
			Why: "Without a link, everything else is rendered, but the hub's Kiali does not show the cluster. It is a warning, because " +
				"the first render comes before the first link.",
			Fix: "Apply the phases of the remote first, because the cluster creates the token there. Then seal the link. The hub's " +
				"certificate comes from the controller, or from a file of `kubeseal --fetch-cert`.",
			Source: "kiali kubernetes/cluster_secret.go",
			mesh:   missingLinks,
		},
		{
			ID: "RS19", Severity: finding.Warning,
			Title: "every sealed link is for a remote",
			What:  "The folder of a topology's sealed links has one file for each remote, and no other file.",
			Why: "A link that is not rendered is a credential that nobody maintains. Perhaps the cluster was renamed, and its link is lost " +
				"without a message.",
			Fix:    "Remove the file. If Kiali no longer watches the cluster, remove its token Secret too.",
			Source: "the layout of `sightline seal`",
			mesh:   strayLinks,
		},
	}
}

// daysLeft is the time before expiry at which verify asks for a renewal.
var daysLeft = finding.Count(seal.NearDays, "day")

// sealed tells whether the links come from the files of seal.
func (m *mesh) sealed() bool { return m.Spec.Kiali.Links.ByFile() }

// linked visits the remotes that have a link.
func (m *mesh) linked(visit func(i int, l *topology.SealedLink)) {
	for i := range m.Spec.Clusters {
		if l := m.links[m.Spec.Clusters[i].Name]; l != nil && i != m.hub && m.sealed() {
			visit(i, l)
		}
	}
}

// seal is the command that seals the links of remotes. It names one cluster, or
// all if there are many.
func (m *mesh) seal(remotes int, i int, step command.Step) string {
	name, hub := m.Spec.Clusters[i].Name, command.HubContext(m.Spec.Kiali.Hub)
	if m.Spec.Kiali.Links.Source == "sops" {
		if hub = ""; len(m.Spec.Kiali.Links.SOPS.Age) == 0 {
			hub = command.AnyRecipient
		}
	}
	if remotes > most || m.SealedTogether() && step == command.Again {
		name = command.All
	}
	if m.arg == "" {
		return "keep the topology in a file; then: " + command.Seal(name, "", hub)
	}
	return command.Seal(name, m.arg, hub, string(step))
}

// linkFlaws reports what package seal finds wrong with each single link, for the
// current rule. If many links share a flaw, they get the same hint, so that the
// findings are grouped.
func linkFlaws(m *mesh, f *found) {
	type placed struct {
		seal.Flaw
		cluster int
	}
	var flaws []placed
	alike := map[string]int{} // by their hints
	m.linked(func(i int, l *topology.SealedLink) {
		for _, flaw := range seal.Flaws(m.Topology, &m.Spec.Clusters[i], l, m.now) {
			if flaw.Rule == f.rule.ID {
				flaws = append(flaws, placed{flaw, i})
				alike[flaw.Hint]++
			}
		}
	})
	for _, flaw := range flaws {
		hint := flaw.Hint
		if flaw.Sealing {
			hint += m.seal(alike[flaw.Hint], flaw.cluster, flaw.Step)
		}
		f.softer(flaw.Severity).cluster(m, flaw.cluster, flaw.Position, hint, "%s", flaw.Message)
	}
}

func openable(m *mesh, f *found) {
	linkFlaws(m, f)
	apart := seal.Apart(m.Topology, m.links)
	for _, name := range sortedKeys(apart) {
		i := slices.IndexFunc(m.Spec.Clusters, func(c topology.Cluster) bool { return c.Name == name })
		f.softer(apart[name].Severity).cluster(m, i, apart[name].Position, m.seal(most+1, i, command.Again), "%s", apart[name].Message)
	}
	certificates := map[string][]int{}
	m.linked(func(i int, l *topology.SealedLink) {
		if of := l.Spec.Fingerprint(); of != "" {
			certificates[of] = append(certificates[of], i)
		}
	})
	if m.Spec.Kiali.Links.Format == "single" && len(certificates) > 1 {
		mixed(m, f, certificates)
	}
}

// mixed reports that the items of one Secret are sealed with several
// certificates. Its position is the first link whose certificate is not the
// most frequent one.
func mixed(m *mesh, f *found, certificates map[string][]int) {
	fingerprints := sortedKeys(certificates)
	slices.SortStableFunc(fingerprints, func(a, b string) int { return cmp.Compare(len(certificates[b]), len(certificates[a])) })
	var others []int
	for _, fingerprint := range fingerprints[1:] {
		others = append(others, certificates[fingerprint]...)
	}
	slices.Sort(others)
	at := m.links[m.Spec.Clusters[others[0]].Name].At("spec", "certificate", "fingerprint")
	f.softer(finding.Warning).on(m, at, m.seal(most+1, others[0], command.Rekey),
		"the links in one Secret are sealed with %d certificates; %s differs from most others; if the controller has lost one key, it "+
			"opens no link",
		len(certificates), m.listed(others))
}

// templates maps each kind that creates a Secret to the path of the Secret's
// template.
var templates = map[string]fieldPath{
	"SealedSecret":   {"spec", "template"},
	"ExternalSecret": {"spec", "target", "template"},
	"Secret":         {}, // which SOPS has encrypted
}

// linkSecrets visits the objects that create the links' Secrets on the hub,
// with the path of the Secret's template. Of equal objects it visits the first.
func (m *mesh) linkSecrets(visit func(o *object, template fieldPath)) {
	for _, o := range m.kinds(sortedKeys(templates)...) {
		if kiali.IsLinkSecret(o.ID.Name) {
			visit(o, templates[o.ID.Kind])
		}
	}
}

func linkLabels(m *mesh, f *found) {
	m.linkSecrets(func(o *object, template fieldPath) {
		metadata := template.below("metadata")
		want := []fieldPath{metadata.below("labels", kiali.SingleSecretLabel)}
		if m.Spec.Kiali.Links.Format == "perCluster" {
			want = []fieldPath{metadata.below("labels", kiali.RemoteSecretLabel), metadata.below("annotations", kiali.RemoteSecretCluster)}
		}
		for _, path := range want {
			is, _ := o.value(path).(string)
			if key := path[len(path)-2].(string); is == "" || key == "labels" && is != "true" {
				f.object(o, path, "leave the template as rendered", "the Secret from the %s lacks %s; without it, nothing finds the Secret", o,
					path[len(path)-1])
			}
		}
	})
}

func restart(m *mesh, f *found) {
	o := m.hubKiali()
	if o == nil || !m.sealed() || m.Spec.Kiali.Links.Format != "perCluster" {
		return
	}
	linked := false
	m.linked(func(int, *topology.SealedLink) { linked = true })
	path := spec("deployment.pod_annotations").below(labels.Links)
	rendered, _ := m.clusters[m.hub].Values[resource.ScopeCluster]["podAnnotations"].(map[string]string)
	if is, _ := o.value(path).(string); linked && is != rendered[labels.Links] {
		f.object(o, path, "leave the annotation as rendered", "%s does not change with the links, so Kiali keeps using the old links",
			path[1:])
	}
}

func execProvider(m *mesh, f *found) {
	o := m.hubKiali()
	for i := range m.Spec.Clusters {
		switch at := m.At("spec", "clusters", i, "access", "exec"); {
		case m.Spec.Clusters[i].Access.Exec == nil || i == m.hub || o == nil:
		case m.Spec.Clusters[m.hub].KialiBefore(kiali.V2_17):
			f.cluster(m, i, at, "use a token and leave out access.exec, or use v2.17 or a later release line on the hub",
				"the kubeconfig names a program, but Kiali %s runs no programs", m.Spec.Clusters[m.hub].Kiali.Version)
		case !o.is("clustering.enable_exec_provider", true):
			f.cluster(m, i, o.at(spec("clustering.enable_exec_provider")), "leave the field as rendered",
				"the kubeconfig names a program, but clustering.enable_exec_provider of the hub's Kiali is not true")
		}
	}
}

// hasLink tells whether a cluster is a remote with a link.
func (m *mesh) hasLink(name string) bool {
	has := false
	m.linked(func(i int, _ *topology.SealedLink) { has = has || m.Spec.Clusters[i].Name == name })
	return has
}

func twoSecrets(m *mesh, f *found) {
	linkFlaws(m, f)
	o := m.hubKiali()
	if o == nil {
		return
	}
	entries, _ := o.value(spec("clustering.clusters")).([]any)
	for i := range entries {
		path := spec("clustering.clusters").below(i)
		name, _ := o.value(path.below("name")).(string)
		secret, _ := o.value(path.below("secret_name")).(string)
		if secret != "" && m.hasLink(name) {
			f.object(o, path, "remove the entry and its Secret", "clustering.clusters has the Secret %q for %q, but this cluster has a "+
				"sealed link",
				finding.Shorten(secret), name)
		}
	}
}

func secretSizes(m *mesh, f *found) {
	sizes := map[string]int{}
	first := map[string]int{}
	m.linked(func(i int, l *topology.SealedLink) {
		size, _ := l.Spec.KubeconfigSize()
		name := m.SealedFor(&m.Spec.Clusters[i]).Name
		if _, ok := first[name]; !ok {
			first[name] = i
		}
		sizes[name] += size
	})
	for _, name := range sortedKeys(sizes) {
		collect, size := f, sizes[name]
		switch {
		case !near(size, delivery.DataLimit):
			continue
		case size <= delivery.DataLimit:
			collect = f.softer(finding.Warning)
		}
		at := m.At("spec", "kiali", "links")
		hint := "write links: {format: perCluster}, then: " + m.seal(most+1, first[name], command.Again)
		if m.Spec.Kiali.Links.Format == "perCluster" {
			at, hint = m.links[m.Spec.Clusters[first[name]].Name].At("spec",
				"encryptedData"), "keep only the CA of the API server in the CA file"
		}
		collect.on(m, at, hint, "the kubeconfigs in the Secret %s have %d KiB; a Secret may have at most %d KiB", name, (size+1023)>>10,
			delivery.DataLimit>>10)
	}
}

func missingLinks(m *mesh, f *found) {
	if !m.sealed() {
		return
	}
	var missing []int
	for i := range m.Spec.Clusters {
		if i != m.hub && m.links[m.Spec.Clusters[i].Name] == nil {
			missing = append(missing, i)
		}
	}
	if !m.requireLinks {
		f = f.softer(finding.Warning)
	}
	for _, i := range missing {
		for _, flaw := range seal.Flaws(m.Topology, &m.Spec.Clusters[i], nil, m.now) {
			f.cluster(m, i, m.At("spec", "clusters", i), m.seal(len(missing), i, flaw.Step), "%s", flaw.Message)
		}
	}
}

func strayLinks(m *mesh, f *found) {
	for _, name := range sortedKeys(m.links) {
		i := slices.IndexFunc(m.Spec.Clusters, func(c topology.Cluster) bool { return c.Name == name })
		if i >= 0 && i != m.hub {
			continue
		}
		at := m.links[name].At("metadata", "name")
		if i == m.hub {
			f.on(m, at, "remove the file: "+command.Remove(at.File), "the link is for the hub; the hub needs no link")
			continue
		}
		f.on(m, at, "if the cluster is gone, remove the file: "+command.Remove(at.File),
			"the link is for %q, which is not a cluster of the topology", finding.Shorten(name))
	}
	for _, file := range m.others {
		f.on(m, finding.Position{File: file, Line: 1, Col: 1}, "move it to another folder",
			"this is not a sealed link; the folder may only have files <cluster>.yaml")
	}
}
