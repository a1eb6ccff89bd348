package render

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/template"
)

// Templates are the Jsonnet templates that make resources. They keep the parsed
// files and the bodies of every shape, so renders that share one Templates do
// this work once. They are safe for concurrent use.
type Templates struct {
	vm *template.VM

	mu     sync.Mutex
	bodies map[string][]resource.Resource // by bodiesKey
}

// NewTemplates uses the templates in files. Their entry is main.jsonnet.
// Nothing is read before the first render.
func NewTemplates(files fs.FS) *Templates {
	return &Templates{vm: template.New(files), bodies: map[string][]resource.Resource{}}
}

// bodiesOf returns the bodies of one shape, with a hole for each value.
func (t *Templates) bodiesOf(s shape, topology, cluster leaves) ([]resource.Resource, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := bodiesKey(s, topology, cluster)
	if bodies, ok := t.bodies[key]; ok {
		return bodies, nil
	}
	bodies, err := bodiesOf(t.vm, s, topology, cluster)
	if err == nil {
		t.bodies[key] = bodies
	}
	return bodies, err
}

// outside returns the bodies for an ACM hub outside the topology.
func (t *Templates) outside(s shape, topology leaves) ([]resource.Resource, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	args := map[string]any{"shape": s, resource.ScopeTopology: holesOf(resource.ScopeTopology, topology)}
	args[resource.ScopeRule] = holesOf(resource.ScopeRule, itemHoles()[resource.ScopeRule])
	objects, err := evaluate(t.vm, acmEntry, args)
	if err != nil {
		return nil, err
	}
	return phased(objects, []resource.Phase{resource.ACM})
}

// bodiesKey contains everything on which bodies depend: the shape, and which
// values exist.
func bodiesKey(s shape, scopes ...leaves) string {
	var key strings.Builder
	fmt.Fprintf(&key, "%+v", s)
	for _, values := range scopes {
		key.WriteString("\n" + strings.Join(slices.Sorted(maps.Keys(values)), " "))
	}
	return key.String()
}
