package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// aboutKiali are the checks of what a topology says about Kiali.
func aboutKiali() []reading {
	const strategy = "kiali.auth.strategy hub.platform"
	readings := []reading{
		{reads: strategy, find: (*source).strategy},
		{find: (*source).wideAccess},
		{reads: "kiali.auth.impersonation", find: (*source).impersonation},
		{find: (*source).createdNamespaces},
		{find: (*source).versions},
		{find: func(s *source) { s.kialiSpec("spec", "kiali", "spec") }},
		{each: func(s *source, i int) {
			s.kialiSpec("spec", "clusters", i, "kiali", "spec")
		}},
	}
	openID := strategy
	for _, key := range openIDKeys {
		openID += " kiali.spec.auth.openid." + key + " hub.kiali.spec.auth.openid." + key
	}
	return append(readings, reading{reads: openID, find: (*source).openID})
}

func (s *source) strategy() {
	at := s.At("spec", "kiali", "auth", "strategy")
	strategy, hub := s.Spec.Kiali.Auth.Strategy, &s.Spec.Clusters[s.hub]
	switch {
	case strategy == "":
		s.Add(s.At("spec", "kiali"), topology.RuleMissing, "add auth: {strategy: openid}; if everybody may see everything, add auth: "+
			"{strategy: anonymous}",
			"spec.kiali.auth.strategy is missing; Kiali's default on Kubernetes, token, works on one cluster only")
	case (strategy == "token" || strategy == "header") && len(s.Spec.Clusters) > 1:
		s.Add(at, "KC05", "choose openid or anonymous", "the strategy %s works on one cluster only, but the topology has %d", strategy,
			len(s.Spec.Clusters))
	case strategy == "openshift" && hub.Platform == "kubernetes":
		s.Add(at, "KC06", "choose openid or anonymous", "the strategy openshift needs a hub on OpenShift, but %s is a Kubernetes cluster",
			s.Called(s.hub))
	case strategy == "openid" && s.noOpenID():
		s.Add(at, "KC09", "use v2.22 or a later release line, or leave out the strategy", "Kiali %s has no strategy openid on OpenShift",
			hub.Kiali.Version)
	}
}

// impersonation reports users and groups without an effect.
func (s *source) impersonation() {
	path := []any{"spec", "kiali", "auth", "impersonation"}
	for _, key := range []string{"users", "groups"} {
		if in := append(slices.Clone(path), key); s.Has(in...) && !s.Spec.Kiali.Auth.Impersonation.Enabled {
			s.Add(s.At(in...), topology.RuleValue, "add enabled: true, or remove it",
				"spec.kiali.auth.impersonation.%s has no effect without enabled: true", key)
		}
	}
}

// createdNamespaces refuses namespaces that every cluster already has.
func (s *source) createdNamespaces() {
	for i, name := range s.Spec.CreateNamespaces {
		if name == "default" || name == "openshift" || strings.HasPrefix(name, "openshift-") || strings.HasPrefix(name, "kube-") {
			s.Add(s.At("spec", "createNamespaces", i), topology.RuleValue, "remove it", "the namespace %s belongs to the platform and "+
				"exists already",
				name)
		}
	}
}

// noOpenID tells whether the hub's Kiali is too old for openid.
func (s *source) noOpenID() bool {
	hub := &s.Spec.Clusters[s.hub]
	return hub.Platform == "openshift" && hub.KialiBefore(kiali.V2_22)
}

// openIDKeys are the fields without which the operator fails.
var openIDKeys = []string{"client_id", "issuer_uri"}

