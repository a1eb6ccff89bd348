package discover

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// build writes the facts into a document.
func (d *Draft) build() {
	m := d.mesh
	d.top.put("metadata.name", d.topologyName().value, d.topologyName().from)
	spec := d.top.child("spec")
	id := spec.at("mesh.id")
	if m.id.value != "" {
		id.value, id.note = m.id.value, m.id.from
	} else {
		spec.child("mesh").ask("what is the mesh's id? Write id: below mesh.",
			command.Kubectl("", d.defaults.Mesh.ControlPlaneNamespace, "get configmap istio -o yaml"))
	}
	if m.control.value != "" && m.control.value != d.defaults.Mesh.ControlPlaneNamespace {
		spec.put("mesh.controlPlaneNamespace", m.control.value, m.control.from)
	}
	if ambient := slices.IndexFunc(m.clusters, func(c *cluster) bool { return c.ztunnel != "" }); ambient >= 0 {
		c := m.clusters[ambient]
		spec.put("mesh.dataPlane", "ambient", "the DaemonSet of ztunnel in "+c.ztunnel+" of "+c.name.value)
	}
	d.readDelivery()
	d.kiali()
	d.metrics()
	d.tracing()
	d.telemetry()
	d.providers()
	shared := d.sharedNamespaces()
	if len(shared) > 0 {
		spec.put("namespaces", shared, "namespaces with proxies on every cluster of the mesh")
	}
	clusters := spec.child("clusters")
	clusters.items = true
	for _, c := range m.clusters {
		clusters.below = append(clusters.below, d.cluster(c, shared))
	}
	d.createdNamespaces(spec)
	d.needless(spec)
	d.dropDefaults(spec)
	d.unread()
	d.besides()
}

var notInLabels = regexp.MustCompile(`[^-a-z0-9]+`)

// topologyName is the name of the topology: the name that our objects have on the
// clusters, or else a name made from the mesh's id.
func (d *Draft) topologyName() said {
	if d.options.Name != "" {
		return said{d.options.Name, ""}
	}
	var names []string
	for _, c := range d.mesh.clusters {
		for _, o := range c.Objects {
			if isOurs(o) && label(o, labels.Name) != "mesh-observability" { // ACM's add-on may have copied it
				names = append(names, label(o, labels.PartOf))
			}
		}
	}
	if name := most(names); name != "" {
		return said{name, "the label app.kubernetes.io/part-of of the rendered objects"}
	}
	name := strings.Trim(notInLabels.ReplaceAllString(strings.ToLower(d.mesh.id.value), "-"), "-")
	return said{cmp.Or(name, "mesh"), "made from the mesh's id; every object gets it as a label, so choose it well"}
}

// wanted lists the namespaces of a cluster that need a monitor: namespaces with
// proxies, and namespaces that already have a monitor of ours.
func (d *Draft) wanted(c *cluster) map[string]string {
	all := maps.Clone(c.namespaces)
	for _, o := range c.of("PodMonitor") {
		ns := namespace(o)
		known := all[ns] + c.gateways[ns] + c.waypoints[ns]
		if name(o) != d.monitorName || ns == c.controlNS.value || ns == c.ztunnel || known != "" {
			continue
		}
		all[ns] = "PodMonitor " + d.monitorName
	}
	return all
}

// sharedNamespaces lists the namespaces that every cluster with proxies of the mesh
// has.
func (d *Draft) sharedNamespaces() []string {
	var shared []string
	first := true
	for _, c := range d.mesh.clusters {
		if c.mode.value == "none" || len(c.istiods) == 0 && len(c.foreign) > 0 {
			continue
		}
		own := sortedKeys(d.wanted(c))
		if first {
			shared, first = own, false
			continue
		}
		shared = slices.DeleteFunc(shared, func(ns string) bool { return !slices.Contains(own, ns) })
	}
	return shared
}

// createdNamespaces writes the namespaces that were rendered as objects.
func (d *Draft) createdNamespaces(spec *node) {
	var names []string
	for _, c := range d.mesh.clusters {
		for _, o := range c.of("Namespace") {
			if isOurs(o) && label(o, labels.Name) == "mesh-namespace" && !slices.Contains(names, name(o)) {
				names = append(names, name(o))
			}
		}
	}
	if len(names) > 0 {
		spec.put("createNamespaces", names, "Namespaces that were rendered")
	}
}

