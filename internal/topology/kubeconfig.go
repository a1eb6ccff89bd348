package topology

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
)

// Kubeconfig is the kubeconfig with which the hub's Kiali reaches a remote. It
// has one cluster, one user and one context, all with the remote's name, because
// Kiali requires this (kiali kubernetes/cluster_secret.go). ca is in base64. ca
// and token may be placeholders of a template.
func (c *Cluster) Kubeconfig(ca, token string) map[string]any {
	cluster := map[string]any{"server": c.Server}
	if c.Access.ProxyURL != "" {
		cluster["proxy-url"] = c.Access.ProxyURL
	}
	if c.Access.InsecureSkipTLSVerify {
		cluster["insecure-skip-tls-verify"] = true
	} else {
		cluster["certificate-authority-data"] = ca
	}
	user := map[string]any{}
	if e := c.Access.Exec; e != nil {
		exec := map[string]any{"apiVersion": e.APIVersion, "command": e.Command, "interactiveMode": "Never"}
		if len(e.Args) > 0 {
			exec["args"] = e.Args
		}
		var env []any
		for _, key := range slices.Sorted(maps.Keys(e.Env)) {
			env = append(env, map[string]any{"name": key, "value": e.Env[key]})
		}
		if env != nil {
			exec["env"] = env
		}
		user["exec"] = exec
	} else {
		user["token"] = token
	}
	return map[string]any{
		"apiVersion":      "v1",
		"kind":            "Config",
		"current-context": c.Name,
		"clusters":        []any{map[string]any{"name": c.Name, "cluster": cluster}},
		"users":           []any{map[string]any{"name": c.Name, "user": user}},
		"contexts":        []any{map[string]any{"name": c.Name, "context": map[string]any{"cluster": c.Name, "user": c.Name}}},
	}
}

// CAData is the CA of the cluster's API server from the topology, in the form
// of a kubeconfig (base64), or "" if the topology has none.
func (c *Cluster) CAData() string {
	if c.Access.CA == "" {
		return ""
	}
	return base64.StdEncoding.EncodeToString([]byte(c.Access.CA))
}

// StoreKey is the key of a remote's token in the secret store.
func (t *Topology) StoreKey(c *Cluster) string {
	return strings.ReplaceAll(t.Spec.Kiali.Links.ExternalSecrets.Key, "{cluster}", c.Name)
}
