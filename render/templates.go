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

// Templates are the Jsonnet templates that make resources. They keep what they
// have parsed, and the bodies of every shape, so renders that share one do that
// work once. They are safe for concurrent use.
type Templates struct {
	vm *template.VM

	mu     sync.Mutex
	bodies map[string][]resource.Resource // by bodiesKey
}

// NewTemplates takes the templates in files, of which main.jsonnet is the
// entry. Nothing is read before the first render.
func NewTemplates(files fs.FS) *Templates {
	return &Templates{vm: template.New(files), bodies: map[string][]resource.Resource{}}
}

// bodiesOf returns what the templates make of one shape, with a hole for each
// value.
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

// outside returns what the templates make of an ACM hub that is no cluster of the
// topology.
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

// bodiesKey is all that bodies depend on: the shape, and which values there
// are.
func bodiesKey(s shape, scopes ...leaves) string {
	var key strings.Builder
	fmt.Fprintf(&key, "%+v", s)
	for _, values := range scopes {
		key.WriteString("\n" + strings.Join(slices.Sorted(maps.Keys(values)), " "))
	}
	return key.String()
}