// cluster is an item of spec.clusters.
func (d *Draft) cluster(c *cluster, shared []string) *node {
	n := &node{}
	n.put("name", c.name.value, c.name.from)
	if n.above = append(n.above, "From "+c.From()+"."); c.name.from == "the name of "+c.From() && c.mode.value != "none" {
		n.ask("what does Istio call this cluster? Its istiod and the names of its proxies could not be read.",
			c.kubectl(command.Istiods+" -o yaml")+" # env CLUSTER_ID")
	}
	platform := n.put("platform", c.platform.value, c.platform.from)
	if c.Dumped && !c.openShift && !c.asked["clusterversions.config.openshift.io"] {
		platform.ask("is it OpenShift? The dump does not show it. Logins and monitoring depend on the answer.",
			c.kubectl("get clusterversions.config.openshift.io"))
	}
	d.server(c, n)
	usualManaged := c.name.value
	if d.top.has("spec.metrics.acm.hub") && c == d.acmHub() {
		usualManaged = topology.LocalCluster
	}
	if managed := d.managed(c); managed.value != "" && managed.value != usualManaged {
		n.put("managedCluster", managed.value, managed.from)
	}
	switch {
	case c.domain.value != "":
		n.put("domain", c.domain.value, c.domain.from)
	case c == d.mesh.hub && c.openShift:
		n.child("domain").ask("in which domain are the Routes of the hub? Write domain: apps.…",
			c.kubectl("get ingresses.config.openshift.io cluster -o jsonpath='{.spec.domain}'"))
	}
	if c.network.value != "" {
		n.put("network", c.network.value, c.network.from)
	}
	own := d.wanted(c)
	outside := c.mode.value == "none" || len(c.istiods) == 0 && len(c.foreign) > 0
	for _, ns := range shared {
		if !outside {
			delete(own, ns)
		}
	}
	for key, names := range map[string]map[string]string{"namespaces": own, "gateways": c.gateways, "waypoints": c.waypoints} {
		if len(names) > 0 {
			n.put(key, sortedKeys(names), why(names))
		}
	}
	usual := c.controlNS.value
	if c.openShift {
		usual = "ztunnel"
	}
	if c.ztunnel != "" && c.ztunnel != usual {
		n.put("ztunnelNamespace", c.ztunnel, "the DaemonSet of ztunnel")
	}
	d.controlPlane(c, n.child("controlPlane"))
	d.access(c, n)
	d.knownToArgoCD(c, n)
	d.reachedByFlux(c, n)
	d.clusterKiali(c, n)
	d.clusterMetrics(c, n)
	return n
}

// managed is the name of a cluster in ACM. ACM knows the URL of its API server.
func (d *Draft) managed(c *cluster) said {
	if own := d.inACM[c.name.value]; own != "" {
		return said{own, "the template of the ApplicationSet"}
	}
	for _, hub := range append(slices.Clone(d.mesh.clusters), d.mesh.outside...) {
		for _, o := range hub.of("ManagedCluster") {
			if hub == c && label(o, topology.LocalCluster) == "true" {
				return said{name(o), "ManagedCluster " + name(o) + " has the label " + topology.LocalCluster}
			}
			for _, config := range list(o, "spec", "managedClusterClientConfigs") {
				if url := text(config, "url"); url != "" && url == c.server.value {
					return said{name(o), "ManagedCluster " + name(o) + " of " + hub.name.value + " has its URL"}
				}
			}
		}
	}
	return said{}
}

// why says briefly why namespaces are listed.
func why(names map[string]string) string {
	var reasons []string
	for _, ns := range sortedKeys(names) {
		if !slices.Contains(reasons, names[ns]) {
			reasons = append(reasons, names[ns])
		}
	}
	return finding.List(reasons, 3)
}

// server writes the API server's URL, if others can reach it.
func (d *Draft) server(c *cluster, n *node) {
	const question = "under which URL do pods of the hub reach the API server? Write server: https://…"
	at := d.mesh.path(c, "name")
	problem := ServerProblem(c.server.value)
	switch {
	case c.server.value == "" && c == d.mesh.hub:
	case c.server.value == "":
		n.child("server").ask(question, c.kubectl("config view --minify -o jsonpath='{.clusters[0].cluster.server}'"))
		d.mesh.add(finding.Error, "AD05", at, topology.ServerHint, "the URL of the API server of %s is not known", c.name.value)
	case problem != "":
		n.child("server").ask(question+" "+c.server.from+" has a URL that only the cluster itself reaches.", "")
		severity := finding.Error
		if c == d.mesh.hub {
			severity = finding.Warning
		}
		d.mesh.add(severity, "AD05", at, topology.ServerHint, "the URL of the API server of %s, %q (%s), %s", c.name.value,
			finding.Shorten(c.server.value), c.server.from, problem)
	default:
		n.put("server", c.server.value, c.server.from)
	}
}

// ServerProblem says why others cannot reach an API server by a URL, in the form
// "must …". It returns "" if they can.
func ServerProblem(server string) string {
	if problem := topology.ServerProblem(server); problem != "" {
		return problem
	}
	host, _, _ := strings.Cut(strings.TrimPrefix(server, "https://"), "/")
	switch {
	case strings.HasPrefix(host, "api-int."):
		return "must not be an address of the cluster's own network (api-int)"
	case strings.HasSuffix(strings.Split(host, ":")[0], ".internal"), strings.Contains(host, ".svc"):
		return "must not be an address of the cluster's own network"
	}
	return ""
}

