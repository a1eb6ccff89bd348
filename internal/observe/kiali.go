package observe

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/status"
)

// Kiali is how Kiali is reached: at a URL, or by a port-forward to its Service.
type Kiali struct {
	URL   string
	Token string // "": with the strategy openshift the one of the hub's context, else none
	CA    []byte // of the URL
}

// read asks Kiali's API. Its routes and fields are those that every release
// line has (K:routing/routes.go at the tags v2.4 to v2.30).
func (k Kiali) read(ctx context.Context, e status.Expected, hub *cluster.Cluster) *status.Kiali {
	got := &status.Kiali{}
	if hub == nil {
		got.NoAccess = "the hub was not asked, or does not answer"
		return got
	}
	open, closed, err := k.open(ctx, e, hub, cluster.Login{})
	if err != nil {
		got.NoAccess = "Kiali cannot be reached: " + err.Error()
		return got
	}
	var info struct{ Strategy string }
	root := root(e)
	err = open.JSON(ctx, append(root, "auth", "info"), nil, &info)
	closed()
	got.Strategy = status.Answer[string]{Value: info.Strategy, Err: failure(err)}
	if err != nil {
		got.Services.Err = failure(err)
		return got
	}
	login := cluster.Login{Token: k.Token}
	if k.Token == "" && info.Strategy == "openshift" {
		login.Context = true
	}
	if open, closed, err = k.open(ctx, e, hub, login); err != nil {
		got.NoAccess = "nobody can log in to Kiali: " + err.Error()
		return got
	}
	defer closed()
	k.ask(ctx, e, open, root, got)
	return got
}

func (k Kiali) ask(ctx context.Context, e status.Expected, open *cluster.Server, root cluster.Path, got *status.Kiali) {
	var about struct {
		ExternalServices []struct{ Name string }
	}
	err := open.JSON(ctx, append(root, "status"), nil, &about)
	got.Services.Err = failure(err)
	for _, s := range about.ExternalServices {
		got.Services.Value = append(got.Services.Value, s.Name)
	}
	if err != nil {
		return
	}
	var namespaces []struct{ Name, Cluster string }
	err = open.JSON(ctx, append(root, "namespaces"), nil, &namespaces)
	got.Namespaces = status.Answer[map[string][]string]{Value: map[string][]string{}, Err: failure(err)}
	for _, ns := range namespaces {
		got.Namespaces.Value[ns.Cluster] = append(got.Namespaces.Value[ns.Cluster], ns.Name)
	}
	var planes []struct {
		ID      string
		Cluster struct{ Name string }
	}
	err = open.JSON(ctx, append(root, "mesh", "controlplanes"), nil, &planes)
	got.ControlPlanes.Err = failure(err)
	for _, p := range planes {
		got.ControlPlanes.Value = append(got.ControlPlanes.Value, status.ControlPlane{Cluster: p.Cluster.Name, ID: p.ID})
	}
	if traces(e) && !e.Topology.Hub().KialiBefore(kiali.V2_11) {
		got.Tracing.Value = true
		var diagnosis struct { // K:model TracingDiagnose
			Code    int
			Message string
		}
		if err := open.JSON(ctx, append(root, "tracing", "diagnose"), nil, &diagnosis); err != nil {
			got.Tracing.Err = failure(err)
		} else if diagnosis.Code >= 400 {
			got.Tracing.Err = &status.Failure{Status: http.StatusServiceUnavailable, Text: seal.Redact(diagnosis.Message)}
		}
	}
}

// root is where the API is.
func root(e status.Expected) cluster.Path {
	path := make(cluster.Path, 0, 8)
	for segment := range strings.SplitSeq(strings.Trim(e.Topology.Hub().Kiali.WebRoot, "/"), "/") {
		if segment != "" {
			path = append(path, segment)
		}
	}
	return append(path, "api")[: len(path)+1 : len(path)+1]
}

// open finds Kiali.
func (k Kiali) open(ctx context.Context, e status.Expected, hub *cluster.Cluster, login cluster.Login) (*cluster.Server, func(), error) {
	if k.URL != "" {
		server, err := hub.At("Kiali", strings.TrimSuffix(strings.TrimRight(k.URL, "/"), strings.TrimRight(e.Topology.Hub().Kiali.WebRoot, "/")),
			login, k.CA)
		return server, func() {}, err
	}
	spec := &e.Topology.Spec.Kiali
	service := cluster.Service{Namespace: spec.Namespace, Name: spec.InstanceName, Port: strconv.Itoa(kiali.Port),
		TLS: e.Topology.Hub().Platform == "openshift"}
	ca, err := serviceCA(ctx, hub, service)
	if err != nil {
		return nil, nil, err
	}
	forward, err := hub.Forward(ctx, service, login, ca)
	if err != nil {
		return nil, nil, err
	}
	return &forward.Server, forward.Close, nil
}

// serviceCA is the authority that signs the certificates of Services on
// OpenShift, which every namespace has; none for a Service without TLS.
func serviceCA(ctx context.Context, c *cluster.Cluster, s cluster.Service) ([]byte, error) {
	if !s.TLS {
		return nil, nil
	}
	var bundle corev1.ConfigMap
	if err := c.Read(ctx, cluster.Core(s.Namespace, "configmaps", "openshift-service-ca.crt"), &bundle); err != nil {
		return nil, err
	}
	return []byte(bundle.Data["service-ca.crt"]), nil
}

// traces tells whether the hub's Kiali is to show traces.
func traces(e status.Expected) bool {
	for _, o := range e.Objects[e.Topology.Spec.Kiali.Hub] {
		if o["kind"] == "Kiali" {
			spec, _ := o["spec"].(map[string]any)
			services, _ := spec["external_services"].(map[string]any)
			tracing, _ := services["tracing"].(map[string]any)
			return tracing["enabled"] == true
		}
	}
	return false
}
