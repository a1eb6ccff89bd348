package topology

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/sightline-mesh/sightline/internal/kiali"
)

// resolve sets every default that depends on another value, so that later code
// never sees an empty value.
func (t *Topology) resolve() {
	s := &t.Spec
	k := &s.Kiali
	k.Namespace = cmp.Or(k.Namespace, s.Mesh.ControlPlaneNamespace)
	platform, version := "openshift", k.Version
	if hub := t.Hub(); hub != nil {
		platform, version = hub.Platform, cmp.Or(hub.Kiali.Version, version)
	}
	if k.Links.Format == "" {
		k.Links.Format = "single"
		if version.Before(kiali.V2_11) {
			k.Links.Format = "perCluster"
		}
	}
	switch platform {
	case "openshift":
		k.Auth.Strategy = cmp.Or(k.Auth.Strategy, "openshift")
		s.Metrics.Store = cmp.Or(s.Metrics.Store, "thanosQuerier")
	case "kubernetes":
		if len(s.Clusters) == 1 {
			k.Auth.Strategy = cmp.Or(k.Auth.Strategy, "token")
		}
		s.Metrics.Store = cmp.Or(s.Metrics.Store, "prometheus")
		k.Operator.Install = cmp.Or(k.Operator.Install, "none")
	}
	if s.Delivery != nil {
		t.resolveDelivery()
	}
	t.resolveACM()
	if s.Metrics.Scope == nil {
		s.Metrics.Scope = ScopeOf("meshID")
		if !s.Metrics.Monitors.Manage {
			s.Metrics.Scope = ScopeOf("none")
		}
	}
	var external []int
	for i := range s.Clusters {
		c := &s.Clusters[i]
		c.Kiali.Version = cmp.Or(c.Kiali.Version, k.Version)
		c.Kiali.WebRoot = cmp.Or(c.Kiali.WebRoot, DefaultWebRoot(c.Platform))
		c.Flux.KubeConfigSecret = cmp.Or(c.Flux.KubeConfigSecret, ObjectName(c.Name)+"-kubeconfig")
		c.Metrics.Interval = cmp.Or(c.Metrics.Interval, s.Metrics.Interval)
		if c.ManagedCluster == "" {
			c.ManagedCluster = c.Name
			if c.Name == s.Metrics.ACM.Hub {
				c.ManagedCluster = LocalCluster
			}
		}
		c.ControlPlane.Namespace = cmp.Or(c.ControlPlane.Namespace, s.Mesh.ControlPlaneNamespace)
		if c.ControlPlane.Mode == "external" {
			if p := t.index(c.ControlPlane.Primary); p >= 0 {
				external = append(external, i)
			}
		}
		if c.ZtunnelNamespace == "" {
			c.ZtunnelNamespace = c.ControlPlane.Namespace
			if c.Platform == "openshift" {
				c.ZtunnelNamespace = "ztunnel"
			}
		}
	}
	for _, i := range external {
		namespace := s.Clusters[i].ControlPlane.Namespace
		primary := &s.Clusters[t.index(s.Clusters[i].ControlPlane.Primary)].ControlPlane
		if namespace == primary.Namespace {
			primary.servesExternal = true
		} else if !slices.Contains(primary.others, namespace) {
			primary.others = append(primary.others, namespace)
		}
	}
	t.resolveTracing()
}

func (t *Topology) resolveACM() {
	acm := &t.Spec.Metrics.ACM
	if acm.Collector == "" {
		acm.Collector = "classic"
		if acm.HasAddOn() {
			acm.Collector = "mcoa"
		}
	}
	if i := t.index(acm.Hub); i >= 0 {
		acm.Domain = cmp.Or(acm.Domain, t.Spec.Clusters[i].Domain)
	}
}

func (t *Topology) resolveDelivery() {
	s := &t.Spec
	if argo := s.Delivery.ArgoCD; argo != nil {
		argo.Cluster = cmp.Or(argo.Cluster, s.Kiali.Hub)
		argo.Project = cmp.Or(argo.Project, t.Metadata.Name)
		argo.Plugin.Topology = cmp.Or(argo.Plugin.Topology, t.Metadata.Name+".yaml")
		if argo.Namespace == "" {
			argo.Namespace = "argocd"
			if i := t.index(argo.Cluster); i >= 0 && s.Clusters[i].Platform == "openshift" {
				argo.Namespace = "openshift-gitops"
			}
		}
	}
	if flux := s.Delivery.Flux; flux != nil {
		flux.Cluster = cmp.Or(flux.Cluster, s.Kiali.Hub)
	}
}

