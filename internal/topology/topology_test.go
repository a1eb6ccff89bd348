package topology

import (
	"cmp"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/kiali"
)

func TestDefaults(t *testing.T) {
	got, findings := Parse("small.yaml", []byte(small))
	require.Empty(t, findings)

	want := Spec{
		Mesh: Mesh{ID: "mesh1", ControlPlaneNamespace: "istio-system", DataPlane: "sidecar"},
		Kiali: Kiali{
			Hub:          "east",
			Namespace:    "istio-system",
			InstanceName: "kiali",
			Version:      kiali.Default,
			Auth:         Auth{Strategy: "openshift"},
			Links:        Links{Format: "single", Source: "sealed", SOPS: SOPS{SecretRef: "sops-age"}, ACM: LinksACM{Validity: "720h"}, ExternalSecrets: store},
			Operator:     Operator{Remotes: "same", Channel: "stable", Approval: "Automatic", Chart: chart},
		},
		Metrics: Metrics{
			Store:           "thanosQuerier",
			Interval:        "30s",
			PrometheusMerge: true,
			Scope:           ScopeOf("meshID"),
			Monitors:        Monitors{Manage: true, Name: "istio-proxies-monitor"},
			Prometheus:      Prometheus{Auth: StoreAuth{Type: "none"}},
			Thanos:          Thanos{Auth: StoreAuth{Type: "none"}},
			ACM:             acm,
		},
		Telemetry: Telemetry{Manage: true, Name: "enable-prometheus-metrics"},
		Clusters: []Cluster{{
			Name:             "east",
			Platform:         "openshift",
			ZtunnelNamespace: "ztunnel",
			ManagedCluster:   "east",
			ControlPlane:     ControlPlane{Mode: "local", Namespace: "istio-system"},
			Metrics:          ClusterMetrics{Interval: "30s"},
			Kiali:            ClusterKiali{Version: kiali.Default, WebRoot: "/"},
			Flux:             ClusterFlux{KubeConfigSecret: "east-kubeconfig"},
		}},
	}
	require.Equal(t, want, got.Spec)
	require.Equal(t, &got.Spec.Clusters[0], got.Hub())
	require.True(t, got.OperatorBySubscription(got.Hub()))

	got, findings = Parse("small.yaml", []byte(strings.Replace(small, "name: east}]", "name: east, platform: kubernetes}]\n  metrics: {prometheus: {url: http://prometheus.monitoring:9090}}", 1)))
	require.Empty(t, findings)
	want.Metrics.Prometheus.URL = "http://prometheus.monitoring:9090"
	want.Kiali.Auth.Strategy = "token"
	want.Kiali.Operator.Install = "none"
	want.Metrics.Store = "prometheus"
	c := &want.Clusters[0]
	c.Platform, c.ZtunnelNamespace, c.Kiali.WebRoot = "kubernetes", "istio-system", "/kiali"
	require.Equal(t, want, got.Spec)
	require.False(t, got.OperatorBySubscription(got.Hub()))
}

// store has the defaults of links.externalSecrets.
var store = ExternalSecrets{Store: SecretStore{Kind: "ClusterSecretStore"}, Key: "mesh/{cluster}", RefreshInterval: "10m"}

// chart has the defaults of the operator's chart.
var chart = OperatorChart{RepoURL: "https://kiali.org/helm-charts", Namespace: "kiali-operator"}

// acm is the default for a topology with the store acm.
var acm = ACM{
	Collector: "mcoa", Access: "route", Aggregate: true, Retention: "365d", Interval: "5m",
	Placement: "open-cluster-management-global-set/global", PolicyNamespace: "mesh-policies",
	AllowList: ACMAllowList{In: "namespaces"}, Flux: ACMFlux{KubeConfigSecret: "acm-kubeconfig"},
}

