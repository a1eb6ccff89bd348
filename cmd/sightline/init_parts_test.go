package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// wholeMesh is what the parts are merged over.
const wholeMesh = `
apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: parts}
spec:
  mesh: {id: mesh1}
  kiali: {hub: east, version: v2.27}
  namespaces: [sample]
  clusters:
  - {name: east, server: 'https://api.east.example.com:6443', domain: apps.east.example.com}
  - {name: west, server: 'https://api.west.example.com:6443', domain: apps.west.example.com}
`

// onKubernetes is a hub with a Prometheus of its own.
const onKubernetes = `metrics: {prometheus: {url: 'http://prometheus.monitoring:9090'}}
clusters:
- {name: east, platform: kubernetes, server: 'https://api.east.example.com:6443', kiali: {host: kiali.example.com}}
- {name: west, platform: kubernetes, server: 'https://api.west.example.com:6443'}
`

// initParts are specs, by what they are about: each field that chance sets in no
// topology is in one.
func initParts() map[string]string {
	const git = "delivery: {repoURL: 'https://git.example.com/mesh.git', "
	return map[string]string{
		"ca":            "kiali: {ca: \"" + strings.ReplaceAll(trustedCA, "\n", `\n`) + "\"}",
		"impersonation": "kiali: {version: default, auth: {strategy: openshift, impersonation: {enabled: true, users: [jane], groups: [sre]}}}",
		"store of secrets": "kiali: {links: {source: externalSecrets, format: perCluster, externalSecrets: {store: {kind: SecretStore, " +
			"name: own}, key: 'a/{cluster}/b', refreshInterval: 90s}}}",
		"exec through a store": `kiali: {viewOnly: true, auth: {strategy: anonymous}, links: {source: externalSecrets, externalSecrets: {store: {name: vault}}}}
clusters:
- {name: east, server: 'https://api.east.example.com:6443', domain: apps.east.example.com}
- {name: west, server: 'https://api.west.example.com:6443', access: {proxyURL: 'http://proxy.example.com:3128', exec: {command: login, args: [a, b], env: {A: b}}}}
- {name: north, server: 'https://api.north.example.com:6443', access: {insecureSkipTLSVerify: true}}`,
		"operator by OLM": "kiali: {operator: {sourceNamespace: catalogs, source: mirror, package: kiali, startingCSV: kiali-operator.v2.27.1}}",
		"no operator": "kiali: {operator: {remotes: none}}\nmetrics: {store: thanos, thanos: {url: 'https://thanos.example.com', " +
			"auth: {type: basic, username: 'secret:a:b', password: 'secret:a:c'}}}",
		"no operator on Kubernetes": onKubernetes + "kiali: {auth: {strategy: anonymous}, viewOnly: true, operator: {remotes: none}}",
		"retention": "metrics: {retention: 15d, store: prometheus, prometheus: {url: 'http://prometheus.monitoring:9090', auth: {type: bearer, " +
			"token: 'secret:a:b'}}}",
		"remote write": "metrics: {store: thanos, thanos: {url: 'https://thanos.example.com', remoteWrite: {url: 'https://receive.example.com', " +
			"clusterLabel: site, metrics: [jvm_.*, http_.*], settings: {remoteTimeout: 1m, writeRelabelConfigs: [{action: labeldrop, regex: a}]}, " +
			"config: {prometheus: {retention: 15d, externalLabels: {region: eu}}}}}}",
		"Argo CD elsewhere": git + "path: a/b, revision: v2, argocd: {cluster: west, namespace: gitops, project: own, source: plugin, plugin: {name: " +
			"mine, topology: mesh.yaml}, applications: {labels: {team: sre}, annotations: {note: 'of {cluster}'}}, sync: {prune: true, selfHeal: false}}}",
		"Argo CD by hand": git + "argocd: {sync: {automated: false}, permit: {operatorChart: true, acm: true, tracing: true, accounts: true}}}",
		"Argo CD with ACM": git + "argocd: {generator: acm, placement: mesh}}\nclusters:\n- {name: east, server: 'https://api.east.example.com:6443', " +
			"domain: apps.east.example.com, managedCluster: local-cluster}\n- {name: west, server: 'https://api.west.example.com:6443'}",
		"Argo CD by its Secrets": git + "argocd: {generator: clusters}}",
		"operator's chart by Argo CD": git + "argocd: {}}\nkiali: {operator: {install: helm, chart: {repoURL: 'oci://registry.example.com/charts', " +
			"version: 2.28.0, namespace: operators, values: {image: {repo: mirror}}}}}",
		"operator's chart by Flux": git + "path: rendered, flux: {}}\nkiali: {operator: {install: helm, chart: {repoURL: " +
			"'oci://registry.example.com/charts', version: 2.28.0, secretRef: login, values: {cr: {namespace: a}}}}}",
		"Flux": git + "revision: refs/tags/v1, flux: {namespace: gitops, cluster: west, interval: 5m, timeout: 3m, prune: true, wait: false, " +
			"deletionPolicy: MirrorPrune}}\ncreateNamespaces: [kiali]\nkiali: {namespace: kiali}",
		"own monitoring": `clusters:
- {name: east, server: 'https://api.east.example.com:6443', domain: apps.east.example.com, userWorkloadMonitoring: {manage: true, config: {enableUserWorkload: true, prometheusK8s: {retention: 15d}}}}
- {name: west, server: 'https://api.west.example.com:6443'}`,
		"own Kiali": `clusters:
- {name: east, server: 'https://api.east.example.com:6443', domain: apps.east.example.com, kiali: {webRoot: /mesh, host: kiali.example.com}}
- {name: west, server: 'https://api.west.example.com:6443', kiali: {version: v2.22, spec: {deployment: {logger: {log_level: debug}}}}}`,
		"TempoStack": "tracing: {provider: spans, sampling: 12.5, tempo: {manage: true, namespace: traces, name: big, tenant: north, " +
			"tenantID: 1610b0c3-c509-4592-a256-a1871353dbfa, externalURL: 'https://console.example.com', storage: {secretName: s, type: gcs, size: 50Gi}}, " +
			"collectors: {receiver: {host: spans.example.com}, certificates: {certManager: {issuer: own, kind: Issuer}}}}",
		"Secrets of collectors": "tracing: {collectors: {certificates: {secrets: {server: a, client: b}}}}",
		"no collectors":         "tracing: {collectors: {manage: false}}",
		"a Tempo":               "tracing: {tempo: {url: 'http://tempo.traces:3200', tenant: north, externalURL: 'https://grafana.example.com'}}",
		"a Jaeger": onKubernetes + "kiali: {auth: {strategy: anonymous}, viewOnly: true}\ntracing: {jaeger: {url: 'http://jaeger.traces:16685', " +
			"externalURL: 'https://jaeger.example.com'}}",
		"traces without a Telemetry": "telemetry: {manage: false}\ntracing: {collectors: {manage: false}}",
	}
}

// partTopology is a topology with one of the parts.
func partTopology(t testing.TB, part string) []byte {
	t.Helper()
	var whole, spec map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(wholeMesh), &whole))
	require.NoError(t, yaml.Unmarshal([]byte(part), &spec), part)
	text, err := yaml.Marshal(resource.Merge(whole, map[string]any{"spec": spec}))
	require.NoError(t, err)
	return text
}

// TestInitParts does with each part what TestInitProperty does with topologies that
// chance has made.
func TestInitParts(t *testing.T) {
	t.Parallel()
	for name, part := range initParts() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := partTopology(t, part)
			_, findings := check.Parse("part.yaml", text)
			if assert.Empty(t, findings, "%s", text) {
				assertComesBack(t, text)
			}
		})
	}
}