func (d *Draft) controlPlane(c *cluster, n *node) {
	if c.mode.value != "local" {
		n.put("mode", c.mode.value, c.mode.from)
	}
	if c.mode.value == "remote" && c.primary.value == "" {
		n.child("mode").ask("is the control plane's configuration on a primary (remote), or on this cluster (external)?",
			c.kubectl("get telemetries.telemetry.istio.io -A"))
	}
	if c.primary.value != "" {
		n.put("primary", c.primary.value, c.primary.from)
	}
	if c.controlNS.value != "" && c.controlNS.value != cmp.Or(d.mesh.control.value, d.defaults.Mesh.ControlPlaneNamespace) {
		n.put("namespace", c.controlNS.value, c.controlNS.from)
	}
	var revisions []string
	for _, i := range c.istiods {
		revisions = append(revisions, cmp.Or(i.revision, "default"))
	}
	slices.Sort(revisions)
	if len(revisions) > 1 || len(revisions) == 1 && c.scrapesRevisions() {
		n.put("revisions", slices.Compact(revisions), "the labels istio.io/rev of istiod"+c.tags())
	}
}

// scrapesRevisions tells whether our ServiceMonitor of istiod already distinguishes
// revisions.
func (c *cluster) scrapesRevisions() bool {
	return slices.ContainsFunc(c.of("ServiceMonitor"), func(o map[string]any) bool {
		return isOurs(o) && slices.Contains(list(o, "spec", "targetLabels"), any(labels.Revision))
	})
}

// tags names the revision tags of the cluster.
func (c *cluster) tags() string {
	var tags []string
	for _, o := range c.of("MutatingWebhookConfiguration") {
		if tag := label(o, labels.RevisionTag); tag != "" {
			tags = append(tags, tag+" leads to "+label(o, labels.Revision))
		}
	}
	if len(tags) == 0 {
		return ""
	}
	return "; the tag " + finding.List(slices.Compact(tags), 3)
}

// unread asks a question for each kind that could not be read.
func (d *Draft) unread() {
	spec := d.top.child("spec")
	for i, c := range d.mesh.clusters {
		n := spec.child("clusters").below[i]
		var kinds []string
		for _, u := range c.Unread {
			if u.Absent {
				continue
			}
			n.ask(fmt.Sprintf("%s could not be read (%s): %s.", u.Kind.Resource, u.Kind.For, u.Reason), c.kubectl(u.Kind.Command()))
			kinds = append(kinds, u.Kind.Resource)
		}
		slices.Sort(kinds)
		if kinds = slices.Compact(kinds); len(kinds) > 0 {
			d.mesh.add(finding.Warning, "AD11", d.mesh.path(c, "name"),
				"give the right to list them, or answer the questions above the cluster in the topology",
				"%s of %s could not be read", finding.List(kinds, 4), c.name.value)
		}
		if c.Dumped {
			d.undumped(c, n)
		}
	}
}

// needed are the kinds without which a dump is not enough.
var needed = []string{"Namespace", "Deployment", "ConfigMap", "Pod", "Kiali", "Telemetry", "PodMonitor"}

// undumped names kinds that are not in a dump. The cluster may have objects of these
// kinds.
func (d *Draft) undumped(c *cluster, n *node) {
	var kinds, commands []string
	for _, k := range Kinds() {
		if !slices.Contains(needed, k.Kind) || len(c.of(k.Kind)) > 0 || c.asked[k.Resource] || slices.Contains(kinds, k.Kind) {
			continue
		}
		if c.mode.value == "none" && k.Kind != "Kiali" {
			continue
		}
		kinds, commands = append(kinds, k.Kind), append(commands, k.Resource)
	}
	if len(kinds) > 0 {
		n.ask("the dump has no "+finding.OneOf(kinds)+". Are there any on the cluster?", c.kubectl("get "+strings.Join(commands, ",")+" -A"))
	}
}

// besides names other programs on the clusters that a topology can use.
func (d *Draft) besides() {
	spec := d.top.child("spec")
	say := func(format string, args ...any) { d.beside = append(d.beside, fmt.Sprintf(format, args...)) }
	for _, c := range d.mesh.outside {
		say("ACM runs on the cluster of %s, and nothing of the mesh, so it is no cluster of the topology.", c.From())
	}
	for _, c := range append(slices.Clone(d.mesh.clusters), d.mesh.outside...) {
		on := " on " + c.name.value
		if names := namesOf(c.of("ManagedCluster")); len(names) > 0 {
			say("ACM%s manages %s. Where a name differs from the cluster's here, Argo CD and policies use ACM's.", on, finding.List(names, 10))
		}
		if c.serves("ClusterSecretStore") && len(c.of("ClusterSecretStore")) > 0 {
			say("External Secrets has the stores %s%s.", finding.List(namesOf(c.of("ClusterSecretStore")), 5), on)
		}
		if c == d.mesh.hub && len(d.mesh.clusters) > 1 && !c.serves("SealedSecret") && !c.Dumped {
			say("Sealed Secrets is not installed%s. links.source: sealed, the default, needs its controller there.", on)
		}
	}
	d.engines(say)
	if len(d.beside) == 0 {
		return
	}
	d.beside = slices.Compact(d.beside)
	for _, line := range d.beside {
		spec.above = append(spec.above, "NOTE: "+line)
	}
}

func namesOf(objects []map[string]any) []string {
	var names []string
	for _, o := range objects {
		names = append(names, name(o))
	}
	return names
}
