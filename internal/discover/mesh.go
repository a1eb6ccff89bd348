package discover

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Options are the user's settings.
type Options struct {
	Name string // of the topology; "": from what is on the clusters
	Hub  string // the name of a cluster or of its snapshot; "": the cluster with a Kiali server
}

// NoHub is the error if no cluster, or more than one, has a Kiali server.
type NoHub struct {
	Servers []string // clusters with a server
	Names   []string // all clusters
	Wanted  string   // the hub that the user named; it is no cluster
}

func (e *NoHub) Error() string {
	switch {
	case e.Wanted != "":
		return fmt.Sprintf("the hub %q is not one of the clusters", finding.Shorten(e.Wanted))
	case len(e.Servers) > 1:
		return fmt.Sprintf("%s have a Kiali server each; which one is the hub?", finding.List(e.Servers, 5))
	}
	return "no cluster has a Kiali server; which cluster should be the hub?"
}

// Hint says what to do about it.
func (e *NoHub) Hint() string {
	return "name it with --hub; the clusters are " + finding.List(e.Names, 10)
}

// mesh is what is known about all clusters together.
type mesh struct {
	clusters []*cluster
	outside  []*cluster // clusters on which ACM runs, outside the mesh
	hub      *cluster
	id       said
	control  said // the namespace of istiod
	found    []raw
}

// raw is a finding about a path in the topology that is not written yet.
type raw struct {
	path     []any
	rule     string
	severity finding.Severity
	message  string
	hint     string
}

func (m *mesh) add(severity finding.Severity, rule string, path []any, hint, format string, args ...any) {
	m.found = append(m.found, raw{path, rule, severity, finding.Visible(fmt.Sprintf(format, args...)), hint})
}

// path is the path of a key of a cluster in the topology.
func (m *mesh) path(c *cluster, keys ...any) []any {
	return append([]any{"spec", "clusters", slices.Index(m.clusters, c)}, keys...)
}

// read makes a mesh from snapshots.
func read(snapshots []*Snapshot, o Options) (*mesh, error) {
	m := &mesh{}
	for _, s := range snapshots {
		m.clusters = append(m.clusters, look(s))
	}
	m.names()
	slices.SortStableFunc(m.clusters, func(a, b *cluster) int { return strings.Compare(a.name.value, b.name.value) })
	if err := m.chooseHub(o.Hub); err != nil {
		return nil, err
	}
	// The hub comes first, as readers expect it.
	slices.SortStableFunc(m.clusters, func(a, b *cluster) int { return cmp.Compare(rank(a == m.hub), rank(b == m.hub)) })
	m.controlPlanes()
	m.modes()
	m.leaveOut()
	m.meshID()
	m.checkNames()
	return m, nil
}

func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}

// names finds the name that Istio gives each cluster. If an istiod has the name of a
// cluster without istiod, it serves that cluster from outside.
func (m *mesh) names() {
	known := map[string]*cluster{}
	for _, c := range m.clusters {
		if c.proxy.cluster != "" {
			c.name = said{c.proxy.cluster, "ISTIO_META_CLUSTER_ID of " + c.proxy.from}
			known[c.proxy.cluster] = c
		}
	}
	for _, c := range m.clusters {
		var own []istiod
		for _, i := range c.istiods {
			if other := known[i.clusterID]; other != nil && other != c && !slices.ContainsFunc(other.istiods,
				func(j istiod) bool { return j.clusterID == i.clusterID }) {
				c.foreign = append(c.foreign, i)
				continue
			}
			own = append(own, i)
		}
		c.istiods = own
		if len(own) > 0 && c.name.value == "" {
			i := own[0]
			c.name = said{cmp.Or(i.clusterID, topology.UnnamedCluster), "CLUSTER_ID of Deployment " + i.namespace + "/" + i.name}
			if i.clusterID == "" {
				c.name.from = "Deployment " + i.namespace + "/" + i.name + " has no CLUSTER_ID, and this is Istio's default"
			}
		}
	}
	for _, c := range m.clusters {
		c.name = either(c.name, c.nameInKiali(), said{c.Given, "the name given with --context"}, said{c.Label, "the name of " + c.From()})
	}
}

