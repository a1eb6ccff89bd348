package check

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// aboutNames are the checks that need no hub. Without a hub, the other checks
// would report the same mistake again.
func aboutNames() []reading {
	return []reading{
		{reads: "clusters", find: (*source).anyCluster},
		{find: (*source).clusterNames},
		{find: (*source).hubName},
	}
}

// aboutClusters are the checks of clusters and how they are reached.
func aboutClusters() []reading {
	return []reading{
		{reads: "cluster.server", each: (*source).serverOfRemote},
		{find: (*source).servers},
		{reads: "hub.kiali.host hub.platform hub.domain", find: (*source).callbackHost},
		{reads: "hub.kiali.host hub.platform", find: (*source).hostLabel},
		{each: (*source).cluster},
		{reads: "mesh.dataPlane", each: (*source).ztunnel},
		{reads: "cluster.controlPlane.mode", each: (*source).controlPlane},
		{each: (*source).linkName},
	}
}

func (s *source) anyCluster() {
	switch {
	case len(s.Spec.Clusters) > 0:
	case s.Has("spec", "clusters"):
		s.Add(s.At("spec", "clusters"), topology.RuleValue, "add one, such as - name: cluster1", "spec.clusters must name at least one cluster")
	case s.Has("spec"):
		s.Add(s.At("spec"), topology.RuleMissing, "add it, such as clusters: [{name: cluster1}]", "spec.clusters is missing")
	}
}

// repeated finds clusters whose name an earlier cluster has. Names that differ only in letter case are
// the same name.
func (s *source) repeated() map[int]int {
	first, twice := map[string]int{}, map[int]int{}
	for i, name := range s.names {
		key := strings.ToLower(name)
		if j, ok := first[key]; ok && name != "" { // found by the decoder
			twice[i] = j
		} else {
			first[key] = i
		}
	}
	return twice
}

func (s *source) clusterNames() {
	for i, j := range s.twice {
		message := fmt.Sprintf("two clusters are named %q", finding.Shorten(s.names[i]))
		if s.names[j] != s.names[i] {
			message = fmt.Sprintf("the cluster names %q and %q differ only in letter case", finding.Shorten(s.names[j]),
				finding.Shorten(s.names[i]))
		}
		at := s.At("spec", "clusters", i, "name")
		s.Add(at, "ID01", "give each cluster a different name; names that differ only in letter case are the same",
			"%s; first at %s", message, s.At("spec", "clusters", j, "name").SeenFrom(at))
	}
}

func (s *source) hubName() {
	name := s.Spec.Kiali.Hub
	if name == "" || s.hub >= 0 && (s.names[s.hub] == name || s.names[s.hub] == "") || len(s.names) == 0 {
		return
	}
	var names []string
	for _, known := range s.names {
		if known != "" {
			names = append(names, known)
		}
	}
	if s.hub < 0 && len(names) < len(s.names) {
		return // the hub may be the cluster whose name was refused
	}
	hint := finding.DidYouMean(name, names)
	switch {
	case hint != "":
	case len(names) <= 10:
		hint = "the clusters are " + strings.Join(names, ", ")
	default:
		hint = "name one of spec.clusters"
	}
	s.Add(s.At("spec", "kiali", "hub"), "ID04", hint, "the hub %q is not one of the clusters", finding.Shorten(name))
}

func (s *source) serverOfRemote(i int) {
	if i != s.hub && !s.Has("spec", "clusters", i, "server") {
		if _, twice := s.twice[i]; !twice {
			s.lacking = append(s.lacking, []any{"spec", "clusters", i, "server"})
			s.Add(s.At("spec", "clusters", i), topology.RuleMissing, topology.ServerHint,
				"%s: server is missing; the hub's Kiali reaches a remote at this address", s.Called(i))
		}
	}
}

// servers finds clusters with the API server of another cluster. Usually
// somebody copied the lines of one. Kiali would show the same cluster twice.
func (s *source) servers() {
	first := map[string]int{}
	for i := range s.Spec.Clusters {
		server := strings.ToLower(strings.TrimSuffix(s.Spec.Clusters[i].Server, "/"))
		if j, ok := first[server]; ok && server != "" {
			at := s.At("spec", "clusters", i, "server")
			s.Add(at, "IN09", "write the URL of each cluster's API server",
				"%s has the server of %s; first at %s", s.Called(i), s.Called(j), s.At("spec", "clusters", j, "server").SeenFrom(at))
			continue
		}
		first[server] = i
	}
}

