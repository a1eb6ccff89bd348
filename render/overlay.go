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

// OverlayError is what is wrong with the overlays of a topology.
type OverlayError struct{ Findings finding.Findings }

func (e *OverlayError) Error() string {
	lines := make([]string, len(e.Findings))
	for i, f := range e.Findings {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// layers are clusters with the overlays of their topology. Jsonnet overlays
// change the clusters' resources, before anything is packaged; kustomize
// overlays are attached to the phases that they concern, and change what the
// phases build to.
type layers struct {
	topology *topology.Topology
	links    Links
	clusters []resource.Cluster // as the topology has them
	bare     []resource.Cluster // without overlays
	overlays []overlay.Overlay
	failed   map[string]bool // overlays that a finding is about already
	findings finding.Findings
}

// layOver applies the Jsonnet overlays to the clusters and attaches the
// kustomize overlays. What it finds, apply and check report with the rest.
func layOver(t *topology.Topology, links Links, clusters []resource.Cluster, overlays []overlay.Overlay) (*layers, error) {
	l := &layers{topology: t, links: links, clusters: clusters, bare: slices.Clone(clusters), overlays: overlays, failed: map[string]bool{}}
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

// err is the error of all findings so far.
func (l *layers) err() error {
	if len(l.findings) == 0 {
		return nil
	}
	return &OverlayError{l.findings.Sorted()}
}

func (l *layers) add(at finding.Position, rule, hint, format string, args ...any) {
	l.findings = append(l.findings, finding.Finding{Position: at, Rule: rule, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// fail adds a finding about an overlay. One is enough: what goes wrong on one
// cluster mostly does on all.
func (l *layers) fail(o *overlay.Overlay, at finding.Position, rule, hint, format string, args ...any) {
	l.failed[o.Name] = true
	l.add(at, rule, hint, format, args...)
}

// scriptsFor are the Jsonnet overlays that match a cluster.
func scriptsFor(overlays []overlay.Overlay, c *topology.Cluster) []*overlay.Overlay {
	var matching []*overlay.Overlay
	for i := range overlays {
		if o := &overlays[i]; o.Script != nil && o.Matches(c) {
			matching = append(matching, o)
		}
	}
	return matching
}

// scripts are the Jsonnet overlays of a cluster, ready to run.
func (l *layers) scripts(i int) scripts {
	c, about := &l.clusters[i], &l.topology.Spec.Clusters[i]
	run := scripts{layers: l, cluster: c, overlays: scriptsFor(l.overlays, about)}
	run.about = map[string]any{
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
		run.about["labels"] = map[string]any{}
	}
	if c.Namespaces == nil {
		run.about["namespaces"] = []any{}
	}
	return run
}

// runScripts lays the Jsonnet overlays over the resources of a cluster.
func (l *layers) runScripts(i int) error {
	c, run := &l.clusters[i], l.scripts(i)
	if len(run.overlays) == 0 {
		return nil
	}
	var resources []resource.Resource // the old ones belong to the whole shape
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
	about    map[string]any // what they are told of it
	overlays []*overlay.Overlay
}

// resource returns what the overlays make of a resource: itself where they
// leave it as it is, so that it stays where it is shared with other clusters;
// literals where they do not.
func (s *scripts) resource(r resource.Resource) ([]resource.Resource, error) {
	if r.Body.Repeated() == "" {
		object, err := r.Body.Fill(s.cluster.Values)
		if err != nil {
			return nil, err
		}
		if own, changed := s.object(object); changed {
			r.Body, err = resource.Literal(own)
		}
		return []resource.Resource{r}, err
	}
	var parts []resource.Resource
	shared := false // the last part is
	n := 0
	for values := range s.cluster.Each(r) {
		n++
		object, err := r.Body.Fill(values)
		if err != nil {
			return nil, err
		}
		item := r.ItemOf(values)
		own, changed := s.object(object)
		switch {
		case changed:
			body, err := resource.Literal(own)
			if err != nil {
				return nil, err
			}
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
		shared = !changed
	}
	if len(parts) == 1 && shared && len(parts[0].Only) == n {
		return []resource.Resource{r}, nil
	}
	return parts, nil
}

// object runs every overlay on one object, each on what the one before made.
func (s *scripts) object(object resource.Object) (_ resource.Object, changed bool) {
	for _, o := range s.overlays {
		if s.failed[o.Name] {
			continue
		}
		result, differs, err := o.Script.Apply(object, s.about)
		if err != nil {
			hint := ""
			var other *overlay.ObjectError
			if errors.As(err, &other) {
				hint = other.Hint
			}
			s.fail(o, o.At, overlay.RuleScript, hint, "overlay %q on cluster %q, %s: %v", o.Name, s.cluster.Name, resource.IDOf(object), err)
			continue
		}
		if differs {
			object, changed = result, true
		}
	}
	return object, changed
}

// attach attaches a kustomize overlay to the phases that it concerns, and
// finds patches that miss what they are meant for.
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

// reach tells whether the overlay concerns a phase of a cluster, and notes
// which of its patches do.
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

// files are the components' files in a tree, as far as a cluster has them.
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