// UnnamedCluster is the name that istiod gives its cluster if CLUSTER_ID is not set (istio
// manifests/charts/istio-control).
const UnnamedCluster = "Kubernetes"

// DefaultWebRoot is the default path under which Kiali is served.
func DefaultWebRoot(platform string) string {
	if platform == "kubernetes" {
		return "/kiali"
	}
	return "/"
}

// OperatorBySubscription tells whether a Subscription of the topology installs
// the Kiali operator on the cluster. This is so with install: olm, and by
// default on OpenShift clusters if the hub is on OpenShift, because OpenShift
// has OLM.
func (t *Topology) OperatorBySubscription(c *Cluster) bool {
	if t.WithoutOperator(c) {
		return false
	}
	switch t.Spec.Kiali.Operator.Install {
	case "olm":
		return true
	case "":
		return c.Platform == "openshift"
	}
	return false
}

// WithoutOperator tells whether the cluster is a remote without an operator.
// There, Sightline renders what Kiali's account needs.
func (t *Topology) WithoutOperator(c *Cluster) bool {
	return t.Spec.Kiali.Operator.Remotes == "none" && !t.IsHub(c)
}

// EditsMesh tells whether Kiali's account on a cluster may change the mesh.
func (t *Topology) EditsMesh() bool {
	return kiali.EditsMesh(t.Spec.Kiali.Auth.Strategy, t.Spec.Kiali.ViewOnly)
}

// ServesExternal tells whether the cluster's istiod is the external control
// plane of another cluster of the topology. Such an istiod has its configuration
// on the other cluster, and serves no proxies on its own.
func (c *Cluster) ServesExternal() bool { return c.ControlPlane.servesExternal }

// OtherControlPlanes lists the namespaces of further istiods on the cluster, sorted.
// They serve external clusters of the topology, not their own cluster.
func (c *Cluster) OtherControlPlanes() []string {
	return slices.Sorted(slices.Values(c.ControlPlane.others))
}

// NamespacesOn lists the namespaces of a cluster that contain something of the
// mesh: proxies, the control plane or ztunnel. They are sorted.
func (t *Topology) NamespacesOn(c *Cluster) []string {
	namespaces := slices.Concat(c.Namespaces, c.Gateways, c.Waypoints)
	if c.InMesh() && !c.ServesExternal() {
		namespaces = append(namespaces, c.ControlPlane.Namespace)
		namespaces = append(namespaces, t.Spec.Namespaces...)
		if t.Spec.Mesh.DataPlane == "ambient" {
			namespaces = append(namespaces, c.ZtunnelNamespace)
		}
	}
	slices.Sort(namespaces)
	return slices.Compact(namespaces)
}

// InMesh tells whether proxies of the mesh run on the cluster.
func (c *Cluster) InMesh() bool { return c.ControlPlane.Mode != "none" }

// KialiBefore tells whether the cluster's Kiali has an older release line.
func (c *Cluster) KialiBefore(line kiali.Line) bool { return c.Kiali.Version.Before(line) }

// StoreInterval is the longest time between two scrapes of the series in Kiali's
// store. For thanosQuerier it is the hub's interval, for acm the collection
// interval, otherwise the longest interval of all clusters.
func (t *Topology) StoreInterval() string {
	longest := t.Hub().Metrics.Interval
	switch t.Spec.Metrics.Store {
	case "thanosQuerier":
		return longest
	case "acm":
		return t.Spec.Metrics.ACM.Interval
	}
	if !t.Hub().InMesh() {
		longest = ""
	}
	for i := range t.Spec.Clusters {
		c := &t.Spec.Clusters[i]
		if c.InMesh() && Seconds(c.Metrics.Interval) > Seconds(longest) {
			longest = c.Metrics.Interval
		}
	}
	return cmp.Or(longest, t.Spec.Metrics.Interval)
}

// Seconds is the length of a duration in seconds, or 0 if the string is not a
// duration.
func Seconds(interval string) int {
	sum := 0
	for i, part := range duration.FindStringSubmatch(interval) {
		if i > 0 {
			n, _ := strconv.Atoi(strings.TrimRight(part, "hms"))
			sum = sum*60 + n
		}
	}
	return sum
}

// HubHost is the host of the hub's Kiali: kiali.host of the hub, else
// OpenShift's default host of a Route, or "" if the domain is unknown.
func (t *Topology) HubHost() string {
	hub := t.Hub()
	switch {
	case hub.Kiali.Host != "":
		return hub.Kiali.Host
	case hub.Domain != "":
		return t.Spec.Kiali.InstanceName + "-" + t.Spec.Kiali.Namespace + "." + hub.Domain
	}
	return ""
}