// callbackHost checks that the host of the hub's Kiali is known, because the
// remotes need it.
func (s *source) callbackHost() {
	if s.Has("spec", "clusters", s.hub, "kiali", "host") || s.Has("spec", "clusters", s.hub, "domain") {
		return
	}
	if s.Spec.Kiali.Auth.Strategy == "openshift" && len(s.Spec.Clusters)-len(s.twice) > 1 {
		s.lacking = append(s.lacking, []any{"spec", "clusters", s.hub, "domain"})
		s.Add(s.At("spec", "clusters", s.hub), topology.RuleMissing,
			"add the ingress domain of the cluster, such as domain: apps.east.example.com",
			"%s: domain is missing; the remotes' login callbacks need the host of the hub's Kiali", s.Called(s.hub))
	}
}

func (s *source) hostLabel() {
	c := &s.Spec.Clusters[s.hub]
	if s.Has("spec", "clusters", s.hub, "kiali", "host") || c.Platform == "kubernetes" && c.Domain == "" {
		return // the host is given, or there is no host
	}
	label := s.Spec.Kiali.InstanceName + "-" + s.Spec.Kiali.Namespace
	if len(label) > 63 {
		s.Add(s.At("spec", "kiali", "instanceName"), "KC20", "shorten spec.kiali.instanceName or spec.kiali.namespace, or set kiali.host "+
			"of the hub",
			"the host of the hub's Kiali begins with %q (%d characters); a part of a host may have at most 63", label, len(label))
	}
}

// noEffect reports a field of a cluster that has no effect.
func (s *source) noEffect(i int, path []any, hint, format string, args ...any) {
	path = append([]any{"spec", "clusters", i}, path...)
	if s.Has(path...) {
		s.Add(s.At(path...), topology.RuleValue, hint, "%s: %s", s.Called(i), fmt.Sprintf(format, args...))
	}
}

func (s *source) cluster(i int) {
	c := &s.Spec.Clusters[i]
	at := func(path ...any) finding.Position { return s.At(append([]any{"spec", "clusters", i}, path...)...) }
	if i != s.hub {
		for _, key := range []string{"host", "webRoot"} {
			s.noEffect(i, []any{"kiali", key}, "remove it", "kiali.%s has no effect on a remote; no Kiali server runs there", key)
		}
		if !c.InMesh() {
			hint := "choose local, remote or external, or remove the cluster"
			if s.IsACMHub(c) {
				hint += " and metrics.acm.hub: what this ACM hub needs is then in the tree " + topology.ACMTree + "/"
			}
			s.Add(at("controlPlane", "mode"), "ID06", hint,
				"%s: only the hub can be outside the mesh (mode none)", s.Called(i))
		}
	} else if s.Spec.Kiali.Auth.Strategy == "openshift" && c.Kiali.WebRoot != topology.DefaultWebRoot(c.Platform) && s.hubHostUnknown() &&
		!c.KialiBefore(kiali.V2_4) {
		s.Add(at("kiali", "webRoot"), topology.RuleMissing, "add domain or kiali.host",
			"%s: with webRoot, the login callback needs the host of the hub's Kiali, but the host is not known", s.Called(i))
	}
	if c.Platform == "kubernetes" {
		s.noEffect(i, []any{"userWorkloadMonitoring"}, "remove it",
			"userWorkloadMonitoring is a part of OpenShift, but the platform is kubernetes")
	}
}

// hubHostUnknown tells whether the topology does not give the host of the hub's
// Kiali.
func (s *source) hubHostUnknown() bool { return s.Hub() == nil || s.HubHost() == "" }

func (s *source) ztunnel(i int) {
	if s.Spec.Mesh.DataPlane != "ambient" {
		s.noEffect(i, []any{"ztunnelNamespace"}, "write dataPlane: ambient in spec.mesh, or remove it",
			"ztunnelNamespace has no effect with the data plane sidecar")
	}
}

