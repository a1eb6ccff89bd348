package topology

import (
	"cmp"
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"github.com/sightline-mesh/sightline/internal/kiali"
)

// Names of the tracing objects on every cluster.
const (
	// Collector is the name of the collector to which the proxies of a cluster send their
	// spans.
	Collector = "otel"
	// RemoteReceiver is the name of the hub's collector for the spans of remotes.
	RemoteReceiver = "otel-remote"
)

// CollectorPort is the port on which a collector accepts OTLP over gRPC.
const CollectorPort = 4317

// TracesIn tells where traces are stored: "" without spec.tracing, "jaeger",
// "tempo" for a Tempo that is known by its URL, or "stack" for a TempoStack on
// the OpenShift hub, which Kiali reads through its gateway.
func (t *Topology) TracesIn() string {
	switch tracing := t.Spec.Tracing; {
	case tracing == nil:
		return ""
	case tracing.Jaeger != nil:
		return "jaeger"
	case tracing.Tempo.URL != "" || t.Hub() == nil || t.Hub().Platform != "openshift":
		return "tempo"
	}
	return "stack"
}

// Collects tells whether the cluster has a collector for the spans of its
// proxies.
func (t *Topology) Collects(c *Cluster) bool {
	return t.TracesIn() == "stack" && t.Spec.Tracing.Collectors.Manage && c.InMesh() && !c.ServesExternal()
}

// Receives tells whether the hub accepts spans from remotes.
func (t *Topology) Receives() bool {
	return slices.ContainsFunc(t.Remotes(), t.Collects)
}

// resolveTracing sets the defaults of tracing that depend on other values.
func (t *Topology) resolveTracing() {
	hub := t.Hub()
	if t.TracesIn() != "stack" || hub == nil {
		return
	}
	tempo, receiver := &t.Spec.Tracing.Tempo, &t.Spec.Tracing.Collectors.Receiver
	tempo.Tenant = cmp.Or(tempo.Tenant, ObjectName(t.Spec.Mesh.ID))
	if tempo.TenantID == "" {
		tempo.TenantID = TenantID(tempo.Tenant)
	}
	if hub.Domain != "" {
		receiver.Host = cmp.Or(receiver.Host, RemoteReceiver+"-"+t.Spec.Kiali.Namespace+"."+hub.Domain)
	}
	if console := t.Console(); console != "" && t.LinksToConsole() {
		tempo.ExternalURL = cmp.Or(tempo.ExternalURL, console)
	}
}

// Console is the URL of the hub's console, or "" if its domain is not known.
func (t *Topology) Console() string {
	if hub := t.Hub(); hub != nil && hub.Platform == "openshift" && hub.Domain != "" {
		return "https://console-openshift-console." + hub.Domain
	}
	return ""
}

// LinksToConsole tells whether the hub's Kiali can link to the traces in the
// console, because its release line has the fields (kiali-operator,
// tempo_config).
func (t *Topology) LinksToConsole() bool {
	return t.TracesIn() == "stack" && !t.Hub().KialiBefore(kiali.V2_17)
}

// TenantID is the default UUID of a tenant: a UUID of version 5 of its name in
// the URL namespace (RFC 9562).
func TenantID(name string) string {
	sum := sha1.Sum([]byte("\x6b\xa7\xb8\x11\x9d\xad\x11\xd1\x80\xb4\x00\xc0\x4f\xd4\x30\xc8https://sightline.dev/tenant/" + name))
	sum[6], sum[8] = sum[6]&0x0f|0x50, sum[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// Gateway is the URL of the tenant at the gateway of the TempoStack. Collectors
// write to it with /v1/traces added, and Kiali reads from it with /tempo added.
func (t *Tempo) Gateway() string {
	return "https://tempo-" + t.Name + "-gateway." + t.Namespace + ".svc.cluster.local:8080/api/traces/v1/" + t.Tenant
}

// QueryURL is the URL from which Kiali reads traces.
func (t *Topology) QueryURL() string {
	switch tracing := t.Spec.Tracing; t.TracesIn() {
	case "jaeger":
		return tracing.Jaeger.URL
	case "tempo":
		return tracing.Tempo.URL
	case "stack":
		// Release lines before v2.17 add no path.
		return tracing.Tempo.Gateway() + "/tempo"
	}
	return ""
}

// ExternalURL is the URL to which links in Kiali lead, or "".
func (t *Tracing) ExternalURL() string {
	if t.Jaeger != nil {
		return t.Jaeger.ExternalURL
	}
	return t.Tempo.ExternalURL
}

// ByGRPC tells whether Kiali uses gRPC. Jaeger has gRPC on port 16685
// (jaegertracing/jaeger ports/ports.go).
func (t *Topology) ByGRPC() bool {
	u, err := url.Parse(t.QueryURL())
	return t.TracesIn() == "jaeger" && err == nil && u.Port() == "16685"
}

// Percentage is the sampling as a number.
func (t *Tracing) Percentage() json.Number {
	x, _ := strconv.ParseFloat(t.Sampling, 64)
	number, _ := json.Marshal(x)
	return json.Number(number)
}
