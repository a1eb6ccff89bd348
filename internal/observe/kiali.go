package observe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/openshift"
	"github.com/sightline-mesh/sightline/internal/status"
)

// Kiali says how to reach Kiali: at a URL, or through a port-forward to its
// Service.
type Kiali struct {
	URL   string
	Token string // "": the token of the hub's context, if the strategy needs one
	CA    []byte // for the URL
}

// read asks Kiali's API. It uses only routes and fields that every release line
// has (K:routing/routes.go at the tags v2.4 to v2.30).
func (k Kiali) read(ctx context.Context, e status.Expected, hub *cluster.Cluster) *status.Kiali {
	got := &status.Kiali{}
	if hub == nil {
		got.NoAccess = "the hub was not asked, or does not answer"
		return got
	}
	open, closed, err := k.open(ctx, e, hub, cluster.Login{})
	if err != nil {
		got.NoAccess = "Kiali cannot be reached: " + withRights(err)
		return got
	}
	var info struct{ Strategy string }
	root := root(e)
	err = open.JSON(ctx, append(root, "auth", "info"), nil, &info)
	closed()
	got.Strategy = status.Answer[string]{Value: info.Strategy, Err: failure(err)}
	if code := cluster.Status(err); code == http.StatusUnauthorized || code == http.StatusForbidden {
		got.NoAccess = withRights(err) // a proxy before Kiali refused: Kiali needs no login for this question
		return got
	}
	if err != nil {
		got.Services.Err = failure(err)
		return got
	}
	login, err := k.login(info.Strategy, root)
	if err != nil {
		got.NoAccess = err.Error()
		return got
	}
	if open, closed, err = k.open(ctx, e, hub, login); err != nil {
		got.NoAccess = "nobody can log in to Kiali: " + err.Error()
		return got
	}
	defer closed()
	k.ask(ctx, e, open, root, got)
	return got
}

// login returns the login of a program for a strategy
// (K:handlers/authentication at the tags v2.4.0 to v2.30.0).
func (k Kiali) login(strategy string, root cluster.Path) (cluster.Login, error) {
	login := cluster.Login{Token: k.Token, Context: k.Token == ""}
	switch strategy {
	case "anonymous":
		return cluster.Login{}, nil
	case "openshift", "header":
		return login, nil
	case "token":
		login.Form = &cluster.Form{Path: append(root, "authenticate"), Field: "token"}
		return login, nil
	case "openid":
		return login, errors.New("Kiali answers, but with the strategy openid it accepts only a browser's session, no token")
	}
	return login, fmt.Errorf("Kiali answers, but sightline does not know how to log in with its strategy %q", strategy)
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
	if !status.Traces(e) {
		return
	}
	var components []struct{ Name, Status string }
	err = open.JSON(ctx, append(root, "istio", "status"), nil, &components)
	got.Tracing.Err = failure(err)
	for _, c := range components {
		if c.Name == "tracing" || c.Name == "jaeger" { // the name in v1.73
			got.Tracing.Value = c.Status
		}
	}
}

// root returns the path of the API.
func root(e status.Expected) cluster.Path {
	return slices.Clip(append(segments(e.Topology.Hub().Kiali.WebRoot), "api"))
}

// segments splits the path of a URL.
func segments(path string) cluster.Path {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// open connects to Kiali.
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

// serviceCA reads the CA that signs the certificates of Services on OpenShift.
// Every namespace has a copy. The result is nil for a Service without TLS.
func serviceCA(ctx context.Context, c *cluster.Cluster, s cluster.Service) ([]byte, error) {
	if !s.TLS {
		return nil, nil
	}
	var bundle corev1.ConfigMap
	if err := c.Read(ctx, cluster.Core(s.Namespace, "configmaps", openshift.ServiceCA), &bundle); err != nil {
		return nil, err
	}
	return []byte(bundle.Data["service-ca.crt"]), nil
}
