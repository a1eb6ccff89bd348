package delivery

import (
	"encoding/base64"
	"encoding/json"

	"github.com/sightline-mesh/sightline/internal/resource"
)

// Limits in bytes, with their sources.
const (
	// AnnotationLimit applies to the sum of all annotations of an object.
	// kubectl apply without --server-side adds the whole object as an
	// annotation (k8s.io/apimachinery/pkg/api/validation,
	// TotalAnnotationSizeLimitB).
	AnnotationLimit = 256 << 10
	// DataLimit applies to the sum of the values of a Secret or a ConfigMap
	// (k8s.io/api/core/v1, MaxSecretSize).
	DataLimit = 1 << 20
	// ObjectLimit applies to an object in etcd (--max-request-bytes).
	ObjectLimit = 3 << 19
)

// Size is the size of an object, in bytes.
type Size struct {
	Object      int // as JSON
	Annotations int // after kubectl apply without --server-side, which adds the object as an annotation
	Data        int // of the values of a Secret or a ConfigMap
}

// SizeOf returns the size of an object.
func SizeOf(o resource.Object) Size {
	text := encoded(o)
	const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"
	s := Size{Object: len(text), Annotations: len(lastApplied) + len(text) + len("\n")}
	meta, _ := o["metadata"].(map[string]any)
	each(meta["annotations"], func(key, value string) { s.Annotations += len(key) + len(value) })
	add := func(size func(string) int) func(key, value string) {
		return func(_, value string) { s.Data += size(value) }
	}
	plain := add(func(value string) int { return len(value) })
	switch resource.IDOf(o).Kind {
	case "ConfigMap":
		each(o["data"], plain)
		each(o["binaryData"], add(decodedSize))
	case "Secret":
		each(o["data"], add(decodedSize))
		each(o["stringData"], plain)
	}
	return s
}

// StatusSize returns the bytes that one Application adds to the status of its
// ApplicationSet, where Argo CD lists it (argo-cd
// applicationset/status/resource_status.go).
func StatusSize(namespace, name string) int {
	return len(encoded(map[string]any{
		"group": "argoproj.io", "version": "v1alpha1", "kind": "Application", "namespace": namespace, "name": name,
		"status": "OutOfSync", "health": map[string]any{"status": "Progressing"},
	})) + len(",")
}

// encoded returns an object in the form that clients send.
func encoded(o resource.Object) []byte {
	text, _ := json.Marshal(o) // an object that was decoded can be encoded
	return text
}

func each(pairs any, visit func(key, value string)) {
	switch pairs := pairs.(type) {
	case map[string]any:
		for key, v := range pairs {
			if value, ok := v.(string); ok {
				visit(key, value)
			}
		}
	case map[string]string:
		for key, value := range pairs {
			visit(key, value)
		}
	}
}

func decodedSize(value string) int {
	data, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return len(value)
	}
	return len(data)
}
