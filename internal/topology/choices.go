package topology

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
)

// checkChoices finds choices that do not go together. Each part of the
// topology has a function of its own.
func (t *Topology) checkChoices(hub int, findings *finding.Findings) {
	t.checkAuth(hub, findings)
	t.checkDelivery(findings)
	t.checkFlux(findings)
	t.checkStore(hub, findings)
	t.checkVersions(hub, findings)
	t.checkOverlays(findings)
	t.checkRemoteWrite(findings)
	t.checkServers(findings)
	t.checkAccess(hub, findings)
	t.checkMonitoring(t.Spec.Metrics.UserWorkloadMonitoring, findings, "spec", "metrics", "userWorkloadMonitoring")
	t.checkKialiSpec(t.Spec.Kiali.Spec, findings, "spec", "kiali", "spec")
	for i := range t.Spec.Clusters {
		t.checkCluster(i, hub, findings)
	}
}

// refused tells whether what stands at the path is not the value that came of
// it, because the decoder had to refuse it.
func (t *Topology) refused(value string, path ...any) bool {
	n := t.node(path...)
	return n != nil && n.Value != value
}

func (t *Topology) refusedBool(value bool, path ...any) bool {
	n := t.node(path...)
	return n != nil && !strings.EqualFold(n.Value, strconv.FormatBool(value))
}

func (t *Topology) checkAuth(hub int, findings *finding.Findings) {
	at := t.At("spec", "kiali", "auth", "strategy")
	strategy, platform := t.Spec.Kiali.Auth.Strategy, t.Spec.Clusters[hub].Platform
	several := len(t.Spec.Clusters) > 1
	switch {
	case t.refused(strategy, "spec", "kiali", "auth", "strategy"), t.refused(platform, "spec", "clusters", hub, "platform"):
	case strategy == "" && !t.mayHave("spec", "kiali", "auth", "strategy"):
		findings.Add(t.At("spec", "kiali"), RuleMissing, "add auth: {strategy: openid}, or anonymous where everybody may see everything",
			"spec.kiali.auth.strategy is missing; Kiali's default on Kubernetes, token, knows one cluster only")
	case strategy == "token" && several:
		findings.Add(at, "KC05", "choose openid or anonymous", "the strategy token knows one cluster only, and the topology has %d", len(t.Spec.Clusters))
	case strategy == "openshift" && platform == "kubernetes":
		findings.Add(at, "KC06", "choose openid or anonymous", "the strategy openshift needs a hub on OpenShift, and %s is one of Kubernetes", t.Called(hub))
	case strategy == "token" && platform == "openshift":
		findings.Add(at, "KC06", "leave it out, and users log in to OpenShift", "the strategy token is for Kubernetes, and %s is one of OpenShift", t.Called(hub))
	case strategy == "openid":
		t.checkOpenID(hub, findings)
	}
}

// checkOpenID makes sure that the hub's operator gets what it fails without.
func (t *Topology) checkOpenID(hub int, findings *finding.Findings) {
	at := t.At("spec", "kiali", "auth", "strategy")
	c := &t.Spec.Clusters[hub]
	if c.Platform == "openshift" && c.KialiBefore(kiali.V2_22) {
		findings.Add(at, "KC09", "use v2.22 or a later line, or leave the strategy out", "Kiali %s has no strategy openid on OpenShift", c.Kiali.Version)
		return
	}
	var missing []string
	for _, key := range []string{"client_id", "issuer_uri"} {
		if !t.mayHave("spec", "kiali", "spec", "auth", "openid", key) && !t.mayHave("spec", "clusters", hub, "kiali", "spec", "auth", "openid", key) {
			missing = append(missing, key)
		}
	}
	if len(missing) > 0 {
		findings.Add(at, RuleMissing, "add spec: {auth: {openid: {client_id: kiali, issuer_uri: https://login.example.com}}} to spec.kiali",
			"the strategy openid needs %s in auth.openid of spec.kiali.spec", strings.Join(missing, " and "))
	}
}

