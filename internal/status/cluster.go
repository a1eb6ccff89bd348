package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/compare"
	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

func (j *judge) reached(got *Cluster) bool {
	switch {
	case got == nil:
		return false
	case got.NoAccess != "":
		j.unchecked("ST01", "name the context: "+j.contextFlag(), "%s; nothing of the cluster was asked", got.NoAccess)
		return false
	case got.Failure != nil && (got.Failure.Status == 401 || got.Failure.Status == 403):
		j.bad("ST01", "log in to the cluster again: "+j.kubectl("auth whoami"), "%s; nothing else of the cluster was asked", got.Failure.Text)
		return false
	case got.Failure != nil:
		j.bad("ST01", "see whether the API server is up and reachable from here: "+j.kubectl("version"),
			"%s; nothing else of the cluster was asked", got.Failure.Text)
		return false
	}
	j.good("ST01")
	return true
}

// contextFlag returns the flag that names the context of the cluster.
func (j *judge) contextFlag() string {
	if j.on == j.Outside {
		return "--acm-context NAME"
	}
	return "--context " + j.on.Name + "=NAME"
}

func (j *judge) platform(got *Cluster) {
	if !j.asked("ST02", got.OpenShift.Err) {
		return
	}
	is := "kubernetes"
	if got.OpenShift.Value {
		is = "openshift"
	}
	if is != j.on.Platform {
		j.bad("ST02", fmt.Sprintf("write platform: %s for the cluster in the topology, or name another context: %s", is,
			j.contextFlag()), "the cluster is %s, the topology says %s", is, j.on.Platform)
		return
	}
	j.good("ST02")
}

func (j *judge) names(got *Cluster) {
	mode := j.on.ControlPlane.Mode
	if mode != "local" && mode != "external" {
		return
	}
	ns := j.on.ControlPlane.Namespace
	if !j.asked("ST03", got.Istiods.Err) {
		j.stops("names")
		return
	}
	if mode == "local" {
		if len(got.Istiods.Value) == 0 {
			j.bad("ST03", j.kubectl("%s", command.Istiods), "there is no istiod in the namespace %s", ns)
			j.stops("names")
			return
		}
		j.clusterIDs(got.Istiods.Value)
		j.meshIDs(got.Istiods.Value)
		j.revisions(got)
	}
	j.network(got)
}

func (j *judge) clusterIDs(istiods []Istiod) {
	var wrong []string
	for _, i := range istiods {
		if id := cmp.Or(i.ClusterID, topology.UnnamedCluster); id != j.on.Name {
			wrong = append(wrong, fmt.Sprintf("%s has CLUSTER_ID %q", i.Name, id))
		}
	}
	if wrong != nil {
		j.bad("ST03",
			fmt.Sprintf(
				"install Istio with values.global.multiCluster.clusterName: %s, or give the cluster Istio's name in the topology and seal its link "+
					"again", j.on.Name),
			"%s, the topology calls the cluster %q", first(wrong), j.on.Name)
		return
	}
	j.good("ST03")
}

func (j *judge) meshIDs(istiods []Istiod) {
	id := j.Topology.Spec.Mesh.ID
	var wrong, silent []string
	for _, i := range istiods {
		switch i.MeshID {
		case id:
		case "":
			silent = append(silent, i.Name)
		default:
			wrong = append(wrong, fmt.Sprintf("%s has %q", i.Name, i.MeshID))
		}
	}
	switch {
	case wrong != nil:
		j.bad("ST04", fmt.Sprintf("install Istio with values.global.meshID: %s, or write the mesh's id into the topology", id),
			"%s, the topology says %q", first(wrong), id)
	case silent != nil:
		j.unchecked("ST04", j.in(j.on.ControlPlane.Namespace, "get configmap istio -o yaml"),
			"the mesh config of %s names no mesh id, or cannot be read", first(silent))
	default:
		j.good("ST04")
	}
}

