package discover

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
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
	d.instance = d.defaults.Kiali.InstanceName
	if k := d.anyKiali(); k.kiali != nil {
		if ns := namespace(k.kiali); ns != cmp.Or(m.control.value, d.defaults.Mesh.ControlPlaneNamespace) {
			spec.put("namespace", ns, "the namespace of Kiali "+place(k.kiali)+" of "+k.name.value)
		}
		if instance := text(k.kiali, "spec", "deployment", "instance_name"); instance != "" && instance != d.defaults.Kiali.InstanceName {
			spec.put("instanceName", instance, kialiFrom(k, "deployment.instance_name"))
			d.instance = instance
		}
		d.kialiNS = namespace(k.kiali)
	} else {
		d.kialiNS = cmp.Or(m.control.value, d.defaults.Mesh.ControlPlaneNamespace)
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

// anyKiali is the hub, or, if the hub has no Kiali resource, a cluster that has one.
func (d *Draft) anyKiali() *cluster {
	for _, c := range d.mesh.clusters {
		if c.kiali != nil {
			return c
		}
	}
	return d.mesh.hub
}

// versions writes the release line of the hub, and of clusters with another line.
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

// ca writes the CAs that were rendered for the hub.
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
	d.impersonation(spec)
	if strategy != "" && !(hub.openShift && strategy == "openshift") {
		spec.put("auth.strategy", strategy, kialiFrom(hub, "auth.strategy"))
		if settings := object(hub.kiali, "spec", "auth", strategy); len(settings) > 0 { // without them, the topology is refused
			spec.put("spec", map[string]any{"auth": map[string]any{strategy: settings}}, kialiFrom(hub, "auth."+strategy))
		}
		return
	}
	if strategy == "" && !hub.openShift && several {
		spec.child("auth").ask("how do users log in? Write auth: {strategy: openid}, or anonymous if everybody may see everything.", "")
		d.mesh.add(finding.Error, "AD13", []any{"spec", "kiali"},
			"write auth: {strategy: openid}, or anonymous if everybody may see everything",
			"no cluster shows how users log in to Kiali; its default on Kubernetes, token, works on one cluster only")
	}
}

// impersonation writes whether Kiali acts as its users.
func (d *Draft) impersonation(spec *node) {
	own := object(d.mesh.hub.kiali, "spec", "auth", "openshift", "impersonation")
	if on, _ := own["enabled"].(bool); !on {
		return
	}
	spec.put("auth.impersonation.enabled", true, kialiFrom(d.mesh.hub, "auth.openshift.impersonation"))
	for field, key := range map[string]string{"users": "allowed_users", "groups": "allowed_groups"} {
		if names := list(own, key); len(names) > 0 {
			spec.put("auth.impersonation."+field, names, "")
		}
	}
}

// rendered tells whether a topology was rendered for these clusters before. If so, an
// object that is absent was left out on purpose.
func (d *Draft) rendered() bool {
	return slices.ContainsFunc(d.mesh.clusters, func(c *cluster) bool { return c.kiali != nil && isOurs(c.kiali) })
}

// sameKialis finds Kiali resources that do not fit together.
func (d *Draft) sameKialis() {
	for _, c := range d.mesh.clusters {
		k := c.kiali
		if k == nil {
			continue
		}
		at := d.mesh.path(c, "name")
		instance := cmp.Or(text(k, "spec", "deployment", "instance_name"), d.defaults.Kiali.InstanceName)
		const same = "on every cluster, the hub looks for an OAuthClient named after both; move the resource, and delete the old one"
		switch {
		case namespace(k) != d.kialiNS || instance != d.instance:
			d.mesh.add(finding.Error, "AD06", at, same, "Kiali %s of %s has the instance name %q, and that of %s is %s/%s", place(k),
				c.name.value, instance, d.anyKiali().name.value, d.kialiNS, d.instance)
		case name(k) != instance:
			d.mesh.add(finding.Warning, "AD06", at, "the rendered resource is named as its instance: delete the old one when the new one comes, "+
				"then the operator takes over its objects",
				"Kiali %s of %s has another name than its instance, %q", place(k), c.name.value, instance)
		}
		if ns := text(k, "spec", "deployment", "namespace"); ns != "" && ns != namespace(k) {
			d.mesh.add(finding.Warning, "AD06", at, "a topology has the Kiali resource and its server in one namespace; kiali.namespace is that "+
				"of the resource",
				"Kiali %s of %s puts its server into the namespace %q", place(k), c.name.value, ns)
		}
		if all := c.of("Kiali"); len(all) > 1 {
			d.mesh.add(finding.Warning, "AD06", at, "a topology has one; the others stay as they are", "%s has %s: %s is in the topology",
				c.name.value, finding.Count(len(all), "Kiali resource"), place(k))
		}
	}
}

// clusterKiali writes the settings of a cluster's Kiali.
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
