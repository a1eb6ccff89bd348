package cluster_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/cluster"
)

// TestMetadata asks for metadata, and accepts no other answer.
func TestMetadata(t *testing.T) {
	t.Parallel()
	resources := answers(map[string]any{"/api/v1": object{"resources": []any{object{"name": "secrets", "kind": "Secret", "namespaced": true}}}})
	c, _ := open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/secrets" {
			resources(w, r)
			return
		}
		assert.Equal(t, "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", r.Header.Get("Accept"))
		assert.Equal(t, "type=x", r.URL.Query().Get("fieldSelector"))
		assert.Equal(t, "a=b", r.URL.Query().Get("labelSelector"))
		fmt.Fprint(w, `{"kind": "PartialObjectMetadataList", "items": [{"metadata": {"name": "one"}}]}`)
	}), user(token), cluster.Options{})
	found, err := c.Metadata(t.Context(), "v1", "Secret", "a=b", "type=x")
	require.NoError(t, err)
	assert.Equal(t, []object{{"apiVersion": "v1", "kind": "Secret", "metadata": object{"name": "one"}}}, found)
	assert.Equal(t, c.URL(), "https://"+c.Host())
}