func TestGivenValues(t *testing.T) {
	got, findings := Parse("everything.yaml", read(t, "testdata/ok/everything.yaml"))
	require.Empty(t, findings)

	// What a cluster takes from the topology or from its platform.
	remote := func(c Cluster) Cluster {
		c.Platform = cmp.Or(c.Platform, "openshift")
		c.ZtunnelNamespace = map[string]string{"openshift": "ztunnel", "kubernetes": "istio-control"}[c.Platform]
		c.Metrics.Interval = "1h30m5s"
		c.Kiali = ClusterKiali{Version: kiali.V2_22, WebRoot: DefaultWebRoot(c.Platform)}
		c.Flux.KubeConfigSecret = strings.ToLower(strings.ReplaceAll(c.Name, ".", "-")) + "-kubeconfig"
		c.ControlPlane.Namespace = "istio-control"
		c.ManagedCluster = c.Name
		return c
	}
	require.Equal(t, Topology{
		APIVersion: APIVersion,
		Kind:       Kind,
		Metadata:   Metadata{Name: "every-thing-1"},
		Spec: Spec{
			Mesh: Mesh{ID: "Mesh_1.eu-west", ControlPlaneNamespace: "istio-control", DataPlane: "ambient"},
			Kiali: Kiali{
				Hub:          "hub_1.EU",
				Namespace:    "kiali",
				InstanceName: "my-kiali",
				Version:      kiali.V2_22,
				ViewOnly:     true,
				Auth:         Auth{Strategy: "openid"},
				Links:        Links{Format: "single", Source: "external", SOPS: SOPS{SecretRef: "sops-age"}, ACM: LinksACM{Validity: "720h"}, ExternalSecrets: store},
				Operator:     Operator{Remotes: "same", Install: "none", Channel: "candidate-v2.4", Source: "community-operators", Approval: "Automatic", Chart: chart},
				Spec: map[string]any{
					"auth":              map[string]any{"openid": map[string]any{"client_id": "kiali", "issuer_uri": "https://login.example.com"}},
					"external_services": map[string]any{"tracing": map[string]any{"auth": map[string]any{"token": "secret:tempo:token"}}},
				},
			},
			Metrics: Metrics{
				Store:      "thanos",
				Interval:   "1h30m5s",
				Labels:     map[string]string{"release": "prometheus", "example.com/env": ""},
				Scope:      Scope{"mesh": "every-thing", "region": "eu"},
				Monitors:   Monitors{Manage: false, Name: "mesh-proxies"},
				Prometheus: Prometheus{Auth: StoreAuth{Type: "none"}},
				Thanos: Thanos{
					URL:  "http://thanos.example.com:9090/query",
					Auth: StoreAuth{Type: "basic", Username: "secret:thanos:user.name", Password: "secret:thanos:PASS_word"},
					RemoteWrite: &RemoteWrite{
						URL:          "https://receive.example.com/api/v1/receive",
						ClusterLabel: "cluster_name",
						Settings:     map[string]any{"basicAuth": map[string]any{"password": map[string]any{"name": "thanos", "key": "password"}}},
						Config:       map[string]any{"prometheus": map[string]any{"retention": "2h", "externalLabels": map[string]any{"region": "eu"}}},
					},
				},
				ACM: acm,
				UserWorkloadMonitoring: UserWorkloadMonitoring{
					Manage: true,
					Config: map[string]any{
						"enableUserWorkload": true,
						"alertmanagerMain":   map[string]any{"enableUserAlertmanagerConfig": false},
						"prometheusK8s": map[string]any{
							"retention":      "15d",
							"externalLabels": map[string]any{"yes": "no", "10": "0x1F"},
							"replicas":       json.Number("2"),
							"ratio":          json.Number("0.5"),
							"least":          json.Number("-9007199254740992"),
							"most":           json.Number("9007199254740992"),
							"small":          json.Number("1e-7"),
							"list":           []any{"a", json.Number("1"), true, map[string]any{"b": "c"}, []any{}},
							"text":           "more than\none line\n",
						},
					},
				},
			},
			Telemetry:  Telemetry{Name: "mesh.default"},
			Namespaces: []string{"sample", "7", "yes", "no"},
			Clusters: []Cluster{
				{
					Name: "hub_1.EU", Platform: "openshift", Network: "network-1", ManagedCluster: "hub_1.EU",
					Gateways: []string{"istio-ingress"}, Waypoints: []string{"waypoints"}, ZtunnelNamespace: "mesh-node",
					Labels:                 map[string]string{"env": "prod", "example.com/tier": "1"},
					ControlPlane:           ControlPlane{Mode: "local", Namespace: "istio-control", Revisions: []string{"1-27-3", "canary"}},
					UserWorkloadMonitoring: &UserWorkloadMonitoring{},
					Metrics:                ClusterMetrics{Interval: "15s"},
					Flux:                   ClusterFlux{KubeConfigSecret: "hub-1-eu-kubeconfig"},
					Kiali: ClusterKiali{
						Version: kiali.V2_27, WebRoot: "/mesh/kiali_1", Host: "kiali.example.com",
						Spec: map[string]any{"deployment": map[string]any{"replicas": json.Number("2")}},
					},
				},
				remote(Cluster{Name: "Remote-2", Server: "https://10.0.0.1:6443", Domain: "10-0-0-1.nip.io", ControlPlane: ControlPlane{Mode: "remote"}, Namespaces: []string{"sample"}}),
				remote(Cluster{Name: "remote-3", Server: "https://[2001:db8::1]:6443/k8s/clusters/c-1", ControlPlane: ControlPlane{Mode: "external"}}),
				remote(Cluster{Name: "4", Platform: "kubernetes", Server: "https://API.example.com.", ControlPlane: ControlPlane{Mode: "remote", Primary: "hub_1.EU"}}),
				remote(Cluster{Name: "5.a", Server: "https://kubernetes.default.example.com", ControlPlane: ControlPlane{Mode: "local"}, Namespaces: []string{}}),
			},
		},
	}, Topology{APIVersion: got.APIVersion, Kind: got.Kind, Metadata: got.Metadata, Spec: got.Spec})
}

