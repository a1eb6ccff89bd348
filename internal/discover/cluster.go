package discover

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// said is a value and the place where it was read. The zero value was not read.
type said struct{ value, from string }

// either is the first of the values that was read.
func either(all ...said) said {
	for _, s := range all {
		if s.value != "" {
			return s
		}
	}
	return said{}
}

// cluster is what a snapshot tells about its cluster.
type cluster struct {
	*Snapshot
	openShift  bool
	platform   said
	server     said
	domain     said
	name       said
	controlNS  said     // the namespace of its istiod, or of the istiod that serves it
	istiods    []istiod // its own
	foreign    []istiod // istiods that serve other clusters
	proxy      proxyEnv
	network    said
	mode       said
	primary    said
	ztunnel    string            // its namespace; "": there is none
	namespaces map[string]string // with proxies or ambient mode, and why
	gateways   map[string]string
	waypoints  map[string]string
	kiali      resource.Object // nil: there is none
}

// istiod is a Deployment of istiod, and what Istio's configuration says.
type istiod struct {
	namespace, name, revision string
	clusterID                 string
	meshID, network           said
	trustDomain               string
	merge                     *bool // enablePrometheusMerge; nil: not given
	read                      bool  // whether its mesh config could be read
	providers                 []provides
	metricsBy                 []string // defaultProviders.metrics
}

// defaultDomain is the trust domain of istiod if nobody sets it (istio
// manifests/charts/istio-control).
const defaultDomain = "cluster.local"

// ingressRevision is the revision of the Istio with which OpenShift implements
// Gateway API for its ingress (openshift/cluster-ingress-operator). It is no mesh.
const ingressRevision = "openshift-gateway"

func look(s *Snapshot) *cluster {
	c := &cluster{Snapshot: s, namespaces: map[string]string{}, gateways: map[string]string{}, waypoints: map[string]string{}}
	infrastructure := s.named("Infrastructure", "", "cluster")
	version := s.named("ClusterVersion", "", "version")
	trace := s.ofOpenShift()
	c.openShift = infrastructure != nil || version != nil || s.named("Ingress", "", "cluster") != nil ||
		!s.Dumped && s.knows(openShift) || trace != ""
	c.platform = said{"kubernetes", "it serves no API of OpenShift"}
	if s.Dumped {
		c.platform.from = "the dump has no object of OpenShift"
	}
	if c.openShift {
		c.platform = said{"openshift", cmp.Or(trace, "it serves "+openShift)}
		if v := text(version, "status", "desired", "version"); v != "" {
			c.platform.from = "ClusterVersion: " + v
		}
	}
	c.server = either(
		said{text(infrastructure, "status", "apiServerURL"), "Infrastructure cluster, status.apiServerURL"},
		said{s.Server, "the kubeconfig"},
		said{clusterInfo(s), "ConfigMap kube-public/cluster-info"},
	)
	c.domain = said{text(s.named("Ingress", "", "cluster"), "spec", "domain"), "Ingress cluster, spec.domain"}
	for _, o := range s.of("Deployment") {
		if label(o, "app") == "istiod" && label(o, labels.Revision) != ingressRevision {
			c.istiods = append(c.istiods, istiodOf(s, o))
		}
	}
	for _, o := range s.of("DaemonSet") {
		if label(o, "app") == "ztunnel" {
			c.ztunnel = namespace(o)
		}
	}
	c.pods()
	c.proxy = c.sample()
	c.kiali = c.ownKiali()
	return c
}

// ofOpenShift names an object that only OpenShift has, if the dump lacks the objects
// that describe the platform. Otherwise it returns "".
func (s *Snapshot) ofOpenShift() string {
	if !s.Dumped {
		return ""
	}
	for _, o := range s.Objects {
		if ns := namespace(o); strings.HasPrefix(ns, "openshift-") || strings.Contains(text(o, "apiVersion"), ".openshift.io/") {
			return text(o, "kind") + " " + place(o)
		}
	}
	return ""
}

