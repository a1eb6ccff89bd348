package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// newStore answers the queries of status like the store of a working mesh. It does not
// evaluate PromQL; e2e/metrics runs the queries with the engine of Prometheus.
func newStore(t *testing.T) *httptest.Server {
	t.Helper()
	series := func(reporter, source, destination string) map[string]string {
		return map[string]string{"mesh_id": "mesh1", "reporter": reporter, "source_cluster": source, "destination_cluster": destination}
	}
	space := func(label, cluster, namespace string) map[string]string {
		return map[string]string{label: cluster, "namespace": namespace}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query().Get("query")
		var metrics []map[string]string
		value := "1"
		switch {
		case strings.Contains(query, "timestamp("):
			value = fmt.Sprint(time.Now().Unix() - 20)
			metrics = append(metrics, series("source", "east", "west"), series("destination", "east", "west"))
		case strings.HasPrefix(query, "count by (source_cluster"):
			metrics = append(metrics, space("source_cluster", "east", "sample"), space("source_cluster", "east", "istio-system"))
		case strings.HasPrefix(query, "count by (destination_cluster"):
			metrics = append(metrics, space("destination_cluster", "west", "sample"), space("destination_cluster", "west", "istio-system"))
		case strings.HasPrefix(query, "count by (namespace) (up"):
			metrics = append(metrics, space("x", "", "sample"), space("x", "", "istio-system"))
		case strings.HasPrefix(query, "count by (prometheus_replica)"):
			metrics = append(metrics, map[string]string{})
		}
		result := []any{}
		for _, m := range metrics {
			result = append(result, map[string]any{"metric": m, "value": []any{0, value}})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": map[string]any{"resultType": "vector", "result": result}})
	}))
	t.Cleanup(server.Close)
	return server
}