// TestKialiFollowsTheControlPlane tests the default that is another value.
func TestKialiFollowsTheControlPlane(t *testing.T) {
	got, findings := Parse("t.yaml", []byte(strings.Replace(small, "id: mesh1", "id: mesh1, controlPlaneNamespace: cp", 1)))
	require.Empty(t, findings)
	require.Equal(t, "cp", got.Spec.Kiali.Namespace)
}

func TestAt(t *testing.T) {
	got, findings := Parse("dir/t.yaml", []byte(`# A comment.
apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: "日本", "name2": x}
spec:
  mesh: {"id": "ü", controlPlaneNamespace: 'cp'} # both
  kiali:
    hub: east
    operator:
      channel: >-
        stable
  metrics:
    userWorkloadMonitoring:
      config:
        a:
          - b
          - {c: [d, "é", e]}
  namespaces: [a, b]
  clusters:
    - name: east
      domain: apps.east.example.com
    -
      name: west
      namespaces:
      - c
      server: https://api.west.example.com
`))
	require.NotNil(t, got)
	require.Len(t, findings, 3, "the names that are not ASCII, and a key too many")

	config := []any{"spec", "metrics", "userWorkloadMonitoring", "config"}
	for _, test := range []struct {
		path []any
		want string
	}{
		{nil, "2:1"},
		{[]any{"apiVersion"}, "2:13"},
		{[]any{"metadata"}, "4:11"},
		{[]any{"metadata", "name"}, "4:18"},
		{[]any{"metadata", "name2"}, "4:33"},
		{[]any{"spec"}, "6:3"},
		{[]any{"spec", "mesh"}, "6:9"},
		{[]any{"spec", "mesh", "id"}, "6:16"},
		{[]any{"spec", "mesh", "controlPlaneNamespace"}, "6:44"},
		{[]any{"spec", "kiali", "hub"}, "8:10"},
		{[]any{"spec", "kiali", "operator", "channel"}, "10:16"},
		{[]any{"spec", "namespaces"}, "18:15"},
		{[]any{"spec", "namespaces", 1}, "18:19"},
		{[]any{"spec", "clusters"}, "20:5"},
		{[]any{"spec", "clusters", 0}, "20:7"},
		{[]any{"spec", "clusters", 1}, "23:7"},
		{[]any{"spec", "clusters", 1, "name"}, "23:13"},
		{[]any{"spec", "clusters", 1, "namespaces", 0}, "25:9"},
		{[]any{"spec", "clusters", 1, "server"}, "26:15"},
		{append(config, "a", 1, "c", 2), "17:26"},
		// A default has the position of the nearest value above it.
		{[]any{"spec", "kiali", "namespace"}, "8:5"},
		{[]any{"spec", "kiali", "operator", "source"}, "10:7"},
		{[]any{"spec", "telemetry", "name"}, "6:3"},
		{[]any{"spec", "clusters", 1, "kiali", "host"}, "23:7"},
		{[]any{"spec", "clusters", 2, "name"}, "20:5"},
		{[]any{"spec", "clusters", -1}, "20:5"},
		{[]any{"spec", "clusters", "name"}, "20:5"},
		{[]any{"spec", "mesh", 0}, "6:9"},
		{[]any{"spec", "mesh", "id", "id"}, "6:16"},
	} {
		require.Equal(t, "dir/t.yaml:"+test.want, got.At(test.path...).String(), "%v", test.path)
	}
}
