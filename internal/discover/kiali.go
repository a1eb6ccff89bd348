package discover

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// kialiFrom says where a field of a Kiali resource was read.
func kialiFrom(c *cluster, field string) string {
	return "Kiali " + place(c.kiali) + " of " + c.name.value + ", " + field
}

// kiali writes spec.kiali.
func (d *Draft) kiali() {
	m := d.mesh
	spec := d.top.child("spec").child("kiali")
	why := "the only cluster"
	switch {
	case d.options.Hub != "":
		why = "given with --hub"
	case isServer(m.hub.kiali):
		why = "Kiali " + place(m.hub.kiali) + " there runs a server"
	}
	spec.put("hub", m.hub.name.value, why)
	d.instance = "kiali"
	if k := d.anyKiali(); k.kiali != nil {
		if ns := namespace(k.kiali); ns != cmp.Or(m.control.value, "istio-system") {
			spec.put("namespace", ns, "the namespace of Kiali "+place(k.kiali)+" of "+k.name.value)
		}
		if instance := text(k.kiali, "spec", "deployment", "instance_name"); instance != "" && instance != "kiali" {
			spec.put("instanceName", instance, kialiFrom(k, "deployment.instance_name"))
			d.instance = instance
		}
		d.kialiNS = namespace(k.kiali)
	} else {
		d.kialiNS = cmp.Or(m.control.value, "istio-system")
	}
	d.versions(spec)
	if hub := m.hub; hub.kiali != nil {
		if viewOnly, _ := at(hub.kiali, "spec", "deployment", "view_only_mode").(bool); viewOnly {
			spec.put("viewOnly", true, kialiFrom(hub, "deployment.view_only_mode"))
		}
		d.ca(spec)
	}
	d.strategy(spec)
	d.links(spec)
	d.operator(spec.child("operator"))
	d.sameKialis()
}

// anyKiali is the hub, or a cluster with a Kiali resource where the hub has none.
func (d *Draft) anyKiali() *cluster {
	for _, c := range d.mesh.clusters {
		if c.kiali != nil {
			return c
		}
	}
	return d.mesh.hub
}

// versions writes the release line: that of the hub, and those of clusters that
// have another.
func (d *Draft) versions(spec *node) {
	own := map[*cluster]string{}
	for _, c := range d.mesh.clusters {
		if c.kiali == nil {
			continue
		}
		version := cmp.Or(text(c.kiali, "spec", "version"), "default")
		if _, ok := kiali.ParseLine(version); !ok {
			d.mesh.add(finding.Warning, "AD13", d.mesh.path(c, "name"), "the lines are "+strings.Join(kiali.LineNames(), ", "),
				"Kiali %s of %s has the version %q, which is no release line that Sightline knows; default stands in the topology", place(
					c.kiali), c.name.value, finding.Shorten(version))
			version = "default"
		}
		own[c] = version
	}
	common := own[d.mesh.hub]
	if common == "" {
		common = "default"
	}
	if common != "default" {
		spec.put("version", common, kialiFrom(d.mesh.hub, "version"))
	}
	d.version = map[*cluster]string{}
	for c, version := range own {
		if version != common {
			d.version[c] = version
		}
	}
}

// ca writes the CAs that a topology has rendered for the hub.
func (d *Draft) ca(spec *node) {
	for _, o := range d.mesh.hub.of("ConfigMap") {
		if ca := text(o, "data", kiali.CABundleKey); isOurs(o) && ca != "" {
			spec.put("ca", ca, "ConfigMap "+place(o))
		}
	}
}

func (d *Draft) strategy(spec *node) {
	hub := d.mesh.hub
	strategy := text(hub.kiali, "spec", "auth", "strategy")
	several := len(d.mesh.clusters) > 1
	if strategy != "" && !(hub.openShift && strategy == "openshift") {
		spec.put("auth.strategy", strategy, kialiFrom(hub, "auth.strategy"))
		if settings := object(hub.kiali, "spec", "auth", strategy); len(settings) > 0 { // without which a topology is not read
			spec.put("spec", map[string]any{"auth": map[string]any{strategy: settings}}, kialiFrom(hub, "auth."+strategy))
		}
		return
	}
	if strategy == "" && !hub.openShift && several {
		spec.child("auth").ask("how do users log in? Write auth: {strategy: openid}, or anonymous where everybody may see everything.", "")
		d.mesh.add(finding.Error, "AD13", []any{"spec", "kiali"},
			"write auth: {strategy: openid}, or anonymous where everybody may see everything",
			"no cluster tells how users log in to Kiali; its default on Kubernetes, token, knows one cluster only")
	}
}