func (t *Topology) checkStore(hub int, findings *finding.Findings) {
	m := &t.Spec.Metrics
	at := t.At("spec", "metrics", "store")
	if t.refused(m.Store, "spec", "metrics", "store") {
		return
	}
	switch m.Store {
	case "acm":
		findings.Add(at, RuleValue, "use thanosQuerier for the hub's own metrics, or thanos for a store of one's own", "the store acm is not supported yet")
	case "thanosQuerier":
		if t.Spec.Clusters[hub].Platform != "openshift" {
			findings.Add(at, RuleValue, "use prometheus or thanos", "the store thanosQuerier is a part of OpenShift, and %s is one of Kubernetes", t.Called(hub))
		}
	case "thanos":
		if m.Thanos.URL == "" && !t.mayHave("spec", "metrics", "thanos", "url") {
			findings.Add(t.At("spec", "metrics", "thanos"), RuleMissing, "add it, such as thanos: {url: http://thanos-query.thanos.svc:9090}", "spec.metrics.thanos.url is missing; the store thanos is asked there")
		}
	}
	for _, store := range []struct {
		name string
		auth StoreAuth
	}{{"prometheus", m.Prometheus.Auth}, {"thanos", m.Thanos.Auth}} {
		if t.Has("spec", "metrics", store.name) && m.Store != store.name {
			findings.Add(t.At("spec", "metrics", store.name), RuleValue, fmt.Sprintf("remove it, or write store: %s", store.name),
				"spec.metrics.%s has no effect, because the store is %s", store.name, m.Store)
			continue
		}
		t.checkStoreAuth(store.name, store.auth, findings)
	}
}

// checkStoreAuth makes sure that exactly the credentials of the type are
// there.
func (t *Topology) checkStoreAuth(store string, auth StoreAuth, findings *finding.Findings) {
	if t.refused(auth.Type, "spec", "metrics", store, "auth", "type") {
		return
	}
	needs := map[string][]string{"basic": {"username", "password"}, "bearer": {"token"}}[auth.Type]
	for _, key := range []string{"username", "password", "token"} {
		path := []any{"spec", "metrics", store, "auth", key}
		has := t.mayHave(path...)
		switch needed := slices.Contains(needs, key); {
		case needed && !has:
			findings.Add(t.At("spec", "metrics", store, "auth"), RuleMissing, fmt.Sprintf("add it, such as %s: secret:kiali-%s:%s", key, store, key),
				"spec.metrics.%s.auth.%s is missing; the type %s needs it", store, key, auth.Type)
		case !needed && t.Has(path...):
			findings.Add(t.At(path...), RuleValue, "remove it, or choose another type", "spec.metrics.%s.auth.%s has no effect with the type %s", store, key, auth.Type)
		}
	}
}

// checkRemoteWrite keeps the free parts of remoteWrite from undoing the rest.
func (t *Topology) checkRemoteWrite(findings *finding.Findings) {
	w := t.Spec.Metrics.Thanos.RemoteWrite
	if w == nil {
		return
	}
	path := func(keys ...any) []any { return append([]any{"spec", "metrics", "thanos", "remoteWrite"}, keys...) }
	for _, own := range []struct {
		path []any
		rule string
		says string
	}{
		{path("settings", "url"), RuleValue, "is set by spec.metrics.thanos.remoteWrite.url"},
		{path("config", "prometheus", "remoteWrite"), RuleValue, "is set by the url and the settings of spec.metrics.thanos.remoteWrite"},
		{path("config", "prometheus", "externalLabels", w.ClusterLabel), RuleValue, "is the name of each cluster, which keeps equal series of two clusters apart in the store"},
	} {
		if t.Has(own.path...) {
			findings.Add(t.At(own.path...), own.rule, "remove it here", "%s %s", dotted(own.path), own.says)
		}
	}
	if !slices.ContainsFunc(t.Spec.Clusters, func(c Cluster) bool { return c.Platform == "openshift" && c.InMesh() }) {
		findings.Add(t.At(path()...), RuleValue, "remove it, and have each cluster's Prometheus write to the store by its own settings",
			"spec.metrics.thanos.remoteWrite has no effect, because no cluster of the mesh is one of OpenShift")
	}
}

// checkServers finds clusters with the API server of another, as copying one
// leaves them: Kiali would show the same cluster twice.
func (t *Topology) checkServers(findings *finding.Findings) {
	first := map[string]int{}
	for i := range t.Spec.Clusters {
		server := strings.ToLower(strings.TrimSuffix(t.Spec.Clusters[i].Server, "/"))
		if j, ok := first[server]; ok && server != "" {
			at := t.At("spec", "clusters", i, "server")
			findings.Add(at, "IN09", "give each cluster the URL of its own API server",
				"%s has the server of %s; first at %s", t.Called(i), t.Called(j), t.At("spec", "clusters", j, "server").SeenFrom(at))
			continue
		}
		first[server] = i
	}
}