// knows tells whether the cluster serves a version of an API, according to the
// objects that were read.
func (s *Snapshot) knows(apiVersion string) bool {
	for _, k := range Kinds() {
		if !slices.Contains(k.APIVersions, apiVersion) {
			continue
		}
		if !slices.ContainsFunc(s.Unread, func(u Unread) bool { return u.Kind.Kind == k.Kind && u.Absent }) {
			return true
		}
	}
	return false
}

// clusterInfo is the URL with which kubeadm joins nodes.
func clusterInfo(s *Snapshot) string {
	var config struct {
		Clusters []struct{ Cluster struct{ Server string } }
	}
	if yaml.Unmarshal([]byte(text(s.named("ConfigMap", "kube-public", "cluster-info"), "data", "kubeconfig")),
		&config) != nil || len(config.Clusters) == 0 {
		return ""
	}
	return config.Clusters[0].Cluster.Server
}

// istiodOf reads a Deployment of istiod and the two ConfigMaps of its revision: the
// mesh config, and the ConfigMap of the injector, which has the values of the
// installation (istio manifests/charts/istio-control/istio-discovery).
func istiodOf(s *Snapshot, o resource.Object) istiod {
	i := istiod{namespace: namespace(o), name: name(o), revision: label(o, labels.Revision),
		clusterID: envOf(o, "spec", "template", "spec")["CLUSTER_ID"]}
	suffix := ""
	if i.revision != "" && i.revision != "default" {
		suffix = "-" + i.revision
	}
	var mesh struct {
		EnablePrometheusMerge *bool  `json:"enablePrometheusMerge"`
		TrustDomain           string `json:"trustDomain"`
		DefaultConfig         struct {
			MeshID string `json:"meshId"`
		} `json:"defaultConfig"`
		ExtensionProviders []map[string]any `json:"extensionProviders"`
		DefaultProviders   struct{ Metrics []string }
	}
	at := i.namespace + "/istio" + suffix
	config := text(s.named("ConfigMap", i.namespace, "istio"+suffix), "data", "mesh")
	if yaml.Unmarshal([]byte(config), &mesh) == nil {
		i.read = config != ""
		i.meshID = said{mesh.DefaultConfig.MeshID, "ConfigMap " + at + ", defaultConfig.meshId"}
		i.merge, i.trustDomain, i.metricsBy = mesh.EnablePrometheusMerge, mesh.TrustDomain, mesh.DefaultProviders.Metrics
		for _, p := range mesh.ExtensionProviders {
			i.providers = append(i.providers, provided(p))
		}
	}
	var values struct {
		Global struct {
			MeshID, Network, TrustDomain string
		}
	}
	at = i.namespace + "/istio-sidecar-injector" + suffix
	if json.Unmarshal([]byte(text(s.named("ConfigMap", i.namespace, "istio-sidecar-injector"+suffix), "data", "values")), &values) == nil {
		i.meshID = either(i.meshID, said{values.Global.MeshID, "ConfigMap " + at + ", global.meshID"})
		i.network = said{values.Global.Network, "ConfigMap " + at + ", global.network"}
		if i.trustDomain == "" {
			i.trustDomain = values.Global.TrustDomain
		}
	}
	return i
}

// envOf reads the environment of the first containers of a pod's spec. If containers
// set the same variable, the first one counts.
func envOf(o resource.Object, path ...string) map[string]string {
	env := map[string]string{}
	for _, key := range []string{"containers", "initContainers"} {
		for _, container := range list(o, append(slices.Clone(path), key)...) {
			for _, e := range list(container, "env") {
				if name := text(e, "name"); name != "" && env[name] == "" {
					env[name] = text(e, "value")
				}
			}
		}
	}
	return env
}

// proxyEnv is the environment that Istio gives to the proxies of a cluster.
type proxyEnv struct{ cluster, mesh, network, from string }

