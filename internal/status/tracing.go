package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// MeshConfig is the tracing part of Istio's mesh config.
type MeshConfig struct {
	NoTracing bool              // enableTracing is false
	Providers map[string]string // Service of each OpenTelemetry provider, by name; "": a provider of another kind
}

// Telemetry is a Telemetry that applies to its whole namespace.
type Telemetry struct {
	Name    string
	Created time.Time
}

// provider checks that the mesh config has the provider that the Telemetry
// names.
func (j *judge) provider(got *Cluster) {
	tracing := j.Topology.Spec.Tracing
	if tracing == nil || j.on.ControlPlane.Mode != "local" || !j.asked("ST34", got.Istiods.Err) {
		return
	}
	ns := j.on.ControlPlane.Namespace
	want := topology.Collector + "-collector." + j.on.ControlPlane.Namespace
	var wrong, silent []string
	for _, i := range got.Istiods.Value {
		service, known := "", false
		if i.Config != nil {
			service, known = i.Config.Providers[tracing.Provider]
		}
		_, host, slash := strings.Cut(service, "/")
		if !slash {
			host = service
		}
		switch {
		case i.Config == nil:
			silent = append(silent, i.Name)
		case !known:
			wrong = append(wrong, fmt.Sprintf("%s knows no provider %s", i.Name, tracing.Provider))
		case i.Config.NoTracing:
			wrong = append(wrong, fmt.Sprintf("%s has enableTracing: false", i.Name))
		case j.Topology.Collects(j.on) && service != "" && host != want && !strings.HasPrefix(host, want+"."):
			wrong = append(wrong, fmt.Sprintf("%s has the provider %s with the Service %s, but the collector is %s", i.Name, tracing.Provider,
				service, want))
		}
	}
	switch {
	case wrong != nil:
		j.bad("ST34", "add the provider to meshConfig of the Istio resource: "+finding.Pages+"tracing.md; then "+
			j.in(ns, "get configmap istio -o yaml"),
			"%s: proxies send no spans to the rendered collector", first(wrong))
	case silent != nil || len(got.Istiods.Value) == 0:
		j.unchecked("ST34", j.in(ns, "get configmap istio -o yaml"), "the mesh config of the cluster cannot be read")
	default:
		j.good("ST34")
	}
}

// telemetries looks for a second Telemetry beside the rendered one.
func (j *judge) telemetries(got *Cluster) {
	i := slices.IndexFunc(j.Objects[j.on.Name], func(o resource.Object) bool { return o["kind"] == "Telemetry" })
	if i < 0 || !j.asked("ST35", got.Telemetries.Err) {
		return
	}
	ours := resource.IDOf(j.Objects[j.on.Name][i])
	var others []string
	oldest := Telemetry{}
	for _, t := range got.Telemetries.Value {
		if t.Name != ours.Name {
			others = append(others, t.Name)
		}
		if oldest.Name == "" || t.Created.Before(oldest.Created) {
			oldest = t
		}
	}
	if others != nil {
		j.bad("ST35", "move its settings to spec.tracing and telemetry.spec, and delete it: "+j.in(ours.Namespace, "get telemetries"),
			"beside the Telemetry %s/%s, the namespace has others without selector: %s; Istio uses only the oldest, %s",
			ours.Namespace, ours.Name, first(others), oldest.Name)
		return
	}
	j.good("ST35")
}