// nameInKiali is the name with which Kiali knows the cluster. For the hub, it is the
// name of Kiali's home cluster. For a remote, it is the last part of its login
// callback.
func (c *cluster) nameInKiali() said {
	if c.kiali == nil {
		return said{}
	}
	if name := text(c.kiali, "spec", "kubernetes_config", "cluster_name"); name != "" {
		return said{name, "Kiali " + place(c.kiali) + ", kubernetes_config.cluster_name"}
	}
	for _, uri := range list(c.kiali, "spec", "auth", "openshift", "redirect_uris") {
		s, _ := uri.(string)
		if _, name, ok := strings.Cut(s, "/api/auth/callback/"); ok && name != "" {
			return said{name, "Kiali " + place(c.kiali) + ", auth.openshift.redirect_uris"}
		}
	}
	return said{}
}

// called tells whether a word names the cluster.
func (c *cluster) called(word string) bool {
	return word == c.name.value || word == c.Given || word == c.Label
}

func (m *mesh) chooseHub(wanted string) error {
	e := &NoHub{Wanted: wanted}
	var servers []*cluster
	for _, c := range m.clusters {
		e.Names = append(e.Names, c.name.value)
		if wanted != "" && c.called(wanted) {
			m.hub = c
		}
		if isServer(c.kiali) {
			servers = append(servers, c)
			e.Servers = append(e.Servers, c.name.value)
		}
	}
	switch {
	case m.hub != nil:
	case wanted != "":
		return e
	case len(m.clusters) == 1:
		m.hub = m.clusters[0]
	case len(servers) == 1:
		m.hub = servers[0]
	default:
		return e
	}
	return nil
}

// controlPlanes finds the namespace of istiod.
func (m *mesh) controlPlanes() {
	var all []string
	for _, c := range m.clusters {
		for _, i := range append(slices.Clone(c.istiods), c.foreign...) {
			all = append(all, i.namespace)
		}
	}
	if common := most(all); common != "" {
		m.control = said{common, "the namespace of istiod"}
	}
	for _, c := range m.clusters {
		spaces := map[string]bool{}
		for _, i := range c.istiods {
			spaces[i.namespace] = true
		}
		if len(spaces) > 1 {
			m.add(finding.Error, "AD04", m.path(c, "name"), "leave the control plane of the other mesh out of a dump; each mesh has a "+
				"topology of its own",
				"%s has istiods in the namespaces %s, and a topology is about one control plane of a "+
					"cluster", c.name.value, strings.Join(sortedKeys(spaces), ", "))
		}
		switch {
		case spaces[m.control.value]:
			c.controlNS = m.control
			c.istiods = slices.DeleteFunc(c.istiods, func(i istiod) bool { return i.namespace != m.control.value })
		case len(c.istiods) > 0:
			c.controlNS = said{c.istiods[0].namespace, "the namespace of istiod"}
		case len(c.foreign) > 0:
			c.controlNS = said{c.foreign[0].namespace, "the namespace of istiod"}
		default:
			c.controlNS = c.rootNamespace(cmp.Or(m.servedFrom(c), m.control.value, topology.Defaults().Mesh.ControlPlaneNamespace))
		}
	}
}

// rootNamespace is the root namespace of a cluster without istiod: the namespace with
// Istio's marks, or with the mesh-wide Telemetry of a topology.
func (c *cluster) rootNamespace(common string) said {
	for _, key := range []string{controlPlaneClusters, networkLabel} {
		for _, o := range c.of("Namespace") {
			if annotation(o, key) != "" || label(o, key) != "" {
				return said{name(o), "the mark " + key + " of the namespace"}
			}
		}
	}
	for _, o := range c.of("Telemetry") {
		if isOurs(o) {
			return said{namespace(o), "Telemetry " + place(o)}
		}
	}
	return said{common, ""}
}

// The marks that Istio requires on the namespace of a control plane (istio.io,
// Install Primary-Remote, Install Multi-Primary on different networks).
const (
	controlPlaneClusters = "topology.istio.io/controlPlaneClusters"
	networkLabel         = labels.Network
)

