package discover

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// gateway is the URL with which a rendered Kiali queries a TempoStack: the stack, its
// namespace and the tenant.
var gateway = regexp.MustCompile(`^https://tempo-(.+)-gateway\.([^.]+)\.svc\.cluster\.local:8080/api/traces/v1/([^/]+)/tempo$`)

// Defaults of fields of spec.tracing (package topology).
const (
	usualProvider = "otel"
	usualStack    = "mesh"
	usualTempoNS  = "tempo"
)

// tracing writes spec.tracing if the hub's Kiali queries traces and the mesh-wide
// Telemetry sends spans. If only one of them does, spec.tracing would change the
// other one. Then the settings stay in kiali.spec or telemetry.spec.
func (d *Draft) tracing() {
	hub := d.mesh.hub
	own := object(hub.kiali, "spec", "external_services", "tracing")
	url := cmp.Or(text(own, "internal_url"), text(own, "in_cluster_url"))
	if enabled, _ := own["enabled"].(bool); !enabled || url == "" {
		return
	}
	entry, from, ok := d.traced()
	if !ok {
		return
	}
	spec := d.top.child("spec").child("tracing")
	if entry != nil {
		if provider := text(list(entry, "providers")[0], "name"); provider != usualProvider {
			spec.put("provider", provider, from)
		}
		if sampling, ok := entry["randomSamplingPercentage"]; ok && !same(sampling, json.Number("1")) {
			spec.put("sampling", sampling, from)
		}
	}
	asked := kialiFrom(hub, "external_services.tracing")
	external := text(own, "external_url")
	if text(own, "provider") != "tempo" {
		spec.put("jaeger.url", url, asked)
		if external != "" {
			spec.put("jaeger.externalURL", external, asked)
		}
		return
	}
	at := gateway.FindStringSubmatch(url)
	if at == nil || !hub.openShift {
		spec.put("tempo.url", url, asked)
		if tenant := text(own, "tempo_config", "org_id"); tenant != "" {
			spec.put("tempo.tenant", tenant, asked)
		}
		if external != "" {
			spec.put("tempo.externalURL", external, asked)
		}
		return
	}
	d.stack(spec, at[1], at[2], at[3], external)
	d.collectors(spec.child("collectors"))
	if spec.empty() { // all is the default
		spec.value, spec.note = map[string]any{}, asked
	}
}

// traced is the tracing entry of the mesh-wide Telemetry, or nil if the topology has
// none. ok is false if the Telemetry says nothing about traces, or something that
// spec.tracing cannot express.
func (d *Draft) traced() (entry map[string]any, from string, ok bool) {
	for _, c := range d.mesh.clusters {
		wide := c.wide()
		if len(wide) == 0 {
			continue
		}
		entries := list(wide[0], "spec", "tracing")
		if len(entries) != 1 {
			return nil, "", false
		}
		entry, _ = entries[0].(map[string]any)
		if len(list(entry, "providers")) != 1 || slices.ContainsFunc(sortedKeys(entry), func(key string) bool {
			return key != "providers" && key != "randomSamplingPercentage"
		}) {
			return nil, "", false
		}
		return entry, "Telemetry " + place(wide[0]) + " of " + c.name.value, true
	}
	return nil, "", d.rendered()
}

// stack writes the TempoStack that Kiali queries.
func (d *Draft) stack(spec *node, name, ns, tenant, external string) {
	hub := d.mesh.hub
	from := kialiFrom(hub, "external_services.tracing")
	for field, value := range map[string][2]string{"name": {name, usualStack}, "namespace": {ns, usualTempoNS},
		"tenant": {tenant, topology.ObjectName(d.mesh.id.value)}} {
		if value[0] != value[1] {
			spec.put("tempo."+field, value[0], from)
		}
	}
	console := ""
	if hub.domain.value != "" {
		console = "https://console-openshift-console." + hub.domain.value
	}
	if line, _ := kiali.ParseLine(cmp.Or(text(hub.kiali, "spec", "version"), "default")); line.Before(kiali.V2_17) {
		console = ""
	}
	if external != "" && external != console {
		spec.put("tempo.externalURL", external, from)
	}
	o := hub.named("TempoStack", ns, name)
	if o == nil || !isOurs(o) {
		return
	}
	from = "TempoStack " + place(o)
	spec.put("tempo.manage", true, from+" was rendered")
	spec.put("tempo.storage.secretName", text(o, "spec", "storage", "secret", "name"), "")
	if kind := text(o, "spec", "storage", "secret", "type"); kind != "s3" {
		spec.put("tempo.storage.type", kind, "")
	}
	if size := text(o, "spec", "storageSize"); size != "10Gi" {
		spec.put("tempo.storage.size", size, "")
	}
	for _, t := range list(o, "spec", "tenants", "authentication") {
		if id := text(t, "tenantId"); text(t, "tenantName") == tenant && id != topology.TenantID(tenant) {
			spec.put("tempo.tenantID", id, from)
		}
	}
}

