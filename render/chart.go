package render

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/chart"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/overlay"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// shapeDocs documents the fields of shape, by their names in the values.
var shapeDocs = map[string]string{
	"hub":              "Whether the Kiali server runs here. If not, the cluster is a remote.",
	"platform":         "openshift or kubernetes.",
	"operator":         "Whether a Subscription installs the operator.",
	"flux":             "Whether Flux applies the objects.",
	"mesh":             "Whether the cluster is in the mesh.",
	"ambient":          "Whether ztunnel carries the mesh's traffic.",
	"revisions":        "Whether the control plane has more than one revision.",
	"telemetry":        "Whether the chart has the mesh-wide Telemetry.",
	"telemetryAlpha":   "Whether the mesh-wide Telemetry has the version v1alpha1.",
	"telemetrySpec":    "Whether something is merged over the spec of the mesh-wide Telemetry.",
	"ownControlPlane":  "",
	"monitors":         "Whether the chart has PodMonitors.",
	"istiodMonitor":    "Whether the chart has a ServiceMonitor for istiod.",
	"ownInterval":      "",
	"monitorLabels":    "",
	"prometheusMerge":  "Whether the mesh merges the metrics of proxy, agent and application.",
	"monitoringConfig": "Whether the chart has cluster-monitoring-config.",
	"remoteWrite":      "Whether series are sent to the store of the whole mesh.",
	"strategy":         "How users log in to Kiali, if this is not the operator's default for the platform.",
	"callback":         "Whether logins get a redirect URI.",
	"viewOnly":         "Whether Kiali may only read.",
	"kialiSpec":        "",
	"store":            "The store that the hub's Kiali asks for metrics.",
	"scope":            "Which series the hub's Kiali asks for: meshID, labels or none.",
	"storeAuth":        "How the hub's Kiali logs in to the store.",
	"ca":               "Where the hub's Kiali finds further CAs: in a configMap or a secret. Empty: there are none.",
	"ingressHost":      "Whether the topology sets the host of the hub's Kiali. If not, the platform chooses it.",
	"webRoot":          "Whether the topology sets the path of the hub's Kiali. If not, the platform's default applies.",
	"istioNamespace":   "Whether the Kiali resource of the hub names the namespace of istiod.",
	"links":            "How the hub stores the sealed kubeconfigs: single or perCluster.",
	"acmLinks":         "On the hub, whether a Policy of ACM makes its links.",
	"sops":             "On the hub, whether SOPS has encrypted the kubeconfigs.",
	"fetched":          "How the hub stores kubeconfigs from a secret store: single or perCluster.",
	"pushed":           "Whether the remote pushes its token into a secret store.",
	"execProvider":     "Whether a kubeconfig names a program. The hub's Kiali may then run it.",
	"alerts":           "Whether a PrometheusRule on the hub alerts about clusters without metrics.",
	"kialiHealth":      "Whether the hub's Kiali exports the health of the mesh, with alerts.",
	"tracing":          "Where traces are stored: jaeger, tempo, or stack for a TempoStack on the hub.",
	"tracingGRPC":      "Whether the hub's Kiali asks for traces by gRPC.",
	"tracingLinks":     "Whether the hub's Kiali links to a page with traces.",
	"tracingConsole":   "Whether this page is in OpenShift's console.",
	"tracingTenant":    "Whether the traces belong to a tenant.",
	"tempoStack":       "Whether the chart has the TempoStack.",
	"collector":        "Where the cluster's collector sends spans: to the gateway of the TempoStack or to the hub.",
	"receiver":         "Whether the hub receives the spans of remotes.",
	"certificates":     "Where the certificates of collectors come from: certManager or secrets.",
	"startingCSV":      "Whether the topology sets the first version of the operator.",
	"otherIstiods":     "Whether further istiods run here that serve other clusters.",
	"caFile":           "The file with the CAs of the store, if Kiali needs its name.",
	"loginCA":          "The separate key of the login provider's CA, if there is one.",
	"retention":        "Whether the Kiali resource says how long the store keeps series.",
	"impersonate":      "Whether Kiali acts as its users.",
	"created":          "Whether the chart creates namespaces.",
	"subject":          "Whether the program of the remote's link gets rights.",
	"subjectLogin":     "Whether it may read the OAuthClient too.",
	"account":          "Whether the remote has no operator, and Kiali's account is rendered.",
	"newPodFirst":      "Whether the hub's Kiali serves until the next pod is ready.",
	"noFirstToken":     "Whether the remote's token of the first generation has been replaced.",
	"laterTokens":      "Whether the remote has tokens of later generations.",
	"acmHub":           "Whether ACM runs on the cluster.",
	"acmCollects":      "On the ACM hub, what tells the collector which series to take: labels, policy or allowList.",
	"acmRules":         "On the ACM hub, by how many rules the pods of a workload are added up: one, or one for each of the namespaces.",
	"acmKiali":         "On the ACM hub, where the Kiali runs that needs a certificate: here or there.",
	"acmCA":            "On the ACM hub, whether Kiali trusts further CAs.",
	"acmNamespace":     "Whether there is a namespace for rules that see all namespaces.",
	"acmConfig":        "Whether user-workload-monitoring-config names that namespace, and is the topology's.",
	"acmAllowLists":    "Whether each namespace has an allow-list for the classic collector of ACM.",
	"acmAccess":        "How the hub's Kiali reaches the store of ACM: route or internal.",
	fieldOverlays:      "The Jsonnet overlays that change the cluster's objects, in order, with commas between them.",
}