// modes finds where the istiod of each cluster is, and its network.
func (m *mesh) modes() {
	for _, c := range m.clusters {
		root := c.named("Namespace", "", c.controlNS.value)
		c.network = either(said{label(root, networkLabel), "the label of Namespace " + c.controlNS.value}, said{c.proxy.network, c.proxy.from})
		for _, i := range c.istiods {
			c.network = either(c.network, i.network)
		}
		for _, ns := range []map[string]string{c.namespaces, c.gateways, c.waypoints} {
			delete(ns, c.controlNS.value) // it is scraped in any case
			if c.ztunnel != "" {
				delete(ns, c.ztunnel)
			}
		}
		switch primary := m.serving(c); {
		case len(c.istiods) > 0:
			c.mode = said{"local", ""}
		case len(c.foreign) > 0 && !c.inMesh():
			c.mode = said{"local", ""}
		case primary != nil:
			c.mode = said{"external", "Deployment " + primary.foreignFor(c) + " on " + primary.name.value + " has its CLUSTER_ID"}
			c.primary = said{primary.name.value, ""}
		case annotation(root, controlPlaneClusters) != "":
			from := "the annotation " + controlPlaneClusters + " of Namespace " + c.controlNS.value
			c.mode = said{"remote", from}
			for word := range strings.SplitSeq(annotation(root, controlPlaneClusters), ",") {
				if i := slices.IndexFunc(m.clusters, func(o *cluster) bool {
					return o.name.value == strings.TrimSpace(word) &&
						o != c
				}); i >= 0 && c.primary.value == "" {
					c.primary = said{m.clusters[i].name.value, from}
				}
			}
		case slices.ContainsFunc(c.of("Telemetry"), isOurs):
			c.mode = said{"external", "there is no istiod, and its configuration is here: Telemetry " + place(c.of("Telemetry")[0])}
		case c.inMesh() && !c.unseen() || c.ztunnel != "":
			c.mode = said{"remote", "there are proxies, and no istiod"}
		case c.unseen() && (c.inMesh() || len(c.of("PodMonitor"))+len(c.of("Telemetry")) > 0):
			c.mode = said{"local", ""} // and asks a question
		default:
			c.mode = said{"none", "there is no istiod, and no proxy"}
		}
	}
}

// leaveOut takes out clusters on which ACM runs, but nothing of the mesh and no
// Kiali. Their facts about ACM are still read.
func (m *mesh) leaveOut() {
	apart := func(c *cluster) bool {
		return c != m.hub && c.mode.value == "none" && c.kiali == nil && len(c.of("MultiClusterHub"))+len(c.of("ManagedCluster")) > 0
	}
	for _, c := range m.clusters {
		if apart(c) {
			m.outside = append(m.outside, c)
		}
	}
	m.clusters = slices.DeleteFunc(m.clusters, apart)
}

// unseen tells whether the snapshot would show neither an istiod nor a proxy of the
// cluster.
func (c *cluster) unseen() bool {
	if c.Dumped {
		return len(c.of("Deployment"))+len(c.of("Pod")) == 0 && !c.asked["deployments"]
	}
	return slices.ContainsFunc(c.Unread, func(u Unread) bool { return u.Kind.Kind == "Deployment" && !u.Absent })
}

// serving is the cluster whose istiod serves another from outside, or nil.
func (m *mesh) serving(c *cluster) *cluster {
	for _, other := range m.clusters {
		if other != c && other.foreignFor(c) != "" {
			return other
		}
	}
	return nil
}

// servedFrom is the namespace of an istiod on another cluster that serves this one.
// It is also the default namespace of the configuration here (istio.io, Install Istio
// with an External Control Plane).
func (m *mesh) servedFrom(c *cluster) string {
	for _, other := range m.clusters {
		for _, i := range other.foreign {
			if i.clusterID == c.name.value {
				return i.namespace
			}
		}
	}
	return ""
}

// foreignFor names the istiod that serves another cluster.
func (c *cluster) foreignFor(other *cluster) string {
	for _, i := range c.foreign {
		if i.clusterID == other.name.value {
			return i.namespace + "/" + i.name
		}
	}
	return ""
}