// checkAccess finds what keeps the hub's Kiali from looking for other clusters.
func (t *Topology) checkAccess(hub int, findings *finding.Findings) {
	for _, path := range [][]any{{"spec", "kiali", "spec"}, {"spec", "clusters", hub, "kiali", "spec"}} {
		path = append(path, "deployment", "cluster_wide_access")
		if n := t.node(path...); n != nil && strings.EqualFold(n.Value, "false") && len(t.Spec.Clusters) > 1 {
			findings.Add(t.At(path...), "KC08", "remove it; deployment.discovery_selectors can narrow down what is shown",
				"%s must be true, because without it Kiali sees no other cluster than its own", dotted(path))
		}
	}
}

// checkMonitoring guards the one text that cluster-monitoring-config is.
func (t *Topology) checkMonitoring(m UserWorkloadMonitoring, findings *finding.Findings, path ...any) {
	in := func(key string) []any { return append(slices.Clone(path), key) }
	enabled, on := m.Config["enableUserWorkload"]
	n := t.node(in("config")...)
	has := n != nil
	switch empty := has && n.Kind == yaml.MappingNode && len(n.Content) == 0; {
	case t.refusedBool(m.Manage, in("manage")...), on && enabled == nil:
	case m.Manage && (empty || !t.mayHave(in("config")...)):
		findings.Add(t.At(in("config")...), "PM21", "give its whole content, such as config: {enableUserWorkload: true}, or leave out manage: true",
			"%s is empty; with manage: true it becomes the whole of cluster-monitoring-config", dotted(in("config")))
	case m.Manage && m.Config != nil && enabled != true:
		at, hint := in("config"), "add enableUserWorkload: true"
		if on {
			at, hint = append(at, "enableUserWorkload"), "write true, without quotes"
		}
		findings.Add(t.At(at...), "PM21", hint, "this config leaves user workload monitoring off, and then nothing of the mesh is scraped")
	case !m.Manage && has:
		findings.Add(t.At(in("config")...), "PM21", "write manage: true if the whole of cluster-monitoring-config is here, or remove it",
			"this config has no effect, because cluster-monitoring-config is not managed")
	}
}

// dotted is a path as messages name it.
func dotted(path []any) string {
	var name string
	for _, step := range path {
		if i, ok := step.(int); ok {
			name += fmt.Sprintf("[%d]", i)
		} else {
			name = join(name, step.(string))
		}
	}
	return name
}

func (t *Topology) checkVersions(hub int, findings *finding.Findings) {
	c := &t.Spec.Clusters[hub]
	at := t.At("spec", "kiali", "version")
	if t.Has("spec", "clusters", hub, "kiali", "version") {
		at = t.At("spec", "clusters", hub, "kiali", "version")
	}
	version := c.Kiali.Version
	if len(t.Spec.Clusters) > 1 && version == kiali.V1_73 {
		findings.Add(at, "KC09", "use v2.4 or a later line", "Kiali v1.73 has no resources for remote clusters, and the topology has %d clusters", len(t.Spec.Clusters))
	}
	if !c.InMesh() && version.Before(kiali.V2_17) {
		findings.Add(at, "KC09", "use v2.17 or a later line", "Kiali %s cannot run outside the mesh (ignore_home_cluster), as it is to on %s", version, t.Called(hub))
	}
	if t.Spec.Kiali.Links.Format == "single" && version == kiali.V2_4 && t.Has("spec", "kiali", "links", "format") {
		findings.Add(t.At("spec", "kiali", "links", "format"), "KC09", "use perCluster, or v2.11 or a later line", "Kiali %s does not know the single Secret kiali-multi-cluster-secret", version)
	}
	for i := range t.Spec.Clusters {
		if own := t.Spec.Clusters[i].Kiali.Version; i != hub && own == kiali.V1_73 && version != kiali.V1_73 {
			findings.Add(t.At("spec", "clusters", i, "kiali", "version"), "KC09", "use v2.4 or a later line", "Kiali v1.73 has no resources for remote clusters, and %s is one", t.Called(i))
		}
	}
}

