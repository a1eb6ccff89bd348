package render

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/overlay"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// apply replaces the objects of each cluster with the objects that its
// components make.
func (l *layers) apply() error {
	b := newBuilder(l)
	for i := range l.clusters {
		c := &l.clusters[i]
		if len(c.Components) == 0 {
			continue
		}
		var applied []resource.Resource
		for _, phase := range resource.Phases(c.Hub) {
			objects, err := b.phase(c, phase)
			if err != nil {
				return err
			}
			for _, o := range objects {
				if o.whole {
					applied = append(applied, o.Resource)
				} else {
					applied = append(applied, resource.Resource{Phase: phase, Name: o.Name, Body: b.known[o.key]})
				}
			}
			if objects == nil {
				applied = slices.AppendSeq(applied, c.In(phase))
			}
		}
		c.Resources, c.Components = applied, nil
	}
	return l.err()
}

// check checks that the components can be applied. Only patches may fail.
func (l *layers) check() error {
	b := newBuilder(l)
	b.patched = true
	for i := range l.clusters {
		for _, phase := range resource.Phases(l.clusters[i].Hub) {
			if _, err := b.phase(&l.clusters[i], phase); err != nil {
				return err
			}
		}
	}
	return l.err()
}

// builder lets kustomize apply components, so that there is one definition of
// their effect. It checks that the result has the same objects. A component
// changes each object independently, so a result also holds for the same object
// of another cluster. Components that only add labels and annotations are
// applied to bodies with their marks, once for a shape.
type builder struct {
	*layers
	patched bool                        // build only the objects that a patch targets
	known   map[[32]byte]*resource.Body // results by object.key
	wholes  map[whole]*resource.Body    // results for bodies with their marks; nil if a body cannot be built with its marks
}

// whole is a body and the components that change it.
type whole struct {
	body       *resource.Body
	components string
}

func newBuilder(l *layers) builder {
	return builder{layers: l, known: map[[32]byte]*resource.Body{}, wholes: map[whole]*resource.Body{}}
}

// object is one object of a phase, or a body with its marks.
type object struct {
	resource.Resource
	id    resource.ID
	key   [32]byte // hash of its text and of the components that change it
	whole bool     // the body is a finished result
}

// phase builds the new objects of a cluster's phase, and returns all objects of
// the phase. It returns none if no component is attached to the phase.
func (b *builder) phase(c *resource.Cluster, phase resource.Phase) ([]object, error) {
	names := c.Components[phase]
	if len(names) == 0 || slices.ContainsFunc(names, func(name string) bool { return b.failed[name] }) {
		return nil, nil
	}
	if !b.patched {
		if err := b.buildWholes(c, phase); err != nil {
			return nil, err
		}
	}
	objects, err := b.objectsOf(c, phase)
	if err != nil {
		return nil, err
	}
	part := *c
	part.Resources, part.Components = nil, map[resource.Phase][]string{phase: names}
	var missing []object
	for _, o := range objects {
		if _, known := b.known[o.key]; o.whole || known || b.patched && !b.isPatched(o.id, names) {
			continue
		}
		missing = append(missing, o)
		part.Resources = append(part.Resources, o.Resource)
	}
	if len(missing) > 0 {
		err = b.make(&part, phase, missing)
	}
	return objects, err
}

func (b *builder) isPatched(id resource.ID, components []string) bool {
	return slices.ContainsFunc(components, func(name string) bool { return b.overlay(name).Component.Patched(id) })
}

// make builds a phase with only the missing objects, or finds the overlay that
// is wrong.
func (b *builder) make(c *resource.Cluster, phase resource.Phase, missing []object) error {
	var components []tree.File
	for _, name := range c.Components[phase] {
		components = append(components, b.overlay(name).Component.Files()...)
	}
	built, wrong, err := kustomized(c, phase, missing, components)
	switch {
	case err != nil:
		return err
	case wrong != nil:
		return b.blame(c, phase, missing, wrong)
	}
	for i, o := range missing {
		if b.known[o.key], err = resource.Literal(built[i]); err != nil {
			return err
		}
	}
	return nil
}

func (l *layers) overlay(name string) *overlay.Overlay {
	return &l.overlays[slices.IndexFunc(l.overlays, func(o overlay.Overlay) bool { return o.Name == name })]
}

// buildWholes builds the bodies of a phase that can be built with their marks.
func (b *builder) buildWholes(c *resource.Cluster, phase resource.Phase) error {
	names := c.Components[phase]
	components, files := strings.Join(names, ","), []tree.File(nil)
	part := *c
	part.Resources, part.Components = nil, map[resource.Phase][]string{phase: names}
	var missing []object
	var as []whole
	for r := range c.In(phase) {
		key := whole{r.Body, components}
		if _, known := b.wholes[key]; known {
			continue
		}
		b.wholes[key] = nil
		marked, ok := r.Body.Shared(c.Values)
		if !ok || slices.ContainsFunc(names, func(name string) bool { return !b.overlay(name).Component.Blind(marked) }) {
			continue
		}
		body, err := resource.Literal(marked)
		if err != nil {
			return err
		}
		r = resource.Resource{Phase: phase, Name: r.Name, Body: body}
		as, missing, part.Resources = append(as, key), append(missing, object{Resource: r, id: resource.IDOf(marked)}), append(part.Resources, r)
	}
	if len(missing) == 0 {
		return nil
	}
	for _, name := range names {
		files = append(files, b.overlay(name).Component.Files()...)
	}
	built, wrong, err := kustomized(&part, phase, missing, files)
	if err != nil || wrong != nil { // a defect is found again when the objects are built
		return err
	}
	for i, key := range as {
		if b.wholes[key], err = resource.Overlaid(built[i]); err != nil {
			return err
		}
	}
	return nil
}