// chartShape removes from a shape the fields that only say whether a value is
// set, or which of two values is used. In a chart every value has a default,
// and merging an empty value changes nothing.
func chartShape(s shape) shape {
	s.KialiSpec, s.MonitorLabels, s.OwnInterval, s.OwnControlPlane = true, true, true, true
	if s.MonitoringConfig == "topology" {
		s.MonitoringConfig = "cluster"
	}
	return s
}

// overlaid is a shape and the Jsonnet overlays of its clusters. The overlays
// are not part of the shape, because templates may branch on the shape.
type overlaid struct {
	shape
	overlays string // in the form of overlayNames
}

// fieldOverlays is the name of overlaid's field overlays in the values.
const fieldOverlays = "overlays"

// overlayNames returns the names of the Jsonnet overlays that match a cluster.
func overlayNames(overlays []overlay.Overlay, c *topology.Cluster) string {
	var names []string
	for _, o := range scriptsFor(overlays, c) {
		names = append(names, o.Name)
	}
	return strings.Join(names, ",")
}

// charted writes the chart of a chartable topology, and the values of its
// clusters.
func charted(t *topology.Topology, from Sources, overlays []overlay.Overlay) ([]tree.File, error) {
	c, err := chartOf(t, from, overlays)
	if err != nil {
		return nil, err
	}
	files, err := chart.Tree(c)
	if err != nil {
		return nil, unchartable(t, err)
	}
	return files, nil
}

// unchartable returns the error for templates from which no chart can be made.
func unchartable(t *topology.Topology, err error) error {
	return &finding.Refusal{Position: t.At("metadata", "name"), Message: "no chart: " + err.Error(), Hint: lawHint}
}

const (
	lawHint   = "a template " + valueHint
	valueHint = "computes with values or branches on them, but may only place them"
)