// links says how the hub reaches the remotes now. The links themselves are
// never read.
func (d *Draft) links(spec *node) {
	hub := d.mesh.hub
	if len(d.mesh.clusters) < 2 {
		return
	}
	var single, each []string
	for _, s := range hub.of("Secret") {
		switch {
		case name(s) == kiali.SingleSecret || label(s, kiali.SingleSecretLabel) != "":
			single = append(single, place(s))
		case label(s, kiali.RemoteSecretLabel) != "":
			each = append(each, place(s))
			d.linkName(s)
		}
	}
	var sealed, sealedSingle []string
	for _, o := range hub.of("SealedSecret") {
		if kiali.IsLinkSecret(name(o)) {
			sealed = append(sealed, place(o))
		}
		if name(o) == kiali.SingleSecret {
			sealedSingle = append(sealedSingle, place(o))
		}
	}
	line, _ := kiali.ParseLine(cmp.Or(text(hub.kiali, "spec", "version"), "default"))
	usual := "single"
	if line.Before(kiali.V2_11) {
		usual = "perCluster"
	}
	switch {
	case len(single)+len(each)+len(sealed) == 0:
		if hub.Dumped {
			spec.child("links").above = append(spec.child("links").above,
				"NOTE: a dump has no Secrets. If the hub reaches its remotes already, write links: {source: external}, or have sightline seal make "+
					"the links.")
		}
	case len(sealed) > 0:
		if format := formatOf(sealedSingle); format != usual {
			spec.put("links.format", format, "SealedSecrets of the hub")
		}
		spec.child("links").above = append(spec.child("links").above,
			"NOTE: the sealed links are in sealed/ beside the topology that they were sealed for. Keep that folder.")
	default:
		if format := formatOf(single); format != usual {
			spec.put("links.format", format, "Secret "+finding.List(append(single, each...), 3))
		}
		spec.put("links.source", "external", "Secret "+finding.List(append(single, each...),
			3)+", which nothing has sealed; they stay as they are")
		spec.child("links").above = append(spec.child("links").above,
			"NOTE: to have Sightline seal them, remove source: external and run sightline seal --all; see docs/seal.md.")
	}
}

func formatOf(single []string) string {
	if len(single) > 0 {
		return "single"
	}
	return "perCluster"
}

// linkName says where a Secret is for a cluster that the topology does not have.
func (d *Draft) linkName(s resource.Object) {
	to := annotation(s, kiali.RemoteSecretCluster)
	if to == "" || slices.ContainsFunc(d.mesh.clusters, func(c *cluster) bool { return c.name.value == to }) {
		return
	}
	d.mesh.add(finding.Warning, "AD06", d.mesh.path(d.mesh.hub, "name"),
		"run kiali-prepare-remote-cluster.sh with --remote-cluster-name and Istio's name of the cluster, or seal a link in its place and "+
			"delete the Secret",
		"Secret %s on the hub is the link to a cluster %q, which is none of this topology", place(s), finding.Shorten(to))
}

// rendered tells whether a topology was rendered for these clusters before.
// Then what is not there was not meant to be.
func (d *Draft) rendered() bool {
	return slices.ContainsFunc(d.mesh.clusters, func(c *cluster) bool { return c.kiali != nil && isOurs(c.kiali) })
}

// operator says how Kiali's operator comes to the clusters.
func (d *Draft) operator(spec *node) {
	var subscribed, deployed []*cluster
	subscriptions := map[*cluster]resource.Object{}
	for _, c := range d.mesh.clusters {
		for _, o := range c.of("Subscription") {
			if slices.Contains([]string{"kiali", "kiali-ossm"}, text(o, "spec", "name")) || isOurs(o) && label(o,
				"app.kubernetes.io/name") == "kiali-operator" {
				subscriptions[c] = o
				subscribed = append(subscribed, c)
			}
		}
		if slices.ContainsFunc(c.of("Deployment"), func(o resource.Object) bool {
			return label(o,
				"app.kubernetes.io/name") == "kiali-operator"
		}) {
			deployed = append(deployed, c)
		}
	}
	switch {
	case len(subscribed) == 0 && d.mesh.hub.openShift && (len(deployed) > 0 || d.rendered()):
		from := "there is no Subscription of Kiali's operator"
		if len(deployed) > 0 {
			from += ", and its Deployment is on " + deployed[0].name.value
		}
		spec.put("install", "none", from)
	case len(subscribed) == 0:
	case !slices.ContainsFunc(d.mesh.clusters, func(c *cluster) bool { return c.openShift }), d.everywhere(subscribed):
		d.subscription(spec, subscribed, subscriptions)
	case d.mesh.hub.openShift:
		d.subscription(spec, subscribed, subscriptions)
	}
}

// everywhere tells whether clusters of Kubernetes have the operator by a
// Subscription too, which has to be said.
func (d *Draft) everywhere(subscribed []*cluster) bool {
	return slices.ContainsFunc(subscribed, func(c *cluster) bool { return !c.openShift })
}

