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
		s.Add(s.At("spec", "kiali"), topology.RuleMissing, "add auth: {strategy: openid}, or anonymous where everybody may see everything",
			"spec.kiali.auth.strategy is missing; Kiali's default on Kubernetes, token, knows one cluster only")
	case strategy == "token" && len(s.Spec.Clusters) > 1:
		s.Add(at, "KC05", "choose openid or anonymous", "the strategy token knows one cluster only, and the topology has %d", len(s.Spec.Clusters))
	case strategy == "openshift" && hub.Platform == "kubernetes":
		s.Add(at, "KC06", "choose openid or anonymous", "the strategy openshift needs a hub on OpenShift, and %s is one of Kubernetes", s.Called(s.hub))
	case strategy == "token" && hub.Platform == "openshift":
		s.Add(at, "KC06", "leave it out, and users log in to OpenShift", "the strategy token is for Kubernetes, and %s is one of OpenShift", s.Called(s.hub))
	case strategy == "openid" && s.noOpenID():
		s.Add(at, "KC09", "use v2.22 or a later line, or leave the strategy out", "Kiali %s has no strategy openid on OpenShift", hub.Kiali.Version)
	}
}

// noOpenID tells whether the hub's Kiali is too old for openid.
func (s *source) noOpenID() bool {
	hub := &s.Spec.Clusters[s.hub]
	return hub.Platform == "openshift" && hub.KialiBefore(kiali.V2_22)
}

// openIDKeys are what the operator fails without.
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
		s.Add(s.At("spec", "kiali", "auth", "strategy"), topology.RuleMissing, "add spec: {auth: {openid: {client_id: kiali, issuer_uri: https://login.example.com}}} to spec.kiali",
			"the strategy openid needs %s in auth.openid of spec.kiali.spec", strings.Join(missing, " and "))
	}
}

// wideAccess finds what keeps the hub's Kiali from looking for other clusters.
func (s *source) wideAccess() {
	for _, path := range [][]any{{"spec", "kiali", "spec"}, {"spec", "clusters", s.hub, "kiali", "spec"}} {
		path = append(path, "deployment", "cluster_wide_access")
		if strings.EqualFold(s.Text(path...), "false") && len(s.Spec.Clusters) > 1 {
			s.Add(s.At(path...), "KC08", "remove it; deployment.discovery_selectors can narrow down what is shown",
				"%s must be true, because without it Kiali sees no other cluster than its own", topology.Dotted(path))
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
		s.Add(at, "KC09", "use v2.4 or a later line", "Kiali v1.73 has no resources for remote clusters, and the topology has %d clusters", len(s.Spec.Clusters))
	}
	if !hub.InMesh() && version.Before(kiali.V2_17) {
		s.Add(at, "KC09", "use v2.17 or a later line", "Kiali %s cannot run outside the mesh (ignore_home_cluster), as it is to on %s", version, s.Called(s.hub))
	}
	if s.Spec.Kiali.Links.Format == "single" && version == kiali.V2_4 && s.Has("spec", "kiali", "links", "format") {
		s.Add(s.At("spec", "kiali", "links", "format"), "KC09", "use perCluster, or v2.11 or a later line", "Kiali %s does not know the single Secret %s", version, kiali.SingleSecret)
	}
	for i := range s.Spec.Clusters {
		if own := s.Spec.Clusters[i].Kiali.Version; i != s.hub && own == kiali.V1_73 && version != kiali.V1_73 {
			s.Add(s.At("spec", "clusters", i, "kiali", "version"), "KC09", "use v2.4 or a later line", "Kiali v1.73 has no resources for remote clusters, and %s is one", s.Called(i))
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

// kialiSpec refuses what would part the Kiali resource from the rest of what is
// rendered.
func (s *source) kialiSpec(path ...any) {
	for field, own := range ownFields {
		in := slices.Clone(path)
		for key := range strings.SplitSeq(field, ".") {
			in = append(in, key)
		}
		if s.Has(in...) {
			s.Add(s.At(in...), cmp.Or(own.rule, topology.RuleValue), "remove it here, and say it there", "%s is set by %s, from which other resources follow too", field, own.by)
		}
	}
}
