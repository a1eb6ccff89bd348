package kiali

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// fieldsTSV has one line for every field of the Kiali resource that any operator
// knows: its path, and the release lines that read it. The test TestFields makes it
// from the operator's sources.
//
//go:embed fields.tsv
var fieldsTSV string

// Field says which release lines read a field of the Kiali resource.
type Field struct {
	lines string // a mark for each line: 1 if its role reads the field
	free  bool   // the fields below it are not listed
}

// Fields maps the paths of fields below spec to the fields, sections included. A list
// ends with [].
var Fields = sync.OnceValue(func() map[string]Field {
	table := map[string]Field{}
	for line := range strings.Lines(fieldsTSV) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		columns := strings.Split(strings.TrimSpace(line), "\t")
		path := columns[0]
		table[path] = Field{lines: columns[1], free: len(columns) > 2}
		for i := strings.LastIndexByte(path, '.'); i > 0; i = strings.LastIndexByte(path, '.') {
			if path = path[:i]; table[path].lines == "" {
				table[path] = Field{}
			}
			if list, ok := strings.CutSuffix(path, "[]"); ok && table[list].lines == "" {
				table[list] = Field{}
			}
		}
	}
	return table
})

// Section tells whether the field only groups other fields.
func (f Field) Section() bool { return f.lines == "" }

// In tells whether a release line reads the field. Every line reads a section.
func (f Field) In(l Line) bool {
	return f.Section() || l >= V1_73 && f.lines[l-V1_73] == '1'
}

// Known names the release lines that read the field.
func (f Field) Known() string {
	var runs []string
	for l := V1_73; l <= Default; l++ {
		if !f.In(l) {
			continue
		}
		from := l
		for l < Default && f.In(l+1) {
			l++
		}
		switch {
		case l == Default && from < l-1:
			runs = append(runs, from.String()+" and later lines know it")
		case from == l:
			runs = append(runs, from.String()+" knows it")
		default:
			runs = append(runs, from.String()+" to "+l.String()+" know it")
		}
	}
	return strings.Join(runs, ", ")
}

// NearField returns the field that was probably meant by an unknown field: one in the
// same section, or else one with the same name elsewhere, or else "".
func NearField(name string) string {
	parent, key := "", name
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		parent, key = name[:i+1], name[i+1:]
	}
	var beside, same []string
	for path := range Fields() {
		rest, ok := strings.CutPrefix(path, parent)
		if ok && !strings.Contains(rest, ".") {
			beside = append(beside, strings.TrimSuffix(rest, "[]"))
		}
		if strings.HasSuffix(path, "."+key) || path == key {
			same = append(same, path)
		}
	}
	slices.Sort(beside)
	slices.Sort(same)
	if near := finding.Nearest(key, beside); near != "" {
		return parent + near
	}
	if len(same) == 1 {
		return same[0]
	}
	return ""
}

// replacements name the fields that replace another field, and the release line from
// which a field that still works is deprecated. A name that ends with a dot stands
// for all fields below it.
var replacements = []struct {
	field   string
	since   Line
	instead string
}{
	{"istio_namespace", 0, "leave it out; Kiali finds the control plane by itself"},
	{"external_services.istio.root_namespace", V2_4, "leave it out; Kiali finds the root namespace by itself"},
	{"external_services.istio.config_map_name", V2_4, "leave it out; Kiali finds Istio's configuration by itself"},
	{"external_services.istio.istiod_deployment_name", V2_4, "leave it out; Kiali finds istiod by itself"},
	{"external_services.istio.istio_sidecar_injector_config_map_name", V2_4, "leave it out; Kiali finds the injector by itself"},
	{"external_services.istio.istiod_pod_monitoring_port", V2_4, "leave it out; Kiali finds the port by itself"},
	{"external_services.istio.url_service_version", V2_4, "leave it out; Kiali asks the control plane"},
	{"external_services.istio.istio_canary_revision.", V2_4, "leave it out; Kiali finds the revisions by itself"},
	{"api.", V2_4, "use deployment.discovery_selectors"},
	{"deployment.accessible_namespaces", V2_4, "use deployment.cluster_wide_access and deployment.discovery_selectors"},
	{"deployment.verbose_mode", V1_73, "use deployment.logger.log_level"},
	{"external_services.grafana.in_cluster_url", V2_4, "use external_services.grafana.internal_url"},
	{"external_services.grafana.url", V2_4, "use external_services.grafana.external_url"},
	{"external_services.tracing.in_cluster_url", V2_4, "use external_services.tracing.internal_url"},
	{"external_services.tracing.url", V2_4, "use external_services.tracing.external_url"},
	{"istio_labels.injection_label_name", V2_17, "leave it out; Kiali knows the labels of injection"},
	{"istio_labels.injection_label_rev", V2_17, "leave it out; Kiali knows the labels of injection"},
	{"istio_labels.ingress_gateway_label", V2_17, "leave it out; Kiali finds gateways by itself"},
	{"istio_labels.egress_gateway_label", V2_17, "leave it out; Kiali finds gateways by itself"},
	{"kiali_feature_flags.clustering.", V2_4, "use the field of the same name below clustering"},
	{"auth.openid.authorization_endpoint", V2_22, "use auth.openid.discovery_override.authorization_endpoint"},
	{"auth.openshift.auth_timeout", V2_4, "leave it out; it has no successor"},
	{"auth.openshift.client_id_prefix", V2_4, "leave it out; the OAuthClient is named by instance and namespace"},
}

// Replacement says what replaces a field, and from which release line on the field is
// deprecated. It is "" if nothing replaces the field.
func Replacement(name string) (instead string, since Line) {
	for _, r := range replacements {
		if name == r.field || strings.HasSuffix(r.field, ".") && (strings.HasPrefix(name, r.field) || name == strings.TrimSuffix(r.field, ".")) {
			return r.instead, r.since
		}
	}
	return "", 0
}
