package observe

import (
	"context"
	"net/http"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/status"
)

// condition is a condition in the status of an object.
type condition struct{ Type, Status, Reason, Message string }

// unmet says why a condition is wrong, or "".
func unmet(conditions []condition, kind, want string) string {
	for _, c := range conditions {
		if c.Type == kind {
			if c.Status == want {
				return ""
			}
			return kind + " is " + c.Status + ": " + c.Message
		}
	}
	if want == "False" { // the condition is only set while it is true
		return ""
	}
	return "it has no condition " + kind
}

// conditioned is an object with conditions.
type conditioned struct {
	Metadata struct{ Name, Namespace string }
	Status   struct{ Conditions []condition }
}

// acm reads what ACM says about the collection of metrics
// (open-cluster-management.io/api cluster/v1, addon/v1alpha1).
func (r *reader) acm(ctx context.Context) {
	acm := &status.ACM{Managed: map[string]status.Answer[status.ManagedCluster]{}, Policies: map[resource.ID]status.Answer[[]string]{}}
	r.got.ACM = acm
	acm.Observability = ask(r, func() (status.Observability, error) { return r.observability(ctx) })
	for _, o := range r.e.Objects[r.on.Name] {
		if id := resource.IDOf(o); id.Kind == "Policy" {
			acm.Policies[id] = ask(r, func() ([]string, error) { return r.unsatisfied(ctx, id) })
		}
	}
	clusters := ask(r, func() ([]resource.Object, error) {
		return r.List(ctx, "cluster.open-cluster-management.io/v1", "ManagedCluster", "", "")
	})
	addOns := ask(r, func() ([]resource.Object, error) {
		return r.List(ctx, "addon.open-cluster-management.io/v1alpha1", "ManagedClusterAddOn", "", "")
	})
	of, addOnOf := map[string]conditioned{}, map[string]conditioned{}
	for _, o := range clusters.Value {
		var c conditioned
		if into(o, &c) == nil {
			of[c.Metadata.Name] = c
		}
	}
	for _, o := range addOns.Value {
		var a conditioned
		if into(o, &a) == nil && a.Metadata.Name == status.AddOn(r.e.Topology) {
			addOnOf[a.Metadata.Namespace] = a
		}
	}
	for _, c := range r.e.Clusters() {
		if !r.e.Collected(c) || !r.o.asks(c) {
			continue
		}
		var answer status.Answer[status.ManagedCluster]
		managed, known := of[c.ManagedCluster]
		addOn, on := addOnOf[c.ManagedCluster]
		switch {
		case clusters.Err != nil && !clusters.Err.Missing(): // a hub without the kind has no ManagedCluster
			answer.Err = clusters.Err
		case !known:
			answer.Err = &status.Failure{Status: http.StatusNotFound}
		default:
			answer.Value.Unavailable = unmet(managed.Status.Conditions, "ManagedClusterConditionAvailable", "True")
			switch {
			case answer.Value.Unavailable != "":
			case addOns.Err != nil:
				answer.Err = addOns.Err
			case !on:
				answer.Value.AddOn = "it is missing: no Placement of the add-on selects the cluster"
			default:
				answer.Value.AddOn = unmet(addOn.Status.Conditions, "Available", "True")
				if answer.Value.AddOn == "" {
					answer.Value.AddOn = unmet(addOn.Status.Conditions, "Degraded", "False")
				}
			}
		}
		acm.Managed[c.Name] = answer
	}
}

// unsatisfied lists where a Policy is not Compliant, such as "NonCompliant on
// west" (governance-policy-propagator api/v1: status of the root Policy).
func (r *reader) unsatisfied(ctx context.Context, id resource.ID) ([]string, error) {
	o, err := r.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	var policy struct {
		Status struct {
			Status []struct{ Clustername, Compliant string }
		}
	}
	if err := into(o, &policy); err != nil {
		return nil, err
	}
	if len(policy.Status.Status) == 0 {
		return []string{"placed on no cluster"}, nil
	}
	var all []string
	for _, s := range policy.Status.Status {
		switch s.Compliant {
		case "Compliant":
		case "":
			all = append(all, "not evaluated yet on "+s.Clustername)
		default:
			all = append(all, s.Compliant+" on "+s.Clustername)
		}
	}
	return all, nil
}

// observability reads the MultiClusterObservability. Absent fields get ACM's
// defaults (MCO:operators/multiclusterobservability/api, pkg/config).
func (r *reader) observability(ctx context.Context) (status.Observability, error) {
	o, err := r.Find(ctx, resource.ID{APIVersion: "observability.open-cluster-management.io/v1beta2", Kind: "MultiClusterObservability",
		Name: "observability"})
	if err != nil {
		return status.Observability{}, err
	}
	var m struct {
		Spec struct {
			Capabilities struct {
				UserWorkloads struct {
					Metrics struct{ Default struct{ Enabled bool } }
				}
			}
			Advanced struct {
				RetentionConfig struct {
					RetentionResolutionRaw string
				}
			}
			ObservabilityAddonSpec struct{ Interval int64 }
		}
	}
	if err := into(o, &m); err != nil {
		return status.Observability{}, err
	}
	found := status.Observability{AddOn: m.Spec.Capabilities.UserWorkloads.Metrics.Default.Enabled, Retention: "365d", Seconds: 300}
	if keeps := m.Spec.Advanced.RetentionConfig.RetentionResolutionRaw; keeps != "" {
		found.Retention = keeps
	}
	if seconds := m.Spec.ObservabilityAddonSpec.Interval; seconds != 0 {
		found.Seconds = seconds
	}
	return found, nil
}
