package discover_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sightline-mesh/sightline/internal/discover"
)

// TestHostileNames reads objects that no API server would accept: names with line
// ends, and values of other types. No such name begins a line of the topology or of
// the findings, and nothing crashes.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	const delivered = "labels: {app.kubernetes.io/managed-by: sightline, app.kubernetes.io/name: mesh-delivery, app.kubernetes.io/part-of: m}"
	w := guide()
	w.change(t, "east", "metadata: {name: kiali, namespace: istio-system}\nspec: {version: default, ", `metadata: {name: "kiali\nhub: evil", `+
		`namespace: istio-system}`+"\nspec: {version: \"v9\\nevil: v\", deployment: [1], auth: {strategy: 5, openshift: x}, ")
	w.change(t, "west", "value: cluster2", `value: "cluster2\nevil: c"`)
	w.add("east", `{apiVersion: v1, kind: Pod, metadata: {name: "a\nevil: p", namespace: sample}, spec: {containers: [{name: istio-proxy, env: 3}]}}`)
	w.add("east", `{apiVersion: argoproj.io/v1alpha1, kind: ApplicationSet, metadata: {name: m, namespace: "n\nevil: a", `+delivered+
		"}, spec: {generators: 3, template: {spec: {sources: [1, 2]}}}}")
	w.add("east", "{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, metadata: {name: m, "+delivered+"}, spec: {path: 7, sourceRef: []}}")
	w.add("east", "{apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: a, labels: {app.kubernetes.io/part-of: m, "+
		"app.kubernetes.io/managed-by: sightline}, annotations: {argocd.argoproj.io/sync-wave: '1'}}, spec: {data: [1], target: 4}}")
	o := w.discovered(t, discover.Options{Hub: "cluster1"})
	assert.NotContains(t, o.all(), "\nevil")
	assert.NotContains(t, o.text, "\nevil")
}
