package render

import (
	"strconv"
)

// acmChoices are what a topology may say about the store acm, as choices has it:
// ACM on the hub or on a remote, each release and collector, each way to read it.
func acmChoices(x string) map[string][]string {
	lines := map[string]string{"a": "v2.22", "b": "v2.27"}
	acm := func(fields string, more ...string) []string {
		own := ", domain: acm-" + x + ".test, interval: 1" + digit(x) + "m, retention: 1" + digit(x) + "d, policyNamespace: pol-" + x
		return append([]string{"metrics.store=acm", "metrics.acm={" + fields + own + "}", "kiali.version=" + lines[x]}, more...)
	}
	placed := ", placement: set-" + x + "/all-" + x
	return map[string][]string{
		"acm":      acm("hub: hub."+x+", release: '2.16'"+placed, "remote.managedCluster=m-"+x),
		"acm-one":  acm("hub: hub."+x+", release: '5.0', rules: {namespace: rules-"+x+", manage: true, config: {prometheus: {retention: 1"+digit(x)+"d}}}"+placed, "kiali.ca="+strconv.Quote(authority[x]), "mesh.dataPlane=ambient"),
		"acm-on":   acm("hub: own-"+x+", release: '5.0'"+placed, "hub.managedCluster=m-"+x, "kiali.ca="+strconv.Quote(authority[x])),
		"acm-raw":  acm("hub: own-"+x+", release: '2.15', aggregate: false"+placed, "hub.managedCluster=m-"+x),
		"acm-list": {"metrics.store=acm", "metrics.acm={hub: hub." + x + ", release: '2.14', access: internal, interval: 1" + digit(x) + "m, retention: 1" + digit(x) + "d, allowList: {in: hub, more: {names: [own_" + x + "]}}}"},
		"acm-each": acm("hub: own-"+x+", release: '2.13'", "hub.managedCluster=m-"+x),
	}
}
