package status

import (
	"strings"
	"time"

	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/labels"
)

func (j *judge) operator(got *Cluster) {
	if _, ok := j.kialiObject(); !ok {
		return
	}
	if !j.asked("ST09", got.Operator.Err) {
		return
	}
	o, line := got.Operator.Value, j.on.Kiali.Version
	need, _ := line.FirstOperator()
	switch {
	case o.Problem != "":
		j.bad("ST09", j.kubectl("get subscriptions,installplans,clusterserviceversions -A"), "Kiali's operator is not installed: %s", o.Problem)
	case !o.Found:
		j.bad("ST09", "install it, or let Sightline install it: sightline explain spec.kiali.operator.install",
			"there is no operator of Kiali on the cluster")
	case o.Version == "":
		j.unchecked("ST09", "", "Kiali's operator is there; its version is not known")
	case need != "" && kiali.OperatorBefore(o.Version, need):
		j.bad("ST09", "update the operator to "+need+" or later", "Kiali's operator is %s, but %s is the first that knows the release "+
			"line %s", o.Version,
			need, line)
	default:
		j.good("ST09")
	}
}

// login checks that OpenShift has what the strategy openshift needs.
func (j *judge) login(got *Cluster) {
	asks := j.Topology.Spec.Kiali.Auth.Strategy == "openshift" && j.on.Platform == "openshift" && got.OpenShift.Value
	switch {
	case !asks || !j.asked("ST39", got.OAuth.Err):
	case !got.OAuth.Value:
		j.bad("ST39", "write auth: {strategy: openid} in spec.kiali",
			"OpenShift has no OAuthClients here, for example because its API server accepts an OIDC provider; with the strategy openshift "+
				"nobody can log in")
	default:
		j.good("ST39")
	}
}

// resource checks what the operator says about the Kiali resource. The status
// has no observedGeneration, so a condition can describe an earlier spec.
func (j *judge) resource(got *Cluster) {
	id, ok := j.kialiObject()
	if !ok {
		return
	}
	answer := got.Objects[id]
	next := j.in(id.Namespace, "get kiali %s -o jsonpath='{.status}'", id.Name)
	if answer.Err.Missing() {
		j.bad("ST10", "apply the phase kiali of the cluster", "there is no Kiali resource %s/%s", id.Namespace, id.Name)
		return
	}
	if !j.asked("ST10", answer.Err) {
		return
	}
	running, failure, successful := condition(answer.Value, "Running"), condition(answer.Value, "Failure"), condition(answer.Value,
		"Successful")
	changed := specChanged(answer.Value)
	switch {
	case failure.status == "True":
		j.bad("ST10", next, "the operator could not reconcile it: %s", brief(failure.message))
	case running.reason == "Running":
		j.bad("ST10", "wait: --wait", "the operator is still working on it")
	case successful.status != "True":
		j.bad("ST10", "see that the operator runs: "+j.kubectl("get deployments -A -l "+labels.KialiOperator),
			"the operator has not reconciled it yet")
	case running.at.Before(changed):
		j.bad("ST10", "see that the operator runs: "+j.kubectl("get deployments -A -l "+labels.KialiOperator),
			"the operator has not reconciled it since its spec changed at %s; Successful describes an earlier spec",
			moment(changed))
	default:
		j.good("ST10")
	}
}

type conditionOf struct {
	status, reason, message string
	at                      time.Time
}

func condition(object map[string]any, kind string) conditionOf {
	status, _ := object["status"].(map[string]any)
	list, _ := status["conditions"].([]any)
	for _, item := range list {
		c, _ := item.(map[string]any)
		if c["type"] == kind {
			text := func(key string) string { s, _ := c[key].(string); return s }
			at, _ := time.Parse(time.RFC3339, text("lastTransitionTime"))
			return conditionOf{text("status"), text("reason"), text("message"), at}
		}
	}
	return conditionOf{}
}

// specChanged returns when somebody last changed the spec, according to the API
// server.
func specChanged(object map[string]any) time.Time {
	meta, _ := object["metadata"].(map[string]any)
	managers, _ := meta["managedFields"].([]any)
	var last time.Time
	for _, m := range managers {
		manager, _ := m.(map[string]any)
		fields, _ := manager["fieldsV1"].(map[string]any)
		if _, ok := fields["f:spec"]; !ok {
			continue
		}
		text, _ := manager["time"].(string)
		if at, err := time.Parse(time.RFC3339, text); err == nil && at.After(last) {
			last = at
		}
	}
	return last
}

// brief puts a foreign message on one line and limits its length.
func brief(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > 300 {
		return string(runes[:300]) + "…"
	}
	return s
}

func (j *judge) pods(got *Cluster) {
	if !j.asked("ST11", got.Pods.Err) {
		return
	}
	ns := j.Topology.Spec.Kiali.Namespace
	for _, p := range got.Pods.Value {
		if p.Ready {
			j.good("ST11")
			return
		}
	}
	if len(got.Pods.Value) == 0 {
		j.bad("ST11", j.in(ns, "get deployment %s", j.Topology.Spec.Kiali.InstanceName),
			"there is no pod of Kiali in the namespace %s", ns)
		return
	}
	p := got.Pods.Value[0]
	next := j.in(ns, "logs %s --previous", p.Name)
	switch {
	case p.Fatal.Err == nil && p.Fatal.Value != "":
		j.bad("ST11", next, "the pod %s has crashed %d times, last with: %s", p.Name, p.Restarts, brief(p.Fatal.Value))
	case p.Waiting != "":
		j.bad("ST11", next, "the pod %s is not ready: %s, after %d restarts", p.Name, p.Waiting, p.Restarts)
	default:
		j.bad("ST11", j.in(ns, "describe pod %s", p.Name), "the pod %s is not ready", p.Name)
	}
}
