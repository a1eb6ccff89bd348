package render

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// shape is everything about a cluster on which templates may branch. Clusters
// of one shape have the same bodies.
type shape struct {
	Hub      bool   `json:"hub"`
	Platform string `json:"platform"`
	Operator bool   `json:"operator"` // a Subscription installs the operator
	Flux     bool   `json:"flux"`     // Flux applies the objects
	Created  bool   `json:"created"`  // there are namespaces to create

	StartingCSV bool `json:"startingCSV"` // the operator's first version is set
	Account     bool `json:"account"`     // on a remote without an operator: Kiali's account is rendered

	// The mesh on the cluster.
	Mesh      bool `json:"mesh"`      // the cluster is in the mesh
	Ambient   bool `json:"ambient"`   // ztunnel carries its traffic
	Revisions bool `json:"revisions"` // several revisions of istiod run
	Telemetry bool `json:"telemetry"` // the mesh's Telemetry is on this cluster and rendered

	TelemetryAlpha  bool `json:"telemetryAlpha"`  // of an Istio that only serves v1alpha1
	TelemetrySpec   bool `json:"telemetrySpec"`   // the topology merges fields over it
	OwnControlPlane bool `json:"ownControlPlane"` // istiod is in another namespace than in the rest of the topology

	// Scraping.
	Monitors         bool   `json:"monitors"`      // PodMonitors
	IstiodMonitor    bool   `json:"istiodMonitor"` // the ServiceMonitor of istiod
	OtherIstiods     bool   `json:"otherIstiods"`  // the ServiceMonitors of further istiods
	OwnInterval      bool   `json:"ownInterval"`   // it differs from the topology's interval
	MonitorLabels    bool   `json:"monitorLabels"`
	PrometheusMerge  bool   `json:"prometheusMerge"`
	MonitoringConfig string `json:"monitoringConfig"` // whose content cluster-monitoring-config has: "", topology, cluster
	RemoteWrite      bool   `json:"remoteWrite"`
	Alerts           bool   `json:"alerts"`      // on the hub
	KialiHealth      bool   `json:"kialiHealth"` // on the hub: Kiali reports the health of the mesh, and there are alerts

	// The store acm.
	ACMHub        bool   `json:"acmHub"`        // ACM runs on it
	ACMCollects   string `json:"acmCollects"`   // on the ACM hub, how the collector is told: labels, policy, allowList, or ""
	ACMRules      string `json:"acmRules"`      // on the ACM hub, where series of pods are added up: "", one, namespaces
	ACMKiali      string `json:"acmKiali"`      // on the ACM hub, on which cluster Kiali needs a certificate: here, there
	ACMLinks      bool   `json:"acmLinks"`      // on the hub: a Policy makes its links
	ACMCA         bool   `json:"acmCA"`         // on the ACM hub: Kiali trusts more CAs
	ACMNamespace  bool   `json:"acmNamespace"`  // there is a namespace whose rules see all namespaces
	ACMConfig     bool   `json:"acmConfig"`     // user-workload-monitoring-config names this namespace, and is rendered
	ACMAllowLists bool   `json:"acmAllowLists"` // there is one in each namespace
	ACMAccess     string `json:"acmAccess"`     // on the hub: route, internal

	// Tracing.
	Tracing        string `json:"tracing"`        // where traces are stored: "", jaeger, tempo, stack
	TracingGRPC    bool   `json:"tracingGRPC"`    // on the hub: Kiali uses gRPC
	TracingLinks   bool   `json:"tracingLinks"`   // on the hub: Kiali links to traces
	TracingConsole bool   `json:"tracingConsole"` // on the hub: the links lead to its console
	TracingTenant  bool   `json:"tracingTenant"`  // on the hub: traces have a tenant
	TempoStack     bool   `json:"tempoStack"`     // on the hub: the TempoStack is rendered
	Collector      string `json:"collector"`      // where the cluster's collector sends spans: "" without a collector, gateway, hub
	Receiver       bool   `json:"receiver"`       // on the hub: it receives the spans of remotes
	Certificates   string `json:"certificates"`   // the certificates of collectors: "", certManager, secrets

	// Its Kiali resource.
	Strategy    string `json:"strategy"` // "": the operator's default for the platform
	Callback    bool   `json:"callback"` // the OAuthClient gets a redirect URI from us
	ViewOnly    bool   `json:"viewOnly"`
	KialiSpec   bool   `json:"kialiSpec"`   // the topology merges fields over it
	Store       string `json:"store"`       // on the hub
	StoreAuth   string `json:"storeAuth"`   // on the hub, if the store is not the platform's
	Scope       string `json:"scope"`       // on the hub, the scope of its queries: meshID, none, labels
	CA          string `json:"ca"`          // on the hub, where the CAs to trust are: "", configMap, secret
	CAFile      string `json:"caFile"`      // on the hub, the file with the CAs of the store, if it must be named, or ""
	LoginCA     string `json:"loginCA"`     // on the hub, the separate key for the CA of the login provider, or ""
	Retention   bool   `json:"retention"`   // on the hub: Kiali is told the retention of its store
	Impersonate bool   `json:"impersonate"` // Kiali acts as its users
	IngressHost bool   `json:"ingressHost"` // on the hub: the platform does not set the host
	WebRoot     bool   `json:"webRoot"`     // on the hub: it is not the platform's default

	IstioNamespace bool `json:"istioNamespace"` // on the hub: otherwise Kiali would use its own namespace

	// The hub's access to the remotes.
	Links        string `json:"links"`        // on the hub: "" without links, single, perCluster
	SOPS         bool   `json:"sops"`         // on the hub: SOPS encrypts the links
	Fetched      string `json:"fetched"`      // the same, if a secret store brings the links
	Pushed       bool   `json:"pushed"`       // on a remote: its token goes into a secret store
	ExecProvider bool   `json:"execProvider"` // on the hub: a kubeconfig names a program
	NewPodFirst  bool   `json:"newPodFirst"`  // on the hub: Kiali can serve until the next pod is ready
	Subject      bool   `json:"subject"`      // on a remote: the program of its link has a subject that gets rights
	SubjectLogin bool   `json:"subjectLogin"` // on a remote: this subject must also read the OAuthClient
	NoFirstToken bool   `json:"noFirstToken"` // on a remote: the token of the first generation has been replaced
	LaterTokens  bool   `json:"laterTokens"`  // on a remote: there are tokens of other generations
}

