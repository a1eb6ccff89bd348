package check

import (
	"cmp"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// identityRules are about the one name that a cluster has everywhere, and the
// one id that a mesh has.
func identityRules() []Rule {
	return []Rule{
		{
			ID:     "ID01",
			Title:  "cluster names are unique",
			What:   "No two clusters have the same name; letter case does not tell names apart.",
			Why:    "The name is the key of the cluster's kubeconfig. Of two equal ones Kiali reads the first and logs a line about the other.",
			Fix:    "Give each cluster the name that its istiod has (CLUSTER_ID).",
			Source: "kiali kubernetes/cluster_secret.go",
		},
		{
			ID:    "ID02",
			Title: "a cluster name can be a key and a folder",
			What:  "The name has letters, digits, '-', '_' and '.'; with links.format perCluster it is a DNS label of at most 63 characters.",
			Why: "It is a key of a Secret and a folder of the tree. With perCluster the operator names a volume of Kiali's Deployment by it, " +
				"and the API server refuses the Deployment.",
			Fix:    "Rename the cluster in Istio too, or use links.format: single.",
			Source: "kiali hack/istio/multicluster/kiali-prepare-remote-cluster.sh; kiali-operator roles/default/kiali-deploy/tasks/main.yml",
		},
		{
			ID:     "ID03",
			Title:  "a cluster is not named like a volume of Kiali",
			What:   "With links.format perCluster no remote has the name of a volume that Kiali's Deployment has anyway.",
			Why:    "The Deployment would have two volumes of one name, and the API server refuses it.",
			Fix:    "Rename the cluster in Istio too, or use links.format: single.",
			Source: "kiali-operator roles/default/kiali-deploy/templates/openshift/deployment.yaml",
		},
		{
			ID:     "ID04",
			Title:  "one of the clusters is the hub",
			What:   "spec.kiali.hub names one of spec.clusters.",
			Why:    "All others are remotes by that, and their callbacks lead there.",
			Fix:    "Write the name as it stands in spec.clusters.",
			Source: "kiali kubernetes/client_factory.go",
		},
		{
			ID:    "ID05",
			Title: "Kiali knows a cluster by its Istio name only",
			What: "A cluster that spec.kiali.spec names, in clustering.clusters, clustering.kiali_urls, " +
				"deployment.discovery_selectors.overrides or kubernetes_config.cluster_name, is one of the topology, or has a Secret of its own in " +
				"clustering.clusters.",
			Why: "Series carry Istio's name in source_cluster and destination_cluster. With another one the graph ends with \"cluster [x] is " +
				"not found or is not accessible\".",
			Fix:    "Write the name as it stands in spec.clusters.",
			Source: "kiali/kiali issues 7672, 7305, 7806, 7416",
			mesh:   clusterNamesElsewhere,
		},
		{
			ID:    "ID06",
			Title: "only the hub can be outside the mesh",
			What: "controlPlane.mode none is for a hub that only runs Kiali; its line is v2.17 or later, and clustering.ignore_home_cluster " +
				"follows from the mode.",
			Why: "Kiali stops at its start if it is to ignore its home cluster and has no name for it, and earlier lines cannot ignore it at " +
				"all.",
			Fix:    "Choose local, remote or external for remotes; choose a later line for the hub.",
			Source: "kiali config/istio/util.go",
		},
		{
			ID: "ID07", Severity: finding.Warning,
			Title: "the hub is told its name",
			What:  "The hub's Kiali resource has kubernetes_config.cluster_name, and it is the cluster's.",
			Why: "Without it Kiali asks the istiod beside it, and takes the name Kubernetes where there is none. Then half of the graph " +
				"belongs to a cluster that nobody knows.",
			Fix:    "Keep the field as it is rendered.",
			Source: "kiali config/istio/util.go, kubernetes/istio.go",
			mesh:   hubName,
		},
		{
			ID: "ID08", Severity: finding.Warning,
			Title: "ACM knows a cluster by its Istio name",
			What: "With the store acm, the ManagedCluster of each cluster of the mesh (clusters[].managedCluster) has the cluster's name. ACM " +
				"calls its own cluster local-cluster.",
			Why: "ACM puts the name of the ManagedCluster on every series, as the label cluster. Kiali has the other one in source_cluster and " +
				"destination_cluster: what it asks for by cluster, such as health and the control plane, is not found.",
			Fix: "Give both the same name. That of ACM's own cluster is set at the installation (spec.localClusterName of MultiClusterHub); " +
				"say it in managedCluster.",
			Source: "stolostron/multicluster-observability-addon internal/metrics/handlers/handler.go; MultiClusterHub, spec.localClusterName",
			mesh:   managedClusters,
		},
		{
			ID:    "ID09",
			Title: "two meshes on one store have different ids",
			What: "Topologies that are given together and ask the same store for their series have different mesh ids, unless they share a " +
				"cluster with one control plane and so are one mesh.",
			Why:    "The id is all that keeps the series of two meshes apart. Each Kiali would show the traffic of both.",
			Fix:    "Give each mesh an id of its own, in Istio (values.global.meshID) and here.",
			Source: "kiali graph/util.go (query_scope)",
			meshes: meshIDs,
		},
		{
			ID: "ID10", Severity: finding.Warning,
			Title:  "cluster names are in lower case",
			What:   "A cluster name has no capitals.",
			Why:    "Kiali's own script and many pipelines lower-case the name, and a name that differs by case is another cluster to Kiali.",
			Fix:    "Rename the cluster in Istio too, while that is still cheap; or suppress the rule, if Istio has the name in capitals.",
			Source: "kiali hack/istio/multicluster/kiali-prepare-remote-cluster.sh",
			mesh:   capitals,
		},
		{
			ID: "ID11", Severity: finding.Warning,
			Title: "networks are named, and their gateways too",
			What:  "If one cluster of the mesh has a network, all have; and with two networks each cluster names the namespaces of its gateways.",
			Why: "Traffic between networks goes through east-west gateways. A namespace that is not listed has no PodMonitor, and the way " +
				"across is missing from the graph.",
			Fix: "Add network to the others, and gateways: [istio-gateways] (the namespace) where the gateway is not in a namespace that is " +
				"listed already.",
			Source: "Istio multi-cluster installation, \"multi-primary on different networks\"",
			mesh:   networks,
		},
		{
			ID: "ID12", Severity: finding.Info,
			Title: "namespaces are where proxies run",
			What:  "No namespace of spec.namespaces is meant for a cluster whose istiod is the external control plane of another one.",
			Why: "Such an istiod has its configuration on the other cluster, and serves the proxies there. On its own cluster the namespaces " +
				"have no proxies, and get no PodMonitor.",
			Fix:    "List the namespaces at the clusters that have the proxies. Where this cluster has some all the same, list theirs here.",
			Source: "istio.io, Install Istio with an External Control Plane",
			mesh:   namespacesWithoutProxies,
		},
		{
			ID: "ID13", Severity: finding.Info,
			Title: "Kiali knows whose control plane a remote has",
			What: "With controlPlane.mode remote, the root namespace of the cluster has the annotation topology.istio.io/controlPlaneClusters. " +
				"No file can tell, so this is a reminder.",
			Why:    "Without it Kiali's mesh page shows no control plane for the cluster.",
			Fix:    "Annotate the namespace with the command of the hint, as Istio's primary-remote installation does, and suppress ID13.",
			Source: "kiali istio/discovery.go; istio.io, Install Primary-Remote",
			mesh:   controlPlaneAnnotations,
		},
		{
			ID: "ID14", Severity: finding.Warning,
			Title: "every folder can be on every file system",
			What: "No topology, cluster, namespace or overlay is called con, prn, aux, nul, com0 to com9 or lpt0 to lpt9, with nor without " +
				"something after a dot.",
			Why: "The tree, or the folder of sealed links, has a folder of that name. Windows keeps these names for devices, so nobody " +
				"can check the repository out there.",
			Fix:    "Give it another name, in Istio too; or suppress ID14 if nobody works on Windows.",
			Source: "Microsoft, \"Naming Files, Paths, and Namespaces\"",
			mesh:   deviceNames,
		},
		{
			ID: "ID15", Severity: finding.Warning,
			Title: "applications are watched",
			What:  "The topology, or one of its clusters, names a namespace with applications.",
			Why: "Only the control plane's namespace is covered by itself. Each other one needs a PodMonitor, and without any the graph has no " +
				"application.",
			Fix:    "Add namespaces: [NAME], for all clusters or at each cluster.",
			Source: "docs/first-mesh.md; user workload monitoring ignores namespaceSelector",
			mesh:   noNamespaces,
		},
	}
}

func noNamespaces(m *mesh, f *found) {
	named := len(m.Spec.Namespaces) > 0
	for i := range m.Spec.Clusters {
		c := &m.Spec.Clusters[i]
		named = named || len(c.Namespaces)+len(c.Gateways)+len(c.Waypoints) > 0
	}
	if !named && len(m.monitors()) > 0 {
		f.on(m, m.At("spec"), "add namespaces: [NAME] with those of your applications",
			"no namespace of applications is named, so no application is scraped, and the graph stays empty")
	}
}

// device is the name of a device on Windows, also with an extension.
var device = regexp.MustCompile(`^(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)`)

func deviceNames(m *mesh, f *found) {
	const hint = "give it another name; or suppress ID14 if nobody works on Windows"
	visit := func(i int, what, name string, at place) {
		if !device.MatchString(name) {
			return
		}
		if i < 0 {
			f.on(m, m.atPlace(at), hint, "the %s %q gives a folder that Windows cannot have", what, name)
			return
		}
		f.cluster(m, i, m.atPlace(at), hint, "the %s %q gives a folder that Windows cannot have", what, name)
	}
	visit(-1, "name of the topology", m.Metadata.Name, place{fieldPath{"metadata", "name"}, -1})
	for i := range m.Spec.Clusters {
		visit(-1, "name of the cluster", m.Spec.Clusters[i].Name, place{fieldPath{"spec", "clusters", i, "name"}, -1})
		m.covered(i, func(namespace string, at place) { visit(i, "namespace", namespace, at) })
	}
	for i := range m.Spec.Overlays {
		visit(-1, "name of the overlay", m.Spec.Overlays[i].Name, place{fieldPath{"spec", "overlays", i, "name"}, -1})
	}
}

// names lists the clusters' names.
func (m *mesh) names() []string {
	names := make([]string, len(m.Spec.Clusters))
	for i := range m.Spec.Clusters {
		names[i] = m.Spec.Clusters[i].Name
	}
	return names
}

func clusterNamesElsewhere(m *mesh, f *found) {
	o := m.hubKiali()
	if o == nil {
		return
	}
	byHand := map[string]bool{} // with a Secret that somebody else makes
	listed, _ := o.value(spec("clustering.clusters")).([]any)
	for _, entry := range listed {
		name, _ := valueAt(entry, fieldPath{"name"}).(string)
		secret, _ := valueAt(entry, fieldPath{"secret_name"}).(string)
		byHand[name] = secret != ""
	}
	for name := range o.peers() {
		if _, listed := byHand[name]; listed {
			byHand[name] = true
		}
	}
	check := func(name any, path fieldPath) {
		text, ok := name.(string)
		if !ok || byHand[text] || slices.ContainsFunc(m.Spec.Clusters, func(c topology.Cluster) bool { return c.Name == text }) {
			return
		}
		names := m.names()
		hint := cmp.Or(finding.DidYouMean(text, names), "the clusters are "+strings.Join(names[:min(len(names), 10)], ", "))
		f.object(o, path, hint, "%s names the cluster %q, which the topology does not have", path[1:], finding.Shorten(text))
	}
	for _, list := range []struct{ field, key string }{{"clustering.clusters", "name"}, {"clustering.kiali_urls", "cluster_name"}} {
		entries, _ := o.value(spec(list.field)).([]any)
		for i := range entries {
			path := spec(list.field).below(i, list.key)
			check(o.value(path), path)
		}
	}
	if overrides, ok := o.value(spec("deployment.discovery_selectors.overrides")).(map[string]any); ok {
		for _, name := range sortedKeys(overrides) {
			check(name, spec("deployment.discovery_selectors.overrides").below(name))
		}
	}
}

// peers are the clusters that have a Kiali of their own, to which this one sends
// users by an address. It needs no Secret of such a cluster.
func (o *object) peers() map[string]bool {
	names := map[string]bool{}
	urls, _ := o.value(spec("clustering.kiali_urls")).([]any)
	for _, entry := range urls {
		if name, _ := valueAt(entry, fieldPath{"cluster_name"}).(string); name != "" {
			names[name] = true
		}
	}
	return names
}

func hubName(m *mesh, f *found) {
	o := m.hubKiali()
	if o == nil {
		return
	}
	if name := o.text("kubernetes_config.cluster_name"); name != m.of(o).Name {
		f.object(o, spec("kubernetes_config.cluster_name"), "leave kubernetes_config.cluster_name as it is rendered",
			"Kiali is told the name %q for its own cluster; expected %q, the name that Istio has", name, m.of(o).Name)
	}
}

func capitals(m *mesh, f *found) {
	for i := range m.Spec.Clusters {
		if name := m.Spec.Clusters[i].Name; strings.ToLower(name) != name {
			f.cluster(m, i, m.At("spec", "clusters", i, "name"), "if Istio has it in lower case, write it so; if Istio has the capitals too, "+
				"suppress ID10",
				"the name has capitals, which scripts and pipelines tend to lower")
		}
	}
}

func networks(m *mesh, f *found) {
	distinct := map[string]bool{}
	first := -1
	for i := range m.Spec.Clusters {
		if c := &m.Spec.Clusters[i]; c.InMesh() && c.Network != "" {
			distinct[c.Network] = true
			if first < 0 {
				first = i
			}
		}
	}
	if first < 0 {
		return
	}
	for i := range m.Spec.Clusters {
		switch c := &m.Spec.Clusters[i]; {
		case !c.InMesh():
		case c.Network == "":
			at := m.At("spec", "clusters", i)
			f.cluster(m, i, at, "add network, as Istio has it (values.global.network)",
				"network is missing, though other clusters have one; first at %s", m.At("spec", "clusters", first, "network").SeenFrom(at))
		case len(distinct) > 1 && len(c.Gateways) == 0 && !m.gatewayListed(i):
			f.cluster(m, i, m.At("spec", "clusters", i, "network"),
				"add gateways with the namespace of the east-west gateway; suppress ID11 if that is listed among namespaces, or is the control plane's",
				"there are %d networks, and no namespace of gateways is named; without a PodMonitor there the traffic between networks is not seen",
				len(distinct))
		}
	}
}

// gatewayListed tells whether one of the cluster's namespaces is, by its name,
// that of gateways.
func (m *mesh) gatewayListed(i int) bool {
	listed := false
	m.covered(i, func(ns string, _ place) {
		for _, word := range []string{"gateway", "ingress", "egress", "eastwest", "east-west"} {
			listed = listed || strings.Contains(ns, word)
		}
	})
	return listed
}

// store is what a topology asks for its series, and the server that it runs
// on where the store is the hub's own.
func (m *mesh) store() string {
	switch s := &m.Spec.Metrics; s.Store {
	case "thanos":
		return strings.TrimRight(s.Thanos.URL, "/")
	case "prometheus":
		if !strings.Contains(s.Prometheus.URL, ".svc") && strings.Count(s.Prometheus.URL, ".") > 1 {
			return strings.TrimRight(s.Prometheus.URL, "/")
		}
		return s.Prometheus.URL + " on " + m.server(m.hub)
	}
	return "thanos-querier on " + m.server(m.hub)
}

// server identifies the API server of a cluster, or is a text of its own where
// the topology does not give it.
func (m *mesh) server(i int) string {
	c := &m.Spec.Clusters[i]
	if c.Server == "" {
		if c.Domain != "" {
			return "domain " + c.Domain
		}
		return "cluster " + c.Name + " of " + m.Metadata.Name
	}
	return normalServer(c.Server)
}

// normalServer makes URLs of the same server equal texts.
func normalServer(server string) string {
	u, err := url.Parse(server)
	if err != nil {
		return server
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".") + ":" + port + strings.TrimRight(u.Path, "/")
}

func meshIDs(ms []*mesh, f *found) {
	for j, m := range ms {
		for _, other := range ms[:j] {
			if m.Spec.Mesh.ID != other.Spec.Mesh.ID || !maps.Equal(m.Spec.Metrics.Scope, other.Spec.Metrics.Scope) || m.store() != other.store() ||
				oneMesh(m, other) {
				continue
			}
			at := m.At("spec", "mesh", "id")
			f.on(m, at, "give each mesh an id of its own, in Istio too (values.global.meshID)",
				"the mesh id %q is also that of the topology %q (%s), and both ask the same store: each Kiali would show the traffic of both meshes",
				m.Spec.Mesh.ID, other.Metadata.Name, other.At("spec", "mesh", "id").SeenFrom(at))
		}
	}
}

// oneMesh tells whether two topologies are about one mesh: they share a cluster, and
// its control plane is in the same namespace. A cluster can have two.
func oneMesh(m, other *mesh) bool {
	return slices.ContainsFunc(sharedServers(m, other), func(pair [2]int) bool {
		return m.Spec.Clusters[pair[0]].ControlPlane.Namespace == other.Spec.Clusters[pair[1]].ControlPlane.Namespace
	})
}

// sharedServers lists pairs of clusters of two topologies that are the same
// server.
func sharedServers(m, other *mesh) [][2]int {
	byServer := map[string]int{}
	for j := range other.Spec.Clusters {
		byServer[other.server(j)] = j
		if d := other.Spec.Clusters[j].Domain; d != "" {
			byServer["domain "+d] = j
		}
	}
	var pairs [][2]int
	for i := range m.Spec.Clusters {
		j, ok := byServer[m.server(i)]
		if d := m.Spec.Clusters[i].Domain; !ok && d != "" {
			j, ok = byServer["domain "+d]
		}
		if ok {
			pairs = append(pairs, [2]int{i, j})
		}
	}
	return pairs
}

func namespacesWithoutProxies(m *mesh, f *found) {
	if len(m.Spec.Namespaces) == 0 {
		return
	}
	for i := range m.Spec.Clusters {
		if c := &m.Spec.Clusters[i]; c.ServesExternal() {
			f.cluster(m, i, m.KeyAt("spec", "namespaces"), "list them at the clusters that have the proxies; those of this cluster too, if it has "+
				"any",
				"its istiod is the external control plane of others, so no proxies run here, and the namespaces of the topology get no PodMonitor")
		}
	}
}

func controlPlaneAnnotations(m *mesh, f *found) {
	for i := range m.Spec.Clusters {
		c := &m.Spec.Clusters[i]
		if c.ControlPlane.Mode != "remote" {
			continue
		}
		primary := cmp.Or(c.ControlPlane.Primary, "NAME_OF_ITS_PRIMARY")
		f.cluster(m, i, m.At("spec", "clusters", i, "controlPlane", "mode"),
			command.Annotate(c.Name, c.ControlPlane.Namespace, "topology.istio.io/controlPlaneClusters", primary)+"; then suppress ID13",
			"Kiali shows its control plane only if the namespace %s has the annotation topology.istio.io/controlPlaneClusters",
			c.ControlPlane.Namespace)
	}
}
