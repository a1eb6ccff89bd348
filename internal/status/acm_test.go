package status_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/status"
	"github.com/sightline-mesh/sightline/internal/topology"
)

const acmMesh = `apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  mesh: {id: mesh1}
  namespaces: [sample]
  kiali: {hub: east, version: v2.27}
  metrics: {store: acm, acm: {release: "2.16", domain: apps.acm.example.com, retention: 14d, %s}}
  clusters:
    - {name: east, domain: apps.east.example.com}
    - {name: west, server: "https://api.west.example.com:6443", managedCluster: fleet-west}
`

// TestACM changes one fact about an ACM hub outside the topology. One check
// must report it, about the right cluster.
func TestACM(t *testing.T) {
	t.Parallel()
	certificate := resource.ID{APIVersion: "policy.open-cluster-management.io/v1", Kind: "Policy", Namespace: "mesh-policies", Name: "mesh-certificate"}
	denied := &status.Failure{Status: 403, Text: "it is forbidden"}
	for name, c := range map[string]struct {
		own    string // of metrics.acm
		change func(acm *status.ACM, hub *status.Cluster)
		want   string
		found  string
		next   string
	}{
		"good": {"", func(*status.ACM, *status.Cluster) {}, "", "", ""},
		"the same time in other units": {"", func(acm *status.ACM, _ *status.Cluster) { acm.Observability.Value.Retention = "2w" }, "", "",
			""},
		"no ManagedCluster": {"", func(acm *status.ACM, _ *status.Cluster) {
			acm.Managed["west"] = status.Answer[status.ManagedCluster]{Err: &status.Failure{Status: 404}}
		}, "ST36 west bad", "ACM has no ManagedCluster fleet-west", "kubectl --context acm-hub get managedclusters"},
		"a ManagedCluster away": {"", func(acm *status.ACM, _ *status.Cluster) {
			acm.Managed["west"] = status.Answer[status.ManagedCluster]{Value: status.ManagedCluster{Unavailable: "it is gone"}}
		}, "ST36 west bad", "the ManagedCluster fleet-west is not available to ACM: it is gone", "describe managedcluster fleet-west"},
		"an add-on that is Degraded": {"", func(acm *status.ACM, _ *status.Cluster) {
			acm.Managed["west"] = status.Answer[status.ManagedCluster]{Value: status.ManagedCluster{AddOn: "Degraded is True: no such config"}}
		}, "ST36 west bad", "the add-on multicluster-observability-addon on fleet-west: Degraded is True: no such config",
			"kubectl --context acm-hub -n fleet-west describe managedclusteraddon multicluster-observability-addon"},
		"a classic add-on that is not there": {"collector: classic", func(acm *status.ACM, _ *status.Cluster) {
			acm.Observability.Value.AddOn = false
			acm.Managed["east"] = status.Answer[status.ManagedCluster]{Value: status.ManagedCluster{AddOn: "it is not there"}}
		}, "ST36 east bad", "the add-on observability-controller on east: it is not there", ""},
		"clusters not to be read": {"", func(acm *status.ACM, _ *status.Cluster) {
			acm.Managed["west"] = status.Answer[status.ManagedCluster]{Err: denied}
		}, "ST36 west unchecked", "it is forbidden", "--rights"},
		"a Policy that is not complied with": {"", func(acm *status.ACM, _ *status.Cluster) {
			acm.Policies[certificate] = status.Answer[[]string]{Value: []string{"NonCompliant on east"}}
		}, "ST37 acm bad", "the Policy mesh-certificate is NonCompliant on east", "kubectl --context acm-hub -n mesh-policies describe policy mesh-certificate"},
		"a Policy that is not there": {"", func(acm *status.ACM, _ *status.Cluster) {
			acm.Policies[certificate] = status.Answer[[]string]{Err: &status.Failure{Status: 404}}
		}, "", "", ""},
		"Policies not to be read": {"", func(acm *status.ACM, _ *status.Cluster) {
			acm.Policies[certificate] = status.Answer[[]string]{Err: denied}
		}, "ST37 acm unchecked", "it is forbidden", ""},
		"no Observability": {"", func(acm *status.ACM, _ *status.Cluster) {
			acm.Observability = status.Answer[status.Observability]{Err: &status.Failure{Status: 404}}
		}, "ST38 acm bad", "there is no MultiClusterObservability", ""},
		"the add-on is off": {"", func(acm *status.ACM, _ *status.Cluster) { acm.Observability.Value.AddOn = false },
			"ST38 acm bad", "does not let the collector mcoa collect the metrics of user workloads", "edit multiclusterobservability"},
		"the add-on is on": {"collector: classic", func(*status.ACM, *status.Cluster) {}, "ST38 acm bad",
			"turns on the collector mcoa, which removes the collector classic", "collector: mcoa"},
		"another retention": {"", func(acm *status.ACM, _ *status.Cluster) { acm.Observability.Value.Retention = "5d" },
			"ST38 acm warning", "keeps series for 5d, but Kiali is told 14d", "metrics.acm.retention"},
		"another interval": {"collector: classic", func(acm *status.ACM, _ *status.Cluster) {
			acm.Observability.Value.AddOn, acm.Observability.Value.Seconds = false, 60
		}, "ST38 acm warning", "collects each 60s, but Kiali is told 5m", ""},
		"no context": {"", func(_ *status.ACM, hub *status.Cluster) { *hub = status.Cluster{NoAccess: "no context of it is given"} },
			"ST01 acm unchecked", "no context of it is given", "--acm-context NAME"},
		"a hub that is away": {"", func(_ *status.ACM, hub *status.Cluster) { hub.Failure = &status.Failure{Text: "no answer"} },
			"ST01 acm bad", "no answer", "kubectl --context acm-hub version"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parsed, findings := check.Parse("mesh.yaml", fmt.Appendf(nil, acmMesh, c.own))
			require.Empty(t, findings)
			e := status.Expected{Topology: parsed, Outside: topology.OutsideACMHub(), Arg: "mesh.yaml", Now: now}
			acm := &status.ACM{
				Managed:       map[string]status.Answer[status.ManagedCluster]{"east": {}, "west": {}},
				Policies:      map[resource.ID]status.Answer[[]string]{certificate: {}},
				Observability: status.Answer[status.Observability]{Value: status.Observability{AddOn: true, Retention: "14d", Seconds: 300}},
			}
			hub := &status.Cluster{Context: "acm-hub", OpenShift: status.Answer[bool]{Value: true}, ACM: acm}
			c.change(acm, hub)
			results := status.Judge(e, status.Facts{Clusters: map[string]*status.Cluster{"acm": hub}})
			var not []string
			for _, r := range results {
				if r.Mark == status.Good {
					continue
				}
				not = append(not, fmt.Sprintf("%s %s %s", r.Check, r.Cluster, r.Mark))
				assert.Contains(t, r.Found, c.found)
				assert.Contains(t, r.Next, c.next)
			}
			assert.Equal(t, c.want, strings.Join(not, ", "))
			// A context that could not be asked is the one reason for all
			// stopped checks.
			assert.Equal(t, strings.HasPrefix(c.want, "ST01"), !hasCheck(status.Chosen(results, []string{"ST36"}), "ST36"))
			assert.NotEmpty(t, status.Chosen(results, []string{"ST36"}))
		})
	}
}

func hasCheck(results []status.Result, id string) bool {
	for _, r := range results {
		if r.Check == id {
			return true
		}
	}
	return false
}
