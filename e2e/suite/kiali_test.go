package suite

import (
	"encoding/json"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// kialiAPI is a stand-in for Kiali's API: it answers with the documented fields,
// as the release line has them, and can lie, hang and end.
type kialiAPI struct {
	mutex      sync.Mutex
	line       string
	server     *http.Server
	address    string
	hang       bool
	services   []string
	namespaces map[string][]string // by cluster
	planes     map[string]string   // id by cluster
}

func startKiali(t *testing.T, address string) *kialiAPI {
	t.Helper()
	k := &kialiAPI{address: address, line: "v2.27"}
	k.start(t)
	t.Cleanup(func() { _ = k.server.Close() })
	return k
}

func (k *kialiAPI) start(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", k.address)
	require.NoError(t, err)
	k.server = &http.Server{Handler: k}
	go func() { _ = k.server.Serve(listener) }()
}

// change has it answer otherwise.
func (k *kialiAPI) change(f func()) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	f()
}

func (k *kialiAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mutex.Lock()
	hang := k.hang
	body := k.answer(r.URL.Path)
	k.mutex.Unlock()
	switch {
	case hang && r.URL.Path != "/kiali/api/auth/info":
		<-r.Context().Done()
	case body == nil:
		w.WriteHeader(http.StatusNotFound)
	default:
		_ = json.NewEncoder(w).Encode(body)
	}
}

func (k *kialiAPI) answer(path string) any {
	old := k.line == "v2.4"
	switch path {
	case "/kiali/api/auth/info":
		return map[string]any{"strategy": "anonymous", "sessionInfo": map[string]any{}}
	case "/kiali/api/status":
		services := []any{map[string]any{"name": "Prometheus"}, map[string]any{"name": "Kubernetes", "version": "v1.36.3"}}
		for _, name := range k.services {
			services = append(services, map[string]any{"name": name, "version": "v1.36.3"})
		}
		return map[string]any{"status": map[string]any{"Kiali version": k.line + ".0"}, "externalServices": services, "warningMessages": []any{}}
	case "/kiali/api/namespaces":
		all := []any{}
		for cluster, names := range k.namespaces {
			for _, name := range names {
				all = append(all, map[string]any{"name": name, "cluster": cluster, "labels": map[string]any{}})
			}
		}
		return all
	case "/kiali/api/mesh/controlplanes":
		all := []any{}
		for cluster, id := range k.planes {
			plane := map[string]any{"id": id, "istiodName": "istiod", "revision": "default"}
			of := map[string]any{"name": cluster, "secretName": "kiali-multi-cluster-secret"}
			if !old {
				of["accessible"] = true // whatever is true
			}
			plane["cluster"] = of
			all = append(all, plane)
		}
		return all
	case "/kiali/api/config":
		clusters := map[string]any{}
		for cluster := range k.planes {
			clusters[cluster] = map[string]any{"name": cluster, "accessible": true}
		}
		return map[string]any{"clusters": clusters}
	}
	return nil
}