// chartOf collects the input of a topology's chart.
func chartOf(t *topology.Topology, from Sources, overlays []overlay.Overlay) (*chart.Chart, error) {
	c := &chart.Chart{Name: t.Metadata.Name, Lists: chartLists(t)}
	if t.Spec.Kiali.Version != kiali.Default {
		c.Version = t.Spec.Kiali.Version.String()
	}
	shared, home := topologyValues(t), callback(t)
	holes := map[string]leaves{resource.ScopeTopology: {}, resource.ScopeCluster: {}}
	for i := range values {
		v := &values[i]
		if v.chart == "" {
			continue
		}
		scope, path, _ := strings.Cut(v.hole, ".")
		holes[scope][path] = nil
		c.Values = append(c.Values, chart.Value{Path: v.chart, Hole: v.hole, Doc: v.doc, Default: v.general(t),
			Required: v.hole == "cluster.name"})
	}
	e := chartEvaluation{
		templates: from.Templates,
		holes:     holes,
		overlays:  overlays,
		bodies:    map[overlaid][]resource.Resource{},
	}
	shapeAt := func(c *topology.Cluster) overlaid {
		return overlaid{chartShape(shapeOf(t, c, from.Links)), overlayNames(overlays, c)}
	}
	index := map[overlaid]int{}
	var shapes []overlaid
	for i := range t.Spec.Clusters {
		cluster := &t.Spec.Clusters[i]
		s := shapeAt(cluster)
		if _, ok := index[s]; !ok {
			var refused *finding.Refusal
			if _, err := e.of(s); errors.As(err, &refused) {
				return nil, err
			} else if err != nil {
				return nil, &TemplateError{Position: t.At("spec", "clusters", i), Cluster: cluster.Name, Err: err}
			}
			index[s] = len(shapes)
			shapes = append(shapes, s)
		}
		c.Clusters = append(c.Clusters, chart.Cluster{
			Name:   cluster.Name,
			Shape:  index[s],
			Values: chartClusterValues(t, cluster, home, shared, from.Links),
			Lists:  chartClusterLists(t, cluster, from.Links),
		})
	}
	// The order of the clusters must not change the chart.
	slices.SortFunc(shapes, func(a, b overlaid) int { return strings.Compare(fmt.Sprintf("%+v", b), fmt.Sprintf("%+v", a)) })
	renumbered := map[overlaid]int{}
	for i, s := range shapes {
		renumbered[s] = i
		bodies, err := e.of(s)
		if err != nil {
			return nil, err
		}
		c.Shapes = append(c.Shapes, chart.Shape{Fields: shapeFields(s), Resources: bodies, Relevant: e.relevant(s, shapes)})
	}
	for i := range c.Clusters {
		c.Clusters[i].Shape = renumbered[shapeAt(&t.Spec.Clusters[i])]
	}
	for i := range reflect.TypeFor[shape]().NumField() {
		name := shapeField(i)
		c.Fields = append(c.Fields, chart.Field{Name: name, Doc: shapeDocs[name]})
	}
	c.Fields = append(c.Fields, chart.Field{Name: fieldOverlays, Doc: shapeDocs[fieldOverlays]})
	return c, nil
}

// shapeField returns the name of a field of shape in templates.
func shapeField(i int) string { return reflect.TypeFor[shape]().Field(i).Tag.Get("json") }

// shapeFields returns the fields of a shape by name.
func shapeFields(s overlaid) map[string]any {
	fields := map[string]any{}
	for i := range reflect.TypeFor[shape]().NumField() {
		fields[shapeField(i)] = reflect.ValueOf(s.shape).Field(i).Interface()
	}
	fields["monitoringConfig"] = s.MonitoringConfig != "" // the chart does not distinguish who sets it
	fields[fieldOverlays] = s.overlays
	return fields
}

// chartLists returns the lists over which the chart's templates range.
func chartLists(t *topology.Topology) []chart.List {
	return []chart.List{
		{Scope: resource.ScopeNamespace, Path: "namespaces", Doc: "The namespaces with proxies. Each gets a PodMonitor.",
			Default: meshNamespaces(t)},
		{Scope: resource.ScopeLink, Path: "links.secrets", Doc: "The sealed kubeconfigs of the remotes, on the hub, each for a Secret of its " +
			"own.", Items: itemHoles()[resource.ScopeLink]},
		{Scope: resource.ScopeEncrypted, Path: "links.encrypted", Doc: "The same as SOPS has encrypted them.",
			Items: itemHoles()[resource.ScopeEncrypted]},
		{Scope: resource.ScopeCreated, Path: "createNamespaces", Doc: "The namespaces that the cluster gets as objects."},
		{Scope: resource.ScopeControlPlane, Path: "metrics.otherControlPlanes",
			Doc: "The namespaces of further istiods, which serve other clusters."},
		{Scope: resource.ScopeFetched, Path: "links.fetched", Doc: "The kubeconfigs of the remotes as templates, on the hub, each for a Secret " +
			"of its own, with what they need of the store.",
			Items: itemHoles()[resource.ScopeFetched]},
		{Scope: resource.ScopeManaged, Path: "acm.links", Doc: "On the ACM hub, the remotes whose links a Policy makes.",
			Items: itemHoles()[resource.ScopeManaged]},
		{Scope: resource.ScopeToken, Path: "links.tokens", Doc: "The names of the Secrets with the remote's tokens of later generations."},
		{Scope: resource.ScopeRule, Path: "acm.namespaces", Doc: "On the ACM hub, the namespaces of the mesh, each with its PrometheusRule.",
			Items: itemHoles()[resource.ScopeRule]},
	}
}