func shapeOf(t *topology.Topology, c *topology.Cluster, links Links) shape {
	spec := &t.Spec
	hub := t.IsHub(c)
	istiod := c.ControlPlane.Mode == "local"
	s := shape{
		Hub:      hub,
		Platform: c.Platform,
		Operator: t.OperatorBySubscription(c),
		Flux:     spec.Delivery != nil && spec.Delivery.Flux != nil,
		Created:  len(spec.CreateNamespaces) > 0,

		StartingCSV: t.OperatorBySubscription(c) && spec.Kiali.Operator.StartingCSV != "",
		Account:     t.WithoutOperator(c),

		Mesh:      c.InMesh(),
		Ambient:   spec.Mesh.DataPlane == "ambient",
		Revisions: istiod && len(c.ControlPlane.Revisions) > 0,
		// With an external control plane, the configuration is still on the
		// cluster.
		Telemetry: spec.Telemetry.Manage && (istiod && !c.ServesExternal() || c.ControlPlane.Mode == "external"),
		// OpenShift Service Mesh 2.6 has Kiali v1.73 and Istio 1.20.
		TelemetryAlpha:  c.Kiali.Version == kiali.V1_73,
		TelemetrySpec:   len(spec.Telemetry.Spec) > 0,
		OwnControlPlane: c.ControlPlane.Namespace != spec.Mesh.ControlPlaneNamespace,

		Monitors:        spec.Metrics.Monitors.Manage && len(t.NamespacesOn(c)) > 0,
		IstiodMonitor:   spec.Metrics.Monitors.Manage && istiod,
		OtherIstiods:    spec.Metrics.Monitors.Manage && len(c.OtherControlPlanes()) > 0,
		OwnInterval:     c.Metrics.Interval != spec.Metrics.Interval,
		MonitorLabels:   len(spec.Metrics.Labels) > 0,
		PrometheusMerge: spec.Metrics.PrometheusMerge,
		RemoteWrite:     remoteWrites(t, c),
		Alerts:          hub && spec.Metrics.Alerts.Manage && spec.Metrics.Monitors.Manage && len(t.NamespacesOn(c)) > 0,

		Impersonate: spec.Kiali.Auth.Impersonation.Enabled,
		// If Kiali acts as its users, nobody logs in to a remote.
		Callback:  spec.Kiali.Auth.Strategy == "openshift" && c.Platform == "openshift" && !hub && !spec.Kiali.Auth.Impersonation.Enabled,
		ViewOnly:  spec.Kiali.ViewOnly,
		KialiSpec: len(kialiSpec(t, c)) > 0,
		Strategy:  strategyOn(t, c),
	}
	s.acm(t, c)
	s.tracing(t, c)
	switch {
	case c.Platform != "openshift":
	case c.UserWorkloadMonitoring != nil && c.UserWorkloadMonitoring.Manage:
		s.MonitoringConfig = "cluster"
	case c.UserWorkloadMonitoring == nil && spec.Metrics.UserWorkloadMonitoring.Manage && len(t.NamespacesOn(c)) > 0:
		s.MonitoringConfig = "topology"
	}
	if hub {
		s.ofHub(t, c, links)
	} else {
		s.ofRemote(t, c, links)
	}
	return s
}

