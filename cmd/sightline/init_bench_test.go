package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/resource"
)

// podsOfBench is how many pods with a sidecar each cluster of BenchmarkInit has.
const podsOfBench = 100

// BenchmarkInit makes a topology from dumps of 50 clusters. The script of --dump-script
// writes json, and kubectl get -o yaml writes yaml. The dumps have the objects of Istio
// and Sightline, and complete pods.
func BenchmarkInit(b *testing.B) {
	for _, format := range []string{"json", "yaml"} {
		b.Run(format, func(b *testing.B) {
			top := examplesOf(b)["fleet"]
			require.Len(b, top.Spec.Clusters, 50)
			dir := dumpMesh(b, top, appliedOf(b, top, nil))
			size := 0
			for i := range top.Spec.Clusters {
				text := benchPods(b, format)
				size += len(text)
				require.NoError(b, os.WriteFile(filepath.Join(dir, fmt.Sprintf("folder-%03d", i), "pods."+format), text, 0o644))
			}
			b.SetBytes(int64(size))
			b.ResetTimer()
			for b.Loop() {
				var words strings.Builder
				code := run(b.Context(), []string{"init", "--from", dir}, strings.NewReader(""), io.Discard, &words)
				require.Equal(b, exitOK, code, words.String())
			}
		})
	}
}

// benchPods returns pods of the size that kubectl prints. A sidecar has about 60
// variables, ports, probes, mounts, and a status.
func benchPods(b *testing.B, format string) []byte {
	b.Helper()
	var items []any
	for i := range podsOfBench {
		var env, mounts []any
		for j := range 60 {
			env = append(env, anObject{"name": fmt.Sprintf("VARIABLE_%d", j), "value": strings.Repeat("v", 30)})
		}
		for j := range 12 {
			mounts = append(mounts, anObject{"mountPath": fmt.Sprintf("/etc/istio/%d", j), "name": fmt.Sprintf("volume-%d", j), "readOnly": true})
		}
		container := func(name string) anObject {
			return anObject{"name": name, "image": "registry.example.com/" + name + ":1", "env": env, "volumeMounts": mounts}
		}
		items = append(items, inNamespace("v1", "Pod", "sample", fmt.Sprintf("app-%d", i), anObject{
			"labels":      anObject{"app": "app", "service.istio.io/canonical-name": "app"},
			"annotations": anObject{"sidecar.istio.io/status": strings.Repeat("s", 500)},
			"spec":        anObject{"containers": []any{container("istio-proxy")}},
			"status":      anObject{"phase": "Running", "containerStatuses": []any{container("istio-proxy")}},
		}))
	}
	all := anObject{"apiVersion": "v1", "kind": "List", "items": items}
	if format == "yaml" {
		return resource.Encode(nil, all)
	}
	text, err := json.MarshalIndent(all, "", "    ")
	require.NoError(b, err)
	return text
}
