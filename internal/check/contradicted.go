package check

import (
	"maps"
	"slices"
	"sync"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// sharedFields lists the fields of the Kiali resource that templates set and kiali.spec may
// set too, each with the reason. kiali.spec may set everything below a field.
var sharedFields = map[string]string{
	"deployment.ingress.enabled":                        "an Ingress that is not the operator's may lead to the host",
	"deployment.ingress.override_yaml.spec.tls":         "how the Route ends TLS changes no address",
	"deployment.pod_annotations":                        "it is merged key by key, and RS08 checks our key",
	"deployment.strategy":                               "nothing else follows from how pods are replaced",
	"external_services.grafana.enabled":                 "templates turn it off only because Kiali expects Grafana by default",
	"external_services.prometheus.query_scope":          "labels are added to it key by key; PM07 and PM08 check them",
	"external_services.prometheus.auth.ca_file":         "the CA of the store may be in another file",
	"external_services.prometheus.auth.use_kiali_token": "PM12 says what thanosQuerier needs, with the reason",
	"external_services.tracing.auth":                    "a Tempo that the topology names by its URL may require a login",
	"external_services.tracing.tempo_config.url_format": "links may lead to another page; TR02 and TR06 say what the console needs",
	"clustering.enable_exec_provider":                   "kubeconfigs from others may name programs too; RS11 checks ours",
	"auth.openshift.redirect_uris":                      "there may be several; KC02, KC03 and KC04 check them",
	"server.web_schema":                                 "the host may be served without https",
	"server.web_port":                                   "the host may be served at another port",
}

// Exceptions returns the fields that templates set and that kiali.spec may set too, each with
// the reason.
func Exceptions() map[string]string {
	all := maps.Clone(sharedFields)
	for field, own := range reservedFields {
		if own.against != nil {
			all[field] = "some values are right; reservedFields judges them"
		}
	}
	return all
}

// contradicted refuses fields in kiali.spec that templates set. kiali.spec is merged over
// the rendered resource, so it could separate a field from other resources that depend on it.
// A field that templates set on one cluster is refused for all clusters.
func contradicted(m *mesh, f *found) {
	ours, exceptions := sync.OnceValue(m.kialiBodies), Exceptions()
	var look func(specOf, field []any, theirs map[string]any)
	look = func(specOf, field []any, theirs map[string]any) {
		for _, key := range sortedKeys(theirs) {
			field := append(slices.Clone(field), key)
			name := topology.Dotted(field)
			if _, ok := exceptions[name]; ok {
				continue
			}
			below, _ := theirs[key].(map[string]any)
			if o := setBy(ours(), spec(name)); o != nil {
				message, hint := setElsewhere(name, o.by(spec(name)))
				f.on(m, m.At(append(slices.Clone(specOf), field...)...), hint, "%s", message)
				continue
			}
			look(specOf, field, below)
		}
	}
	look([]any{"spec", "kiali", "spec"}, nil, m.Spec.Kiali.Spec)
	for i := range m.Spec.Clusters {
		look([]any{"spec", "clusters", i, "kiali", "spec"}, nil, m.Spec.Clusters[i].Kiali.Spec)
	}
}

// kialiBodies returns a Kiali resource for each different body, as templates made it.
func (m *mesh) kialiBodies() []*object {
	var all []*object
	seen := map[*resource.Body]bool{}
	for _, o := range m.kialis {
		if o == nil {
			continue
		}
		if body := o.template(); body != nil && !seen[body] {
			seen[body] = true
			plain := *o
			plain.body, plain.overlaid = body, false
			all = append(all, &plain)
		}
	}
	return all
}

// setBy returns the first of the objects in which templates set a field, or nil. If templates
// have an object there, only the fields below count: kiali.spec is merged into the object, and
// KC25 refuses anything else in its place.
func setBy(objects []*object, field fieldPath) *object {
	for _, o := range objects {
		v := any(o.body.Object())
		for _, step := range field {
			if ours, _, merge := resource.MergeOf(v); merge {
				v = ours
			}
			v = valueAt(v, fieldPath{step})
		}
		if _, isObject := v.(map[string]any); v != nil && !isObject {
			return o
		}
	}
	return nil
}

// by names the field of the topology that sets a part of the object: the one that the
// topology has, or else the one for the whole mesh.
func (o *object) by(path fieldPath) string {
	m := o.mesh
	from := slices.Concat(o.placed(path, false), o.decided(path))
	i := slices.IndexFunc(from, func(in []any) bool { return m.Has(in...) })
	if i < 0 {
		i = slices.IndexFunc(from, func(in []any) bool { return in[1] != "clusters" })
	}
	switch {
	case len(from) == 0:
		return "sightline"
	case i < 0 || from[i][1] == "clusters":
		in := from[max(i, 0)]
		of := m.Called(in[2].(int))
		if in[2] == m.hub {
			of = "the hub"
		}
		return topology.Dotted(in[3:]) + " of " + of
	}
	return topology.Dotted(from[i][1:])
}
