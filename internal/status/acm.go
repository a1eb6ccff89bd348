package status

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/common/model"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// ACM is what the ACM hub says about the collection of metrics.
type ACM struct {
	Managed       map[string]Answer[ManagedCluster] // by the name of the topology's cluster
	Policies      map[resource.ID]Answer[[]string]  // by rendered Policy: where it is not Compliant, such as "NonCompliant on west"
	Observability Answer[Observability]
}

// ManagedCluster is what ACM says about one cluster.
type ManagedCluster struct {
	Unavailable string // why it is not available, or ""
	AddOn       string // what is wrong with the add-on that collects metrics, or ""
}

// Observability is the MultiClusterObservability.
type Observability struct {
	AddOn     bool   // the collector mcoa collects the metrics of user workloads
	Retention string // of raw samples
	Seconds   int64  // between two collections of the collector classic
}

// The add-ons that collect metrics
// (MCO:operators/multiclusterobservability/pkg/config, pkg/util).
const (
	addOnMCOA    = "multicluster-observability-addon"
	addOnClassic = "observability-controller"
)

// AddOn returns the name of the add-on that collects metrics.
func AddOn(t *topology.Topology) string {
	if t.Spec.Metrics.ACM.Collector == "mcoa" {
		return addOnMCOA
	}
	return addOnClassic
}

// Clusters lists the clusters that status asks: the clusters of the topology,
// and the ACM hub if the topology does not contain it.
func (e Expected) Clusters() []*topology.Cluster {
	var all []*topology.Cluster
	for i := range e.Topology.Spec.Clusters {
		all = append(all, &e.Topology.Spec.Clusters[i])
	}
	if e.Outside != nil {
		all = append(all, e.Outside)
	}
	return all
}

// ACMHub returns the cluster on which ACM runs, or nil if the topology does not
// use ACM.
func (e Expected) ACMHub() *topology.Cluster {
	for _, c := range e.Clusters() {
		if e.Topology.IsACMHub(c) || c == e.Outside {
			return c
		}
	}
	return nil
}

// Collected tells whether ACM has to collect the metrics of a cluster.
func (e Expected) Collected(c *topology.Cluster) bool {
	return e.Topology.OnACM() && c != e.Outside && c.InMesh() && c.Platform == "openshift"
}

// acm judges what the ACM hub says. If the hub does not answer, ST01 says so.
func (j *judge) acm() {
	hub := j.ACMHub()
	if hub == nil {
		return
	}
	got := j.facts.Clusters[hub.Name]
	if got == nil || got.NoAccess != "" || got.Failure != nil || got.ACM == nil {
		return
	}
	for _, c := range j.Clusters() {
		if answer, ok := got.ACM.Managed[c.Name]; ok {
			j.on = c
			j.managed(got.Context, answer)
		}
	}
	j.on = hub
	j.policies(got.ACM)
	j.observability(got.ACM)
}

// managed checks that ACM collects metrics from the cluster j.on.
func (j *judge) managed(hub string, answer Answer[ManagedCluster]) {
	name, addOn := j.on.ManagedCluster, AddOn(j.Topology)
	see := func(namespace, do string) string { return command.Kubectl(hub, namespace, do) }
	switch m := answer.Value; {
	case answer.Err.Missing():
		j.bad("ST36", "import the cluster under this name, or write its name into managedCluster: "+see("", "get managedclusters"),
			"ACM has no ManagedCluster %s", name)
	case !j.asked("ST36", answer.Err):
	case m.Unavailable != "":
		j.bad("ST36", see("", "describe managedcluster "+name), "the ManagedCluster %s is not available to ACM: %s", name, m.Unavailable)
	case m.AddOn != "":
		j.bad("ST36", see(name, "describe managedclusteraddon "+addOn), "the add-on %s on %s: %s", addOn, name, m.AddOn)
	default:
		j.good("ST36")
	}
}

func (j *judge) policies(acm *ACM) {
	var wrong []string
	var denied *Failure
	var see resource.ID
	there := 0
	for _, id := range slices.SortedFunc(maps.Keys(acm.Policies), byName) {
		switch answer := acm.Policies[id]; {
		case answer.Err.Missing(): // ST07 reports it
		case answer.Err != nil:
			denied = answer.Err
		default:
			there++
			for _, u := range answer.Value {
				see = id
				wrong = append(wrong, id.Name+" is "+u)
			}
		}
	}
	switch {
	case wrong != nil:
		j.bad("ST37", j.in(see.Namespace, "describe policy %s", see.Name), "the Policy %s", first(wrong))
	case denied != nil:
		j.asked("ST37", denied)
	case there > 0:
		j.good("ST37")
	}
}

func (j *judge) observability(acm *ACM) {
	const name = "the MultiClusterObservability observability"
	own := &j.Topology.Spec.Metrics.ACM
	edit := j.kubectl("edit multiclusterobservability observability")
	switch o := acm.Observability; {
	case o.Err.Missing():
		j.bad("ST38", "install Observability on the ACM hub, or name its context", "there is no MultiClusterObservability observability")
	case !j.asked("ST38", o.Err):
	case own.Collector == "mcoa" && !o.Value.AddOn:
		j.bad("ST38", "turn capabilities.userWorkloads.metrics.default.enabled on: "+edit+"; "+finding.Pages+"metrics.md",
			"%s does not let the collector mcoa collect the metrics of user workloads", name)
	case own.Collector == "classic" && o.Value.AddOn:
		j.bad("ST38", "write metrics.acm.collector: mcoa", "%s turns on the collector mcoa, which removes the collector classic", name)
	case !sameTime(own.Retention, o.Value.Retention):
		j.warn("ST38", "set metrics.acm.retention to ACM's retention", "%s keeps series for %s, but Kiali is told %s", name, o.Value.Retention,
			own.Retention)
	case own.Collector == "classic" && !sameTime(own.Interval, fmt.Sprintf("%ds", o.Value.Seconds)):
		j.warn("ST38", "set metrics.acm.interval to ACM's interval", "%s collects each %ds, but Kiali is told %s", name, o.Value.Seconds,
			own.Interval)
	default:
		j.good("ST38")
	}
}

func byName(a, b resource.ID) int { return strings.Compare(a.Name, b.Name) }

// sameTime tells whether two Prometheus durations are equal.
func sameTime(a, b string) bool {
	x, errA := model.ParseDuration(a)
	y, errB := model.ParseDuration(b)
	return errA == nil && errB == nil && x == y
}
