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

// shape is everything about a cluster that templates may branch on. Clusters
// of one shape have the same bodies.
type shape struct {
	Hub      bool   `json:"hub"`
	Platform string `json:"platform"`
	Operator bool   `json:"operator"` // the operator comes by a Subscription
	Flux     bool   `json:"flux"`     // Flux applies the objects
	Created  bool   `json:"created"`  // there are namespaces to make

	StartingCSV bool `json:"startingCSV"` // the operator's first version is given
	Account     bool `json:"account"`     // of a remote that has no operator to make Kiali's account

	// The mesh on the cluster.
	Mesh      bool `json:"mesh"`      // there is one
	Ambient   bool `json:"ambient"`   // ztunnel carries its traffic
	Revisions bool `json:"revisions"` // more than one does
	Telemetry bool `json:"telemetry"` // the mesh's Telemetry is here, and ours

	TelemetryAlpha  bool `json:"telemetryAlpha"`  // of an Istio that serves no other version
	TelemetrySpec   bool `json:"telemetrySpec"`   // the topology has something to merge over it
	OwnControlPlane bool `json:"ownControlPlane"` // istiod is in another namespace than the topology's

	// How it is scraped.
	Monitors         bool   `json:"monitors"`      // PodMonitors
	IstiodMonitor    bool   `json:"istiodMonitor"` // the ServiceMonitor of istiod
	OtherIstiods     bool   `json:"otherIstiods"`  // and those of others
	OwnInterval      bool   `json:"ownInterval"`   // in place of the topology's
	MonitorLabels    bool   `json:"monitorLabels"`
	PrometheusMerge  bool   `json:"prometheusMerge"`
	MonitoringConfig string `json:"monitoringConfig"` // whose text cluster-monitoring-config is: "", topology, cluster
	RemoteWrite      bool   `json:"remoteWrite"`
	Alerts           bool   `json:"alerts"`      // of the hub
	KialiHealth      bool   `json:"kialiHealth"` // of the hub, where its Kiali can tell of the health of the mesh, and there are alerts

	// What it has by the store acm.
	ACMHub        bool   `json:"acmHub"`        // ACM runs on it
	ACMCollects   string `json:"acmCollects"`   // of the ACM hub, what tells the collector: labels, policy, allowList, or ""
	ACMRules      string `json:"acmRules"`      // of the ACM hub, by what pods of a workload are added up: "", one, namespaces
	ACMKiali      string `json:"acmKiali"`      // of the ACM hub, where Kiali needs a certificate: here, there
	ACMLinks      bool   `json:"acmLinks"`      // of the hub, where a Policy makes its links
	ACMCA         bool   `json:"acmCA"`         // of the ACM hub, where Kiali trusts further CAs
	ACMNamespace  bool   `json:"acmNamespace"`  // whose rules see all namespaces
	ACMConfig     bool   `json:"acmConfig"`     // user-workload-monitoring-config names it, and is ours
	ACMAllowLists bool   `json:"acmAllowLists"` // one for each namespace
	ACMAccess     string `json:"acmAccess"`     // of the hub: route, internal

	// Its traces.
	Tracing        string `json:"tracing"`        // where they are kept: "", jaeger, tempo, stack
	TracingGRPC    bool   `json:"tracingGRPC"`    // of the hub, where Kiali asks by it
	TracingLinks   bool   `json:"tracingLinks"`   // of the hub, where Kiali can link to them
	TracingConsole bool   `json:"tracingConsole"` // of the hub, where the links are to its console
	TracingTenant  bool   `json:"tracingTenant"`  // of the hub, where a tenant has them
	TempoStack     bool   `json:"tempoStack"`     // of the hub, where it is ours
	Collector      string `json:"collector"`      // where the cluster's collector sends spans: "" without one, gateway, hub
	Receiver       bool   `json:"receiver"`       // of the hub, for the spans of remotes
	Certificates   string `json:"certificates"`   // whose those of collectors are: "", certManager, secrets

	// Its Kiali resource.
	Strategy    string `json:"strategy"` // "" where the operator's default for the platform is meant
	Callback    bool   `json:"callback"` // the OAuthClient gets a redirect URI of ours
	ViewOnly    bool   `json:"viewOnly"`
	KialiSpec   bool   `json:"kialiSpec"`   // the topology has something to merge over it
	Store       string `json:"store"`       // of the hub
	StoreAuth   string `json:"storeAuth"`   // of the hub, where the store is not the platform's
	Scope       string `json:"scope"`       // of the hub's questions: meshID, none, labels
	CA          string `json:"ca"`          // of the hub, where there are CAs to trust: in a configMap, or in a secret
	CAFile      string `json:"caFile"`      // of the hub, where the CAs of the store have to be named: their file, or ""
	LoginCA     string `json:"loginCA"`     // of the hub, the key of its own that the login provider's has, or ""
	Retention   bool   `json:"retention"`   // of the hub, where Kiali is told how long its store keeps series
	Impersonate bool   `json:"impersonate"` // Kiali acts as its users
	IngressHost bool   `json:"ingressHost"` // of the hub, where the platform does not give one
	WebRoot     bool   `json:"webRoot"`     // of the hub, where it is not the platform's

	IstioNamespace bool `json:"istioNamespace"` // of the hub, where its Kiali would take its own for it

	// The hub's access to the remotes.
	Links        string `json:"links"`        // how the hub has them: "" where there are none, single, perCluster
	SOPS         bool   `json:"sops"`         // of the hub, where SOPS encrypts them
	Fetched      string `json:"fetched"`      // the same where a store of secrets brings them
	Pushed       bool   `json:"pushed"`       // of a remote, whose token goes into a store of secrets
	ExecProvider bool   `json:"execProvider"` // of the hub, where a kubeconfig names a program
	NewPodFirst  bool   `json:"newPodFirst"`  // of the hub, where its Kiali can be told to serve until the next pod is ready
	Subject      bool   `json:"subject"`      // of a remote, where the program of its link is somebody whom we give rights
	SubjectLogin bool   `json:"subjectLogin"` // of a remote, where that one has to read the OAuthClient too
	NoFirstToken bool   `json:"noFirstToken"` // of a remote, where the token of the first generation has been replaced
	LaterTokens  bool   `json:"laterTokens"`  // of a remote, where there are those of other generations
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
		// With an external control plane the configuration is on the
		// cluster all the same.
		Telemetry: spec.Telemetry.Manage && (istiod && !c.ServesExternal() || c.ControlPlane.Mode == "external"),
		// OpenShift Service Mesh 2.6, whose Kiali is v1.73, has Istio 1.20.
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
		// Nobody logs in to a remote where Kiali acts as its users.
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
		s.Store = spec.Metrics.Store
		s.StoreAuth = storeAuth(t).Type
		s.Scope = cmp.Or(spec.Metrics.Scope.Word(), "labels")
		if spec.Kiali.CA != "" && !byRoute(t) { // else the Policy with the CA of the store has them
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
		// The operator's own redirect URI for the hub leaves the web root out;
		// v1.73 has a URI without a path, which allows every one.
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
		// Earlier lines run none.
		s.ExecProvider = !c.KialiBefore(kiali.V2_17) && slices.ContainsFunc(spec.Clusters,
			func(c topology.Cluster) bool { return c.Access.Exec != nil && !t.IsHub(&c) })
		// Earlier lines have no field for it, and the operator of the default
		// line may be one of theirs, whose definition refuses the field.
		s.NewPodFirst = len(spec.Clusters) > 1 && c.Kiali.Version != kiali.Default && !c.KialiBefore(kiali.V2_27)
		s.KialiHealth = spec.Metrics.Alerts.Manage && spec.Metrics.Monitors.Manage && c.Kiali.Version != kiali.Default && !c.KialiBefore(
			kiali.V2_27)
	} else {
		s.Subject = c.Access.Exec != nil && c.Access.Exec.Subject != nil
		s.SubjectLogin = s.Subject && s.Callback && !c.KialiBefore(kiali.V2_4)
		s.Pushed = pushes(t, c)
		generations := links.generations(t, c)
		s.NoFirstToken = !slices.Contains(generations, 1)
		s.LaterTokens = slices.ContainsFunc(generations, func(g int) bool { return g != 1 })
	}
	return s
}

// ownCAs tells whether the certificate of the store is none that the platform's own
// CA has signed.
func ownCAs(t *topology.Topology) bool {
	u, err := url.Parse(storeURL(t))
	return err == nil && u.Scheme == "https" && !strings.HasSuffix(u.Hostname(), ".svc") && !strings.HasSuffix(u.Hostname(),
		".svc.cluster.local")
}

// strategyOn is how users log in where that is not the operator's default for
// the platform: openshift, or on Kubernetes token. Remotes of a hub with openid
// have a login of no use, so they get the one that asks for no settings and, as
// all but anonymous, gives Kiali's account no more than a view.
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

// meshNamespaces lists those that every cluster with proxies has.
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

// nested turns leaves into the tree that templates see, each leaf as value
// gives it.
func nested(flat leaves, value func(path string, leaf any) any) map[string]any {
	tree := map[string]any{}
	for path, leaf := range flat {
		resource.Put(tree, path, value(path, leaf))
	}
	return tree
}
