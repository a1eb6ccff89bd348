package status

import (
	"fmt"
	"slices"

	"github.com/sightline-mesh/sightline/internal/openshift"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// monitoring checks that a Prometheus scrapes what our monitors select.
func (j *judge) monitoring(got *Cluster) {
	var monitors []resource.Object
	for _, o := range j.Objects[j.on.Name] {
		if kind := o["kind"]; kind == "PodMonitor" || kind == "ServiceMonitor" {
			monitors = append(monitors, o)
		}
	}
	if len(monitors) == 0 {
		return
	}
	if j.on.Platform == "openshift" {
		j.userWorkload(got, monitors)
		return
	}
	if !j.asked("ST19", got.Prometheuses.Err) {
		j.stops("ST20")
		return
	}
	if len(got.Prometheuses.Value) == 0 {
		j.bad("ST19", "install prometheus-operator with a Prometheus, or say that others scrape",
			"there is no Prometheus resource on the cluster, so nothing reads the monitors")
		j.stops("ST20")
		return
	}
	j.good("ST19")
	if !j.asked("ST20", got.Namespaces.Err) {
		return
	}
	unread := j.unread(monitors, func(o resource.Object, id resource.ID) bool {
		labels, space := labelsOf(o), got.Namespaces.Value[id.Namespace]
		return slices.ContainsFunc(got.Prometheuses.Value, func(p Prometheus) bool {
			reads := p.PodMonitors
			if id.Kind == "ServiceMonitor" {
				reads = p.ServiceMonitors
			}
			return selects(reads.Labels, labels) && (selects(reads.Namespaces, space) || reads.Namespaces == nil && p.Namespace == id.Namespace)
		})
	})
	if unread != nil {
		j.bad("ST20", "give the monitors the labels that a Prometheus selects: metrics.labels; "+j.kubectl("get prometheuses -A -o yaml"),
			"no Prometheus selects %s", first(unread))
		return
	}
	j.good("ST20")
}

func (j *judge) unread(monitors []resource.Object, read func(resource.Object, resource.ID) bool) []string {
	var unread []string
	for _, o := range monitors {
		if id := resource.IDOf(o); !read(o, id) {
			unread = append(unread, short(id))
		}
	}
	return unread
}

func (j *judge) userWorkload(got *Cluster, monitors []resource.Object) {
	if !j.asked("ST19", got.UserWorkload.Err) {
		j.stops("ST20")
		return
	}
	platform, workloads := openshift.Configs()
	switch m := got.UserWorkload.Value; {
	case !m.On && m.Ready == 0:
		j.bad("ST19", "set enableUserWorkload: true in the ConfigMap "+platform.Namespace+"/"+platform.Name+"; sightline explain ST19",
			"user workload monitoring is off, so nothing reads the monitors")
		j.stops("ST20")
		return
	case m.Ready == 0:
		j.bad("ST19", j.in(workloads.Namespace, "get pods"),
			"user workload monitoring is on, but no pod of its Prometheus is ready")
		j.stops("ST20")
		return
	}
	j.good("ST19")
	if !j.asked("ST20", got.Namespaces.Err) {
		return
	}
	unread := j.unread(monitors, func(_ resource.Object, id resource.ID) bool {
		labels := got.Namespaces.Value[id.Namespace]
		return openshift.Scraped(labels)
	})
	if unread != nil {
		j.bad("ST20", "remove the label openshift.io/user-monitoring or openshift.io/cluster-monitoring from the namespace",
			"a label of the namespace keeps user workload monitoring from %s", first(unread))
		return
	}
	j.good("ST20")
}

func labelsOf(o resource.Object) map[string]string {
	meta, _ := o["metadata"].(map[string]any)
	all, _ := meta["labels"].(map[string]any)
	labels := map[string]string{}
	for key, value := range all {
		labels[key] = fmt.Sprint(value)
	}
	return labels
}

// selects tells whether labels match a selector. An absent selector matches
// nothing.
func selects(s Selector, labels map[string]string) bool {
	if s == nil {
		return false
	}
	for key, value := range s.MatchLabels {
		if labels[key] != value {
			return false
		}
	}
	for _, e := range s.MatchExpressions {
		value, there := labels[e.Key]
		switch e.Operator {
		case "In":
			if !there || !slices.Contains(e.Values, value) {
				return false
			}
		case "NotIn":
			if there && slices.Contains(e.Values, value) {
				return false
			}
		case "Exists":
			if !there {
				return false
			}
		case "DoesNotExist":
			if there {
				return false
			}
		}
	}
	return true
}