// objectsOf lists the objects of a phase of a cluster.
func (b *builder) objectsOf(c *resource.Cluster, phase resource.Phase) ([]object, error) {
	var objects []object
	components := strings.Join(c.Components[phase], ",")
	prefix := components + "\n"
	for r := range c.In(phase) {
		if body := b.wholes[whole{r.Body, components}]; body != nil {
			r.Body = body
			objects = append(objects, object{Resource: r, whole: true})
			continue
		}
		for values := range c.Each(r) {
			o := object{Resource: r}
			var err error
			var text []byte
			if o.id, err = r.Body.ID(values); err == nil {
				text, err = r.Body.Append([]byte(prefix), values)
			}
			if err != nil {
				return nil, fmt.Errorf("cluster %s: %s %s: %w", c.Name, phase, r.Name, err)
			}
			if item := r.ItemOf(values); item != "" {
				o.Only = []string{item}
			}
			o.key = sha256.Sum256(text)
			objects = append(objects, o)
		}
	}
	return objects, nil
}

// defect says what is wrong with a component.
type defect struct{ rule, message, hint string }

// kustomized builds a phase with only the given objects, and returns the result
// for each.
func kustomized(c *resource.Cluster, phase resource.Phase, objects []object, components []tree.File) ([]resource.Object, *defect, error) {
	files, err := kustomize.Tree([]resource.Cluster{*c}, components...)
	if err != nil {
		return nil, nil, err
	}
	loaded, err := kustomize.Load(files)
	if err != nil {
		return nil, nil, err
	}
	built, err := loaded.Build("clusters/" + c.Name + "/" + string(phase))
	if err != nil {
		return nil, &defect{overlay.RulePatch, shortened(err), ""}, nil
	}
	made, wrong := matched(objects, built)
	return made, wrong, nil
}

// matched sorts the built objects like the given ones, or says why they do not
// match.
func matched(objects []object, built []resource.Object) ([]resource.Object, *defect) {
	index := make(map[resource.ID]int, len(objects))
	for i, o := range objects {
		index[o.id] = i
	}
	made := make([]resource.Object, len(objects))
	for _, b := range built {
		id := resource.IDOf(b)
		i, ok := index[id]
		if !ok {
			return nil, &defect{overlay.RuleObject, fmt.Sprintf("there would be a %s, which is not rendered", id), overlay.Field(id.Kind)}
		}
		made[i] = b
	}
	for i, o := range objects {
		if made[i] == nil {
			return nil, &defect{overlay.RuleObject, fmt.Sprintf("there would be no %s any more", o.id), overlay.Field(o.id.Kind)}
		}
		if at := resource.Null(made[i]); at != "" {
			return nil, &defect{overlay.RulePatch, fmt.Sprintf("%s of %s would be null, which programs read in different ways", at, o.id),
				"remove the field instead"}
		}
	}
	return made, nil
}

// blame builds a failed phase again, adding one overlay and one patch at a time
// until it fails.
func (b *builder) blame(c *resource.Cluster, phase resource.Phase, objects []object, first *defect) error {
	names := c.Components[phase]
	var before []tree.File
	for i, name := range names {
		o := b.overlay(name)
		c.Components = map[resource.Phase][]string{phase: names[:i+1]}
		blamed := func(files []tree.File, at finding.Position, part string) (bool, error) {
			_, wrong, err := kustomized(c, phase, objects, slices.Concat(before, files))
			if wrong != nil {
				b.fail(o, at, wrong.rule, wrong.hint, "overlay %q, cluster %q, phase %s: %s: %s", name, c.Name, phase, part, wrong.message)
			}
			return wrong != nil, err
		}
		for n, p := range o.Component.Patches {
			if done, err := blamed(o.Component.Only(n+1), p.At, "the patch of "+p.Target); done || err != nil {
				return err
			}
		}
		if done, err := blamed(o.Component.Files(), o.At, "its labels, annotations or images"); done || err != nil {
			return err
		}
		before = append(before, o.Component.Files()...)
	}
	return fmt.Errorf("cluster %s: %s: %s", c.Name, phase, first.message)
}

// shortened puts kustomize's message on one line, without the call stack.
func shortened(err error) string {
	message := err.Error()
	if i := strings.LastIndex(message, "/overlays/"); i >= 0 {
		if _, rest, ok := strings.Cut(message[i:], "': "); ok {
			message = rest
		}
	}
	// It quotes the message of the cause.
	if plain, err := strconv.Unquote(`"` + strings.TrimSuffix(message, `"`) + `"`); err == nil {
		message = plain
	}
	// It repeats the patch before the cause.
	if i := strings.LastIndex(message, "`: "); i >= 0 {
		message = message[i+len("`: "):]
	}
	return strings.Join(strings.Fields(message), " ")
}
