package check

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// identityRules are about the name of a cluster, which is the same everywhere,
// and about the mesh id.
func identityRules() []Rule {
	return []Rule{
		{
			ID:    "ID01",
			Title: "cluster names are unique",
			What:  "No two clusters have the same name. Names that differ only in letter case are the same name.",
			Why: "The name is the key of the cluster's kubeconfig. If two clusters have one name, Kiali reads the first kubeconfig and " +
				"only logs a line about the second.",
			Fix:    "Give each cluster the name that its istiod has (CLUSTER_ID).",
			Source: "kiali kubernetes/cluster_secret.go",
		},
		{
			ID:    "ID02",
			Title: "a cluster name can be a key and a folder",
			What: "The name consists of letters, digits, '-', '_' and '.'. With links.format perCluster it is a DNS label of at most 63 " +
				"characters.",
			Why: "The name is a key of a Secret and a folder of the tree. With perCluster, the operator also gives this name to a volume of " +
				"Kiali's Deployment. The API server refuses a Deployment with an invalid volume name.",
			Fix:    "Rename the cluster (in Istio too), or use links.format: single.",
			Source: "kiali hack/istio/multicluster/kiali-prepare-remote-cluster.sh; kiali-operator roles/default/kiali-deploy/tasks/main.yml",
		},
		{
			ID:     "ID03",
			Title:  "no cluster has the name of a volume of Kiali",
			What:   "With links.format perCluster, no remote has the name of a volume that Kiali's Deployment always has.",
			Why:    "The Deployment would have two volumes with one name. The API server refuses such a Deployment.",
			Fix:    "Rename the cluster (in Istio too), or use links.format: single.",
			Source: "kiali-operator roles/default/kiali-deploy/templates/openshift/deployment.yaml",
		},
		{
			ID:     "ID04",
			Title:  "the hub is one of the clusters",
			What:   "spec.kiali.hub names one of spec.clusters.",
			Why:    "All other clusters are remotes, and their login callbacks lead to the hub.",
			Fix:    "Write the name exactly as in spec.clusters.",
			Source: "kiali kubernetes/client_factory.go",
		},
		{
			ID:    "ID05",
			Title: "Kiali knows a cluster by its Istio name",
			What: "spec.kiali.spec can name clusters in clustering.clusters, clustering.kiali_urls, " +
				"deployment.discovery_selectors.overrides and kubernetes_config.cluster_name. Each of these clusters is in the topology, or " +
				"its entry in clustering.clusters has a secret_name.",
			Why: "Series carry the name from Istio in source_cluster and destination_cluster. If Kiali has another name, the graph ends " +
				"with \"cluster [x] is not found or is not accessible\".",
			Fix:    "Write the name exactly as in spec.clusters.",
			Source: "kiali/kiali issues 7672, 7305, 7806, 7416",
			mesh:   clusterNamesElsewhere,
		},
		{
			ID:    "ID06",
			Title: "only the hub can be outside the mesh",
			What: "controlPlane.mode none is for a hub that only runs Kiali. The hub's Kiali release line is v2.17 or later. " +
				"clustering.ignore_home_cluster follows from the mode.",
			Why: "Release lines before v2.17 cannot ignore the home cluster. Later lines stop at startup if they are to ignore it and do " +
				"not know its name.",
			Fix:    "For remotes choose local, remote or external. For the hub choose a later release line.",
			Source: "kiali config/istio/util.go",
		},
		{
			ID: "ID07", Severity: finding.Warning,
			Title: "the hub's Kiali has the name of its cluster",
			What:  "The hub's Kiali resource sets kubernetes_config.cluster_name to the name of the hub.",
			Why: "Without this field, Kiali asks the istiod on its own cluster. If there is no istiod, Kiali uses the name Kubernetes. Then " +
				"half of the graph belongs to an unknown cluster.",
			Fix:    "Keep the field as rendered.",
			Source: "kiali config/istio/util.go, kubernetes/istio.go",
			mesh:   hubName,
		},
		{
			ID: "ID08", Severity: finding.Warning,
			Title: "ACM knows a cluster by its Istio name",
			What: "With the store acm, each cluster of the mesh and its ManagedCluster (clusters[].managedCluster) have the same name. ACM " +
				"calls its own cluster local-cluster.",
			Why: "ACM puts the name of the ManagedCluster on every series, as the label cluster. Istio puts its own name into " +
				"source_cluster and destination_cluster. If the names differ, Kiali does not find what it asks for by cluster, such as health " +
				"and the control plane.",
			Fix: "Give both the same name. The name of ACM's own cluster is set at its installation (spec.localClusterName of " +
				"MultiClusterHub). Write this name in managedCluster.",
			Source: "stolostron/multicluster-observability-addon internal/metrics/handlers/handler.go; MultiClusterHub, spec.localClusterName",
			mesh:   managedClusters,
		},
		{
			ID:    "ID09",
			Title: "two meshes on one store have different ids",
			What: "Topologies that are given together and read the same store have different mesh ids. Two topologies that share a cluster " +
				"with one control plane are one mesh, and may have one id.",
			Why:    "Only the id keeps the series of two meshes apart. With one id, each Kiali shows the traffic of both meshes.",
			Fix:    "Give each mesh a different id, in Istio (values.global.meshID) and in the topology.",
			Source: "kiali graph/util.go (query_scope)",
			meshes: meshIDs,
		},
		{
			ID: "ID10", Severity: finding.Warning,
			Title: "cluster names are in lower case",
			What:  "A cluster name has no capital letters.",
			Why: "Kiali's script and many pipelines convert the name to lower case. Kiali treats names that differ in letter case as " +
				"different clusters.",
			Fix:    "Rename the cluster (in Istio too) while this is still cheap. If Istio has the name in capitals, suppress the rule.",
			Source: "kiali hack/istio/multicluster/kiali-prepare-remote-cluster.sh",
			mesh:   capitals,
		},
		{
			ID: "ID11", Severity: finding.Warning,
			Title: "networks and their gateways are named",
			What: "If one cluster of the mesh has a network, all clusters have one. With two or more networks, each cluster names the " +
				"namespaces of its gateways.",
			Why: "Traffic between networks passes east-west gateways. A namespace that is not listed gets no PodMonitor. The graph then " +
				"lacks the traffic through its gateway.",
			Fix:    "Add network to the other clusters. Add gateways: [istio-gateways] (the namespace) where no listed namespace has the gateway.",
			Source: "Istio multi-cluster installation, \"multi-primary on different networks\"",
			mesh:   networks,
		},
		{
			ID: "ID12", Severity: finding.Info,
			Title: "namespaces are listed where proxies run",
			What:  "If spec.namespaces lists namespaces, no cluster hosts the external control plane of another cluster.",
			Why: "An istiod that is an external control plane has its configuration on another cluster and serves the proxies there. The " +
				"namespaces of its own cluster have no proxies, so they get no PodMonitor.",
			Fix:    "List the namespaces at the clusters that have the proxies. If this cluster has proxies too, list their namespaces here.",
			Source: "istio.io, Install Istio with an External Control Plane",
			mesh:   namespacesWithoutProxies,
		},
		{
			ID: "ID13", Severity: finding.Info,
			Title: "Kiali knows the control plane of a remote",
			What: "With controlPlane.mode remote, the root namespace of the cluster needs the annotation " +
				"topology.istio.io/controlPlaneClusters. No file can show whether the annotation is there, so this is a reminder.",
			Why:    "Without the annotation, Kiali's mesh page shows no control plane for the cluster.",
			Fix:    "Annotate the namespace with the command in the hint, as in Istio's primary-remote installation. Then suppress ID13.",
			Source: "kiali istio/discovery.go; istio.io, Install Primary-Remote",
			mesh:   controlPlaneAnnotations,
		},
		{
			ID: "ID14", Severity: finding.Warning,
			Title: "every file system can hold every folder",
			What: "No topology, cluster, namespace or overlay is called con, prn, aux, nul, com0 to com9 or lpt0 to lpt9, with or without " +
				"an extension after a dot.",
			Why: "The tree, or the folder of sealed links, has a folder with this name. Windows reserves these names for devices, so nobody " +
				"can check out the repository on Windows.",
			Fix:    "Choose another name (in Istio too). If nobody works on Windows, suppress ID14.",
			Source: "Microsoft, \"Naming Files, Paths, and Namespaces\"",
			mesh:   deviceNames,
		},
		{
			ID: "ID15", Severity: finding.Warning,
			Title: "the topology names the namespaces of applications",
			What:  "The topology, or one of its clusters, names at least one namespace with applications.",
			Why: "Only the namespace of the control plane is covered by default. Every other namespace needs a PodMonitor. Without a " +
				"namespace, the graph shows no application.",
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
		f.on(m, m.At("spec"), "add namespaces: [NAME] with the namespaces of your applications",
			"no namespace with applications is named; no application is scraped, and the graph stays empty")
	}
}

// isDevice tells whether a name is the name of a device on Windows, also with an extension.
func isDevice(name string) bool {
	name, _, _ = strings.Cut(name, ".")
	switch len(name) {
	case len("con"):
		return slices.Contains([]string{"con", "prn", "aux", "nul"}, strings.ToLower(name))
	case len("com1"):
		port := strings.ToLower(name[:3])
		return (port == "com" || port == "lpt") && '0' <= name[3] && name[3] <= '9'
	}
	return false
}

func deviceNames(m *mesh, f *found) {
	const hint = "choose another name; if nobody works on Windows, suppress ID14"
	visit := func(i int, what, name string, at place) {
		if !isDevice(name) {
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
	byHand := map[string]bool{} // the entry names a Secret that somebody else creates
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
		f.object(o, spec("kubernetes_config.cluster_name"), "leave kubernetes_config.cluster_name as rendered",
			"Kiali gets the name %q for its own cluster; expected %q, the name in Istio", name, m.of(o).Name)
	}
}

func capitals(m *mesh, f *found) {
	for i := range m.Spec.Clusters {
		if name := m.Spec.Clusters[i].Name; strings.ToLower(name) != name {
			f.cluster(m, i, m.At("spec", "clusters", i, "name"), "if Istio has the name in lower case, write it in lower case; if Istio has "+
				"the capitals too, suppress ID10",
				"the name has capitals; scripts and pipelines often convert names to lower case")
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
			f.cluster(m, i, at, "add network with the value that Istio has (values.global.network)",
				"network is missing, but other clusters have one; first at %s", m.At("spec", "clusters", first, "network").SeenFrom(at))
		case len(distinct) > 1 && len(c.Gateways) == 0 && !m.gatewayListed(i):
			f.cluster(m, i, m.At("spec", "clusters", i, "network"),
				"add gateways with the namespace of the east-west gateway; suppress ID11 if namespaces lists it already, or if it is the "+
					"control plane's",
				"there are %d networks, but no namespace of gateways is named; without a PodMonitor there, the graph lacks the traffic between "+
					"networks",
				len(distinct))
		}
	}
}

// gatewayListed tells whether the name of one of the cluster's namespaces looks
// like a namespace of gateways.
func (m *mesh) gatewayListed(i int) bool {
	listed := false
	m.covered(i, func(ns string, _ place) {
		for _, word := range []string{"gateway", "ingress", "egress", "eastwest", "east-west"} {
			listed = listed || strings.Contains(ns, word)
		}
	})
	return listed
}

// store identifies the store that Kiali reads. A store on the hub is identified
// with the hub's API server.
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

// server identifies the API server of a cluster. If the topology has no server,
// the result is unique to the cluster.
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

// normalServer makes two URLs of the same server equal strings.
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
			f.on(m, at, "give each mesh a different id, in Istio too (values.global.meshID)",
				"the topology %q has the mesh id %q too (%s), and both read the same store; each Kiali would show the traffic of both meshes",
				other.Metadata.Name, m.Spec.Mesh.ID, other.At("spec", "mesh", "id").SeenFrom(at))
		}
	}
}

// oneMesh tells whether two topologies describe one mesh: they share a cluster, and
// both name the same namespace of its control plane. A cluster can have two control
// planes.
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
			f.cluster(m, i, m.KeyAt("spec", "namespaces"), "list the namespaces at the clusters that have the proxies; if this cluster has "+
				"proxies too, list their namespaces here",
				"its istiod is the external control plane of other clusters; no proxies run here, so spec.namespaces get no PodMonitor here")
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
