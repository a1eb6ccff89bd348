package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
	"github.com/sightline-mesh/sightline/render"
)

// The objects of Istio and OpenShift on a cluster of a topology, as their charts make
// them (istio manifests/charts; openshift/api config/v1). init makes the topology from
// them, and from the rendered objects beside them.

type anObject = map[string]any

func inNamespace(apiVersion, kind, namespace, name string, more anObject) anObject {
	o := anObject{"apiVersion": apiVersion, "kind": kind, "metadata": anObject{"name": name}}
	if namespace != "" {
		o["metadata"].(anObject)["namespace"] = namespace
	}
	for key, value := range more {
		if key == "labels" || key == "annotations" {
			o["metadata"].(anObject)[key] = value
			continue
		}
		o[key] = value
	}
	return o
}

// meshOn returns the objects of Istio and of the platform on a cluster.
func meshOn(t *topology.Topology, c *topology.Cluster) []anObject {
	var all []anObject
	control := c.ControlPlane.Namespace
	if c.Platform == "openshift" {
		all = append(all,
			inNamespace("config.openshift.io/v1", "ClusterVersion", "", "version",
				anObject{"status": anObject{"desired": anObject{"version": "4.19.3"}}}),
			inNamespace("config.openshift.io/v1", "Infrastructure", "", "cluster",
				anObject{"status": anObject{"apiServerURL": c.Server, "apiServerInternalURI": "https://api-int.example.com:6443"}}))
		if c.Domain != "" {
			all = append(all, inNamespace("config.openshift.io/v1", "Ingress", "", "cluster", anObject{"spec": anObject{"domain": c.Domain}}))
		}
	} else if c.Server != "" {
		all = append(all, anObject{"apiVersion": "v1", "kind": "Config",
			"clusters": []any{anObject{"name": "x", "cluster": anObject{"server": c.Server}}}})
	}
	if acmRunsOn(t, c) {
		all = append(all, acmOn(t)...)
	}
	if !c.InMesh() {
		return all
	}
	root := inNamespace("v1", "Namespace", "", control,
		anObject{"labels": anObject{"kubernetes.io/metadata.name": control}, "annotations": anObject{}})
	if c.Network != "" {
		root["metadata"].(anObject)["labels"].(anObject)["topology.istio.io/network"] = c.Network
	}
	if c.ControlPlane.Mode == "remote" && c.ControlPlane.Primary != "" {
		root["metadata"].(anObject)["annotations"].(anObject)["topology.istio.io/controlPlaneClusters"] = c.ControlPlane.Primary
	}
	all = append(all, root)
	if c.ControlPlane.Mode == "local" {
		for _, revision := range slices.Concat(c.ControlPlane.Revisions, []string{"default"})[:max(1, len(c.ControlPlane.Revisions))] {
			all = append(all, istiodOn(t, c, cmp.Or(served(t, c), c.Name), revision)...)
		}
	}
	for i := range t.Spec.Clusters { // additional istiods, which serve other clusters
		other := &t.Spec.Clusters[i]
		if other.ControlPlane.Primary == c.Name && other.ControlPlane.Mode == "external" && other.ControlPlane.Namespace != control {
			all = append(all, istiodOn(t, other, other.Name, "default")...)
		}
	}
	if t.Spec.Mesh.DataPlane == "ambient" {
		all = append(all, inNamespace("apps/v1", "DaemonSet", c.ZtunnelNamespace, "ztunnel", anObject{"labels": anObject{"app": "ztunnel"}}))
	}
	pod := func(namespace, name string, labels, annotations anObject) {
		labels["service.istio.io/canonical-name"] = name
		all = append(all, inNamespace("v1", "Pod", namespace, name, anObject{"labels": labels, "annotations": annotations,
			"spec": anObject{"containers": []any{anObject{"name": "istio-proxy", "env": []any{
				anObject{"name": "ISTIO_META_CLUSTER_ID", "value": c.Name}, anObject{"name": "ISTIO_META_MESH_ID", "value": t.Spec.Mesh.ID},
			}}}}}))
	}
	namespaces := c.Namespaces
	if !c.ServesExternal() {
		namespaces = slices.Concat(namespaces, t.Spec.Namespaces)
	}
	for _, ns := range namespaces {
		pod(ns, "app", anObject{"app": "app"}, anObject{"sidecar.istio.io/status": "{}"})
	}
	for _, ns := range c.Gateways {
		pod(ns, "gateway", anObject{"istio": "ingressgateway"}, anObject{"sidecar.istio.io/status": "{}", "inject.istio.io/templates": "gateway"})
	}
	for _, ns := range c.Waypoints {
		pod(ns, "waypoint", anObject{"gateway.istio.io/managed": "istio.io-mesh-controller",
			"gateway.networking.k8s.io/gateway-class-name": "istio-waypoint"}, anObject{})
	}
	return all
}