func (s *source) openID() {
	if s.Spec.Kiali.Auth.Strategy != "openid" || s.noOpenID() {
		return
	}
	var missing []string
	for _, key := range openIDKeys {
		if !s.Has("spec", "kiali", "spec", "auth", "openid", key) && !s.Has("spec", "clusters", s.hub, "kiali", "spec", "auth", "openid", key) {
			missing = append(missing, key)
		}
	}
	if len(missing) > 0 {
		s.Add(s.At("spec", "kiali", "auth", "strategy"), topology.RuleMissing,
			"add spec: {auth: {openid: {client_id: kiali, issuer_uri: https://login.example.com}}} to spec.kiali",
			"the strategy openid needs %s in auth.openid of spec.kiali.spec", strings.Join(missing, " and "))
	}
}

// wideAccess reports a setting that keeps the hub's Kiali from reading other
// clusters.
func (s *source) wideAccess() {
	for _, path := range [][]any{{"spec", "kiali", "spec"}, {"spec", "clusters", s.hub, "kiali", "spec"}} {
		path = append(path, "deployment", "cluster_wide_access")
		if strings.EqualFold(s.Text(path...), "false") && len(s.Spec.Clusters) > 1 {
			s.Add(s.At(path...), "KC08", "remove it; to narrow what users see, use deployment.discovery_selectors",
				"%s must be true, because otherwise Kiali sees only its home cluster", topology.Dotted(path))
		}
	}
}

func (s *source) versions() {
	hub := &s.Spec.Clusters[s.hub]
	version, at := hub.Kiali.Version, s.At("spec", "kiali", "version")
	if s.Has("spec", "clusters", s.hub, "kiali", "version") {
		at = s.At("spec", "clusters", s.hub, "kiali", "version")
	}
	if len(s.Spec.Clusters) > 1 && version == kiali.V1_73 {
		s.Add(at, "KC09", "use v2.4 or a later line", "Kiali v1.73 does not support remote clusters, but the topology has %d clusters",
			len(s.Spec.Clusters))
	}
	if !hub.InMesh() && version.Before(kiali.V2_17) {
		s.Add(at, "KC09", "use v2.17 or a later release line", "Kiali %s cannot run outside the mesh (ignore_home_cluster), but %s is "+
			"outside the mesh", version,
			s.Called(s.hub))
	}
	if s.Spec.Kiali.CA != "" && version.CASecret("", hub.Platform) != "" && s.Spec.Metrics.Store == "thanosQuerier" {
		s.Add(s.At("spec", "kiali", "ca"), "KC09", "remove it, or use v2.4 or a later release line",
			"Kiali %s on OpenShift reads CAs only for its store, and already has the CA of the store thanosQuerier", version)
	}
	if s.Spec.Kiali.Links.Format == "single" && version == kiali.V2_4 && s.Has("spec", "kiali", "links", "format") {
		s.Add(s.At("spec", "kiali", "links", "format"), "KC09", "use perCluster, or v2.11 or a later release line",
			"Kiali %s does not know the single Secret %s", version, kiali.SingleSecret)
	}
	for i := range s.Spec.Clusters {
		if own := s.Spec.Clusters[i].Kiali.Version; i != s.hub && own == kiali.V1_73 && version != kiali.V1_73 {
			s.Add(s.At("spec", "clusters", i, "kiali", "version"), "KC09", "use v2.4 or a later line",
				"Kiali v1.73 does not support remote clusters, but %s is a remote", s.Called(i))
		}
	}
}

// reserved is a field of the Kiali resource that another field of the topology decides.
type reserved struct {
	by   string // the fields of the topology, as in reading.reads
	rule string // the rule about the field; "": SY06

	// against tells whether a value contradicts the topology. nil: every value does,
	// because somebody would have to keep both equal by hand.
	against func(s *source, value string) bool
}