// chartClusterLists returns a cluster's items for these lists, by scope.
func chartClusterLists(t *topology.Topology, c *topology.Cluster, links Links) map[string][]resource.Item {
	lists := itemsOf(t, c, links)
	if lists == nil {
		lists = map[string][]resource.Item{}
	}
	for _, ns := range t.NamespacesOn(c) {
		lists[resource.ScopeNamespace] = append(lists[resource.ScopeNamespace], resource.Item{"name": ns})
	}
	return lists
}

// chartClusterValues returns the values of a cluster, by hole.
func chartClusterValues(t *topology.Topology, c *topology.Cluster, home string, shared leaves, links Links) map[string]any {
	values := map[string]any{}
	for path, value := range clusterValues(t, c, home, links) {
		values[resource.ScopeCluster+"."+path] = value
	}
	if text, ok := shared["monitoringConfig"]; ok && shapeOf(t, c, links).MonitoringConfig == "topology" {
		values["cluster.monitoringConfig"] = text
	}
	return values
}

// chartEvaluation evaluates the templates, and then the Jsonnet overlays, with
// a hole for every possible value.
type chartEvaluation struct {
	templates *Templates
	holes     map[string]leaves
	overlays  []overlay.Overlay
	bodies    map[overlaid][]resource.Resource
}

func (e *chartEvaluation) of(s overlaid) ([]resource.Resource, error) {
	if bodies, ok := e.bodies[s]; ok {
		return bodies, nil
	}
	var bodies []resource.Resource
	var err error
	if s.overlays == "" {
		bodies, err = e.templates.bodiesOf(s.shape, e.holes[resource.ScopeTopology], e.holes[resource.ScopeCluster])
	} else if bodies, err = e.of(overlaid{shape: s.shape}); err == nil {
		bodies, err = e.overlay(bodies, strings.Split(s.overlays, ","))
	}
	if err != nil {
		return nil, err
	}
	e.bodies[s] = bodies
	return bodies, nil
}

// overlay applies Jsonnet overlays to the resources of a shape. If an overlay
// needs values, the error is a *finding.Refusal.
func (e *chartEvaluation) overlay(resources []resource.Resource, names []string) ([]resource.Resource, error) {
	changed := slices.Clone(resources)
	for i := range e.overlays {
		o := &e.overlays[i]
		if !slices.Contains(names, o.Name) {
			continue
		}
		for j := range changed {
			r := &changed[j]
			body, err := overBody(o.Script, r.Body)
			ended := overlay.EndOf(err, o.At, fmt.Sprintf("overlay %q in a chart, %s %s", o.Name, r.Phase, r.Name))
			switch {
			case ended != nil:
				return nil, ended
			case errors.Is(err, overlay.ErrLooked):
				return nil, &finding.Refusal{
					Position: o.At,
					Message: fmt.Sprintf("overlay %q looks at the cluster, which a chart for all clusters does not know (%s %s)", o.Name, r.Phase,
						r.Name),
					Hint: "write an overlay for each kind of cluster, matched by names or labels, that only reads the resource; or render --format " +
						"kustomize",
				}
			case err != nil:
				return nil, &finding.Refusal{
					Position: o.At,
					Message:  fmt.Sprintf("overlay %q cannot be in a chart, because only Helm knows the values: %s %s: %v", o.Name, r.Phase, r.Name, err),
					Hint:     "it may place values of the resource, but not compute with them; or render --format kustomize",
				}
			}
			r.Body = body
		}
	}
	return changed, nil
}

// overBody applies a script to a body.
func overBody(script *overlay.Script, body *resource.Body) (*resource.Body, error) {
	object, err := script.ApplyBlind(body.Object())
	if err != nil {
		return nil, err
	}
	made, err := resource.NewBody(object)
	if err != nil {
		return nil, err
	}
	for _, hole := range made.Holes() {
		if !slices.Contains(body.Holes(), hole) {
			return nil, fmt.Errorf("it makes %s, which is not a value of the resource", resource.Hole(hole))
		}
	}
	return made, nil
}