func acmRunsOn(t *topology.Topology, c *topology.Cluster) bool {
	return t.IsACMHub(c) || t.Spec.Kiali.Links.Source == "acm" && t.IsHub(c)
}

// acmOn returns the objects of ACM on its hub (stolostron/multiclusterhub-operator,
// open-cluster-management-io/api).
func acmOn(t *topology.Topology) []anObject {
	all := []anObject{inNamespace("operator.open-cluster-management.io/v1", "MultiClusterHub", "open-cluster-management", "multiclusterhub",
		anObject{"status": anObject{"currentVersion": t.Spec.Metrics.ACM.Release + ".1"}})}
	for i := range t.Spec.Clusters {
		c := &t.Spec.Clusters[i]
		labels := anObject{}
		if acmRunsOn(t, c) {
			labels["local-cluster"] = "true"
		}
		all = append(all, inNamespace("cluster.open-cluster-management.io/v1", "ManagedCluster", "", c.ManagedCluster, anObject{"labels": labels,
			"spec": anObject{"managedClusterClientConfigs": []any{anObject{"url": c.Server}}}}))
	}
	return all
}

// served returns the cluster that an istiod serves from outside, or "".
func served(t *topology.Topology, c *topology.Cluster) string {
	for _, other := range t.Spec.Clusters {
		if other.ControlPlane.Mode == "external" && other.ControlPlane.Primary == c.Name &&
			other.ControlPlane.Namespace == c.ControlPlane.Namespace {
			return other.Name
		}
	}
	return ""
}

func istiodOn(t *topology.Topology, c *topology.Cluster, id, revision string) []anObject {
	suffix := ""
	if revision != "default" {
		suffix = "-" + revision
	}
	labels := anObject{"app": "istiod", "istio.io/rev": revision}
	mesh := string(resource.Encode(nil, anObject{"defaultConfig": anObject{"meshId": t.Spec.Mesh.ID},
		"enablePrometheusMerge": t.Spec.Metrics.PrometheusMerge}))
	values, _ := json.Marshal(anObject{"global": anObject{"meshID": t.Spec.Mesh.ID, "network": c.Network}})
	ns := c.ControlPlane.Namespace
	return []anObject{
		inNamespace("apps/v1", "Deployment", ns, "istiod"+suffix,
			anObject{"labels": labels, "spec": anObject{"template": anObject{"spec": anObject{"containers": []any{
				anObject{"name": "discovery", "env": []any{anObject{"name": "CLUSTER_ID", "value": id}}}}}}}}),
		inNamespace("v1", "ConfigMap", ns, "istio"+suffix, anObject{"labels": labels, "data": anObject{"mesh": mesh}}),
		inNamespace("v1", "ConfigMap", ns, "istio-sidecar-injector"+suffix,
			anObject{"labels": labels, "data": anObject{"values": string(values)}}),
	}
}

// applied has the objects of each cluster after a topology is applied: the rendered
// objects, and the objects of an engine that runs on the cluster.
type applied struct {
	rendered, delivered map[string][]anObject
	acm                 []anObject // of an ACM hub outside the topology
}

func appliedOf(t testing.TB, top *topology.Topology, links render.Links) applied {
	t.Helper()
	return appliedAs(t, top, links, render.Kustomize)
}

