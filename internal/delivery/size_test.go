package delivery_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/validation"

	"github.com/sightline-mesh/sightline/internal/delivery"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// TestAnnotationLimit compares with the API server. It accepts an object of the
// maximum size with kubectl's annotation, and refuses one more byte.
func TestAnnotationLimit(t *testing.T) {
	assert.Equal(t, validation.TotalAnnotationSizeLimitB, delivery.AnnotationLimit)
	object := func(bytes int) resource.Object {
		return resource.Object{"kind": "Kiali", "metadata": map[string]any{"annotations": map[string]any{"note": "<a>"}}, "spec": strings.Repeat("x", bytes)}
	}
	fits := delivery.AnnotationLimit - delivery.SizeOf(object(0)).Annotations
	for _, bytes := range []int{fits, fits + 1} {
		o := object(bytes)
		text, err := json.Marshal(o)
		require.NoError(t, err)
		refused := validation.ValidateAnnotationsSize(map[string]string{"note": "<a>", "kubectl.kubernetes.io/last-applied-configuration": string(text) + "\n"})
		assert.Equal(t, delivery.SizeOf(o).Annotations > delivery.AnnotationLimit, refused != nil, "%d: %v", bytes, refused)
	}
}

// TestData checks which bytes count for the limit of a Secret.
func TestData(t *testing.T) {
	value := strings.Repeat("v", 1000)
	encoded := base64.StdEncoding.EncodeToString([]byte(value))
	for kind, o := range map[string]resource.Object{
		"ConfigMap": {"data": map[string]any{"a": value}, "binaryData": map[string]any{"b": encoded}},
		"Secret":    {"data": map[string]any{"a": encoded}, "stringData": map[string]string{"b": value}},
	} {
		o["kind"] = kind
		assert.Equal(t, 2000, delivery.SizeOf(o).Data, kind)
	}
	assert.Zero(t, delivery.SizeOf(resource.Object{"kind": "Kiali", "data": map[string]any{"a": value}}).Data)
}