func (j *judge) network(got *Cluster) {
	want := j.on.Network
	if want == "" {
		return
	}
	if !j.asked("ST05", got.Network.Err) {
		return
	}
	found := map[string]bool{}
	if got.Network.Value != "" {
		found[got.Network.Value] = true
	}
	for _, i := range got.Istiods.Value {
		if i.Networks != "" {
			found[i.Networks] = true
		}
	}
	ns := j.on.ControlPlane.Namespace
	switch {
	case len(found) == 0:
		j.bad("ST05", j.kubectl("label namespace %s %s=%s", ns, labels.Network, want),
			"Istio has no network for the cluster, the topology says %q", want)
	case len(found) == 1 && found[want]:
		j.good("ST05")
	default:
		var names []string
		for name := range found {
			names = append(names, fmt.Sprintf("%q", name))
		}
		slices.Sort(names)
		j.bad("ST05", j.kubectl("get namespace %s --show-labels", ns), "Istio's network of the cluster is %s, the topology says %q",
			first(names), want)
	}
}

func (j *judge) revisions(got *Cluster) {
	want := slices.Clone(j.on.ControlPlane.Revisions)
	var have []string
	for _, i := range got.Istiods.Value {
		have = append(have, cmp.Or(i.Revision, "default"))
	}
	slices.Sort(want)
	slices.Sort(have)
	next := "write the revisions that run into controlPlane.revisions of the cluster"
	if len(want) > 0 && !slices.Equal(want, have) {
		j.bad("ST06", next, "the revisions %s run, the topology says %s", first(have), first(want))
		return
	}
	if len(want) == 0 && len(have) > 1 {
		j.bad("ST06", next, "the revisions %s run at the same time, but the topology names none: Kiali cannot distinguish their series",
			first(have))
		return
	}
	if !j.asked("ST06", got.Tags.Err) {
		return
	}
	var lost []string
	for tag, revision := range got.Tags.Value {
		if !slices.Contains(have, cmp.Or(revision, "default")) {
			lost = append(lost, fmt.Sprintf("%s leads to %s", tag, revision))
		}
	}
	if slices.Sort(lost); lost != nil {
		j.bad("ST06", "istioctl --context "+j.context()+" tag list", "the revision tag %s, but no istiod of this revision runs", first(lost))
		return
	}
	j.good("ST06")
}

func (j *judge) objects(got *Cluster) {
	var missing, differ, changed []string
	var denied *Failure
	for _, o := range j.Objects[j.on.Name] {
		id := resource.IDOf(o)
		answer, ok := got.Objects[id]
		switch {
		case !ok:
		case answer.Err.Missing():
			missing = append(missing, short(id))
		case answer.Err != nil:
			denied = cmp.Or(denied, answer.Err)
		default:
			if fields := compare.Applied(answer.Value, o); len(fields) > 0 {
				differ = append(differ, short(id))
				changed = append(changed, fmt.Sprintf("%s: %s", short(id), fields[0].Path))
			}
		}
	}
	see := " -o - --cluster " + j.on.Name
	if j.on == j.Outside {
		see = " -o DIR makes " + topology.ACMTree + "/"
	}
	next := "see the expected objects: " + command.Render(j.Arg) + see + "; then find out why the engine has not applied them"
	switch {
	case missing != nil:
		j.bad("ST07", next, "%d of %d objects are missing: %s", len(missing), len(j.Objects[j.on.Name]), first(missing))
	case denied != nil:
		j.asked("ST07", denied)
	default:
		j.good("ST07")
	}
	switch {
	case differ != nil:
		j.bad("ST08", next, "%d of %d objects differ from the rendered ones: %s", len(differ), len(j.Objects[j.on.Name]), first(changed))
	case denied != nil:
		j.asked("ST08", denied)
	case len(missing) < len(j.Objects[j.on.Name]):
		j.good("ST08")
	}
}

// short is the name of an object in messages.
func short(id resource.ID) string {
	name := id.Name
	if id.Namespace != "" {
		name = id.Namespace + "/" + name
	}
	return id.Kind + " " + name
}

// kialiObject is the Kiali resource that the cluster should have.
func (j *judge) kialiObject() (resource.ID, bool) {
	for _, o := range j.Objects[j.on.Name] {
		if id := resource.IDOf(o); id.Kind == "Kiali" && strings.HasPrefix(id.APIVersion, "kiali.io/") {
			return id, true
		}
	}
	return resource.ID{}, false
}