// ownFields are fields of a Kiali resource that the topology has a place for,
// with the rule about them where there is one.
var ownFields = map[string]struct{ by, rule string }{
	"version":                                          {by: "kiali.version"},
	"deployment.instance_name":                         {"kiali.instanceName", "KC01"},
	"deployment.namespace":                             {"kiali.namespace", "KC10"},
	"deployment.remote_cluster_resources_only":         {by: "kiali.hub"},
	"deployment.view_only_mode":                        {by: "kiali.viewOnly"},
	"external_services.prometheus.query_scope.mesh_id": {"mesh.id", "PM06"},
	"external_services.prometheus.url":                 {by: "metrics.store"},
	"kubernetes_config.cluster_name":                   {"the name of the cluster", "ID05"},
	"clustering.ignore_home_cluster":                   {"controlPlane.mode", "ID06"},
	"auth.strategy":                                    {by: "kiali.auth.strategy"},
	"server.web_root":                                  {by: "kiali.webRoot of the hub"},
}

// checkKialiSpec refuses what would part the Kiali resource from the rest of
// what is rendered.
func (t *Topology) checkKialiSpec(spec map[string]any, findings *finding.Findings, path ...any) {
	if spec == nil {
		return
	}
	for _, field := range slices.Sorted(maps.Keys(ownFields)) {
		in := slices.Clone(path)
		for _, key := range strings.Split(field, ".") {
			in = append(in, key)
		}
		if t.Has(in...) {
			own := ownFields[field]
			findings.Add(t.At(in...), cmp.Or(own.rule, RuleValue), "remove it here, and say it there", "%s is set by %s, from which other resources follow too", field, own.by)
		}
	}
}

// reservedVolume are the volumes of Kiali's own Deployment, some of which are
// there for certain credentials only. A Secret of the format perCluster is
// mounted under the name of its cluster.
var reservedVolume = regexp.MustCompile(`^(kiali-(configuration|cert|secret|cabundle|multi-cluster-secret)|login-token-signing-key|` +
	`((customdashboards-)?prometheus|grafana|perses|tracing)-(username|password|token|cert|key|oauth2-client-secret))$`)

func (t *Topology) checkCluster(i, hub int, findings *finding.Findings) {
	c := &t.Spec.Clusters[i]
	at := func(path ...any) finding.Position { return t.At(append([]any{"spec", "clusters", i}, path...)...) }
	has := func(path ...any) bool { return t.Has(append([]any{"spec", "clusters", i}, path...)...) }
	noEffect := func(path []any, hint, format string, args ...any) {
		if has(path...) {
			findings.Add(at(path...), RuleValue, hint, "%s: %s", t.Called(i), fmt.Sprintf(format, args...))
		}
	}
	if i != hub {
		for _, key := range []string{"host", "webRoot"} {
			noEffect([]any{"kiali", key}, "remove it", "kiali.%s has no effect on a remote, which runs no Kiali server", key)
		}
		if !c.InMesh() {
			findings.Add(at("controlPlane", "mode"), "ID06", "choose local, remote or external, or remove the cluster",
				"%s: only a hub can be outside the mesh (mode none)", t.Called(i))
		}
		t.checkLinkName(i, findings)
	}
	if i == hub && t.Spec.Kiali.Auth.Strategy == "openshift" && c.Kiali.WebRoot != DefaultWebRoot(c.Platform) && t.hubHostUnknown() && !c.KialiBefore(kiali.V2_4) {
		findings.Add(at("kiali", "webRoot"), RuleMissing, "add domain or kiali.host", "%s: with a web root of its own the hub's login callback has to be stated, and its host is not known", t.Called(i))
	}
	if t.Spec.Mesh.DataPlane != "ambient" && !t.refused(t.Spec.Mesh.DataPlane, "spec", "mesh", "dataPlane") {
		noEffect([]any{"ztunnelNamespace"}, "write dataPlane: ambient in spec.mesh, or remove it", "ztunnelNamespace has no effect with the data plane sidecar")
	}
	if c.Platform == "kubernetes" {
		noEffect([]any{"userWorkloadMonitoring"}, "remove it", "userWorkloadMonitoring is a part of OpenShift, and the platform is kubernetes")
	} else if c.UserWorkloadMonitoring != nil {
		t.checkMonitoring(*c.UserWorkloadMonitoring, findings, "spec", "clusters", i, "userWorkloadMonitoring")
	}
	t.checkControlPlane(i, findings)
	t.checkKialiSpec(c.Kiali.Spec, findings, "spec", "clusters", i, "kiali", "spec")
}

