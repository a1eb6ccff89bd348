package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/topology"
)

// kialiOf is a stand-in for Kiali's API. Its answers are those of a release line
// (internal/kiali/testdata/api), and it can lie, hang and end.
type kialiOf struct {
	*httptest.Server
	*testing.T
	mutex      sync.Mutex
	bodies     map[string]any // of the line
	strategy   string
	token      string // that it takes
	answering  []string
	namespaces map[string][]string // by cluster
	planes     map[string]string   // id by cluster
	tracing    string
	hang       bool
}

const sessionOfKiali = "the-session-of-who-logged-in"

func newKiali(t *testing.T, topo *topology.Topology) *kialiOf {
	k := &kialiOf{T: t, strategy: "anonymous", namespaces: map[string][]string{}, planes: map[string]string{}, tracing: "Healthy"}
	for i := range topo.Spec.Clusters {
		c := &topo.Spec.Clusters[i]
		k.answering = append(k.answering, c.Name)
		k.namespaces[c.Name] = append([]string{topo.Spec.Mesh.ControlPlaneNamespace}, slices.Concat(topo.Spec.Namespaces, c.Namespaces)...)
		k.planes[c.Name] = c.Name
	}
	k.line(topo.Hub().Kiali.Version.String())
	k.Server = httptest.NewServer(k)
	t.Cleanup(k.Close)
	return k
}

// line has it be of a release line.
func (k *kialiOf) line(name string) {
	data, err := os.ReadFile(filepath.Join("..", "..", "internal", "kiali", "testdata", "api", name+".json"))
	require.NoError(k, err)
	k.bodies = nil
	require.NoError(k, json.Unmarshal(data, &k.bodies))
}

// body is one of the line's, filled in; nil: the line has none.
func (k *kialiOf) body(name string, values ...string) any {
	if k.bodies[name] == nil {
		return nil
	}
	data, _ := json.Marshal(k.bodies[name])
	var body any
	_ = json.Unmarshal([]byte(strings.NewReplacer(values...).Replace(string(data))), &body)
	return body
}

func (k *kialiOf) answer(path string) any {
	all := []any{}
	switch path {
	case "/kiali/api/auth/info":
		return k.body("authInfo", "STRATEGY", k.strategy)
	case "/kiali/api/status":
		about := k.body("status").(map[string]any)
		names := map[string]bool{}
		for _, cluster := range k.answering {
			one := k.body("kubernetes", "CLUSTER", cluster)
			if name := one.(map[string]any)["name"].(string); !names[name] {
				names[name] = true
				all = append(all, one)
			}
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
		if k.tracing == "" {
			return all
		}
		return append(all, k.body("tracing", "CLUSTER", "east", "HEALTH", k.tracing))
	case "/kiali/api/config": // says that everything is accessible, as it always does
		config := k.body("config", "CLUSTER", "east", "STRATEGY", k.strategy).(map[string]any)
		for cluster := range k.planes {
			config["clusters"].(map[string]any)[cluster] = k.body("cluster", "CLUSTER", cluster)
		}
		return config
	}
	return nil
}

// knows tells whether it lets a request in: by a bearer token, or with the
// strategy token by the session of one (K:handlers/authentication).
func (k *kialiOf) knows(r *http.Request) bool {
	cookie, err := r.Cookie("kiali-token-east")
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch k.strategy {
	case "anonymous":
		return true
	case "token":
		return err == nil && cookie.Value == sessionOfKiali
	case "openshift", "header":
		return k.token != "" && token == k.token
	}
	return false
}

func (k *kialiOf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	open := r.URL.Path == "/kiali/api/auth/info"
	if k.hang && !open {
		<-r.Context().Done()
		return
	}
	k.mutex.Lock()
	defer k.mutex.Unlock()
	code, body := http.StatusOK, k.answer(r.URL.Path)
	switch {
	case r.URL.Path == "/kiali/api/authenticate" && k.strategy == "token" && r.Method == http.MethodPost:
		if k.token == "" || r.PostFormValue("token") != k.token {
			code, body = http.StatusUnauthorized, map[string]any{"error": "token is not valid or is expired"}
			break
		}
		http.SetCookie(w, &http.Cookie{Name: "kiali-token-east", Value: sessionOfKiali, Path: "/kiali", HttpOnly: true,
			SameSite: http.SameSiteStrictMode})
		body = map[string]any{"username": "reader", "expiresOn": "2026-11-28T00:00:00Z"}
	case !open && !k.knows(r):
		code, body = http.StatusUnauthorized, map[string]any{"error": "User unauthenticated"}
	case body == nil:
		code, body = http.StatusNotFound, map[string]any{"error": "not found"}
	}
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
