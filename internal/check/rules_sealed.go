package check

import (
	"cmp"
	"slices"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/delivery"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// sealedRules are about the links that seal leaves beside a topology, and what
// is rendered of them.
func sealedRules() []Rule {
	return []Rule{
		{
			ID:    "RS01",
			Title: "a link is the cluster's own",
			What: "The name of the file, the name in it and the key of the Secret are the cluster's name, and the server is the one of the " +
				"topology. (Kubeconfigs are looked into before they are sealed.)",
			Why: "Kiali takes a cluster's name from the key. It would show one cluster under the name of another, or wait at its start for a " +
				"server that is no more.",
			Fix:    "Seal the link again.",
			Source: "kiali kubernetes/cluster_secret.go, cmd/server.go",
			mesh:   linkFlaws,
		},
		{
			ID: "RS04", Also: finding.Warning,
			Title: "a link's CA is valid",
			What: "The CA in a sealed kubeconfig is valid for " + daysLeft +
				" more. It is looked at by verify alone: what is rendered does not depend on the day.",
			Why:    "Kiali does not trust the API server any more, and stops at its start.",
			Fix:    "Seal the link again with the cluster's CA.",
			Source: "kiali kubernetes/client_factory.go, cmd/server.go",
			mesh:   linkFlaws,
		},
		{
			ID: "RS06", Also: finding.Warning,
			Title: "a sealed link can be opened on the hub",
			What: "It was sealed for links.source, and for the Secret that the topology has for it, by namespace and name. What is sealed has " +
				"its checksum, and the form that the controller or SOPS reads. All items of one Secret are sealed with one certificate; with " +
				"SOPS, at one time, and for the age recipients of the topology.",
			Why: "The controller opens what was sealed for this very Secret. Of a Secret with several items it opens all or none, so the lost " +
				"key of one certificate takes every link with it. SOPS has one data key for a Secret, and one MAC over all of it.",
			Fix: "Seal the link again; with --rekey, also what was sealed with another certificate.",
			Source: "bitnami-labs/sealed-secrets pkg/crypto/crypto.go, pkg/apis/sealedsecrets/v1alpha1/sealedsecret_expansion.go; getsops/sops " +
				"sops.go",
			mesh: openable,
		},
		{
			ID:    "RS07",
			Title: "a link's Secret has the labels that Kiali and the operator look for",
			What: "What makes the Secret gives it the label kiali.io/kiali-multi-cluster-secret: \"true\"; with " +
				"links.format perCluster " +
				"the label kiali.io/multiCluster: \"true\" and the annotation kiali.io/cluster.",
			Why:    "Without its label nothing finds a remote's own Secret, and Kiali does not start anew when the one for all changes.",
			Fix:    "Leave the template as it is rendered.",
			Source: "kiali-operator watches-os.yaml, roles/default/kiali-deploy/tasks/main.yml",
			mesh:   linkLabels,
		},
		{
			ID: "RS08", Severity: finding.Warning,
			Title: "Kiali starts anew when a link changes",
			What: "With links.format perCluster, deployment.pod_annotations of the hub's Kiali resource has sightline.dev/links as it is " +
				"rendered.",
			Why: "Kiali reads the kubeconfigs once, at its start, and the operator watches none of these Secrets. The annotation changes with " +
				"them, so the operator reconciles, and the pods are replaced.",
			Fix:    "Leave the annotation as it is rendered, or use links.format: single.",
			Source: "kiali kubernetes/client_factory.go; kiali-operator watches-os.yaml; kiali/kiali issue 6941",
			mesh:   restart,
		},
		{
			ID:    "RS11",
			Title: "a kubeconfig with a program is allowed to run it",
			What: "Where access.exec of a remote names a program, clustering.enable_exec_provider of the hub's Kiali resource is true, and the " +
				"hub's Kiali is v2.17 or later.",
			Why:    "Kiali takes the user out of such a kubeconfig otherwise, and has no access.",
			Fix:    "Leave the field as it is rendered; on an older line, leave out access.exec for a token.",
			Source: "kiali kubernetes/client_factory.go; kiali-operator roles/*/kiali-deploy/defaults/main.yml",
			mesh:   execProvider,
		},
		{
			ID: "RS12", Severity: finding.Warning,
			Title: "a cluster is in one Secret",
			What: "clustering.clusters of the hub's Kiali resource names no Secret for a remote that has a sealed link, and no link waits for " +
				"the Secret from before links.format was changed to be removed.",
			Why: "Kiali finds two kubeconfigs for the cluster, takes the one whose folder comes first, and logs the other as an error. After " +
				"links.format has changed from single to perCluster it goes on using kiali-multi-cluster-secret, and everything says Synced.",
			Fix:    "Remove the entry or the Secret of before; then `sightline seal CLUSTER --finish`.",
			Source: "kiali kubernetes/cluster_secret.go",
			mesh:   twoSecrets,
		},
		{
			ID: "RS13", Also: finding.Warning,
			Title: "a link's token lasts",
			What: "The token in a sealed kubeconfig is not revoked, and does not expire, or not within " + daysLeft +
				". The days are looked at by verify alone: what is rendered does not depend on the day.",
			Why:    "Kiali loses the cluster, and does not start again before it has it back.",
			Fix:    "Seal the link again with the token of the Secret that is rendered for the remote, which does not expire.",
			Source: "kiali/kiali issues 8198, 5070",
			mesh:   linkFlaws,
		},
		{
			ID: "RS17", Also: finding.Warning,
			Title:  "the Secret of all links has room",
			What:   "The kubeconfigs in one Secret have at most 1 MiB together, and less than 80% of it for more to come.",
			Why:    "The API server refuses a larger Secret, so the controller can open none of them.",
			Fix:    "Write links: {format: perCluster}, and seal every link again.",
			Source: "kubernetes pkg/apis/core/validation/validation.go (MaxSecretSize)",
			mesh:   secretSizes,
		},
		{
			ID: "RS18", Also: finding.Warning,
			Title: "every remote has a link",
			What: "There is a sealed link for each remote, where links.source is sealed or sops. A missing one is an error with " +
				"--require-links.",
			Why: "Everything else is rendered, and the hub's Kiali does not see the cluster.",
			Fix: "Seal it once the remote's phases are applied: the token that goes into it is made there. The hub's certificate is the " +
				"controller's, or a file that `kubeseal --fetch-cert` writes.",
			Source: "kiali kubernetes/cluster_secret.go",
			mesh:   missingLinks,
		},
		{
			ID: "RS19", Severity: finding.Warning,
			Title: "what is sealed is of a remote",
			What:  "The folder with the sealed links of a topology has one file for each remote, and no other.",
			Why: "A link that nobody renders is a credential that nobody looks after. The cluster may have been renamed, and its link be lost " +
				"without a word.",
			Fix:    "Remove the file; if the cluster is no longer watched, its token Secret too.",
			Source: "the layout of `sightline seal`",
			mesh:   strayLinks,
		},
	}
}

// daysLeft is how long before its end something has to be renewed.
var daysLeft = finding.Count(seal.NearDays, "day")

// sealed tells whether the links are sealed by seal, and not somebody else's matter.
func (m *mesh) sealed() bool { return m.Spec.Kiali.Links.ByFile() }

// linked visits the remotes that have a link.
func (m *mesh) linked(visit func(i int, l *topology.SealedLink)) {
	for i := range m.Spec.Clusters {
		if l := m.links[m.Spec.Clusters[i].Name]; l != nil && i != m.hub && m.sealed() {
			visit(i, l)
		}
	}
}

// seal is the command that seals the links of remotes: of each by its name, of
// many by one.
func (m *mesh) seal(remotes int, i int, step command.Step) string {
	name, hub := m.Spec.Clusters[i].Name, command.HubContext(m.Spec.Kiali.Hub)
	if m.Spec.Kiali.Links.Source == "sops" {
		if hub = ""; len(m.Spec.Kiali.Links.SOPS.Age) == 0 {
			hub = "--sops age1…"
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

// linkFlaws places what seal finds wrong with each link by itself, as far as it is
// about the rule. Hints are equal where there are many, so that they come
// together.
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

// mixed finds that the one Secret has items sealed with several certificates,
// at the first link that is sealed with another than most are.
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
		"the links of the one Secret are sealed with %d certificates, that of %s with another than the rest; if the controller has lost a key, "+
			"it opens none of them",
		len(certificates), m.listed(others))
}

// templates are where the kinds that make Secrets say what these are like.
var templates = map[string]fieldPath{
	"SealedSecret":   {"spec", "template"},
	"ExternalSecret": {"spec", "target", "template"},
	"Secret":         {}, // which SOPS has encrypted
}

// linkSecrets visits what makes the links' Secrets on the hub, of equal objects
// the first, with where each has the template of its Secret.
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
				f.object(o, path, "leave the template as it is rendered", "the Secret that comes of the %s lacks %s, by which it is found", o,
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
	path := spec("deployment.pod_annotations").below("sightline.dev/links")
	rendered, _ := m.clusters[m.hub].Values[resource.ScopeCluster]["podAnnotations"].(map[string]string)
	if is, _ := o.value(path).(string); linked && is != rendered["sightline.dev/links"] {
		f.object(o, path, "leave the annotation as it is rendered", "%s does not change with the links, so Kiali goes on with the old ones",
			path[1:])
	}
}

func execProvider(m *mesh, f *found) {
	o := m.hubKiali()
	for i := range m.Spec.Clusters {
		switch at := m.At("spec", "clusters", i, "access", "exec"); {
		case m.Spec.Clusters[i].Access.Exec == nil || i == m.hub || o == nil:
		case m.Spec.Clusters[m.hub].KialiBefore(kiali.V2_17):
			f.cluster(m, i, at, "leave out access.exec for a token, or use v2.17 or a later line on the hub",
				"the kubeconfig names a program, and Kiali %s runs none", m.Spec.Clusters[m.hub].Kiali.Version)
		case !o.is("clustering.enable_exec_provider", true):
			f.cluster(m, i, o.at(spec("clustering.enable_exec_provider")), "leave the field as it is rendered",
				"the kubeconfig names a program, and clustering.enable_exec_provider of the hub's Kiali is not true")
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
			f.object(o, path, "remove the entry, and the Secret with it", "clustering.clusters has the Secret %q for %q, which has a sealed link",
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
				"encryptedData"), "leave all out of the CA file but the CA of the API server"
		}
		collect.on(m, at, hint, "the kubeconfigs in the Secret %s have %d KiB, and a Secret may have %d KiB", name, (size+1023)>>10,
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
			f.on(m, at, "remove the file: "+command.Remove(at.File), "the link is for the hub, which needs none")
			continue
		}
		f.on(m, at, "if the cluster is gone, remove the file: "+command.Remove(at.File),
			"the link is for %q, which is no cluster of the topology", finding.Shorten(name))
	}
	for _, file := range m.others {
		f.on(m, finding.Position{File: file, Line: 1, Col: 1}, "keep it elsewhere",
			"this is no sealed link, and nothing else belongs here; expected <cluster>.yaml")
	}
}
