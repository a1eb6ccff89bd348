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

// apply makes the objects of each cluster those that its components make of
// them.
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

// check makes sure that the components can be applied. Only patches may fail.
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

// builder has kustomize itself apply components, so that there is one
// definition of what they do, and makes sure that the objects are still the
// same ones. A component changes each object on its own, so what it made of an
// object holds for the same object of another cluster. What adds labels and
// annotations only does so to a body with its marks, once for a shape.
type builder struct {
	*layers
	patched bool                        // build only what a patch is for
	known   map[[32]byte]*resource.Body // what was built, by object.key
	wholes  map[whole]*resource.Body    // what was built of bodies with their marks; nil where that is not the way
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
	key   [32]byte // of its text and the components that change it
	whole bool     // the body is what was built already
}

// phase builds the objects of a phase of a cluster that are not known yet, and
// returns all of its objects; none where no component is attached.
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

// make builds a phase of a cluster that has the missing objects only, or finds
// the overlay that is wrong.
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
	if err != nil || wrong != nil { // what is wrong is found where the objects are built
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

// defect is what is wrong with a component.
type defect struct{ rule, message, hint string }

// kustomized builds a phase that has the objects only, and returns what became
// of each.
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

// matched puts what was built in the order of the objects, or says why it
// cannot take their place.
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
			return nil, &defect{overlay.RulePatch, fmt.Sprintf("%s of %s would be null, of which every program makes something else", at, o.id),
				"remove the field instead"}
		}
	}
	return made, nil
}

// blame builds a phase that went wrong with one overlay and one patch after the
// other, until it does again.
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

// shortened is what kustomize says without how it got there, on one line.
func shortened(err error) string {
	message := err.Error()
	if i := strings.LastIndex(message, "/overlays/"); i >= 0 {
		if _, rest, ok := strings.Cut(message[i:], "': "); ok {
			message = rest
		}
	}
	// It quotes what it has from below.
	if plain, err := strconv.Unquote(`"` + strings.TrimSuffix(message, `"`) + `"`); err == nil {
		message = plain
	}
	// It repeats the patch before it says what is wrong with it.
	if i := strings.LastIndex(message, "`: "); i >= 0 {
		message = message[i+len("`: "):]
	}
	return strings.Join(strings.Fields(message), " ")
}
