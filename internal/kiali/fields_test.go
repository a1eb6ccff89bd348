package kiali

import (
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/golden"
)

var update = flag.Bool("update", false, "rewrite fields.tsv")

// TestFields makes fields.tsv from two tables of the operator's sources: the fields
// that each line's role reads, and the fields in the definitions of several releases.
func TestFields(t *testing.T) {
	roles, definitions := tsv(t, "kiali-fields.tsv"), tsv(t, "kiali-crd-fields.tsv")
	lines := roles[0][1:8]
	require.Equal(t, LineNames(), lines)

	type row struct {
		lines [7]bool
		free  bool
	}
	reads := map[string][7]bool{}
	for _, r := range roles[1:] {
		var marks [7]bool
		for i, cell := range r[1:8] {
			marks[i] = cell != "-"
		}
		reads[r[0]] = marks
	}
	related := func(a, b string) bool {
		return a == b || strings.HasPrefix(a, b+".") || strings.HasPrefix(a, b+"[].")
	}
	fields := map[string]row{}
	for _, d := range definitions[1:] {
		path, types := d[0], d[1:5]
		var marks [7]bool
		any := false
		for role := range reads {
			if !related(path, role) && !related(role, path) {
				continue
			}
			for other, of := range reads {
				if related(other, role) { // a section counts as read where something in it is
					any = true
					for i := range marks {
						marks[i] = marks[i] || of[i]
					}
				}
			}
		}
		// If no role has a default for it, the releases tell.
		first := slices.IndexFunc(types, func(s string) bool { return s != "-" })
		for i := range marks {
			if !any {
				marks[i] = i >= []int{0, 4, 5, 6}[first]
			}
		}
		// A role between them without a default reads the field too.
		if from := slices.Index(marks[:], true); from >= 0 {
			for i := len(marks) - 1; i > from; i-- {
				if !marks[i] {
					continue
				}
				for j := from; j < i; j++ {
					marks[j] = true
				}
				break
			}
		}
		switch path {
		case "auth.openshift.redirect_uris": // introduced with operator 2.1
			marks[0] = false
		case "external_services.grafana.internal_url": // took the place of in_cluster_url as external_url did of url
			marks = [7]bool{false, true, true, true, true, true, true}
		case "external_services.grafana.in_cluster_url":
			marks = [7]bool{true}
		}
		last := types[slices.IndexFunc(types, func(s string) bool { return s != "-" })]
		fields[path] = row{marks, strings.HasPrefix(last, "object") || last == "array of object"}
	}
	for role, marks := range reads {
		known := slices.ContainsFunc(definitions[1:], func(d []string) bool { return related(d[0], role) || related(role, d[0]) })
		if !known {
			fields[role] = row{marks, true}
		}
	}
	var b strings.Builder
	b.WriteString("# Fields of a Kiali resource below spec, which of the lines " + strings.Join(LineNames(), ", ") + "\n")
	b.WriteString("# read them, and whether anything may stand below them. Made by TestFields.\n")
	for _, path := range slices.Sorted(maps.Keys(fields)) {
		b.WriteString(path + "\t")
		for _, reads := range fields[path].lines {
			if reads {
				b.WriteByte('1')
			} else {
				b.WriteByte('-')
			}
		}
		if fields[path].free {
			b.WriteString("\tfree")
		}
		b.WriteByte('\n')
	}
	if *update {
		require.NoError(t, os.WriteFile("fields.tsv", []byte(b.String()), 0o644))
	}
	golden.Equal(t, "fields.tsv", fieldsTSV, b.String(), "go test ./internal/kiali -run TestFields -update")
}

func tsv(t *testing.T, name string) [][]string {
	t.Helper()
	data, err := os.ReadFile("../../../shared/" + name)
	if err != nil {
		t.Skipf("%s is absent, so fields.tsv is not compared with it", name)
	}
	var rows [][]string
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "#") {
			rows = append(rows, strings.Split(strings.TrimRight(line, "\n"), "\t"))
		}
	}
	return rows
}

func TestKnown(t *testing.T) {
	table := Fields()
	for _, test := range []struct {
		field string
		known string
	}{
		{"auth.openshift.redirect_uris", "v2.4 and later lines know it"},
		{"clustering.ignore_home_cluster", "v2.17 and later lines know it"},
		{"external_services.prometheus.auth.cert_file", "v2.22 and later lines know it"},
		{"external_services.prometheus.auth.oauth2.client_id", "v2.27 to default know it"},
		{"istio_namespace", "v1.73 to v2.11 know it"},
		{"clustering.clusters[].name", "v2.4 and later lines know it"},
		{"deployment.remote_cluster_resources_only", "v2.4 and later lines know it"},
		{"deployment.pod_annotations", "v1.73 and later lines know it"},
	} {
		f, ok := table[test.field]
		require.True(t, ok, test.field)
		assert.Equal(t, test.known, f.Known(), test.field)
	}
	assert.Equal(t, "external_services.prometheus.query_scope", NearField("external_services.prometheus.query_scopes"))
	assert.Equal(t, "clustering.ignore_home_cluster", NearField("deployment.ignore_home_cluster"))
}
