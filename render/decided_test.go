package render

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// TestDecisions shows that each row is about a part of an object of some shape,
// and names fields of the topology.
func TestDecisions(t *testing.T) {
	fields, has := topology.Fields(), map[string]map[string]bool{}
	for _, top := range eachOf(synthetic(t)) {
		clusters, err := Clusters(top, SourcesOf(top))
		require.NoError(t, err)
		for i := range clusters {
			for _, r := range clusters[i].Resources {
				object := r.Body.Object()
				kind := resource.IDOf(object).Kind
				if has[kind] == nil {
					has[kind] = map[string]bool{"": true}
				}
				spec := object["spec"]
				if ours, _, merged := resource.MergeOf(spec); merged {
					spec = ours
				}
				leafPaths(has[kind], "", map[string]any{"spec": spec})
			}
		}
	}
	for _, d := range decisions {
		found := false
		for field := range has[d.kind] {
			found = found || strings.HasPrefix(field+".", d.field+".") || d.field == ""
		}
		assert.True(t, found, "no template makes %s %s", d.kind, d.field)
		for from := range strings.FieldsSeq(d.from) {
			_, hint := topology.Lookup(fields, from)
			assert.Empty(t, hint, "%s %s: no topology has %s", d.kind, d.field, from)
		}
	}
}

// eachOf lists the topologies of pairs.
func eachOf(pairs [][2]*topology.Topology) []*topology.Topology {
	var all []*topology.Topology
	for _, pair := range pairs {
		all = append(all, pair[:]...)
	}
	return all
}
