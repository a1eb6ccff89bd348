package render

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/topologies"
)

// hostile are strings that some writer or reader of some format misreads.
var hostile = []string{
	"{{", "}}", "{{ .Values.mesh.id }}", "{{- end }}", `{{ "{{" }}`, "{{/* */}}", "$", "$1$2", "${HOME}", "$(x)", "%s", "%!v",
	`"`, `'`, "`", `\`, `\n`, `a"b'c`, `<b>&amp;</b>`, "\n", "a\nb", "a\n\n", "\na", " a", "a ", "a\n b\n", "a\r\nb", "\t", "a\n\tb\n---\nkind: x\n", "---", "...",
	"ü", "日本", "🙂", "\u00a0", "\u2028", "\ufeff", "\u200b", "\x1b[31m", "\x00",
	"007", "0x1f", "0o17", "1_000", "1:30", "true", "yes", "on", "n", "1e3", "1e1000", ".inf", "-.5", "+1", "null", "Null", "~", "", "<no value>", "<nil>",
	"2026-11-22", "- a", "? a", "a: b", "a #b", "#", "&a", "*a", "!!str", "|", ">", "@", "%", "[", "{}", "=", "⟦cluster.name⟧", "⟦", "⟧",
}

// FuzzHostileValues shows that a value is the same in every format, with any
// content.
func FuzzHostileValues(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) || s == "<<" || hasControl(s) {
			t.Skip("the topology reader or the chart refuses this text, which tests of theirs show")
		}
		top, findings := check.Parse(topologies.EastWestFile, topologies.EastWest)
		require.Empty(t, findings)
		free := map[string]any{"text": s, "list": []any{s, map[string]any{"in": s}}, "key-" + s: s, s: map[string]any{}}
		top.Spec.Mesh.ID = s
		top.Spec.Metrics.Labels = map[string]string{"release": s, "own/" + s: "x"}
		top.Spec.Metrics.UserWorkloadMonitoring.Config = free
		top.Spec.Kiali.Spec = map[string]any{"free": free, "external_services": map[string]any{"grafana": map[string]any{"enabled": s}}}
		top.Spec.Clusters[1].Kiali.Spec = map[string]any{"deployment": map[string]any{"instance_name": s}, s: s}
		top.Spec.Clusters[1].Kiali.Host = s
		requireLaw(t, top, SourcesOf(top))
	})
}
