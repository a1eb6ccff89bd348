package status

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sightline-mesh/sightline/internal/openshift"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Readers is the group whose users have the rights.
const Readers = "sightline-status"

// Rights returns the roles and bindings that a cluster needs, and no more, so
// that users of the group [Readers] can make every check. Reading OpenShift's
// store also needs cluster-monitoring-view, which Rights binds as well.
func Rights(e Expected, c *topology.Cluster) []resource.Object {
	r := rights{byNamespace: map[string][]any{}}
	t := e.Topology
	own := t.Spec.Kiali.Namespace
	r.allow("", "", "namespaces", nil, "list")
	if c == e.ACMHub() {
		r.allow("", "cluster.open-cluster-management.io", "managedclusters", nil, "list")
		r.allow("", "addon.open-cluster-management.io", "managedclusteraddons", nil, "list")
		r.allow("", "observability.open-cluster-management.io", "multiclusterobservabilities", []string{"observability"}, "get")
	}
	if c == e.Outside {
		r.rendered(e.Objects[c.Name])
		return r.objects(c)
	}
	r.allow("", "apps", "deployments", nil, "list")
	r.allow("", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", nil, "list")
	r.rendered(e.Objects[c.Name])
	if mode := c.ControlPlane.Mode; mode == "local" {
		r.allow(c.ControlPlane.Namespace, "", "configmaps", istioConfigs(c), "get")
	}
	if c.Platform == "openshift" {
		r.openShift(t, own)
	} else {
		r.allow("", "monitoring.coreos.com", "prometheuses", nil, "list")
	}
	if t.IsHub(c) {
		r.allow(own, "", "secrets", nil, "get", "list")
		r.allow(own, "", "pods", nil, "list")
		r.allow(own, "", "pods/log", nil, "get")
		r.allow(own, "", "pods/portforward", nil, "create", "get")
		r.allow(own, "", "services", []string{t.Spec.Kiali.InstanceName}, "get")
		r.store(e)
	} else {
		g := seal.Generation(e.Links[c.Name]) // and the next one, so that the roles stay valid after a rotation
		r.allow(own, "", "secrets", []string{t.TokenSecret(g), t.TokenSecret(g + 1)}, "get")
		r.allow(own, "", "serviceaccounts", []string{t.Account()}, "get")
	}
	return r.objects(c)
}

// istioConfigs lists the ConfigMaps with Istio's configuration, for each
// revision.
func istioConfigs(c *topology.Cluster) []string {
	names := []string{"istio", "istio-sidecar-injector"}
	for _, revision := range c.ControlPlane.Revisions {
		if revision != "default" {
			names = append(names, "istio-"+revision, "istio-sidecar-injector-"+revision)
		}
	}
	return names
}

type rights struct {
	byNamespace map[string][]any // rules; "": of the ClusterRole
	view        bool             // bind the role cluster-monitoring-view too
}

// allow adds a rule. If an equal rule with other names exists, allow adds the
// names to that rule.
func (r *rights) allow(namespace, group, resource string, names []string, verbs ...string) {
	for _, other := range r.byNamespace[namespace] {
		rule, _ := other.(map[string]any)
		named, ok := rule["resourceNames"].([]any)
		if ok && names != nil && reflect.DeepEqual(
			[]any{rule["apiGroups"], rule["resources"], rule["verbs"]}, []any{[]any{group}, []any{resource}, list(verbs)}) {
			for _, name := range names {
				if !slices.Contains(named, any(name)) {
					named = append(named, name)
				}
			}
			rule["resourceNames"] = named
			return
		}
	}
	rule := map[string]any{"apiGroups": []any{group}, "resources": []any{resource}, "verbs": list(verbs)}
	if names != nil {
		rule["resourceNames"] = list(names)
	}
	r.byNamespace[namespace] = append(r.byNamespace[namespace], rule)
}

func list(texts []string) []any {
	all := make([]any, len(texts))
	for i, text := range texts {
		all[i] = text
	}
	return all
}

// rendered allows what the comparison with the rendered objects reads.
func (r *rights) rendered(objects []resource.Object) {
	names := map[[3]string][]string{} // by namespace, group and resource
	for _, o := range objects {
		id := resource.IDOf(o)
		gv, err := schema.ParseGroupVersion(id.APIVersion)
		if err != nil {
			continue
		}
		plural, _ := meta.UnsafeGuessKindToResource(gv.WithKind(id.Kind))
		key := [3]string{id.Namespace, gv.Group, plural.Resource}
		if gv.Group == "monitoring.coreos.com" { // there are many: status lists them
			key[0] = ""
		}
		names[key] = append(names[key], id.Name)
	}
	for _, key := range slices.SortedFunc(maps.Keys(names), func(a, b [3]string) int { return slices.Compare(a[:], b[:]) }) {
		if key[1] == "monitoring.coreos.com" {
			r.allow("", key[1], key[2], nil, "get", "list")
			continue
		}
		if key[1] == "telemetry.istio.io" { // status also lists the others of the namespace
			r.allow(key[0], key[1], key[2], nil, "get", "list")
			continue
		}
		slices.Sort(names[key])
		r.allow(key[0], key[1], key[2], slices.Compact(names[key]), "get")
	}
}

func (r *rights) openShift(t *topology.Topology, own string) {
	platform, workloads := openshift.Configs()
	r.allow(platform.Namespace, "", "configmaps", []string{platform.Name, openshift.ServiceCA}, "get")
	r.allow(workloads.Namespace, "", "pods", nil, "list")
	r.allow(own, "", "configmaps", []string{openshift.ServiceCA}, "get")
	if t.Spec.Metrics.Store == "thanosQuerier" {
		r.allow(platform.Namespace, "", "services", []string{openshift.Querier().Name}, "get")
		r.allow(platform.Namespace, "", "pods", nil, "list")
		r.allow(platform.Namespace, "", "pods/portforward", nil, "create", "get")
		r.view = true
	}
}

// store allows what reading the store through the API server needs.
func (r *rights) store(e Expected) {
	if s, ok := StoreService(e); ok {
		r.allow(s.Namespace, "", "services/proxy", []string{s.Scheme + ":" + s.Name + ":" + s.Port}, "get")
	}
	if _, auth := StoreURL(e); auth.Type == Certificate {
		t := e.Topology
		r.allow(t.Spec.Kiali.Namespace, "", "configmaps", []string{StoreCA(t)}, "get")
	}
}

func (r *rights) objects(c *topology.Cluster) []resource.Object {
	var objects []resource.Object
	subject := []any{map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": Readers}}
	add := func(kind, name, namespace string, more map[string]any) {
		metadata := map[string]any{"name": name}
		if namespace != "" {
			metadata["namespace"] = namespace
		}
		object := resource.Object{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata}
		maps.Copy(object, more)
		objects = append(objects, object)
	}
	bind := func(kind, name, namespace, role, roleName string) {
		add(kind, name, namespace, map[string]any{
			"roleRef": map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": roleName}, "subjects": subject,
		})
	}
	for _, namespace := range slices.Sorted(maps.Keys(r.byNamespace)) {
		kind := "Role"
		if namespace == "" {
			kind = "ClusterRole"
		}
		add(kind, Readers, namespace, map[string]any{"rules": r.byNamespace[namespace]})
		bind(kind+"Binding", Readers, namespace, kind, Readers)
	}
	if r.view && c.Platform == "openshift" {
		bind("ClusterRoleBinding", Readers+"-metrics", "", "ClusterRole", openshift.ViewRole)
	}
	return objects
}

// Service is the Service of a store of metrics.
type Service struct{ Namespace, Name, Port, Scheme string }

// StoreCA returns the name of the ConfigMap with the CAs that the hub's Kiali
// trusts.
func StoreCA(t *topology.Topology) string {
	return t.Hub().Kiali.Version.CABundle(t.Spec.Kiali.InstanceName, t.Hub().Platform)
}

// Certificate is the type of the login to ACM's store by its route. The
// rendered Kiali resource of the hub names the certificate.
const Certificate = "certificate"

// StoreURL returns the address of the store of all clusters for the hub's pods,
// and Kiali's login to it. The address is "" if each cluster has its own store.
func StoreURL(e Expected) (address string, auth topology.StoreAuth) {
	switch m := &e.Topology.Spec.Metrics; m.Store {
	case "prometheus":
		return m.Prometheus.URL, m.Prometheus.Auth
	case "thanos":
		return m.Thanos.URL, m.Thanos.Auth
	case "acm": // inside the cluster it asks for no login (MCO:operators/multiclusterobservability)
		store, _ := In(KialiSpec(e, e.Topology.Hub()), "external_services", "prometheus").(map[string]any)
		address, _ = store["url"].(string)
		if In(store, "auth", "cert_file") != nil {
			return address, topology.StoreAuth{Type: Certificate}
		}
		return address, topology.StoreAuth{Type: "none"}
	}
	return "", topology.StoreAuth{}
}

// StoreService returns the Service of the store of all clusters, and true, if
// the store is a Service on the hub without a login.
func StoreService(e Expected) (Service, bool) {
	address, auth := StoreURL(e)
	scheme, rest, _ := strings.Cut(address, "://")
	host, _, _ := strings.Cut(rest, "/")
	host, port, _ := strings.Cut(host, ":")
	parts := strings.Split(host, ".")
	named := len(parts) == 2 || len(parts) >= 3 && parts[2] == "svc" && (len(parts) == 3 || strings.Join(parts[3:], ".") == "cluster.local")
	if !named || auth.Type != "none" && auth.Type != "" {
		return Service{}, false
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	return Service{Namespace: parts[1], Name: parts[0], Port: port, Scheme: scheme}, true
}