func (s *source) controlPlane(i int) {
	cp := &s.Spec.Clusters[i].ControlPlane
	at := func(key string) finding.Position { return s.At("spec", "clusters", i, "controlPlane", key) }
	if cp.Mode == "none" && s.Has("spec", "clusters", i, "controlPlane", "namespace") {
		s.Add(at("namespace"), topology.RuleValue, "remove it; if an istiod runs here (also if it serves only other clusters), write "+
			"mode: local",
			"%s: namespace has no effect with mode none, because no istiod runs here", s.Called(i))
	}
	if cp.Mode != "local" && len(cp.Revisions) > 0 {
		s.Add(at("revisions"), topology.RuleValue, "name the revisions at the cluster on which they run",
			"%s: revisions have no effect with mode %s, because no istiod runs here", s.Called(i), cp.Mode)
	}
	if cp.Primary == "" {
		return
	}
	if cp.Mode == "local" || cp.Mode == "none" {
		s.Add(at("primary"), topology.RuleValue, "write mode: remote or external, or remove primary",
			"%s: primary has no effect with mode %s", s.Called(i), cp.Mode)
		return
	}
	j := s.index(cp.Primary)
	if j < 0 {
		hint := cmp.Or(finding.DidYouMean(cp.Primary, s.names), "name a cluster of the topology; if the primary is not in the topology, "+
			"leave out primary")
		s.Add(at("primary"), topology.RuleValue, hint, "%s: its primary %q is not one of the clusters", s.Called(i), finding.Shorten(cp.Primary))
	} else if mode := s.Spec.Clusters[j].ControlPlane.Mode; mode != "local" {
		s.Add(at("primary"), topology.RuleValue, "name a cluster whose controlPlane.mode is local",
			"%s: its primary %q has no istiod (controlPlane.mode: %s)", s.Called(i), finding.Shorten(cp.Primary), mode)
	}
}

// reservedVolume matches the volumes of Kiali's Deployment. Some exist only
// with certain credentials. With the format perCluster, a Secret is mounted as
// a volume with the name of its cluster.
var reservedVolume = regexp.MustCompile(`^(kiali-(configuration|cert|secret|cabundle|multi-cluster-secret)|login-token-signing-key|` +
	`((customdashboards-)?prometheus|grafana|perses|tracing)-(username|password|token|cert|key|oauth2-client-secret))$`)

func (s *source) linkName(i int) {
	name := s.names[i]
	if i == s.hub || s.Spec.Kiali.Links.Format != "perCluster" || name == "" {
		return
	}
	at := s.At("spec", "clusters", i, "name")
	const hint = "rename the cluster (in Istio too), or use links.format: single"
	if problem := topology.LabelProblem(name); problem != "" {
		s.Add(at, "ID02", hint, "%s: with links.format perCluster, the name is also the name of a volume and %s", s.Called(i), problem)
	} else if reservedVolume.MatchString(name) {
		s.Add(at, "ID03", hint, "%s: with links.format perCluster, the name is also the name of a volume, but Kiali already has a volume "+
			"with this name", s.Called(i))
	}
}

// aboutOverlays are the checks of what a topology says about overlays. Package
// overlay reads their files.
func aboutOverlays() []reading { return []reading{{find: (*source).overlays}} }

func (s *source) overlays() {
	first := map[string]int{}
	for i, o := range s.Spec.Overlays {
		at := func(path ...any) finding.Position { return s.At(append([]any{"spec", "overlays", i}, path...)...) }
		if j, ok := first[o.Name]; ok && o.Name != "" {
			other := s.At("spec", "overlays", j, "name")
			s.Add(at("name"), topology.RuleDuplicate, "give each overlay a different name", "two overlays are named %q; first at %d:%d", o.Name,
				other.Line, other.Col)
		} else {
			first[o.Name] = i
		}
		switch {
		case o.Kustomize != "" && o.Jsonnet != "":
			s.Add(at("jsonnet"), topology.RuleValue, "split it into two overlays",
				"overlay %q has both kustomize and jsonnet; expected one of the two",
				o.Name)
		case o.Kustomize == "" && o.Jsonnet == "" && s.Readable("spec", "overlays", i, "kustomize") && s.Readable("spec", "overlays", i,
			"jsonnet"):
			s.Add(at(), topology.RuleMissing, "add kustomize: with a folder, or jsonnet: with a file",
				"overlay %q changes nothing; expected kustomize or jsonnet", o.Name)
		}
		for j, name := range o.Match.Names {
			if name == "" || s.index(name) < 0 {
				s.Add(at("match", "names", j), topology.RuleValue, s.nearName(name), "overlay %q matches %q, which is not one of the clusters", o.Name,
					finding.Shorten(name))
			}
		}
	}
}