// subscription writes what a Subscription says that is no default.
func (d *Draft) subscription(spec *node, on []*cluster, all map[*cluster]resource.Object) {
	c := on[0]
	if d.everywhere(on) {
		spec.put("install", "olm", "Subscription "+place(all[c])+" of "+c.name.value)
	}
	usual := map[bool][3]string{true: {"redhat-operators", "openshift-marketplace", "openshift-operators"},
		false: {"operatorhubio-catalog", "olm", "operators"}}
	for _, c := range on {
		o := all[c]
		if namespace(o) != usual[c.openShift][2] || name(o) != text(o, "spec", "name") {
			d.mesh.add(finding.Warning, "AD13", d.mesh.path(c, "name"),
				"write kiali.operator: {install: none} and keep the Subscription, or delete it when the rendered one comes",
				"Subscription %s of Kiali's operator on %s would stand beside the rendered one, %s/%s, and OLM installs one only", place(
					o), c.name.value, usual[c.openShift][2], text(o, "spec", "name"))
		}
	}
	o := all[c]
	from := "Subscription " + place(o) + " of " + c.name.value
	source := text(o, "spec", "source")
	pkg := "kiali-ossm"
	if kiali.CommunityCatalog(source) {
		pkg = "kiali"
	}
	for _, f := range []struct{ field, value, usual string }{
		{"channel", text(o, "spec", "channel"), "stable"},
		{"source", source, usual[c.openShift][0]},
		{"sourceNamespace", text(o, "spec", "sourceNamespace"), usual[c.openShift][1]},
		{"package", text(o, "spec", "name"), pkg},
		{"approval", text(o, "spec", "installPlanApproval"), "Automatic"},
		{"startingCSV", text(o, "spec", "startingCSV"), ""},
	} {
		if f.value != "" && f.value != f.usual {
			spec.put(f.field, f.value, from)
		}
		for _, other := range on[1:] {
			if key := map[string]string{"package": "name", "approval": "installPlanApproval"}[f.field]; text(all[other], "spec",
				cmp.Or(key, f.field)) != f.value && other.openShift == c.openShift {
				d.mesh.add(finding.Warning, "AD13", d.mesh.path(other, "name"), "diff --live shows what the next sync would change there",
					"the Subscription of Kiali's operator on %s has another %s than that on %s", other.name.value, f.field, c.name.value)
			}
		}
	}
}

// sameKialis says where the Kiali resources do not fit together.
func (d *Draft) sameKialis() {
	for _, c := range d.mesh.clusters {
		k := c.kiali
		if k == nil {
			continue
		}
		at := d.mesh.path(c, "name")
		instance := cmp.Or(text(k, "spec", "deployment", "instance_name"), "kiali")
		const same = "the hub looks for an OAuthClient that is named by both, on every cluster; move the resource, and delete the old one"
		switch {
		case namespace(k) != d.kialiNS || instance != d.instance:
			d.mesh.add(finding.Error, "AD06", at, same, "Kiali %s of %s has the instance name %q, and that of %s is %s/%s", place(k),
				c.name.value, instance, d.anyKiali().name.value, d.kialiNS, d.instance)
		case name(k) != instance:
			d.mesh.add(finding.Warning, "AD06", at, "the rendered resource is named as its instance: delete the old one when the new one comes, "+
				"and the operator takes its objects over",
				"Kiali %s of %s has another name than its instance, %q", place(k), c.name.value, instance)
		}
		if ns := text(k, "spec", "deployment", "namespace"); ns != "" && ns != namespace(k) {
			d.mesh.add(finding.Warning, "AD06", at, "a topology has the Kiali resource and its server in one namespace; kiali.namespace is that "+
				"of the resource",
				"Kiali %s of %s puts its server into the namespace %q", place(k), c.name.value, ns)
		}
		if all := c.of("Kiali"); len(all) > 1 {
			d.mesh.add(finding.Warning, "AD06", at, "a topology is about one; the others stay as they are", "%s has %s: %s is in the topology",
				c.name.value, finding.Count(len(all), "Kiali resource"), place(k))
		}
	}
}

// clusterKiali writes what a cluster says about its own Kiali.
func (d *Draft) clusterKiali(c *cluster, n *node) {
	if version := d.version[c]; version != "" {
		n.put("kiali.version", version, kialiFrom(c, "version"))
	}
	if c != d.mesh.hub || c.kiali == nil {
		return
	}
	root := map[bool]string{true: "/", false: "/kiali"}[c.openShift]
	if webRoot := text(c.kiali, "spec", "server", "web_root"); webRoot != "" && webRoot != root {
		n.put("kiali.webRoot", webRoot, kialiFrom(c, "server.web_root"))
	}
	host := cmp.Or(text(c.kiali, "spec", "server", "web_fqdn"),
		text(c.kiali, "spec", "deployment", "ingress", "override_yaml", "spec", "host"))
	usual := fmt.Sprintf("%s-%s.%s", d.instance, d.kialiNS, c.domain.value)
	if host != "" && host != usual {
		n.put("kiali.host", host, kialiFrom(c, "server.web_fqdn"))
	}
}
