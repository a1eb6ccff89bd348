package chart

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"text/template"

	"github.com/stretchr/testify/require"
)

// TestConditionsHoldForTheirShapes evaluates conditions for many sets of
// shapes, also sets that no topology has.
func TestConditionsHoldForTheirShapes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	longest := 0
	for range 3000 {
		p := printer{writer: &writer{Chart: &Chart{}, usedFields: map[string]bool{}}}
		for i := range 1 + random.IntN(4) {
			p.Fields = append(p.Fields, Field{Name: fmt.Sprintf("f%d", i)})
		}
		seen := map[string]bool{}
		for range 1 + random.IntN(9) {
			fields := map[string]any{}
			for i, f := range p.Fields {
				if i%2 == 0 {
					fields[f.Name] = random.IntN(2) == 1
				} else {
					fields[f.Name] = []string{"", "x", "y"}[random.IntN(3)]
				}
			}
			if key := fmt.Sprint(fields); !seen[key] {
				seen[key] = true
				p.Shapes = append(p.Shapes, Shape{Fields: fields})
			}
		}
		var all, some []int
		for i := range p.Shapes {
			all = append(all, i)
			if random.IntN(2) == 1 {
				some = append(some, i)
			}
		}
		if len(some) == 0 {
			continue
		}
		condition := p.condition(all, some)
		if condition == "" {
			require.Equal(t, all, some)
			continue
		}
		longest = max(longest, len(condition))
		parsed, err := template.New("").Option("missingkey=error").Parse("{{ if " + condition + " }}yes{{ end }}")
		require.NoError(t, err, condition)
		for i, s := range p.Shapes {
			var out bytes.Buffer
			require.NoError(t, parsed.Execute(&out, map[string]any{"Values": map[string]any{"shape": s.Fields}}))
			require.Equal(t, slices.Contains(some, i), out.String() == "yes", "%s for %v", condition, s.Fields)
		}
	}
	require.Greater(t, longest, 100, "none had to name the shapes one by one")
}
