package render

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/templates"
)

// TestForbiddenTemplatesMakeNoChart edits a template in forbidden ways. Each
// edit is found before a chart is written: by the law, which names the field,
// or because the template fails on holes.
func TestForbiddenTemplatesMakeNoChart(t *testing.T) {
	for _, test := range []struct {
		name, file, old, new string
		path                 string // the path that the law names
		says                 string // another message
	}{
		{"branch on a value", "kiali.libsonnet", "version: cluster.version,",
			"version: if cluster.name == 'cluster2' then 'v2.4' else cluster.version,", "spec.version", ""},
		{"branch on a value of the topology", "monitoring.libsonnet", "path: '/metrics',",
			"path: if topology.mesh.id == 'mesh1' then '/one' else '/metrics',", "spec.endpoints[0].path", ""},
		{"leave a field out by a value", "link.libsonnet", "type: 'kubernetes.io/service-account-token',",
			"[if topology.kiali.namespace == 'istio-system' then 'type']: 'Opaque',", "type", ""},
		{"leave a resource out by a value", "kiali.libsonnet", "[if shape.store == 'thanosQuerier' then",
			"[if topology.mesh.id != 'mesh1' then", "", "ClusterRoleBinding kiali-istio-system-monitoring-view: evaluating the templates gives nothing"},
		{"concatenate lists", "kiali.libsonnet", "redirect_uris: [cluster.callback]",
			"redirect_uris: [cluster.callback] + std.split(cluster.callback, '/')", "spec.auth.openshift.redirect_uris", ""},
		{"measure a value", "monitoring.libsonnet", "port: 'http-monitoring',",
			"port: 'http-' + std.length(topology.mesh.id),", "spec.endpoints[0].port", ""},
		{"cut a value", "kiali.libsonnet", "version: cluster.version,",
			"version: std.substr(cluster.version, 0, 2),", "spec.version", ""},
		{"arithmetic", "monitoring.libsonnet", "path: '/metrics',",
			"path: topology.metrics.interval * 2,", "", "Unexpected type string, expected number"},
		{"upper-case a name", "kiali.libsonnet", "name: topology.kiali.instanceName,\n    namespace",
			"name: std.asciiUpper(topology.kiali.instanceName),\n    namespace", "", "no value for TOPOLOGY.KIALI.INSTANCENAME"},
		{"make a key of a value", "meta.libsonnet", "'app.kubernetes.io/managed-by': 'sightline',",
			"'app.kubernetes.io/managed-by': 'sightline', [topology.name]: 'x',", "", "would differ between clusters"},
		{"merge with Jsonnet's operator", "meta.libsonnet", "then merge(ours, topology.metrics.labels)",
			"then ours + topology.metrics.labels", "", "it must be a string"},
	} {
		t.Run(test.name, func(t *testing.T) {
			top := everyExample(t)["east-west"]
			if strings.Contains(test.new, "metrics.labels") {
				top.Spec.Metrics.Labels = map[string]string{"release": "x"}
			}
			_, err := Tree(top, Sources{Templates: NewTemplates(edited(t, test.file, test.old, test.new))}, Helm)
			require.Error(t, err)
			if test.path != "" {
				require.ErrorAs(t, err, new(*finding.Refusal))
				assert.ErrorContains(t, err, ": "+test.path+": ")
			}
			assert.ErrorContains(t, err, test.says)
		})
	}
}

// edited returns the templates with one text replaced in one file.
func edited(t *testing.T, file, old, new string) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	entries, err := fs.ReadDir(templates.FS, ".")
	require.NoError(t, err)
	for _, entry := range entries {
		data, err := fs.ReadFile(templates.FS, entry.Name())
		require.NoError(t, err)
		if entry.Name() == file {
			require.Equal(t, 1, strings.Count(string(data), old), "%s: %s", file, old)
			data = []byte(strings.Replace(string(data), old, new, 1))
		}
		files[entry.Name()] = &fstest.MapFile{Data: data}
	}
	return files
}