// hubHostUnknown tells whether the topology says too little to know the host
// of the hub's Kiali.
func (t *Topology) hubHostUnknown() bool {
	hub := t.Hub()
	return hub == nil || t.HubHost() == ""
}

func (t *Topology) checkLinkName(i int, findings *finding.Findings) {
	name := t.Spec.Clusters[i].Name
	if t.Spec.Kiali.Links.Format != "perCluster" || name == "" {
		return
	}
	at := t.At("spec", "clusters", i, "name")
	if problem, _ := formats["label"].problem(name); problem != "" {
		findings.Add(at, "ID02", "rename the cluster in Istio too, or use links.format: single",
			"%s: with links.format perCluster the name is also that of a volume and %s", t.Called(i), problem)
	} else if reservedVolume.MatchString(name) {
		findings.Add(at, "ID03", "rename the cluster in Istio too, or use links.format: single",
			"%s: with links.format perCluster the name is also that of a volume, and Kiali has one of this name", t.Called(i))
	}
}

func (t *Topology) checkControlPlane(i int, findings *finding.Findings) {
	cp := &t.Spec.Clusters[i].ControlPlane
	at := func(key string) finding.Position { return t.At("spec", "clusters", i, "controlPlane", key) }
	if t.refused(cp.Mode, "spec", "clusters", i, "controlPlane", "mode") {
		return
	}
	if cp.Mode != "local" && len(cp.Revisions) > 0 {
		findings.Add(at("revisions"), RuleValue, "name the revisions on the cluster that they run on", "%s: revisions have no effect with the mode %s, where no istiod runs", t.Called(i), cp.Mode)
	}
	if cp.Primary == "" {
		return
	}
	if cp.Mode == "local" || cp.Mode == "none" {
		findings.Add(at("primary"), RuleValue, "write mode: remote or external, or remove primary", "%s: primary has no effect with the mode %s", t.Called(i), cp.Mode)
		return
	}
	names := make([]string, len(t.Spec.Clusters))
	for j := range t.Spec.Clusters {
		c := &t.Spec.Clusters[j]
		names[j] = c.Name
		if c.Name != cp.Primary {
			continue
		}
		if c.ControlPlane.Mode != "local" {
			findings.Add(at("primary"), RuleValue, "name a cluster whose controlPlane.mode is local", "%s: its primary %q has no istiod (controlPlane.mode: %s)", t.Called(i), finding.Shorten(cp.Primary), c.ControlPlane.Mode)
		}
		return
	}
	hint := cmp.Or(finding.DidYouMean(cp.Primary, names), "name a cluster of the topology, or leave primary out if it is none")
	findings.Add(at("primary"), RuleValue, hint, "%s: its primary %q is not one of the clusters", t.Called(i), finding.Shorten(cp.Primary))
}

func (t *Topology) checkOverlays(findings *finding.Findings) {
	first := map[string]int{}
	names := map[string]bool{}
	for i := range t.Spec.Clusters {
		names[t.Spec.Clusters[i].Name] = true
	}
	for i, o := range t.Spec.Overlays {
		at := func(path ...any) finding.Position { return t.At(append([]any{"spec", "overlays", i}, path...)...) }
		if j, ok := first[o.Name]; ok && o.Name != "" {
			other := t.At("spec", "overlays", j, "name")
			findings.Add(at("name"), RuleDuplicate, "give each overlay a name of its own", "two overlays are named %q; first at %d:%d", o.Name, other.Line, other.Col)
		} else {
			first[o.Name] = i
		}
		switch {
		case o.Kustomize != "" && o.Jsonnet != "":
			findings.Add(at("jsonnet"), RuleValue, "make two overlays of it", "overlay %q has both kustomize and jsonnet; expected one of the two", o.Name)
		case o.Kustomize == "" && o.Jsonnet == "" && !t.mayHave("spec", "overlays", i, "kustomize") && !t.mayHave("spec", "overlays", i, "jsonnet"):
			findings.Add(at(), RuleMissing, "add kustomize: with a folder, or jsonnet: with a file", "overlay %q changes nothing; expected kustomize or jsonnet", o.Name)
		}
		for j, name := range o.Match.Names {
			if names[name] {
				continue
			}
			hint := cmp.Or(finding.DidYouMean(name, slices.Collect(maps.Keys(names))), "name clusters of the topology")
			findings.Add(at("match", "names", j), RuleValue, hint, "overlay %q matches %q, which is not one of the clusters", o.Name, finding.Shorten(name))
		}
	}
}