// appliedAs returns these objects if the engine has the tree in a format.
func appliedAs(t testing.TB, top *topology.Topology, links render.Links, format render.Format) applied {
	t.Helper()
	in := &input{topology: top, links: links}
	closed, err := openAll(shared(t.Context()), in)
	require.NoError(t, err)
	defer closed()
	clusters, err := in.rendering.Clusters()
	require.NoError(t, err)
	all, err := objectsOf(clusters)
	require.NoError(t, err)
	out, err := in.rendering.Delivery(format)
	require.NoError(t, err)
	outside, err := in.rendering.ACMObjects()
	require.NoError(t, err)
	on := applied{all, deliveredOn(t, top, out.Files), nil}
	for _, f := range outside {
		var o anObject
		require.NoError(t, yaml.Unmarshal(f.Content, &o), f.Path)
		o, err := plain(o)
		require.NoError(t, err)
		on.acm = append(on.acm, o)
	}
	return on
}

// deliveredOn returns the objects of an engine, by the cluster on which the engine runs.
// Argo CD makes the Applications from files in Git; here the test makes them.
func deliveredOn(t testing.TB, top *topology.Topology, files []tree.File) map[string][]anObject {
	t.Helper()
	all := map[string][]anObject{}
	for _, f := range files {
		var o anObject
		require.NoError(t, yaml.Unmarshal(f.Content, &o), f.Path)
		parts := strings.Split(f.Path, "/")
		var on string
		switch {
		case o["cluster"] != nil:
			o = inNamespace("argoproj.io/v1alpha1", "Application", top.Spec.Delivery.ArgoCD.Namespace, fmt.Sprint(o["application"]), anObject{
				"labels": anObject{"sightline.dev/topology": top.Metadata.Name, "sightline.dev/cluster": o["cluster"]},
				"spec":   anObject{"destination": o["destination"]}})
			on = top.Spec.Delivery.ArgoCD.Cluster
		case o["metadata"] == nil: // a kustomization
			continue
		case parts[0] == "argocd":
			on = top.Spec.Delivery.ArgoCD.Cluster
		case top.Spec.Delivery.Flux.Mode == "standalone":
			on = parts[1]
		default:
			on = top.Spec.Delivery.Flux.Cluster
		}
		o, err := plain(o)
		require.NoError(t, err)
		all[on] = append(all[on], o)
	}
	return all
}

// dump writes objects as kubectl get -o yaml does: some as lists, some as
// documents, in several files.
func dump(t testing.TB, folder string, objects []anObject) {
	t.Helper()
	require.NoError(t, os.MkdirAll(folder, 0o755))
	byKind := map[string][]anObject{}
	for _, o := range objects {
		byKind[fmt.Sprint(o["kind"])] = append(byKind[fmt.Sprint(o["kind"])], o)
	}
	for kind, all := range byKind {
		var text []byte
		name := strings.ToLower(kind)
		switch {
		case len(all) > 1 && len(kind)%2 == 0:
			var items []any
			for _, o := range all {
				items = append(items, o)
			}
			text = resource.Encode(nil, anObject{"apiVersion": "v1", "kind": "List", "items": items})
		case len(kind)%3 == 0:
			data, err := json.Marshal(anObject{"apiVersion": "v1", "kind": "List", "items": all})
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(folder, name+".json"), data, 0o644))
			continue
		default:
			for _, o := range all {
				text = append(text, "---\n"...)
				text = resource.Encode(text, o)
			}
		}
		require.NoError(t, os.WriteFile(filepath.Join(folder, name+".yaml"), text, 0o644))
	}
}

// dumpMesh writes a folder for each cluster of a topology. The name of the folder does
// not tell the name of the cluster.
func dumpMesh(t testing.TB, top *topology.Topology, on applied) string {
	t.Helper()
	dir := t.TempDir()
	for i := range top.Spec.Clusters {
		c := &top.Spec.Clusters[i]
		rendered := slices.Clone(on.rendered[c.Name])
		for i, o := range rendered {
			if o["sops"] != nil { // Flux decrypts it, and a dump has no data
				o = maps.Clone(o)
				delete(o, "sops")
				delete(o, "data")
				rendered[i] = o
			}
		}
		dump(t, filepath.Join(dir, fmt.Sprintf("folder-%03d", i)), slices.Concat(meshOn(top, c), rendered, on.delivered[c.Name]))
	}
	if top.ACMOutside() {
		dump(t, filepath.Join(dir, "folder-acm"), append(acmOn(top), on.acm...))
	}
	return dir
}