// collectors writes how spans reach the hub, from the rendered collectors.
func (d *Draft) collectors(spec *node) {
	hub := d.mesh.hub
	var found []resource.Object
	client := ""
	for _, c := range d.mesh.clusters {
		for _, o := range c.of("OpenTelemetryCollector") {
			if !isOurs(o) {
				continue
			}
			found = append(found, o)
			if c != hub && name(o) == topology.Collector {
				client = cmp.Or(client, secretOf(o))
			}
		}
	}
	if len(found) == 0 {
		spec.put("manage", false, "there is no rendered collector")
		return
	}
	route := hub.named("Route", d.kialiNS, topology.RemoteReceiver)
	if host := text(route, "spec", "host"); isOurs(route) &&
		host != topology.RemoteReceiver+"-"+d.kialiNS+"."+hub.domain.value {
		spec.put("receiver.host", host, "Route "+place(route))
	}
	receiver := hub.named("OpenTelemetryCollector", d.kialiNS, topology.RemoteReceiver)
	if receiver == nil {
		return
	}
	server := secretOf(receiver)
	if issued := hub.named("Certificate", d.kialiNS, server); issued != nil && isOurs(issued) {
		from := "Certificate " + place(issued)
		spec.put("certificates.certManager.issuer", text(issued, "spec", "issuerRef", "name"), from)
		if kind := text(issued, "spec", "issuerRef", "kind"); kind != "ClusterIssuer" {
			spec.put("certificates.certManager.kind", kind, "")
		}
		return
	}
	from := "the volumes of the collectors"
	spec.put("certificates.secrets.server", server, from)
	spec.put("certificates.secrets.client", client, from)
}

// secretOf is the Secret that a collector has as a volume.
func secretOf(collector resource.Object) string {
	for _, v := range list(collector, "spec", "volumes") {
		if secret := text(v, "secret", "secretName"); secret != "" {
			return secret
		}
	}
	return ""
}

// providers finds the extension providers that Istio has, and those that the
// Telemetry names and Istio lacks.
func (d *Draft) providers() {
	entry, from, _ := d.traced()
	for _, c := range d.mesh.clusters {
		for _, i := range c.istiods {
			var all []string
			for _, p := range i.providers {
				all = append(all, p.String())
			}
			if len(all) > 0 {
				d.beside = append(d.beside, "Istio of "+c.name.value+" has the extension providers "+finding.List(all, 5)+".")
			}
			for _, named := range list(entry, "providers") {
				if provider := text(named, "name"); i.read && !slices.ContainsFunc(i.providers, func(p provides) bool {
					return p.name == provider
				}) {
					d.mesh.add(finding.Warning, "AD10", d.mesh.path(c, "name"), "add it to meshConfig.extensionProviders of Istio there; "+
						finding.Pages+"tracing.md has the lines",
						"%s sends spans to the provider %q, and Istio of %s (%s/%s) has no extension provider of that name", from,
						finding.Shorten(provider), c.name.value, i.namespace, i.name)
				}
			}
		}
	}
}

// provides is an entry of meshConfig.extensionProviders.
type provides struct{ name, kind, service string }

func (p provides) String() string {
	if p.service == "" {
		return strings.TrimSpace(p.name + " " + inParentheses(p.kind))
	}
	return p.name + " " + inParentheses(p.kind+" at "+p.service)
}

func inParentheses(s string) string {
	if s == "" {
		return ""
	}
	return "(" + s + ")"
}

// provided reads an entry of meshConfig.extensionProviders: its name, and a key whose
// value may have a service and a port.
func provided(entry map[string]any) provides {
	p := provides{name: text(entry, "name")}
	for _, key := range sortedKeys(entry) {
		if key == "name" {
			continue
		}
		p.kind = key
		if p.service = text(entry, key, "service"); p.service != "" && at(entry, key, "port") != nil {
			data, _ := json.Marshal(at(entry, key, "port"))
			p.service += ":" + string(data)
		}
	}
	return p
}
