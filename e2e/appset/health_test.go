package appset

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/argoproj/argo-cd/v3/util/lua"
)

// TestSealedSecretHealth runs the setting from docs/argocd.md in Argo CD's own
// interpreter, with SealedSecrets in each state.
func TestSealedSecretHealth(t *testing.T) {
	page, err := os.ReadFile("../../docs/argocd.md")
	require.NoError(t, err)
	script := setting(t, string(page), "resource.customizations.health.bitnami.com_SealedSecret")
	for object, want := range map[string]string{
		`{metadata: {generation: 1}}`:                                  "Progressing",
		`{metadata: {generation: 1}, status: {observedGeneration: 1}}`: "Progressing",
		`{metadata: {generation: 1}, status: {observedGeneration: 1, conditions: [{type: Synced, status: "True"}]}}`:  "Healthy",
		`{metadata: {generation: 2}, status: {observedGeneration: 1, conditions: [{type: Synced, status: "True"}]}}`:  "Progressing",
		`{metadata: {generation: 2}, status: {observedGeneration: 1, conditions: [{type: Synced, status: "False"}]}}`: "Progressing",
		`{metadata: {generation: 2}, status: {observedGeneration: 2, conditions: [{type: Synced, status: "False"}]}}`: "Degraded",
		`{metadata: {generation: 1}, status: {conditions: [{type: Synced, status: "True"}]}}`:                         "Progressing",
		`{metadata: {generation: 1}, status: {observedGeneration: 1, conditions: [{type: Other, status: "True"}]}}`:   "Progressing",
	} {
		var content map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(object), &content))
		vm := lua.VM{}
		health, err := vm.ExecuteHealthLua(&unstructured.Unstructured{Object: content}, script)
		require.NoError(t, err, object)
		assert.Equal(t, want, string(health.Status), object)
	}
}

// setting returns the text of a setting on a page, without the page's
// indentation.
func setting(t *testing.T, page, name string) string {
	t.Helper()
	_, after, found := strings.Cut(page, name+": |\n")
	require.True(t, found, "the page has no %s", name)
	var text strings.Builder
	for line := range strings.Lines(after) {
		if strings.TrimSpace(line) == "" {
			break
		}
		text.WriteString(strings.TrimSpace(line) + "\n")
	}
	return text.String()
}