// reservedFields lists fields that [contradicted] cannot judge by what templates set. Some
// have a rule. For some, templates set nothing: the operator's default is what the topology
// says. For the others, some values are right. The rule applies before anything is rendered.
var reservedFields = map[string]reserved{
	"deployment.instance_name":                         {by: "kiali.instanceName", rule: "KC01"},
	"deployment.namespace":                             {by: "kiali.namespace", rule: "KC10"},
	"deployment.remote_cluster_resources_only":         {by: "kiali.hub"},
	"deployment.view_only_mode":                        {by: "kiali.viewOnly"},
	"deployment.ingress.override_yaml.spec.host":       {by: "hub.kiali.host", against: otherHost},
	"external_services.prometheus.query_scope.mesh_id": {by: "mesh.id", rule: "PM06"},
	"external_services.prometheus.thanos_proxy.enabled": {by: "metrics.store", against: func(s *source, value string) bool {
		return s.Spec.Metrics.Store != "prometheus" && !strings.EqualFold(value, "true")
	}},
	"external_services.prometheus.thanos_proxy.retention_period": {by: "metrics.retention metrics.acm.retention",
		against: func(s *source, value string) bool {
			if s.OnACM() {
				return value != s.Spec.Metrics.ACM.Retention
			}
			return s.Spec.Metrics.Retention != "" && value != s.Spec.Metrics.Retention
		}},
	"external_services.prometheus.thanos_proxy.scrape_interval": {by: "metrics.interval metrics.acm.interval",
		against: func(s *source, value string) bool {
			return s.Spec.Metrics.Store != "prometheus" && s.Hub() != nil && topology.Seconds(value) < topology.Seconds(s.StoreInterval())
		}},
	"kubernetes_config.cluster_name": {by: "cluster.name", rule: "ID05"},
	"clustering.ignore_home_cluster": {by: "hub.controlPlane.mode", rule: "ID06"},
	"clustering.autodetect_secrets.enabled": {by: "kiali.links.format", against: func(s *source, value string) bool {
		return s.Spec.Kiali.Links.Format == "perCluster" && strings.EqualFold(value, "false")
	}},
	"auth.strategy": {by: "kiali.auth.strategy"},
	"istio_namespace": {by: "mesh.controlPlaneNamespace",
		against: func(s *source, value string) bool { return value != s.Spec.Clusters[s.hub].ControlPlane.Namespace }},
	"server.web_root": {by: "hub.kiali.webRoot"},
	"server.web_fqdn": {by: "hub.kiali.host", against: otherHost},
}

// otherHost tells whether a host differs from the host to which logins return.
func otherHost(s *source, host string) bool { return !s.hubHostUnknown() && host != s.HubHost() }

// kialiSpec refuses values of reserved fields in kiali.spec.
func (s *source) kialiSpec(path ...any) {
	if !s.Has(path...) {
		return
	}
	for field, own := range reservedFields {
		in := append(slices.Clone(path), keysOf(field)...)
		if s.Has(in...) && (own.against == nil || own.against(s, s.Text(in...))) {
			message, hint := setElsewhere(field, own.says())
			s.Add(s.At(in...), cmp.Or(own.rule, topology.RuleValue), hint, "%s", message)
		}
	}
}

// says names the fields that decide, for a message.
func (r reserved) says() string {
	names := strings.Fields(r.by)
	for i, name := range names {
		if field, ok := strings.CutPrefix(name, "hub."); ok {
			names[i] = field + " of the hub"
		}
		if field, ok := strings.CutPrefix(name, "cluster."); ok {
			names[i] = "the " + field + " of the cluster"
		}
		if i > 0 && strings.HasPrefix(name, "metrics.acm.") {
			names[i] = "with the store acm " + name
		}
	}
	return strings.Join(names, " or ")
}

// setElsewhere is the message about a field of kiali.spec that another field of the topology sets.
func setElsewhere(field, by string) (message, hint string) {
	return fmt.Sprintf("%s is set by %s; other resources follow from the same field", field, by), "remove it here, and set it there"
}

// keysOf splits a field written with dots into its keys.
func keysOf(field string) []any {
	keys := make([]any, 0, 1+strings.Count(field, "."))
	for key := range strings.SplitSeq(field, ".") {
		keys = append(keys, key)
	}
	return keys
}
