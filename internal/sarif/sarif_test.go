package sarif_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/sarif"
	"github.com/sightline-mesh/sightline/internal/upstream"
)

// schema returns the schema of SARIF 2.1.0.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	releases, err := upstream.Open("../../e2e/definitions")
	require.NoError(t, err)
	text, err := releases.File("github.com/securego/gosec/v2", "report/sarif/testdata/sarif-schema-2.1.0.json")
	require.NoError(t, err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("sarif.json", document))
	s, err := c.Compile("sarif.json")
	require.NoError(t, err)
	return s
}

func TestLog(t *testing.T) {
	findings := finding.Findings{
		{Position: finding.Position{File: "mesh/a b%.yaml", Line: 3, Col: 4}, Rule: "SY03", Message: `no key "x"`, Hint: "remove it"},
		{Position: finding.Position{File: "/repo/mesh.yaml", Line: 1}, Rule: "PM13", Message: "a <b> & c", Severity: finding.Warning},
		{Position: finding.Position{File: "<stdin>"}, Rule: "SY03", Message: "info", Severity: finding.Info},
		{Rule: "AA01", Message: "nowhere\x00"},
	}
	rules := func(id string) sarif.Rule {
		return sarif.Rule{ID: id, Title: "title " + id, Page: "page", Severity: finding.Warning}
	}
	tool := sarif.Tool{Name: "sightline", Version: "v0.1.0", URL: "https://example.com"}
	data, err := sarif.Log(tool, findings, rules)
	require.NoError(t, err)
	again, err := sarif.Log(tool, findings, rules)
	require.NoError(t, err)
	assert.Equal(t, string(data), string(again))

	valid := schema(t)
	check := func(data []byte) error {
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		require.NoError(t, err)
		return valid.Validate(document)
	}
	require.NoError(t, check(data))
	require.Error(t, check(bytes.ReplaceAll(data, []byte(`"startLine": 3`), []byte(`"startLine": 0`))), "the schema has nothing to say")

	var log struct {
		Runs []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}

			Results []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           *struct{ StartLine, StartColumn int }
					}
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal(data, &log))
	run := log.Runs[0]
	require.Len(t, run.Results, len(findings))
	for i, r := range run.Results {
		assert.Equal(t, findings[i].Rule, r.RuleID)
		assert.Equal(t, r.RuleID, run.Tool.Driver.Rules[r.RuleIndex].ID)
		assert.Equal(t, []string{"error", "warning", "note", "error"}[i], r.Level)
	}
	first := run.Results[0]
	assert.Equal(t, "no key \"x\"\nhint: remove it", first.Message.Text)
	assert.Equal(t, "mesh/a%20b%25.yaml", first.Locations[0].PhysicalLocation.ArtifactLocation.URI)
	assert.Equal(t, 3, first.Locations[0].PhysicalLocation.Region.StartLine)
	assert.Equal(t, 4, first.Locations[0].PhysicalLocation.Region.StartColumn)
	assert.Equal(t, "file:///repo/mesh.yaml", run.Results[1].Locations[0].PhysicalLocation.ArtifactLocation.URI)
	assert.Equal(t, 1, run.Results[1].Locations[0].PhysicalLocation.Region.StartColumn)
	assert.Nil(t, run.Results[2].Locations[0].PhysicalLocation.Region)
	assert.Empty(t, run.Results[3].Locations)

	none, err := sarif.Log(tool, nil, rules)
	require.NoError(t, err)
	require.NoError(t, check(none))
	assert.Contains(t, string(none), `"results": []`)
}
