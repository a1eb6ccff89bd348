package check

import (
	"cmp"
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

// ownField is a field of the Kiali resource that templates set, or a field that
// follows from one of these.
type ownField struct {
	by   string // the field that sets it; "" if kiali.spec may set it too
	rule string // the rule about the field, if there is one
	why  string // why kiali.spec may set it too

	// against tells whether a value contradicts the rendered one. nil: every
	// value does, because somebody would have to keep both equal by hand.
	against func(s *source, value string) bool
}

// ownFields lists every field of a Kiali resource that templates set (a test proves it), and
// the fields that follow from them. kiali.spec is merged over the rendered resource, so it
// could separate a field from other resources that depend on it. The list cannot come from the
// bodies of one topology: templates leave out fields that equal the operator's default, and
// kiali.spec could contradict these too.
var ownFields = map[string]ownField{
	"version":                                               {by: "kiali.version"},
	"deployment.instance_name":                              {by: "kiali.instanceName", rule: "KC01"},
	"deployment.namespace":                                  {by: "kiali.namespace", rule: "KC10"},
	"deployment.remote_cluster_resources_only":              {by: "kiali.hub"},
	"deployment.view_only_mode":                             {by: "kiali.viewOnly"},
	"deployment.ingress.enabled":                            {why: "somebody else's Ingress may lead to the host"},
	"deployment.ingress.override_yaml.spec.host":            {by: hostOfHub, against: otherHost},
	"deployment.ingress.override_yaml.spec.port.targetPort": {by: hostOfHub, against: routed},
	"deployment.ingress.override_yaml.spec.tls":             {why: "how the Route ends TLS changes no address"},
	"deployment.ingress.override_yaml.spec.to.kind":         {by: hostOfHub, against: routed},
	"deployment.ingress.override_yaml.spec.to.name":         {by: hostOfHub, against: routed},
	"deployment.pod_annotations":                            {why: "it is merged key by key, and RS08 looks after ours"},
	"deployment.strategy":                                   {why: "nothing else follows from how pods are replaced"},
	"external_services.grafana.enabled":                     {why: "it is off only because Kiali takes Grafana for present"},
	"external_services.prometheus.query_scope":              {why: "labels are added to it key by key; PM07 and PM08 look at them"},
	"external_services.prometheus.query_scope.mesh_id":      {by: "mesh.id", rule: "PM06"},
	"external_services.prometheus.url":                      {by: "metrics.store"},
	"external_services.prometheus.auth.type":                {by: "auth of the store in metrics", against: storeLogin},
	"external_services.prometheus.auth.username":            {by: "auth of the store in metrics", against: storeLogin},
	"external_services.prometheus.auth.password":            {by: "auth of the store in metrics", against: storeLogin},
	"external_services.prometheus.auth.token":               {by: "auth of the store in metrics", against: storeLogin},
	"external_services.prometheus.auth.ca_file":             {why: "the CA of the store may be elsewhere too"},
	"deployment.custom_secrets": {by: "kiali.ca", against: func(s *source, _ string) bool {
		hub := &s.Spec.Clusters[s.hub]
		return s.Spec.Kiali.CA != "" && hub.Kiali.Version.CASecret("", hub.Platform) != ""
	}},
	"external_services.prometheus.auth.cert_file":       {by: "metrics.acm.access", against: byACMRoute},
	"external_services.prometheus.auth.key_file":        {by: "metrics.acm.access", against: byACMRoute},
	"external_services.prometheus.auth.use_kiali_token": {why: "PM12 says what thanosQuerier needs, with the reason"},
	"external_services.prometheus.thanos_proxy.enabled": {by: "metrics.store", against: func(s *source, value string) bool {
		return s.Spec.Metrics.Store != "prometheus" && !strings.EqualFold(value, "true")
	}},
	"external_services.prometheus.thanos_proxy.retention_period": {by: "metrics.retention, or with the store acm metrics.acm.retention",
		against: func(s *source, value string) bool {
			if s.OnACM() {
				return value != s.Spec.Metrics.ACM.Retention
			}
			return s.Spec.Metrics.Retention != "" && value != s.Spec.Metrics.Retention
		}},
	"external_services.prometheus.thanos_proxy.scrape_interval": {by: "metrics.interval, or with the store acm metrics.acm.interval",
		against: func(s *source, value string) bool {
			return s.Spec.Metrics.Store != "prometheus" && s.Hub() != nil && topology.Seconds(value) < topology.Seconds(s.StoreInterval())
		}},
	"external_services.tracing.enabled":                 {by: "tracing", against: traced},
	"external_services.tracing.provider":                {by: "tracing", against: traced},
	"external_services.tracing.internal_url":            {by: "tracing", against: traced},
	"external_services.tracing.use_grpc":                {by: "tracing", against: traced},
	"external_services.tracing.external_url":            {by: "tracing", against: traced},
	"external_services.tracing.auth.type":               {why: "a Tempo that is known by its URL may want a login"},
	"external_services.tracing.auth.use_kiali_token":    {why: "a Tempo that is known by its URL may want a login"},
	"external_services.tracing.tempo_config.org_id":     {by: "tracing.tempo.tenant", against: traced},
	"external_services.tracing.tempo_config.tenant":     {by: "tracing.tempo.tenant", against: traced},
	"external_services.tracing.tempo_config.name":       {by: "tracing.tempo.name", against: traced},
	"external_services.tracing.tempo_config.namespace":  {by: "tracing.tempo.namespace", against: traced},
	"external_services.tracing.tempo_config.url_format": {why: "links may lead to another page; TR02 and TR06 say what the console needs"},
	"kubernetes_config.cluster_name":                    {by: "the name of the cluster", rule: "ID05"},
	"clustering.ignore_home_cluster":                    {by: "controlPlane.mode", rule: "ID06"},
	"clustering.enable_exec_provider": {why: "kubeconfigs that somebody else makes may name programs too; RS11 looks " +
		"after ours"},
	"clustering.autodetect_secrets.enabled": {by: "kiali.links.format: perCluster", against: func(s *source, value string) bool {
		return s.Spec.Kiali.Links.Format == "perCluster" && strings.EqualFold(value, "false")
	}},
	"auth.strategy":                               {by: "kiali.auth.strategy"},
	"auth.openshift.impersonation.enabled":        {by: "kiali.auth.impersonation", against: impersonates},
	"auth.openshift.impersonation.allowed_users":  {by: "kiali.auth.impersonation", against: impersonates},
	"auth.openshift.impersonation.allowed_groups": {by: "kiali.auth.impersonation", against: impersonates},
	"auth.openshift.redirect_uris":                {why: "there may be more than one; KC02, KC03 and KC04 look at them"},
	"istio_namespace": {by: "mesh.controlPlaneNamespace",
		against: func(s *source, value string) bool { return value != s.Spec.Clusters[s.hub].ControlPlane.Namespace }},
	"server.web_root":   {by: "kiali.webRoot of the hub"},
	"server.web_fqdn":   {by: hostOfHub, against: otherHost},
	"server.web_schema": {why: "the host may be served otherwise than by https"},
	"server.web_port":   {why: "the host may be served at another port"},
	"server.port":       {why: "the Route follows it"},
}

// impersonates tells whether Kiali impersonates its users.
func impersonates(s *source, _ string) bool { return s.Spec.Kiali.Auth.Impersonation.Enabled }

const hostOfHub = "kiali.host of the hub"

// otherHost tells whether a host differs from the host to which logins return.
func otherHost(s *source, host string) bool { return !s.hubHostUnknown() && host != s.HubHost() }

// routed tells whether a rendered Route leads to the hub's Kiali.
func routed(s *source, _ string) bool {
	return s.Has("spec", "clusters", s.hub, "kiali", "host") && s.Spec.Clusters[s.hub].Platform == "openshift"
}

// byACMRoute tells whether Kiali reads ACM's store through its Route.
func byACMRoute(s *source, _ string) bool {
	return s.OnACM() && s.Spec.Metrics.ACM.Access == "route"
}

// storeLogin tells whether the topology says how Kiali logs in to the store.
func storeLogin(s *source, _ string) bool {
	auth := map[string]topology.StoreAuth{"prometheus": s.Spec.Metrics.Prometheus.Auth,
		"thanos": s.Spec.Metrics.Thanos.Auth}[s.Spec.Metrics.Store]
	return auth.Type == "basic" || auth.Type == "bearer"
}

// traced tells whether the topology has spec.tracing.
func traced(s *source, _ string) bool { return s.Spec.Tracing != nil }

// IsOwn tells whether the table knows for a field below spec of a Kiali
// resource if kiali.spec may set it.
func IsOwn(field string) bool {
	for own := range ownFields {
		if within(field, own) {
			return true
		}
	}
	return false
}

// kialiSpec refuses values in kiali.spec that contradict the rendered
// resources.
func (s *source) kialiSpec(path ...any) {
	if !s.Has(path...) {
		return
	}
	for field, own := range ownFields {
		in := slices.Clone(path)
		for key := range strings.SplitSeq(field, ".") {
			in = append(in, key)
		}
		if own.by != "" && s.Has(in...) && (own.against == nil || own.against(s, s.Text(in...))) {
			s.Add(s.At(in...), cmp.Or(own.rule, topology.RuleValue), "remove it here, and set it there",
				"%s is set by %s; other resources follow from the same field", field, own.by)
		}
	}
}