// meshID finds the mesh's id: from Istio's configuration, or else from proxies, or
// else from the label that the monitors write on series.
func (m *mesh) meshID() {
	ids := map[string][]string{} // clusters by id
	from := map[string]string{}
	for _, c := range m.clusters {
		var id said
		for _, i := range append(slices.Clone(c.istiods), c.foreign...) {
			id = either(id, i.meshID)
		}
		id = either(id, said{c.proxy.mesh, "ISTIO_META_MESH_ID of " + c.proxy.from})
		if id.value != "" {
			ids[id.value] = append(ids[id.value], c.name.value)
			if from[id.value] == "" {
				from[id.value] = id.from
			}
		}
	}
	switch known := sortedKeys(ids); len(known) {
	case 1:
		m.id = said{known[0], from[known[0]]}
	case 0:
		m.id = either(m.scrapedID(), m.askedID(), m.trustDomain())
	default:
		var says []string
		for _, id := range known {
			says = append(says, fmt.Sprintf("%q on %s (%s)", id, finding.List(ids[id], 5), from[id]))
		}
		m.add(finding.Error, "AD02", []any{"spec", "mesh"},
			"run init once for each mesh; or install Istio with one values.global.meshID on all clusters, and run init again",
			"Istio has more than one mesh id: %s", strings.Join(says, "; "))
	}
	if scraped := m.scrapedID(); m.id.value != "" && scraped.value != "" && scraped.value != m.id.value {
		m.add(finding.Warning, "AD02", []any{"spec", "mesh", "id"},
			"the rendered monitors write the topology's id; Kiali shows no older series then. Write the monitors' id here to keep them",
			"Istio calls the mesh %q (%s), and the monitors write mesh_id %q on series (%s)", m.id.value, m.id.from, scraped.value, scraped.from)
	}
}

// scrapedID is the mesh_id that the monitors of proxies write on series.
func (m *mesh) scrapedID() said {
	for _, c := range m.clusters {
		for _, kind := range []string{"PodMonitor", "ServiceMonitor"} {
			for _, o := range c.of(kind) {
				if id := replacement(o, "mesh_id"); id != "" {
					return said{id, kind + " " + place(o) + " of " + c.name.value}
				}
			}
		}
	}
	return said{}
}

// askedID is the mesh_id of the series that Kiali queries.
func (m *mesh) askedID() said {
	if id := text(m.hub.kiali, "spec", "external_services", "prometheus", "query_scope", "mesh_id"); id != "" {
		return said{id, kialiFrom(m.hub, "external_services.prometheus.query_scope")}
	}
	return said{}
}

// trustDomain is the mesh's id in Istio if no id is set (istio
// manifests/charts/istio-control/istio-discovery/files/injection-template.yaml).
func (m *mesh) trustDomain() said {
	for _, c := range m.clusters {
		for _, i := range c.istiods {
			return said{cmp.Or(i.trustDomain, defaultDomain), "Istio has no meshID, and takes its trust domain"}
		}
	}
	return said{}
}

// checkNames finds names that contradict each other.
func (m *mesh) checkNames() {
	first := map[string]*cluster{}
	for _, c := range m.clusters {
		at := m.path(c, "name")
		key := strings.ToLower(c.name.value)
		if other := first[key]; other != nil {
			m.add(finding.Error, "AD03", at, "install Istio with another values.global.multiCluster.clusterName on one of them, and run init again",
				"%s and %s have the same name in Istio, %q (%s)", other.From(), c.From(), c.name.value, c.name.from)
		} else {
			first[key] = c
		}
		if c.Given != "" && c.Given != c.name.value && len(c.istiods) > 0 {
			m.add(finding.Error, "AD01", at, fmt.Sprintf("write --context %s=%s; or install Istio with "+
				"values.global.multiCluster.clusterName: %s, and run init again", c.name.value, c.Label, c.Given),
				"the name given for %s is %q, and Istio calls the cluster %q (%s)", c.From(), c.Given, c.name.value, c.name.from)
		}
		for _, i := range c.istiods {
			if id := cmp.Or(i.clusterID, topology.UnnamedCluster); id != c.name.value {
				m.add(finding.Error, "AD01", at, "restart the pods that run with the old name, or install istiod with the name of its proxies",
					"Deployment %s/%s has CLUSTER_ID %q, and %s is %q", i.namespace, i.name, id, c.name.from, c.name.value)
			}
		}
	}
	if !slices.ContainsFunc(m.clusters, func(c *cluster) bool { return len(c.istiods)+len(c.foreign) > 0 }) {
		m.add(finding.Warning, "AD04", []any{"spec", "mesh"},
			"check that you may read the Deployments of istiod, and that they are among the dumps: "+command.Kubectl("", "", command.Istiods),
			"no istiod was found on any cluster; names and the mesh's id are not from Istio")
	}
}
