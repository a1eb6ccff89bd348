package kiali

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/golden"
)

// TestTypes makes types.tsv from the definitions of several operator releases. For
// each field, the latest definition with the field counts.
func TestTypes(t *testing.T) {
	definitions := tsv(t, "kiali-crd-fields.tsv")
	var want strings.Builder
	want.WriteString("# Types of the fields of a Kiali resource below spec, and the values of those that have only some. Made by TestTypes.\n")
	for _, d := range definitions[1:] {
		kind := ""
		for _, of := range d[1:5] {
			if of != "-" {
				kind = of
			}
		}
		kind, values, _ := strings.Cut(strings.TrimSuffix(kind, "}"), " {")
		if kind == "object (free-form)" {
			kind = "object"
		}
		kind = strings.TrimSuffix(kind, " (free-form)")
		if kind == "" || strings.HasPrefix(kind, "#") {
			continue
		}
		want.WriteString(d[0] + "\t" + kind)
		if values != "" {
			want.WriteString("\t" + strings.ReplaceAll(values, ", ", ","))
		}
		want.WriteString("\n")
	}
	if *update {
		require.NoError(t, os.WriteFile("types.tsv", []byte(want.String()), 0o644))
	}
	golden.Equal(t, "types.tsv", typesTSV, want.String(), "go test ./internal/kiali -run TestTypes -update")
}

func TestTypeOf(t *testing.T) {
	t.Parallel()
	for field, want := range map[string]Type{
		"deployment.replicas":                {Name: "integer"},
		"server.web_port":                    {Name: "string"},
		"server.web_schema":                  {Name: "string", Values: []string{"", "http", "https"}},
		"deployment.view_only_mode":          {Name: "boolean"},
		"auth.openshift.redirect_uris":       {Name: "array", Items: "string"},
		"deployment.pod_annotations":         {Name: "object"},
		"external_services.tracing.provider": {Name: "string", Values: []string{"jaeger", "tempo"}},
	} {
		assert.Equal(t, want, TypeOf()[field], field)
	}
}
