package discover

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// inspect finds mistakes on the clusters that do not depend on the topology:
// leftovers of copied commands of the guide, and objects that would count series
// twice.
func (d *Draft) inspect() {
	for _, c := range d.mesh.clusters {
		d.escapes(c)
		d.placeholder(c)
		d.missingMonitor(c)
		d.otherMonitors(c)
		d.tokens(c)
	}
}

// escaped is a backslash that a shell would have removed: before another backslash,
// or before a dollar.
var escaped = regexp.MustCompile(`\\\\[A-Za-z.]|\\\$`)

const applyOurs = "the rendered object corrects it; sightline diff --live shows the change"

// escapes finds rules with backslashes that a shell should have removed.
func (d *Draft) escapes(c *cluster) {
	for _, kind := range []string{"PodMonitor", "ServiceMonitor"} {
		var wrong []string
		sample := ""
		for _, o := range c.of(kind) {
			if s := escapedIn(o["spec"]); s != "" && name(o) == d.monitorName {
				wrong, sample = append(wrong, place(o)), s
			}
		}
		if len(wrong) > 0 {
			d.mesh.add(finding.Warning, "AD08", d.mesh.path(c, "name"), applyOurs,
				"%s of %s: %s has %q, with a backslash that was meant for a shell; the rule matches nothing", kind, c.name.value, finding.List(wrong,
					5), finding.Shorten(sample))
		}
	}
}

// escapedIn is the first string in a value with such a backslash.
func escapedIn(v any) string {
	switch v := v.(type) {
	case string:
		if escaped.MatchString(v) {
			return v
		}
	case map[string]any:
		for _, key := range sortedKeys(v) {
			if s := escapedIn(v[key]); s != "" {
				return s
			}
		}
	case []any:
		for _, item := range v {
			if s := escapedIn(item); s != "" {
				return s
			}
		}
	}
	return ""
}

var inBraces = regexp.MustCompile(`\{[^}]*\}|\$[A-Z_]+|<[^>]*>`)

// placeholder finds a login callback with a placeholder for its host.
func (d *Draft) placeholder(c *cluster) {
	for _, uri := range list(c.kiali, "spec", "auth", "openshift", "redirect_uris") {
		if s, _ := uri.(string); inBraces.MatchString(s) {
			d.mesh.add(finding.Warning, "AD08", d.mesh.path(c, "name"), applyOurs,
				"Kiali %s of %s has the login callback %q, in which the host was not filled in", place(c.kiali), c.name.value, finding.Shorten(s))
		}
	}
}

// missingMonitor finds a control plane without the monitor that other namespaces
// have. In the guide, the second PodMonitor names the namespace of the first.
func (d *Draft) missingMonitor(c *cluster) {
	own, other := false, ""
	for _, o := range c.of("PodMonitor") {
		if name(o) != d.monitorName {
			continue
		}
		if namespace(o) == c.controlNS.value {
			own = true
		} else {
			other = place(o)
		}
	}
	if other != "" && !own && len(c.istiods) > 0 {
		d.mesh.add(finding.Warning, "AD08", d.mesh.path(c, "name"), applyOurs,
			"%s has the PodMonitor %s, and none in %s, so the gateways there are not scraped", c.name.value, other, c.controlNS.value)
	}
}

// otherMonitors finds monitors with other names that scrape the same targets.
func (d *Draft) otherMonitors(c *cluster) {
	if d.unmanaged() {
		return
	}
	var twice []string
	for _, o := range c.of("PodMonitor") {
		if name(o) != d.monitorName && scrapesProxies(o) {
			twice = append(twice, "PodMonitor "+place(o))
		}
	}
	for _, o := range c.of("ServiceMonitor") {
		if name(o) != "istiod-monitor" && text(o, "spec", "selector", "matchLabels", "istio") == "pilot" {
			twice = append(twice, "ServiceMonitor "+place(o))
		}
	}
	if len(twice) > 0 {
		d.mesh.add(finding.Warning, "AD07", d.mesh.path(c, "name"),
			"delete it once the rendered monitors are applied; or keep it, and write metrics: {monitors: {manage: false}}",
			"%s of %s scrapes the same proxies as the rendered monitors, and every number would be doubled", finding.List(twice, 5), c.name.value)
	}
}

// The marks of a token Secret about its account (kubernetes
// pkg/controller/serviceaccount/tokens_controller.go).
const (
	accountName = "kubernetes.io/service-account.name"
	accountUID  = "kubernetes.io/service-account.uid"
)

// tokens finds token Secrets of Kiali that can never hold the right token.
func (d *Draft) tokens(c *cluster) {
	account := kiali.Account(d.instance)
	at := d.mesh.path(c, "name")
	for _, s := range c.of("Secret") {
		of, ok := annotation(s, accountName), strings.HasPrefix(name(s), account)
		switch {
		case name(s) == d.instance && of == d.instance && namespace(s) == d.kialiNS:
			d.mesh.add(finding.Info, "AD09", at, "a link that sightline seal makes uses "+account+"; delete this Secret and its account once no "+
				"link uses them",
				"Secret %s of %s has the token of an account that kiali-prepare-remote-cluster.sh has made", place(s), c.name.value)
		case !ok || of == "":
		case namespace(s) != d.kialiNS:
			d.mesh.add(finding.Warning, "AD09", at, "delete it: the rendered Secret is in "+d.kialiNS,
				"the token Secret %s of %s is in another namespace than Kiali and its account, %s", place(s), c.name.value, d.kialiNS)
		case of != account:
			d.mesh.add(finding.Warning, "AD09", at, "delete it, so that the rendered one, with the annotation "+
				""+accountName+": "+account+", is filled anew",
				"the token Secret %s of %s has the annotation %s: %s, and Kiali's account is %s", place(s), c.name.value, accountName, cmp.Or(of,
					`""`), account)
		case annotation(s, accountUID) == "" && !c.Dumped:
			d.mesh.add(finding.Warning, "AD09", at, "see whether the account is there: "+c.kubectl(
				"get serviceaccount "+account+" -n "+d.kialiNS)+"; then delete the Secret and apply it again",
				"the token Secret %s of %s has not been filled", place(s), c.name.value)
		case c.lacksAccount(namespace(s), of):
			d.mesh.add(finding.Warning, "AD09", at, "Kiali's operator makes the account; see sightline explain ST12",
				"the token Secret %s of %s is for the account %s, which does not exist there", place(s), c.name.value, of)
		}
	}
}

// lacksAccount tells whether Kiali's accounts were read and the account of a
// namespace is not among them.
func (c *cluster) lacksAccount(ns, account string) bool {
	return account == kiali.Account(topology.Defaults().Kiali.InstanceName) && c.serves("ServiceAccount") &&
		c.named("ServiceAccount", ns, account) == nil
}
