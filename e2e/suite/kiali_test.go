package suite

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// kialiAPI is a stand-in for Kiali's API. Its answers have the fields of a release
// line (internal/kiali/testdata/api), and it can lie, hang and end.
type kialiAPI struct {
	mutex      sync.Mutex
	bodies     map[string]any // of the line
	server     *http.Server
	address    string
	hang       bool
	answering  []string            // the clusters whose API servers do
	namespaces map[string][]string // by cluster
	planes     map[string]string   // id by cluster
	tracing    string
}

func startKiali(t *testing.T, address, line string) *kialiAPI {
	t.Helper()
	k := &kialiAPI{address: address}
	k.become(t, line)
	k.start(t)
	t.Cleanup(func() { _ = k.server.Close() })
	return k
}

// become has it be of a release line.
func (k *kialiAPI) become(t *testing.T, line string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "internal", "kiali", "testdata", "api", line+".json"))
	require.NoError(t, err)
	k.change(func() {
		k.bodies = nil
		require.NoError(t, json.Unmarshal(data, &k.bodies))
	})
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

// body is one of the line's, filled in; nil: the line has none.
func (k *kialiAPI) body(name string, values ...string) any {
	if k.bodies[name] == nil {
		return nil
	}
	data, _ := json.Marshal(k.bodies[name])
	var body any
	_ = json.Unmarshal([]byte(strings.NewReplacer(values...).Replace(string(data))), &body)
	return body
}

func (k *kialiAPI) answer(path string) any {
	all := []any{}
	switch path {
	case "/kiali/api/auth/info":
		return k.body("authInfo", "STRATEGY", "anonymous")
	case "/kiali/api/status":
		about := k.body("status").(map[string]any)
		for _, cluster := range k.answering {
			all = append(all, k.body("kubernetes", "CLUSTER", cluster))
		}
		about["externalServices"] = append(all, k.body("prometheus"))
		return about
	case "/kiali/api/namespaces":
		for cluster, names := range k.namespaces {
			for _, name := range names {
				all = append(all, k.body("namespace", "CLUSTER", cluster, "NAMESPACE", name))
			}
		}
		return all
	case "/kiali/api/mesh/controlplanes":
		if k.bodies["controlPlane"] == nil {
			return nil
		}
		for cluster, id := range k.planes {
			all = append(all, k.body("controlPlane", "CLUSTER", cluster, `"ID"`, `"`+id+`"`))
		}
		return all
	case "/kiali/api/istio/status":
		return append(all, k.body("tracing", "CLUSTER", "cluster1", "HEALTH", k.tracing))
	case "/kiali/api/config": // it calls every cluster accessible, whatever is true
		config := k.body("config", "CLUSTER", "cluster1", "STRATEGY", "anonymous").(map[string]any)
		for cluster := range k.planes {
			config["clusters"].(map[string]any)[cluster] = k.body("cluster", "CLUSTER", cluster)
		}
		return config
	}
	return nil
}
