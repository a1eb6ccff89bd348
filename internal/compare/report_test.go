package compare_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/compare"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// between reports the change of one object on one cluster.
func between(t *testing.T, old, new string) *compare.Report {
	t.Helper()
	of := func(text string) compare.Fleet {
		return compare.Fleet{Clusters: []compare.Cluster{{Name: "east", Objects: []compare.Object{{
			ID:      resource.ID{APIVersion: "v1", Kind: "ConfigMap", Namespace: "n", Name: "c"},
			Content: &compare.Content{Object: decoded(t, text)},
		}}}}}
	}
	d, err := compare.Fleets(of(old), of(new))
	require.NoError(t, err)
	return compare.NewReport("mesh", "main", d, compare.Facts{})
}

// TestText shows the text of fields.
func TestText(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, c := range []struct{ name, old, new, text string }{
		{"a scalar", `{"a":"30s"}`, `{"a":"15s"}`, "    a                                           30s -> 15s\n"},
		{"a number", `{"a":1}`, `{"a":2}`, "    a                                           1 -> 2\n"},
		{"nothing to read", `{"a":""}`, `{"a":" x"}`, `    a                                           "" -> " x"` + "\n"},
		{"an object", `{}`, `{"a":{"b":[1,"c"]}}`, `    a                                           + {"b":[1,"c"]}` + "\n"},
		{"a long string", `{"a":"` + long + `"}`, `{}`, "    a                                           - " + long[:50] + "… (300 characters)\n"},
		{"the order", `{"a":["x","y"]}`, `{"a":["y","x"]}`, `    a                                           order: ["x","y"] -> ["y","x"]` + "\n"},
		{"lines", `{"a":"one\ntwo\nthree\n"}`, `{"a":"one\n2\nthree\nfour\n"}`, "    a\n      - two\n      + 2\n      + four\n"},
		{"the last line break", `{"a":"one\n"}`, `{"a":"one"}`, "    a\n      (only the line break at the end)\n"},
	} {
		text := between(t, c.old, c.new).Text()
		assert.Contains(t, text, "~ ConfigMap n/c on east\n"+c.text, c.name)
	}
}

// TestCredentials shows that no output has a possible credential.
func TestCredentials(t *testing.T) {
	const secret = "hunter2"
	for _, c := range []string{
		`{"spec":{"password":"` + secret + `"}}`,
		`{"spec":{"login_token":{"signing_key":"` + secret + `"}}}`,
		`{"spec":{"list":[{"api_key":"` + secret + `"}]}}`,
		`{"data":{"config.yaml":"remoteWrite:\n- basicAuth:\n    password: ` + secret + `\n  bearer_token: '` + secret + `'\n"}}`,
		`{"spec":{"tokens":{"token":["` + secret + `"]}}}`,
	} {
		for _, r := range []*compare.Report{between(t, `{}`, c), between(t, c, `{"spec":{"password":"other"},"data":{"config.yaml":"a: b\nc: d\n"}}`)} {
			data, err := r.JSON()
			require.NoError(t, err)
			for _, out := range []string{r.Text(), r.Markdown(), string(data)} {
				assert.NotContains(t, out, secret, c)
				assert.Contains(t, out, "(hidden)", c)
			}
		}
	}
	r := between(t, `{}`, `{"password":"secret:grafana:password","token":"","use_kiali_token":true}`)
	assert.Contains(t, r.Text(), "secret:grafana:password")
	assert.NotContains(t, r.Text(), "(hidden)")
}

// TestMarkdownIsShort shows that a comment is not longer than allowed, and says what
// was left out.
func TestMarkdownIsShort(t *testing.T) {
	fleet := func(objects, fields int, value string) (f compare.Fleet) {
		for i := range objects {
			content := map[string]any{}
			for j := range fields + i%7 {
				content[fmt.Sprintf("field-%d-%d", i, j)] = value + "é```"
			}
			f.Clusters = append(f.Clusters, compare.Cluster{Name: fmt.Sprintf("c%d", i), Objects: []compare.Object{{
				ID: resource.ID{Kind: "K", Name: fmt.Sprintf("object-with-a-name-%d", i)}, Content: &compare.Content{Object: content},
			}}})
		}
		return f
	}
	for _, c := range []struct {
		objects, fields int
		says            string
	}{
		{3, 3, ""},
		{100, 40, "Left out to stay within 65,536 characters: the fields of the "},
		{3000, 2, " of 3,000 groups. `sightline diff` shows all."},
	} {
		d, err := compare.Fleets(fleet(c.objects, c.fields, "a"), fleet(c.objects, c.fields, "b"))
		require.NoError(t, err)
		text := compare.NewReport("mesh", "main", d, compare.Facts{}).Markdown()
		assert.LessOrEqual(t, utf8.RuneCountInString(text), compare.MarkdownLimit)
		if c.says == "" {
			assert.Equal(t, 2, strings.Count(text, "\n````"), "the fence is longer than what is in it")
			assert.NotContains(t, text, "Left out")
			continue
		}
		assert.Greater(t, utf8.RuneCountInString(text), compare.MarkdownLimit*9/10, "no more is left out than has to be")
		assert.Contains(t, text, c.says)
	}
}
