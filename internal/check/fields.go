package check

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// kialiFields.tsv has every field of the Kiali resource that any operator
// knows, one a line: its path, and which lines of Kiali read it. The test
// TestKialiFields makes it from what the operator's sources say.
//
//go:embed kialifields.tsv
var kialiFieldsTSV string

// kialiLines are the lines in the order of the table's marks.
var kialiLines = []string{"v1.73", "v2.4", "v2.11", "v2.17", "v2.22", "v2.27", "default"}

// kialiField is what is known of a field.
type kialiField struct {
	lines string // a mark for each line: 1 where its role reads the field
	free  bool   // what is below it is not ours to know
}

// kialiTable maps the paths of fields, in which a list ends with [], to what is
// known of them. Sections are in it too, without lines.
var kialiTable = sync.OnceValue(func() map[string]kialiField {
	table := map[string]kialiField{}
	for line := range strings.Lines(kialiFieldsTSV) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		columns := strings.Split(strings.TrimSpace(line), "\t")
		path := columns[0]
		table[path] = kialiField{lines: columns[1], free: len(columns) > 2}
		for i := strings.LastIndexByte(path, '.'); i > 0; i = strings.LastIndexByte(path, '.') {
			if path = path[:i]; table[path].lines == "" {
				table[path] = kialiField{}
			}
			if list, ok := strings.CutSuffix(path, "[]"); ok && table[list].lines == "" {
				table[list] = kialiField{}
			}
		}
	}
	return table
})

// in tells whether a line of Kiali reads the field.
func (f kialiField) in(line string) bool {
	i := slices.Index(kialiLines, line)
	return f.lines == "" || i >= 0 && f.lines[i] == '1'
}

// known says in words which lines read the field.
func (f kialiField) known() string {
	var runs []string
	for i := 0; i < len(kialiLines); i++ {
		if f.lines[i] != '1' {
			continue
		}
		from := i
		for i+1 < len(kialiLines) && f.lines[i+1] == '1' {
			i++
		}
		switch {
		case i == len(kialiLines)-1 && from < i-1:
			runs = append(runs, kialiLines[from]+" and later lines know it")
		case from == i:
			runs = append(runs, kialiLines[from]+" knows it")
		default:
			runs = append(runs, kialiLines[from]+" to "+kialiLines[i]+" know it")
		}
	}
	return strings.Join(runs, ", ")
}

// unread is a field of a Kiali resource that its line does not read, or that
// no operator knows.
type unread struct {
	path  fieldPath
	name  string // as the table has it
	field kialiField
	known bool
}

// unreadFields lists the fields of a Kiali resource that will have no effect.
func unreadFields(o *object) []unread {
	line := o.mesh.of(o).Kiali.Version
	table := kialiTable()
	var all []unread
	var visit func(v any, path fieldPath, name string)
	visit = func(v any, path fieldPath, name string) {
		switch v := v.(type) {
		case map[string]any:
			for _, key := range sortedKeys(v) {
				below := key
				if name != "" {
					below = name + "." + key
				}
				switch f, ok := table[below]; {
				case !ok:
					all = append(all, unread{path.below(key), below, f, false})
				case !f.in(line):
					all = append(all, unread{path.below(key), below, f, true})
				case f.lines == "":
					visit(v[key], path.below(key), below)
				}
			}
		case []any:
			if _, ok := table[name+"[]"]; ok {
				for i, item := range v {
					visit(item, path.below(i), name+"[]")
				}
			}
		}
	}
	visit(o.content["spec"], fieldPath{"spec"}, "")
	return all
}

// nearField returns the field that an unknown one most likely means: one
// beside it, else one of the same name elsewhere.
func nearField(name string) string {
	parent, key := "", name
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		parent, key = name[:i+1], name[i+1:]
	}
	var beside, same []string
	for path := range kialiTable() {
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

// replacements say what took the place of a field, and since which line it is
// deprecated where it still works. A name that ends with a dot is all below it.
var replacements = []struct{ field, since, instead string }{
	{"istio_namespace", "", "leave it out; Kiali finds the control plane by itself"},
	{"external_services.istio.root_namespace", "v2.4", "leave it out; Kiali finds the root namespace by itself"},
	{"external_services.istio.config_map_name", "v2.4", "leave it out; Kiali finds Istio's configuration by itself"},
	{"external_services.istio.istiod_deployment_name", "v2.4", "leave it out; Kiali finds istiod by itself"},
	{"external_services.istio.istio_sidecar_injector_config_map_name", "v2.4", "leave it out; Kiali finds the injector by itself"},
	{"external_services.istio.istiod_pod_monitoring_port", "v2.4", "leave it out; Kiali finds the port by itself"},
	{"external_services.istio.url_service_version", "v2.4", "leave it out; Kiali asks the control plane"},
	{"external_services.istio.istio_canary_revision.", "v2.4", "leave it out; Kiali finds the revisions by itself"},
	{"api.", "v2.4", "use deployment.discovery_selectors"},
	{"deployment.accessible_namespaces", "v2.4", "use deployment.cluster_wide_access and deployment.discovery_selectors"},
	{"deployment.verbose_mode", "v1.73", "use deployment.logger.log_level"},
	{"external_services.grafana.in_cluster_url", "v2.4", "use external_services.grafana.internal_url"},
	{"external_services.grafana.url", "v2.4", "use external_services.grafana.external_url"},
	{"external_services.tracing.in_cluster_url", "v2.4", "use external_services.tracing.internal_url"},
	{"external_services.tracing.url", "v2.4", "use external_services.tracing.external_url"},
	{"istio_labels.injection_label_name", "v2.17", "leave it out; Kiali knows the labels of injection"},
	{"istio_labels.injection_label_rev", "v2.17", "leave it out; Kiali knows the labels of injection"},
	{"istio_labels.ingress_gateway_label", "v2.17", "leave it out; Kiali finds gateways by itself"},
	{"istio_labels.egress_gateway_label", "v2.17", "leave it out; Kiali finds gateways by itself"},
	{"kiali_feature_flags.clustering.", "v2.4", "use the field of the same name below clustering"},
	{"auth.openid.authorization_endpoint", "v2.22", "use auth.openid.discovery_override.authorization_endpoint"},
	{"auth.openshift.auth_timeout", "v2.4", "leave it out; it has no successor"},
	{"auth.openshift.client_id_prefix", "v2.4", "leave it out; the OAuthClient is named by instance and namespace"},
}

// replacement says what took the place of a field, and since when it is
// deprecated; "" if nothing did.
func replacement(name string) (instead, since string) {
	for _, r := range replacements {
		if name == r.field || strings.HasSuffix(r.field, ".") && (strings.HasPrefix(name, r.field) || name == strings.TrimSuffix(r.field, ".")) {
			return r.instead, r.since
		}
	}
	return "", ""
}

// lineBefore tells whether a line of Kiali is older than another.
func lineBefore(line, than string) bool {
	return slices.Index(kialiLines, line) < slices.Index(kialiLines, than)
}