// sample reads a pod with a spec.
func (c *cluster) sample() proxyEnv {
	for _, o := range c.of("Pod") {
		env := envOf(o, "spec")
		if id := env["ISTIO_META_CLUSTER_ID"]; id != "" {
			return proxyEnv{id, env["ISTIO_META_MESH_ID"], env["ISTIO_META_NETWORK"], "the proxy of Pod " + place(o)}
		}
	}
	return proxyEnv{}
}

// The marks of the pods of gateways and waypoints (istio pkg/kube/inject,
// manifests/charts/istio-control/istio-discovery/files).
const (
	injected     = "sidecar.istio.io/status"
	templates    = "inject.istio.io/templates"
	managed      = "gateway.istio.io/managed"
	gatewayClass = "gateway.networking.k8s.io/gateway-class-name"
	meshGateway  = "istio.io-mesh-controller"
	waypoint     = "istio-waypoint"
)

// HasProxy tells from a pod's metadata whether the pod has a proxy of Istio.
func HasProxy(pod resource.Object) bool {
	return annotation(pod, injected) != "" || label(pod, managed) != "" ||
		slices.ContainsFunc(append(list(pod, "spec", "containers"), list(pod, "spec", "initContainers")...),
			func(v any) bool { return text(v, "name") == "istio-proxy" })
}

// pods finds the namespaces with proxies, from their pods and labels.
func (c *cluster) pods() {
	sidecars := map[string]int{}
	for _, o := range c.of("Pod") {
		if !HasProxy(o) || label(o, labels.Revision) == ingressRevision || annotation(o, labels.Revision) == ingressRevision || label(o,
			"app") == "ztunnel" || label(o, "app") == "istiod" {
			continue
		}
		switch {
		case label(o, managed) == meshGateway || label(o, gatewayClass) == waypoint:
			c.waypoints[namespace(o)] = "the waypoint " + name(o)
		case label(o, managed) != "" || strings.Contains(annotation(o, templates), "gateway") || strings.Contains(label(o, "istio"), "gateway"):
			c.gateways[namespace(o)] = "the gateway " + name(o)
		default:
			sidecars[namespace(o)]++
		}
	}
	for _, ns := range sortedKeys(sidecars) {
		c.namespaces[ns] = "pods with sidecars"
	}
	for _, o := range c.of("Namespace") {
		switch ns := name(o); {
		case c.namespaces[ns] != "":
		case label(o, "istio.io/dataplane-mode") == "ambient":
			c.namespaces[ns] = "the label istio.io/dataplane-mode"
		case label(o, "istio-injection") == "enabled":
			c.namespaces[ns] = "the label istio-injection"
		case label(o, labels.Revision) != "" && label(o, "istio-injection") != "disabled" && c.gateways[ns] == "" && c.waypoints[ns] == "":
			c.namespaces[ns] = "the label istio.io/rev"
		}
	}
	for ns := range c.namespaces {
		delete(c.gateways, ns)
		delete(c.waypoints, ns)
	}
	for ns := range c.waypoints {
		delete(c.gateways, ns)
	}
}

// inMesh tells whether the cluster has proxies or will have them.
func (c *cluster) inMesh() bool { return len(c.namespaces)+len(c.gateways)+len(c.waypoints) > 0 }

// ownKiali is the Kiali resource of the cluster. If there are several, it is ours.
func (c *cluster) ownKiali() resource.Object {
	all := c.of("Kiali")
	if i := slices.IndexFunc(all, isOurs); i >= 0 {
		return all[i]
	}
	if len(all) > 0 {
		return all[0]
	}
	return nil
}

// isServer tells whether a Kiali resource runs a server.
func isServer(kiali resource.Object) bool {
	remote, _ := at(kiali, "spec", "deployment", "remote_cluster_resources_only").(bool)
	return kiali != nil && !remote
}
