package discover

import (
	"cmp"
	"slices"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// operator finds how Kiali's operator is installed on the clusters.
func (d *Draft) operator(spec *node) {
	var subscribed, deployed []*cluster
	subscriptions := map[*cluster]resource.Object{}
	for _, c := range d.mesh.clusters {
		for _, o := range c.of("Subscription") {
			if slices.Contains([]string{"kiali", "kiali-ossm"}, text(o, "spec", "name")) || isOurs(o) && label(o,
				labels.Name) == "kiali-operator" {
				subscriptions[c] = o
				subscribed = append(subscribed, c)
			}
		}
		if slices.ContainsFunc(c.of("Deployment"), func(o resource.Object) bool {
			return label(o,
				labels.Name) == "kiali-operator"
		}) {
			deployed = append(deployed, c)
		}
	}
	d.withoutOperator(spec, append(slices.Clone(subscribed), deployed...))
	switch {
	case d.installsChart(spec):
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

// everywhere tells whether Kubernetes clusters have the operator from a Subscription
// too. The topology must say so.
func (d *Draft) everywhere(subscribed []*cluster) bool {
	return slices.ContainsFunc(subscribed, func(c *cluster) bool { return !c.openShift })
}

// subscription writes the fields of a Subscription that differ from the defaults.
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
					"the Subscription of Kiali's operator on %s has another %s than the one on %s", other.name.value, f.field, c.name.value)
			}
		}
	}
}

// withoutOperator finds remotes that have Kiali's account without a Kiali resource. A
// topology has operator.remotes: none for them.
func (d *Draft) withoutOperator(spec *node, with []*cluster) {
	for _, c := range d.mesh.clusters {
		if c == d.mesh.hub || c.kiali != nil {
			continue
		}
		account := c.named("ServiceAccount", d.kialiNS, kiali.Account(d.instance))
		switch {
		case account == nil:
		case isOurs(account):
			spec.put("remotes", "none", "ServiceAccount "+place(account)+" of "+c.name.value+" was rendered, and there is no Kiali resource")
			return
		case !slices.Contains(with, c):
			spec.above = append(spec.above, "NOTE: "+c.name.value+" has Kiali's account, "+place(account)+
				", without an operator. Write operator: {remotes: none} if remotes are to have none.")
			return
		}
	}
}
