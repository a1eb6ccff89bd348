package compare_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sightline-mesh/sightline/internal/compare"
)

// TestApplied shows which fields applying changes on a cluster, and which it removes.
// e2e/suite compares this with real API servers.
func TestApplied(t *testing.T) {
	const byApply = `"metadata":{"managedFields":[{"operation":"Update","fieldsV1":{"f:spec":{"f:hand":{}}}},` +
		`{"operation":"Apply","fieldsV1":{"f:spec":{"f:ours":{},"f:deep":{"f:er":{}}}}}]}`
	const byKubectl = `"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"spec\":{\"ours\":1}}"}}`
	for _, c := range []struct{ name, live, object, fields string }{
		{"what a cluster adds", `{"metadata":{"uid":"u","resourceVersion":"1"},"spec":{"a":1},"status":{}}`, `{"spec":{"a":1}}`, ""},
		{"what it drops", `{"spec":{}}`, `{"spec":{"a":{},"b":[]}}`, ""},
		{"a changed value", `{"spec":{"a":1}}`, `{"spec":{"a":2}}`, "~ spec.a\n"},
		{"a missing value", `{"spec":{}}`, `{"spec":{"a":2}}`, "+ spec.a\n"},
		{"a key of others", `{` + byApply + `,"spec":{"a":1,"hand":1}}`, `{"spec":{"a":1}}`, ""},
		{"a key of an earlier apply", `{` + byApply + `,"spec":{"a":1,"ours":1}}`, `{"spec":{"a":1}}`, "- spec.ours lost\n"},
		{"below a key of an earlier apply", `{` + byApply + `,"spec":{"deep":{"er":1,"other":1}}}`, `{"spec":{"deep":{}}}`, "- spec.deep.er lost\n"},
		{"a key of an earlier kubectl apply", `{` + byKubectl + `,"spec":{"ours":1,"others":1}}`, `{"spec":{}}`, "- spec.ours lost\n"},
		{"what an engine knows its objects by", `{"metadata":{"labels":{"kustomize.toolkit.fluxcd.io/name":"a"},"managedFields":[{"operation":"Apply","fieldsV1":{"f:metadata":{"f:labels":{"f:kustomize.toolkit.fluxcd.io/name":{}}}}}]}}`, `{"metadata":{"labels":{}}}`, ""},
		{"the label of Helm", `{"metadata":{"labels":{"app.kubernetes.io/managed-by":"Helm"}}}`, `{"metadata":{"labels":{"app.kubernetes.io/managed-by":"sightline"}}}`, ""},
		{"an item of a list", `{"l":["a","b"]}`, `{"l":["a"]}`, "- l[1] lost\n"},
		{"a key of an item of a list", `{"l":[{"name":"a","x":1}]}`, `{"l":[{"name":"a"}]}`, "- l[name=a].x lost\n"},
		{"a key of config.yaml", `{"data":{"config.yaml":"a: 1\nprometheus: {retention: 7d}\n"}}`, `{"data":{"config.yaml":"a: 1\n"}}`,
			"~ data[config.yaml]\n- data[config.yaml].prometheus lost\n"},
		{"a text that is no YAML", `{"data":{"x":"a: [b"}}`, `{"data":{"x":"a: b"}}`, "~ data.x\n"},
	} {
		var text string
		for _, f := range compare.Applied(decoded(t, c.live), decoded(t, c.object)) {
			text += fmt.Sprintf("%c %s", f.Op, f.Path)
			if f.Lost {
				text += " lost"
			}
			text += "\n"
		}
		assert.Equal(t, c.fields, text, c.name)
	}
}