// ofHub sets the fields that only the hub has.
func (s *shape) ofHub(t *topology.Topology, c *topology.Cluster, links Links) {
	spec := &t.Spec
	s.Store = spec.Metrics.Store
	s.StoreAuth = storeAuth(t).Type
	s.Scope = cmp.Or(spec.Metrics.Scope.Word(), "labels")
	if spec.Kiali.CA != "" && !byRoute(t) { // with byRoute, the Policy with the CA of the store has them
		s.CA = "configMap"
		if c.Kiali.Version.CASecret("", c.Platform) != "" {
			s.CA = "secret"
		}
		if ownCAs(t) {
			s.CAFile = c.Kiali.Version.CAFile(c.Platform)
		}
		s.LoginCA = c.Kiali.Version.LoginCAKey(spec.Kiali.Auth.Strategy, c.Platform)
	}
	s.Retention = spec.Metrics.Retention != "" || spec.Metrics.Store == "acm"
	s.IngressHost = c.Kiali.Host != "" || c.Platform == "kubernetes" && c.Domain != ""
	s.WebRoot = c.Kiali.WebRoot != topology.DefaultWebRoot(c.Platform)
	// The operator's own redirect URI for the hub lacks the web root. v1.73
	// has a URI without a path, which allows every path.
	s.Callback = s.WebRoot && spec.Kiali.Auth.Strategy == "openshift" && !c.KialiBefore(kiali.V2_4)
	s.IstioNamespace = c.KialiBefore(kiali.V2_17) && spec.Kiali.Namespace != c.ControlPlane.Namespace
	if len(links.sealed(t)) > 0 {
		s.Links = spec.Kiali.Links.Format
		s.SOPS = spec.Kiali.Links.Source == "sops"
	}
	s.ACMLinks = len(byACM(t)) > 0
	if len(fetched(t)) > 0 {
		s.Fetched = spec.Kiali.Links.Format
	}
	// Earlier release lines run no program.
	s.ExecProvider = !c.KialiBefore(kiali.V2_17) && slices.ContainsFunc(spec.Clusters,
		func(c topology.Cluster) bool { return c.Access.Exec != nil && !t.IsHub(&c) })
	// Earlier release lines lack the field. With the default line, the
	// operator may be an earlier one, whose definition refuses the field.
	s.NewPodFirst = len(spec.Clusters) > 1 && c.Kiali.Version != kiali.Default && !c.KialiBefore(kiali.V2_27)
	s.KialiHealth = spec.Metrics.Alerts.Manage && spec.Metrics.Monitors.Manage && c.Kiali.Version != kiali.Default && !c.KialiBefore(
		kiali.V2_27)
}

// ofRemote sets the fields that only a remote has.
func (s *shape) ofRemote(t *topology.Topology, c *topology.Cluster, links Links) {
	s.Subject = c.Access.Exec != nil && c.Access.Exec.Subject != nil
	s.SubjectLogin = s.Subject && s.Callback && !c.KialiBefore(kiali.V2_4)
	s.Pushed = pushes(t, c)
	generations := links.generations(t, c)
	s.NoFirstToken = !slices.Contains(generations, 1)
	s.LaterTokens = slices.ContainsFunc(generations, func(g int) bool { return g != 1 })
}

// ownCAs tells whether the platform's own CA has not signed the certificate of
// the store.
func ownCAs(t *topology.Topology) bool {
	u, err := url.Parse(storeURL(t))
	return err == nil && u.Scheme == "https" && !strings.HasSuffix(u.Hostname(), ".svc") && !strings.HasSuffix(u.Hostname(),
		".svc.cluster.local")
}

// strategyOn returns the login strategy on a cluster, or "" for the operator's
// default on the platform (openshift, on Kubernetes token). A remote of a hub
// with openid does not use its login. So it gets token: this strategy needs no
// settings, and like all except anonymous gives Kiali's account only a view.
func strategyOn(t *topology.Topology, c *topology.Cluster) string {
	strategy := t.Spec.Kiali.Auth.Strategy
	if strategy == "openid" && !t.IsHub(c) {
		strategy = "token"
	}
	if strategy == "openshift" || strategy == "token" && c.Platform == "kubernetes" {
		return ""
	}
	return strategy
}

// meshNamespaces lists the namespaces that every cluster with proxies has.
func meshNamespaces(t *topology.Topology) []string {
	namespaces := slices.Clone(t.Spec.Namespaces)
	if !slices.ContainsFunc(t.Spec.Clusters, func(c topology.Cluster) bool {
		return c.InMesh() && !c.ServesExternal() && c.ControlPlane.Namespace != t.Spec.Mesh.ControlPlaneNamespace
	}) {
		namespaces = append(namespaces, t.Spec.Mesh.ControlPlaneNamespace)
	}
	slices.Sort(namespaces)
	return slices.Compact(namespaces)
}

// nested turns leaves into the tree that templates see. value makes each leaf.
func nested(flat leaves, value func(path string, leaf any) any) map[string]any {
	tree := map[string]any{}
	for path, leaf := range flat {
		resource.Put(tree, path, value(path, leaf))
	}
	return tree
}