// relevant lists the fields on which each resource of a shape depends, by
// resource name. It changes one field at a time to the value in another shape.
// If a resource changes or disappears, it depends on the field. The result only
// helps to choose between conditions that are true for the same shapes. So a
// shape that no template knows may fail. The golden primary-remote shows the
// reason: its ServiceMonitor exists if there are revisions. Without this
// function, the chart would say: on the hub, because only the hub has
// revisions.
func (e *chartEvaluation) relevant(s overlaid, shapes []overlaid) map[string][]string {
	own := byName(e.bodies[s])
	fields := map[string][]string{}
	compare := func(field string, changed overlaid) {
		bodies, err := e.of(changed)
		if err != nil {
			return
		}
		now := byName(bodies)
		for name, body := range own {
			if now[name] == nil || !now[name].Equal(body) {
				if !slices.Contains(fields[name], field) {
					fields[name] = append(fields[name], field)
				}
			}
		}
	}
	for i := range reflect.TypeFor[shape]().NumField() {
		tried := map[any]bool{reflect.ValueOf(s.shape).Field(i).Interface(): true}
		for _, other := range shapes {
			value := reflect.ValueOf(other.shape).Field(i)
			if tried[value.Interface()] {
				continue
			}
			tried[value.Interface()] = true
			changed := s
			reflect.ValueOf(&changed.shape).Elem().Field(i).Set(value)
			compare(shapeField(i), changed)
		}
	}
	tried := map[string]bool{s.overlays: true}
	for _, other := range shapes {
		if !tried[other.overlays] {
			tried[other.overlays] = true
			compare(fieldOverlays, overlaid{s.shape, other.overlays})
		}
	}
	return fields
}

func byName(resources []resource.Resource) map[string]*resource.Body {
	bodies := map[string]*resource.Body{}
	for _, r := range resources {
		bodies[r.Name] = r.Body
	}
	return bodies
}

// chartable refuses topologies that no chart can express.
func chartable(t *topology.Topology) error {
	if d := t.Spec.Delivery; d != nil && d.Flux != nil && strings.HasPrefix(d.RepoURL, "oci://") {
		return &finding.Refusal{
			Position: t.At("spec", "delivery", "repoURL"),
			Message:  "Flux reads a chart in a folder only from a Git repository, but this is an OCI artifact",
			Hint:     "render --format kustomize or manifests, or give a Git repository",
		}
	}
	if t.Spec.Kiali.Links.Source == "sops" {
		return &finding.Refusal{
			Position: t.At("spec", "kiali", "links", "source"),
			Message:  "links.source is sops, but neither Helm nor Flux decrypts the manifests of a release",
			Hint:     "render --format kustomize, whose Kustomization Flux decrypts, or choose another source",
		}
	}
	for i := range t.Spec.Overlays {
		if o := &t.Spec.Overlays[i]; o.Kustomize != "" {
			return &finding.Refusal{
				Position: t.At("spec", "overlays", i),
				Message:  fmt.Sprintf("overlay %q is a kustomization, which a chart cannot have", o.Name),
				Hint:     "a Jsonnet overlay can do the same, or kiali.spec for the Kiali resource; else render --format kustomize",
			}
		}
	}
	for i := range t.Spec.Clusters {
		c := &t.Spec.Clusters[i]
		if at := controlIn(kialiSpec(t, c), "spec"); at != "" {
			return &finding.Refusal{
				Position: t.At("spec", "clusters", i),
				Message: fmt.Sprintf("cluster %q: %s of its Kiali resource has a control character, and no YAML reader accepts the form in which "+
					"Helm writes it", c.Name, at),
				Hint: "render --format kustomize, or leave the character out",
			}
		}
	}
	return nil
}

// controlIn returns the path of the first string below v with a character that
// Helm's toJson does not escape and YAML does not allow, or "".
func controlIn(v any, path string) string {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if hasControl(key) {
				return path
			}
			if at := controlIn(v[key], path+"."+key); at != "" {
				return at
			}
		}
	case []any:
		for i, item := range v {
			if at := controlIn(item, fmt.Sprintf("%s[%d]", path, i)); at != "" {
				return at
			}
		}
	case string:
		if hasControl(v) {
			return path
		}
	}
	return ""
}

// hasControl tells whether a string has a C1 character, DEL or a noncharacter.
// JSON escapes all others.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r >= 0x7f && r <= 0x9f || r == 0xfffe || r == 0xffff })
}
