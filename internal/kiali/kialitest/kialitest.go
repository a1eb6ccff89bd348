// Package kialitest is a stand-in for Kiali's API, for the tests of this module and of the
// end-to-end suite. Its answers have the fields of a release line. It can give wrong
// answers and hang.
package kialitest

import (
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
)

// Session is the cookie that a login with the strategy token gets.
const Session = "the-session-of-who-logged-in"

// API answers as a Kiali does. Change its fields with [API.Change].
type API struct {
	Home       string   // the name of Kiali's own cluster
	Strategy   string   // of the login
	Token      string   // the token that it accepts
	Answering  []string // the clusters whose API servers answer Kiali
	Namespaces map[string][]string
	Planes     map[string]string // the name that the control plane of a cluster has for the cluster
	Tracing    string            // the health of the tracing backend; "": there is none
	Hang       bool              // it only answers the question for the strategy

	mutex  sync.Mutex
	bodies map[string]any // of the release line
}

//go:embed api
var files embed.FS

// Lines lists the release lines that the stand-in knows.
func Lines() ([]string, error) {
	names, err := fs.Glob(files, "api/*.json")
	for i, name := range names {
		names[i] = strings.TrimSuffix(path.Base(name), ".json")
	}
	return names, err
}

// Become makes it a Kiali of a release line.
func (k *API) Become(line string) error {
	data, err := files.ReadFile("api/" + line + ".json")
	if err != nil {
		return err
	}
	var bodies map[string]any
	if err := json.Unmarshal(data, &bodies); err != nil {
		return err
	}
	k.Change(func() { k.bodies = bodies })
	return nil
}

// Change changes the fields while requests wait.
func (k *API) Change(f func()) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	f()
}

// body is an answer of the release line with its values filled in, or nil if the line has
// no such route.
func (k *API) body(name string, values ...string) any {
	if k.bodies[name] == nil {
		return nil
	}
	data, _ := json.Marshal(k.bodies[name])
	var body any
	_ = json.Unmarshal([]byte(strings.NewReplacer(values...).Replace(string(data))), &body)
	return body
}

func (k *API) answer(path string) any {
	all := []any{}
	switch path {
	case "/kiali/api/auth/info":
		return k.body("authInfo", "STRATEGY", k.Strategy)
	case "/kiali/api/status":
		about := k.body("status").(map[string]any)
		names := map[string]bool{}
		for _, cluster := range k.Answering {
			one := k.body("kubernetes", "CLUSTER", cluster)
			if name := one.(map[string]any)["name"].(string); !names[name] {
				names[name] = true
				all = append(all, one)
			}
		}
		about["externalServices"] = append(all, k.body("prometheus"))
		return about
	case "/kiali/api/namespaces":
		for cluster, names := range k.Namespaces {
			for _, name := range names {
				all = append(all, k.body("namespace", "CLUSTER", cluster, "NAMESPACE", name))
			}
		}
		return all
	case "/kiali/api/mesh/controlplanes":
		if k.bodies["controlPlane"] == nil {
			return nil
		}
		for cluster, id := range k.Planes {
			all = append(all, k.body("controlPlane", "CLUSTER", cluster, `"ID"`, `"`+id+`"`))
		}
		return all
	case "/kiali/api/istio/status":
		if k.Tracing == "" {
			return all
		}
		return append(all, k.body("tracing", "CLUSTER", k.Home, "HEALTH", k.Tracing))
	case "/kiali/api/config": // it calls every cluster accessible, as Kiali always does
		config := k.body("config", "CLUSTER", k.Home, "STRATEGY", k.Strategy).(map[string]any)
		for cluster := range k.Planes {
			config["clusters"].(map[string]any)[cluster] = k.body("cluster", "CLUSTER", cluster)
		}
		return config
	}
	return nil
}

// cookie is the name of the cookie of a session.
func (k *API) cookie() string { return "kiali-token-" + k.Home }

// admits tells whether a request is logged in: by a bearer token, or with the strategy
// token by the session of a token (K:handlers/authentication).
func (k *API) admits(r *http.Request) bool {
	cookie, err := r.Cookie(k.cookie())
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch k.Strategy {
	case "anonymous":
		return true
	case "token":
		return err == nil && cookie.Value == Session
	case "openshift", "header":
		return k.Token != "" && token == k.Token
	}
	return false
}

// ServeHTTP implements http.Handler.
func (k *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mutex.Lock()
	open, hang := r.URL.Path == "/kiali/api/auth/info", k.Hang
	code, body := http.StatusOK, k.answer(r.URL.Path)
	switch {
	case r.URL.Path == "/kiali/api/authenticate" && k.Strategy == "token" && r.Method == http.MethodPost:
		if k.Token == "" || r.PostFormValue("token") != k.Token {
			code, body = http.StatusUnauthorized, map[string]any{"error": "token is not valid or is expired"}
			break
		}
		http.SetCookie(w, &http.Cookie{Name: k.cookie(), Value: Session, Path: "/kiali", HttpOnly: true, SameSite: http.SameSiteStrictMode})
		body = map[string]any{"username": "reader", "expiresOn": "2026-11-28T00:00:00Z"}
	case !open && !k.admits(r):
		code, body = http.StatusUnauthorized, map[string]any{"error": "User unauthenticated"}
	case body == nil:
		code, body = http.StatusNotFound, map[string]any{"error": "not found"}
	}
	k.mutex.Unlock()
	if hang && !open {
		<-r.Context().Done()
		return
	}
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
