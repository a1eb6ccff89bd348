package render

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/overlay"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// OverlayError has the findings about the overlays of a topology.
type OverlayError struct{ Findings finding.Findings }

func (e *OverlayError) Error() string {
	lines := make([]string, len(e.Findings))
	for i, f := range e.Findings {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// layers are clusters with the overlays of their topology. Jsonnet overlays
// change the clusters' resources before anything is packaged. Kustomize
// overlays are attached to the phases that they affect, and change the phases'
// objects when these are built.
type layers struct {
	topology *topology.Topology
	links    Links
	clusters []resource.Cluster // in the order of the topology
	bare     []resource.Cluster // without overlays
	overlays []overlay.Overlay
	inputs   map[filledAs]*overlay.Object
	failed   map[string]bool // overlays with a finding
	findings finding.Findings
}

// layOver applies the Jsonnet overlays to the clusters, and attaches the
// kustomize overlays. apply and check report its findings together with their
// own.
func layOver(t *topology.Topology, links Links, clusters []resource.Cluster, overlays []overlay.Overlay) (*layers, error) {
	l := &layers{topology: t, links: links, clusters: clusters, bare: slices.Clone(clusters), overlays: overlays,
		inputs: map[filledAs]*overlay.Object{}, failed: map[string]bool{}}
	for i := range clusters {
		if err := l.runScripts(i); err != nil {
			return nil, err
		}
	}
	for i := range overlays {
		if overlays[i].Component != nil {
			if err := l.attach(&overlays[i]); err != nil {
				return nil, err
			}
		}
	}
	return l, nil
}

// err returns the findings so far as an error, or nil.
func (l *layers) err() error {
	if len(l.findings) == 0 {
		return nil
	}
	return &OverlayError{l.findings.Sorted()}
}

func (l *layers) add(at finding.Position, rule, hint, format string, args ...any) {
	l.findings = append(l.findings, finding.Finding{Position: at, Rule: rule, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// fail adds a finding about an overlay. The overlay is not applied any more,
// because most mistakes would appear on all clusters.
func (l *layers) fail(o *overlay.Overlay, at finding.Position, rule, hint, format string, args ...any) {
	l.failed[o.Name] = true
	l.add(at, rule, hint, format, args...)
}

// scriptsFor lists the Jsonnet overlays that match a cluster.
func scriptsFor(overlays []overlay.Overlay, c *topology.Cluster) []*overlay.Overlay {
	var matching []*overlay.Overlay
	for i := range overlays {
		if o := &overlays[i]; o.Script != nil && o.Matches(c) {
			matching = append(matching, o)
		}
	}
	return matching
}

// scripts returns the Jsonnet overlays of a cluster, ready to run.
func (l *layers) scripts(i int) scripts {
	c, about := &l.clusters[i], &l.topology.Spec.Clusters[i]
	run := scripts{layers: l, cluster: c, overlays: scriptsFor(l.overlays, about)}
	fields := map[string]any{
		"name":         c.Name,
		"hub":          c.Hub,
		"platform":     about.Platform,
		"server":       about.Server,
		"domain":       about.Domain,
		"network":      about.Network,
		"labels":       about.Labels,
		"namespaces":   c.Namespaces,
		"controlPlane": about.ControlPlane.Mode,
		"version":      about.Kiali.Version.String(),
	}
	if about.Labels == nil {
		fields["labels"] = map[string]any{}
	}
	if c.Namespaces == nil {
		fields["namespaces"] = []any{}
	}
	run.about = overlay.NewCluster(fields)
	return run
}

// runScripts applies the Jsonnet overlays to the resources of a cluster.
func (l *layers) runScripts(i int) error {
	if len(scriptsFor(l.overlays, &l.topology.Spec.Clusters[i])) == 0 {
		return nil
	}
	c, run := &l.clusters[i], l.scripts(i)
	var resources []resource.Resource // a new list, because the old one belongs to the whole shape
	for _, r := range c.Resources {
		own, err := run.resource(r)
		if err != nil {
			return fmt.Errorf("cluster %s: %s %s: %w", c.Name, r.Phase, r.Name, err)
		}
		resources = append(resources, own...)
	}
	c.Resources = resources
	return nil
}

// scripts are the Jsonnet overlays of one cluster.
type scripts struct {
	*layers
	cluster  *resource.Cluster
	about    *overlay.Cluster // the facts about the cluster for the overlays
	overlays []*overlay.Overlay
}

// resource applies the overlays to a resource. If they do not change it, it
// returns the resource itself, which stays shared with other clusters.
// Otherwise it returns literals.
func (s *scripts) resource(r resource.Resource) ([]resource.Resource, error) {
	if r.Body.Repeated() == "" {
		body, err := s.body(r, s.cluster.Values)
		if body != nil {
			r.Body = body
		}
		return []resource.Resource{r}, err
	}
	var parts []resource.Resource
	shared := false // the last part is unchanged
	n := 0
	for values := range s.cluster.Each(r) {
		n++
		item := r.ItemOf(values)
		body, err := s.body(r, values)
		switch {
		case err != nil:
			return nil, err
		case body != nil:
			name := r.Name
			if r.Body.Repeated() != resource.ScopeNamespace {
				name += "-" + item
			}
			parts = append(parts, resource.Resource{Phase: r.Phase, Name: name, Body: body})
		case shared:
			last := &parts[len(parts)-1]
			last.Only = append(last.Only, item)
		default:
			parts = append(parts, resource.Resource{Phase: r.Phase, Name: r.Name, Body: r.Body, Only: []string{item}})
		}
		shared = body == nil
	}
	if len(parts) == 1 && shared && len(parts[0].Only) == n {
		return []resource.Resource{r}, nil
	}
	return parts, nil
}

// body applies the overlays to a resource with the given values. It returns nil
// if they do not change it. Equal objects have one body.
func (s *scripts) body(r resource.Resource, values resource.Values) (*resource.Body, error) {
	input, err := s.input(r, values)
	if err != nil {
		return nil, err
	}
	made, err := s.object(input)
	if err != nil || made == input {
		return nil, err
	}
	return made.Body(), nil
}

// filledAs identifies a filled body that is the same on every cluster.
type filledAs struct {
	body *resource.Body
	item string
}

// input returns the object with which the overlays are called.
func (s *scripts) input(r resource.Resource, values resource.Values) (*overlay.Object, error) {
	key := filledAs{r.Body, r.ItemOf(values)}
	if o := s.inputs[key]; o != nil {
		return o, nil
	}
	object, err := r.Body.Fill(values)
	if err != nil {
		return nil, err
	}
	o, err := s.overlays[0].Script.Object(object)
	if scope := r.Body.Repeated(); err == nil && !r.Body.Uses(resource.ScopeCluster) && (scope == "" || scope == resource.ScopeNamespace) {
		s.inputs[key] = o
	}
	return o, err
}

// object runs all overlays on one object, each on the result of the one before.
// The error is an *overlay.EndError.
func (s *scripts) object(object *overlay.Object) (*overlay.Object, error) {
	for _, o := range s.overlays {
		if s.failed[o.Name] {
			continue
		}
		made, err := o.Script.Apply(object, s.about)
		if err != nil {
			hint := ""
			var other *overlay.ObjectError
			if errors.As(err, &other) {
				hint = other.Hint
			}
			content, _ := object.Content() // it was an object before
			what := fmt.Sprintf("overlay %q on cluster %q, %s", o.Name, s.cluster.Name, resource.IDOf(content))
			if ended := overlay.EndOf(err, o.At, what); ended != nil {
				return nil, ended
			}
			s.fail(o, o.At, overlay.RuleScript, hint, "%s: %v", what, err)
			continue
		}
		object = made
	}
	return object, nil
}

// attach attaches a kustomize overlay to the phases that it affects, and
// reports patches that match no object.
func (l *layers) attach(o *overlay.Overlay) error {
	matches := false
	reached := make([]bool, len(o.Component.Patches))
	for i := range l.clusters {
		c := &l.clusters[i]
		if !o.Matches(&l.topology.Spec.Clusters[i]) {
			continue
		}
		matches = true
		for _, phase := range resource.Phases(c.Hub) {
			concerned, err := l.reach(o, c, phase, reached)
			if err != nil {
				return err
			}
			if !concerned {
				continue
			}
			if c.Components == nil {
				c.Components = map[resource.Phase][]string{}
			}
			c.Components[phase] = append(c.Components[phase], o.Name)
		}
	}
	for i, p := range o.Component.Patches {
		if matches && !reached[i] {
			l.fail(o, p.At, overlay.RuleTarget, "render -o - --cluster NAME prints the objects of a cluster",
				"no object of the clusters that overlay %q matches is the target of this patch (%s)", o.Name, p.Target)
		}
	}
	return nil
}

// reach tells whether the overlay affects a phase of a cluster. It records
// which of its patches match.
func (l *layers) reach(o *overlay.Overlay, c *resource.Cluster, phase resource.Phase, reached []bool) (concerned bool, err error) {
	for r := range c.In(phase) {
		for values := range c.Each(r) {
			id, err := r.Body.ID(values)
			if err != nil {
				return false, fmt.Errorf("cluster %s: %s %s: %w", c.Name, phase, r.Name, err)
			}
			concerned = concerned || o.Component.Concerns(id)
			for i := range o.Component.Patches {
				p := &o.Component.Patches[i]
				reached[i] = reached[i] || p.Selects(id)
			}
		}
	}
	return concerned, nil
}

// files returns the files of the components that at least one cluster has.
func (l *layers) files() []tree.File {
	used := map[string]bool{}
	for i := range l.clusters {
		for _, names := range l.clusters[i].Components {
			for _, name := range names {
				used[name] = true
			}
		}
	}
	var files []tree.File
	for i := range l.overlays {
		if o := &l.overlays[i]; used[o.Name] {
			files = append(files, o.Component.Files()...)
		}
	}
	return files
}
