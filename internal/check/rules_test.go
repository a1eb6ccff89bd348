package check_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/upstream"
	"github.com/sightline-mesh/sightline/render"
	"github.com/sightline-mesh/sightline/templates"
)

// The mesh that the cases change: two clusters with a shared store and a version. No
// rule has a finding about it.
const sound = `
apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata: {name: test}
spec:
  mesh: {id: mesh1}
  kiali: {hub: hub, version: v2.27}
  metrics:
    store: thanos
    thanos: {url: "https://thanos.example.com"}
  namespaces: [sample]
  clusters:
  - {name: hub, server: "https://api.hub.example.com:6443", domain: apps.hub.example.com}
  - {name: west, server: "https://api.west.example.com:6443", domain: apps.west.example.com}
`

// edits are values of a topology, as YAML, by their paths. An empty value removes the
// old one. The index of a list item is part of the path. Every remote has a sealed
// link. "link NAME PATH" is a value of the link, "link NAME" is the cluster to which
// it leads, "now" is the time, and "written" is the directory in its repository.
type edits map[string]string

// objects are values of rendered objects by kind and path, as an overlay could set
// them. They change on every cluster.
type objects map[string]string

// ruleCase is a mutant with a finding of a rule, and a near miss without it.
type ruleCase struct {
	rule          string
	mutant, near  edits
	made, nearly  objects
	other         edits // a second topology beside the mutant, as changes of the sound one
	otherNear     edits
	others, alone bool // the second topology is there
	severity      finding.Severity
	crds          bool
}

// cases has one case for each rule, or more if the rule finds several mistakes.
var cases = []ruleCase{
	{rule: "SY01", mutant: edits{"text": "a: [b"}, near: edits{"metadata.name": "other"}},
	{rule: "SY02", mutant: edits{"kind": "Deployment"}, near: edits{"kind": "Topology"}},
	{rule: "SY03", mutant: edits{"spec.meshes": "{id: mesh1}"}, near: edits{"spec.mesh.id": "mesh2"}},
	{rule: "SY04", mutant: edits{"spec.namespaces": "[sample, sample]"}, near: edits{"spec.namespaces": "[sample, sample2]"}},
	{rule: "SY05", mutant: edits{"spec.mesh.id": "1"}, near: edits{"spec.mesh.id": `"1"`}},
	{rule: "SY06", mutant: edits{"spec.metrics.interval": `"30"`}, near: edits{"spec.metrics.interval": "30s"}},
	{rule: "SY07", mutant: edits{"spec.clusters.1.server": ""}, near: edits{"spec.clusters.0.server": ""}},
	{rule: "SY08", mutant: edits{"text": strings.Replace(sound, "id: mesh1", "id: &id mesh1", 1)}, near: edits{"spec.mesh.id": `"a&b"`, "spec.mesh.ID": ""}},

	{rule: "ID01", mutant: edits{"spec.clusters.1.name": "Hub"}, near: edits{"spec.clusters.1.name": "hub2"}},
	{rule: "ID02", mutant: edits{"spec.clusters.1.name": "we/st"}, near: edits{"spec.clusters.1.name": "we-st_1"}},
	{rule: "ID03", mutant: edits{"spec.clusters.1.name": "kiali-cert", "spec.kiali.links": "{format: perCluster}"}, near: edits{"spec.clusters.1.name": "kiali-cert"}},
	{rule: "ID04", mutant: edits{"spec.kiali.hub": "north"}, near: edits{"spec.kiali.hub": "west"}},
	{rule: "ID05", mutant: edits{"spec.kiali.spec": "{clustering: {kiali_urls: [{cluster_name: wets, url: 'https://k.example.com'}]}}"}, near: edits{"spec.kiali.spec": "{clustering: {clusters: [{name: legacy, secret_name: legacy}, {name: peer}], kiali_urls: [{cluster_name: west, url: 'https://k.example.com'}, {cluster_name: legacy, url: 'https://k.example.com'}, {cluster_name: peer, url: 'https://peer.example.com'}]}}"}},
	{rule: "ID06", mutant: edits{"spec.clusters.1.controlPlane": "{mode: none}"}, near: edits{"spec.clusters.0.controlPlane": "{mode: none}"}},
	{rule: "ID07", made: objects{"Kiali spec.kubernetes_config.cluster_name": "Kubernetes"}, nearly: objects{"Kiali spec.kubernetes_config.qps": "200"}},
	{rule: "ID09", mutant: edits{}, other: edits{"metadata.name": "two", "spec.clusters.0.server": "https://api.a.example.com", "spec.clusters.0.domain": "apps.a.example.com", "spec.clusters.1.server": "https://api.b.example.com", "spec.clusters.1.domain": ""}, others: true,
		near: edits{}, otherNear: edits{"metadata.name": "two", "spec.mesh.id": "mesh2", "spec.clusters.0.server": "https://api.a.example.com", "spec.clusters.0.domain": "apps.a.example.com", "spec.clusters.1.server": "https://api.b.example.com", "spec.clusters.1.domain": ""}, alone: true},
	{rule: "ID10", mutant: edits{"spec.clusters.1.name": "West"}, near: edits{"spec.clusters.1.name": "west.1"}},
	{rule: "ID11", mutant: edits{"spec.clusters.1.network": "n1"}, near: edits{"spec.clusters.0.network": "n1", "spec.clusters.1.network": "n2", "spec.clusters.0.gateways": "[gw]", "spec.namespaces": "[istio-eastwest]"}},
	{rule: "ID12", mutant: edits{"spec.clusters.1.controlPlane": "{mode: external, primary: hub}"}, near: edits{"spec.clusters.1.controlPlane": "{mode: external}"}},
	{rule: "ID13", mutant: edits{"spec.clusters.1.controlPlane": "{mode: remote, primary: hub}"}, near: edits{"spec.clusters.1.controlPlane": "{mode: external}"}},
	{rule: "ID14", mutant: edits{"spec.namespaces": "[nul]"}, near: edits{"spec.namespaces": "[null, con-sumer, com10]"}, severity: finding.Warning},
	{rule: "ID15", mutant: edits{"spec.namespaces": ""}, near: edits{"spec.namespaces": "", "spec.clusters.1.namespaces": "[sample]"}, severity: finding.Warning},
	{rule: "DL08", mutant: edits{"spec.delivery": "{repoURL: 'https://git.example.com/a.git', path: a, argocd: {}, flux: {}}"}, near: edits{"spec.delivery": "{repoURL: 'https://git.example.com/a.git', path: a, argocd: {}}"}, severity: finding.Warning},
	{rule: "DL09", mutant: edits{"written": "rendered", "spec.delivery": "{repoURL: 'https://git.example.com/a.git', argocd: {}}"}, near: edits{"written": "a/b", "spec.delivery": "{repoURL: 'https://git.example.com/a.git', path: a/b, argocd: {}}"}, severity: finding.Warning},

	{rule: "KC01", made: objects{"Kiali[west] spec.deployment.instance_name": "kiali2"}, nearly: objects{"Kiali spec.deployment.replicas": "2"}},
	{rule: "KC02", mutant: edits{"spec.clusters.1.kiali": "{spec: {auth: {openshift: {redirect_uris: ['https://kiali-istio-system.apps.hub.example.com/api/auth/callback/wets']}}}}"},
		near: edits{"spec.clusters.1.kiali": "{spec: {auth: {openshift: {redirect_uris: ['https://kiali-istio-system.apps.hub.example.com/api/auth/callback/west', 'https://other.example.com']}}}}"}},
	{rule: "KC03", mutant: edits{"spec.clusters.1.kiali": "{spec: {auth: {openshift: {redirect_uris: ['https://{kiali-route-hostname}/api/auth/callback/west']}}}}"},
		near: edits{"spec.clusters.0.domain": "apps.example.com"}},
	{rule: "KC04", mutant: edits{"spec.clusters.0.kiali": "{webRoot: /mesh, spec: {auth: {openshift: {redirect_uris: ['https://kiali-istio-system.apps.hub.example.com/api/auth/callback']}}}}"},
		near: edits{"spec.clusters.0.kiali": "{webRoot: /mesh}"}},
	{rule: "KC05", mutant: edits{"spec.kiali.auth": "{strategy: token}", "spec.clusters.0.platform": "kubernetes"}, near: edits{"spec.kiali.auth": "{strategy: anonymous}", "spec.clusters.0.platform": "kubernetes"}},
	{rule: "KC06", mutant: edits{"spec.clusters.1.platform": "kubernetes", "spec.kiali.operator": "{install: none}"}, near: edits{"spec.clusters.1.platform": "openshift"}},
	{rule: "KC07", mutant: edits{"spec.kiali.version": "default", "spec.kiali.spec": "{auth: {openshift: {impersonation: {enabled: true, allowed_groups: [mesh]}}}}"}, near: edits{"spec.kiali.spec": "{auth: {openshift: {token_max_age: 3600}}}"}},
	{rule: "KC26", mutant: edits{"spec.kiali.spec": "{auth: {openid: {client_id: kiali, issuer_uri: 'https://login.example.com'}}}"}, near: edits{"spec.kiali.auth": "{strategy: openid}", "spec.kiali.spec": "{auth: {openid: {client_id: kiali, issuer_uri: 'https://login.example.com'}}}"}},
	{rule: "KC08", mutant: edits{"spec.kiali.spec": "{deployment: {cluster_wide_access: false}}"}, near: edits{"spec.kiali.spec": "{deployment: {cluster_wide_access: true}}"}},
	{rule: "KC09", mutant: edits{"spec.kiali.version": "v2.17", "spec.kiali.spec": "{chat_ai: {enabled: true}}"}, near: edits{"spec.kiali.version": "v2.22", "spec.kiali.spec": "{chat_ai: {enabled: true}}"}},
	{rule: "KC10", made: objects{"Kiali spec.deployment.namespace": "other"}, nearly: objects{"Kiali spec.deployment.namespace": "istio-system"}},
	{rule: "KC11", mutant: edits{"spec.kiali.instanceName": strings.Repeat("k", 41)}, near: edits{"spec.kiali.instanceName": strings.Repeat("k", 40)}},
	{rule: "KC12", mutant: edits{"spec.kiali.spec": "{deployment: {verbose_mode: '4'}}"}, near: edits{"spec.kiali.spec": "{deployment: {logger: {log_level: debug}}}"}},
	{rule: "KC13", mutant: edits{"spec.kiali.spec": "{deployment: {replica: 2}}"}, near: edits{"spec.kiali.spec": "{deployment: {replicas: 2}}"}},
	{rule: "KC15", mutant: edits{"spec.kiali.spec": "{external_services: {grafana: {enabled: true}}}"}, near: edits{"spec.kiali.spec": "{external_services: {grafana: {enabled: true, internal_url: 'http://grafana.monitoring:3000'}}}"}},
	{rule: "KC16", mutant: edits{"spec.kiali.auth": "{strategy: anonymous}"}, near: edits{"spec.kiali.auth": "{strategy: anonymous}", "spec.kiali.viewOnly": "true", "spec.clusters.0.platform": "kubernetes", "spec.kiali.operator": "{install: none}"}},
	{rule: "KC17", mutant: edits{"spec.clusters.1.kiali": "{version: v2.22}"}, near: edits{"spec.clusters.1.kiali": "{version: v2.27}"}},
	{rule: "KC18", mutant: edits{"spec.kiali.spec": "{clustering: {clusters: [{name: west}, {name: peer}], kiali_urls: [{cluster_name: peer, url: 'https://k.example.com'}]}}"},
		near: edits{"spec.kiali.spec": "{clustering: {clusters: [{name: peer}], kiali_urls: [{cluster_name: peer, url: 'https://k.example.com'}]}}"}},
	{rule: "KC18", mutant: edits{"spec.kiali.spec": "{clustering: {clusters: [{name: west}]}}"}, near: edits{"spec.kiali.spec": "{clustering: {clusters: []}}"}},
	{rule: "KC19", mutant: edits{"spec.kiali.version": "default"}, near: edits{"spec.kiali.version": "v2.22"}},
	{rule: "KC20", mutant: edits{"spec.kiali.instanceName": strings.Repeat("k", 40), "spec.kiali.namespace": strings.Repeat("n", 23)}, near: edits{"spec.kiali.instanceName": strings.Repeat("k", 40), "spec.kiali.namespace": strings.Repeat("n", 22)}},

	{rule: "KC25", mutant: edits{"spec.kiali.spec": "{auth: []}"}, near: edits{"spec.kiali.spec": "{auth: {}}"}},
	{rule: "KC25", mutant: edits{"spec.kiali.spec": "{server: {web_port: 443}}"}, near: edits{"spec.kiali.spec": "{server: {web_port: '443', web_schema: https}}"}},

	{rule: "RS01", mutant: edits{"link west spec.server": "https://api.east.example.com:6443"}, near: edits{"link west spec.generation": "2", "link west spec.tokens": "[1, 2]"}},
	{rule: "RS02", mutant: edits{"spec.clusters.1.server": "https://127.0.0.1:6443"}, near: edits{"spec.clusters.1.server": "https://128.0.0.1:6443"}},
	{rule: "RS03", mutant: edits{"spec.kiali.spec": "{auth: {openshift: {insecure_skip_verify_tls: true}}}"}, near: edits{"spec.kiali.spec": "{auth: {openshift: {insecure_skip_verify_tls: false}}}"}},
	{rule: "RS04", mutant: edits{"now": "2126-02-01T00:00:00Z"}, near: edits{"now": "2125-12-01T00:00:00Z"}},
	{rule: "RS05", mutant: edits{"spec.kiali.spec": `{chat_ai: {providers: [{name: a, key: "sha256~0123456789abcdefghijklmno"}]}}`}, near: edits{"spec.kiali.spec": `{chat_ai: {providers: [{name: a, key: "secret:chat:key"}]}}`}},
	{rule: "RS06", mutant: edits{"link west spec.encryptedData": "AgB0"}, near: edits{"spec.kiali.links": "{format: perCluster}"}},
	{rule: "RS07", made: objects{"SealedSecret spec.template.metadata.labels": "{kiali.io/multiCluster: 'true'}"}, nearly: objects{"SealedSecret spec.template.metadata.labels": "{kiali.io/kiali-multi-cluster-secret: 'true'}"}},
	{rule: "RS08", mutant: edits{"spec.kiali.links": "{format: perCluster}", "spec.kiali.spec": "{deployment: {pod_annotations: {sightline.dev/links: mine}}}"},
		near: edits{"spec.kiali.links": "{format: perCluster}", "spec.kiali.spec": "{deployment: {pod_annotations: {mine: mine}}}"}},
	{rule: "RS09", made: objects{"Secret metadata.annotations": "{kubernetes.io/service-account.name: kiali, argocd.argoproj.io/sync-wave: '40'}"}, nearly: objects{"Secret metadata.labels": "{a: b}"}},
	{rule: "RS10", made: objects{"Secret metadata.annotations": "{kubernetes.io/service-account.name: kiali-service-account, argocd.argoproj.io/sync-wave: '30'}"}, nearly: objects{"Secret metadata.annotations": "{kubernetes.io/service-account.name: kiali-service-account, argocd.argoproj.io/sync-wave: '31'}"}},
	{rule: "RS11", mutant: edits{"spec.clusters.1.access": "{exec: {command: login}}", "spec.kiali.spec": "{clustering: {enable_exec_provider: false}}"}, near: edits{"spec.clusters.1.access": "{exec: {command: login}}"}},
	{rule: "RS12", mutant: edits{"spec.kiali.spec": "{clustering: {clusters: [{name: west, secret_name: west}]}}"}, near: edits{"spec.kiali.spec": "{clustering: {clusters: [{name: legacy, secret_name: west}]}}"}},
	{rule: "RS13", mutant: edits{"link west spec.tokenExpires": `"2125-12-02T00:00:00Z"`, "now": "2125-12-03T00:00:00Z"}, near: edits{"link west spec.tokenExpires": `"2125-12-02T00:00:00Z"`}},
	{rule: "RS15", mutant: edits{"remotes": "21"}, near: edits{"remotes": "20"}},
	{rule: "RS17", mutant: edits{"link west size": "1048577"}, near: edits{"link west size": "838860"}},
	{rule: "RS18", mutant: edits{"link west": ""}, near: edits{"link west": "", "spec.kiali.links": "{source: external}"}, severity: finding.Warning},
	{rule: "RS19", mutant: edits{"link west": "east"}, near: edits{"link west": "west"}},
	{rule: "RS16", made: objects{"Secret metadata.labels": "{kiali.io/kiali-multi-cluster-secret: 'true'}"}, nearly: objects{"Secret metadata.labels": "{kiali.io/other: 'true'}"}},

	{rule: "IN17", mutant: edits{"spec.kiali.spec": "{deployment: {image_version: v2.27.1}}"}, near: edits{"spec.kiali.spec": "{deployment: {image_version: v2.27.1}}", "spec.kiali.operator": "{install: none}"}},
	{rule: "IN17", mutant: edits{"spec.kiali.spec": "{deployment: {additional_pod_init_containers_yaml: [{name: a, image: 'b:1'}]}}"}, near: edits{"spec.kiali.spec": "{deployment: {additional_pod_init_containers_yaml: [{name: a, image: 'b:1'}]}}", "spec.kiali.operator": "{install: none}"}},
	{rule: "IN17", mutant: edits{"spec.kiali.operator": chart("cr: {create: true}"), "spec.delivery": argoCD("")}, near: edits{"spec.kiali.operator": chart("cr: {create: false}"), "spec.delivery": argoCD("")}},
	{rule: "IN17", mutant: edits{"spec.kiali.operator": chart("watchNamespace: elsewhere"), "spec.delivery": argoCD("")}, near: edits{"spec.kiali.operator": chart("watchNamespace: istio-system"), "spec.delivery": argoCD("")}},
	{rule: "IN17", mutant: edits{"spec.kiali.operator": chart("clusterRoleCreator: false"), "spec.delivery": argoCD("")}, near: edits{"spec.kiali.operator": chart("clusterRoleCreator: true"), "spec.delivery": argoCD("")}},
	{rule: "IN17", mutant: edits{"spec.kiali.operator": chart("allowAllAccessibleNamespaces: false"), "spec.delivery": argoCD("")}, near: edits{"spec.kiali.operator": chart("allowAllAccessibleNamespaces: true"), "spec.delivery": argoCD("")}},
	{rule: "IN17", mutant: edits{"spec.kiali.operator": chart("onlyViewOnlyMode: true"), "spec.delivery": argoCD("")}, near: edits{"spec.kiali.operator": chart("onlyViewOnlyMode: true"), "spec.delivery": argoCD(""), "spec.kiali.viewOnly": "true"}},
	{rule: "RS21", mutant: edits{"spec.clusters.1.access": "{proxyURL: 'http://proxy.example.com:3128'}"}, near: edits{"spec.clusters.1.access": "{proxyURL: 'http://proxy.example.com:3128'}", "spec.kiali.auth": "{strategy: anonymous}", "spec.kiali.viewOnly": "true"}},
	{rule: "RS25", mutant: edits{"link west": "", "spec.kiali.links": "{source: externalSecrets, format: perCluster, externalSecrets: {store: {name: vault}}}"},
		near: edits{"link west": "", "spec.kiali.links": "{source: externalSecrets, externalSecrets: {store: {name: vault}}}"}},
	{rule: "RS26", mutant: edits{"link west": "", "spec.kiali.links": "{source: sops}", "spec.delivery": "{repoURL: 'https://git.example.com/mesh.git', argocd: {}}"},
		near: edits{"link west": "", "spec.kiali.links": "{source: sops}", "spec.delivery": "{repoURL: 'https://git.example.com/mesh.git', flux: {}}"}},
	{rule: "RS27", mutant: edits{"link west": "", "spec.kiali.links": "{source: acm, format: perCluster}"},
		near: edits{"link west": "", "spec.kiali.links": "{source: acm}"}},
	{rule: "RS28", mutant: edits{"link west": "", "spec.kiali.links": "{source: acm}", "spec.clusters.1.managedCluster": "local-cluster"},
		near: edits{"link west": "", "spec.kiali.links": "{source: acm}", "spec.clusters.1.managedCluster": "prod-west"}},
	{rule: "RS29", mutant: edits{"link west": "", "spec.kiali.links": "{source: acm, acm: {validity: 9m}}"},
		near: edits{"link west": "", "spec.kiali.links": "{source: acm, acm: {validity: 24h}}"}},
	{rule: "RS22", mutant: edits{"remotes": "11"}, near: edits{"remotes": "11", "spec.kiali.spec": "{deployment: {probes: {startup: {failure_threshold: 30}}, resources: {limits: {memory: 4Gi}}}, health_config: {compute: {refresh_interval: 10m}}}"}},

	{rule: "RS23", mutant: edits{"spec.kiali.links": "{source: external, format: perCluster}"}, near: edits{"spec.kiali.links": "{source: external}"}},
	{rule: "RS24", mutant: edits{"spec.clusters.1.access": "{exec: {command: login}}"}, near: edits{"spec.clusters.1.access": "{exec: {command: login, subject: {kind: Group, name: readers}}}"}},
	{rule: "PM47", mutant: edits{"spec.kiali.version": "v2.22", "spec.mesh.dataPlane": "ambient", "spec.clusters.0.controlPlane": "{mode: none}"}, near: edits{"spec.mesh.dataPlane": "ambient", "spec.clusters.0.controlPlane": "{mode: none}"}},
	{rule: "PM48", mutant: edits{"spec.metrics": "{interval: 1m, store: prometheus, prometheus: {url: 'http://prometheus.example.com'}}"}, near: edits{"spec.metrics": "{interval: 1m, retention: 15d, store: prometheus, prometheus: {url: 'http://prometheus.example.com'}}"}},

	{rule: "PM01", made: objects{"PodMonitor spec.namespaceSelector": "{any: true}"}, nearly: objects{"PodMonitor spec.jobLabel": "envoy-stats"}},
	{rule: "PM02", made: objects{"drop PodMonitor": ""}, nearly: objects{"PodMonitor spec.jobLabel": "envoy-stats"}},
	{rule: "PM03", mutant: edits{"spec.clusters.1.gateways": "[openshift-ingress]"}, near: edits{"spec.clusters.1.gateways": "[ingress-openshift]"}},
	{rule: "PM04", made: objects{"PodMonitor spec.podMetricsEndpoints.0.relabelings.2.regex": `'(\\d+);(.*)'`}, nearly: objects{"PodMonitor spec.podMetricsEndpoints.0.relabelings.2.regex": `'(\d+);(.*)'`}},
	{rule: "PM05", made: objects{"PodMonitor spec.podMetricsEndpoints.0.relabelings.1": "{action: Keep, sourceLabels: [a]}"}, nearly: objects{"PodMonitor spec.podMetricsEndpoints.0.relabelings.1": "{action: labelmap, sourceLabels: [a]}"}},
	{rule: "PM06", mutant: edits{}, made: objects{"ServiceMonitor spec.endpoints.0.relabelings.0.replacement": "mesh2"}, nearly: objects{"ServiceMonitor spec.endpoints.0.interval": "15s"}},
	{rule: "PM07", mutant: edits{"spec.kiali.spec": "{external_services: {prometheus: {query_scope: {cluster: 'hub|west'}}}}"}, near: edits{"spec.kiali.spec": "{external_services: {prometheus: {query_scope: {cluster: hub-west}}}}"}},
	{rule: "PM08", mutant: edits{"spec.metrics.store": "thanosQuerier", "spec.metrics.thanos": "", "spec.kiali.spec": "{external_services: {prometheus: {query_scope: {tenant: x}}}}"},
		near: edits{"spec.metrics.thanos.remoteWrite": "{url: 'https://r.example.com', config: {prometheus: {externalLabels: {tenant: x}}}}", "spec.kiali.spec": "{external_services: {prometheus: {query_scope: {tenant: x}}}}"}},
	{rule: "PM09", mutant: edits{"spec.clusters.1.controlPlane": "{mode: remote}"}, made: objects{"add ServiceMonitor": ""}, near: edits{"spec.clusters.1.controlPlane": "{mode: remote}"}},
	{rule: "PM10", made: objects{"ServiceMonitor spec.selector": "{matchLabels: {istio: pilot}}"}, nearly: objects{"ServiceMonitor spec.selector.matchLabels.app": "istiod"}},
	{rule: "PM11", made: objects{"PodMonitor spec.podMetricsEndpoints.0.metricRelabelings": "[{action: labeldrop, regex: 'source_.*'}]"}, nearly: objects{"PodMonitor spec.podMetricsEndpoints.0.metricRelabelings": "[{action: labeldrop, regex: 'request_operation|destination_app'}]"}},
	{rule: "PM12", mutant: edits{"spec.metrics.store": "thanosQuerier", "spec.metrics.thanos": "", "spec.kiali.spec": "{external_services: {prometheus: {auth: {use_kiali_token: false}}}}"},
		near: edits{"spec.metrics.store": "thanosQuerier", "spec.metrics.thanos": "", "spec.kiali.spec": "{external_services: {prometheus: {auth: {insecure_skip_verify: false}}}}"}},
	{rule: "PM13", mutant: edits{"spec.metrics.store": "thanosQuerier", "spec.metrics.thanos": ""}, near: edits{"spec.metrics.store": "thanosQuerier", "spec.metrics.thanos": "", "spec.clusters.1": ""}},
	{rule: "PM17", mutant: edits{"spec.kiali.spec": "{external_services: {tracing: {auth: {use_kiali_token: true, type: basic}}}}"}, near: edits{"spec.kiali.spec": "{external_services: {tracing: {auth: {use_kiali_token: true, type: bearer}}}}"}},
	{rule: "PM18", mutant: edits{"spec.kiali.spec": "{external_services: {prometheus: {auth: {ca_file: /ca.pem}}}}"}, near: edits{"spec.kiali.version": "v2.17", "spec.kiali.spec": "{external_services: {prometheus: {auth: {ca_file: /ca.pem}}}}"}},
	{rule: "PM19", mutant: edits{"spec.kiali.auth": "{strategy: anonymous}", "spec.metrics.store": "thanosQuerier", "spec.metrics.thanos": ""}, near: edits{"spec.kiali.auth": "{strategy: anonymous}"}},
	{rule: "PM20", mutant: edits{"spec.metrics.thanos.url": "https://mimir.example.com/prometheus"}, near: edits{"spec.metrics.thanos.url": "https://mimir.example.com/prometheus", "spec.kiali.spec": "{external_services: {prometheus: {health_check_url: 'https://mimir.example.com/ready'}}}"}},
	{rule: "PM21", mutant: edits{"spec.metrics.userWorkloadMonitoring": "{manage: true}"}, near: edits{"spec.metrics.userWorkloadMonitoring": "{manage: true, config: {enableUserWorkload: true}}"}},
	{rule: "PM22", mutant: edits{"spec.metrics.thanos.remoteWrite": "{url: 'https://r.example.com', config: {prometheus: {enforcedLabelLimit: 30}}}"}, near: edits{"spec.metrics.thanos.remoteWrite": "{url: 'https://r.example.com', config: {prometheus: {enforcedLabelLimit: 60}}}"}},
	{rule: "PM23", made: objects{"Subscription *": "{apiVersion: telemetry.istio.io/v1, kind: Telemetry, metadata: {name: other, namespace: istio-system}, spec: {}}"},
		nearly: objects{"Subscription *": "{apiVersion: telemetry.istio.io/v1, kind: Telemetry, metadata: {name: other, namespace: istio-system}, spec: {selector: {matchLabels: {app: a}}}}"}},
	{rule: "PM24", mutant: edits{"spec.metrics.interval": "10m"}, near: edits{"spec.metrics.interval": "5m"}},
	{rule: "PM25", mutant: edits{"spec.metrics.thanos.remoteWrite": "{url: 'https://r.example.com'}"}, made: objects{"ConfigMap data": `{config.yaml: "prometheus: {externalLabels: {region: eu}}"}`}, near: edits{"spec.metrics.thanos.remoteWrite": "{url: 'https://r.example.com'}"}, nearly: objects{"ConfigMap metadata.labels": "{a: b}"}},
	{rule: "PM26", mutant: edits{"spec.kiali.spec": "{external_services: {grafana: {auth: {password: hunter2}}}}"}, near: edits{"spec.kiali.spec": "{external_services: {grafana: {auth: {password: 'secret:grafana:password'}}}}"}},

	{rule: "PM27", mutant: edits{"spec.metrics.thanos.remoteWrite": "{url: 'https://r.example.com', clusterLabel: cluster}"}, near: edits{"spec.metrics.thanos.remoteWrite": "{url: 'https://r.example.com', clusterLabel: cluster_id}"}},
	{rule: "PM28", mutant: edits{"spec.metrics.thanos.remoteWrite": "{url: 'https://r.example.com'}"}, near: edits{"spec.metrics.thanos.url": "https://thanos2.example.com"}},

	{rule: "PM30", mutant: edits{"spec.kiali.version": "v2.4"}, near: edits{"spec.kiali.version": "v2.4", "spec.kiali.spec": "{external_services: {prometheus: {auth: {ca_file: /kiali-override-secrets/ca/ca.pem}}}}"}},
	{rule: "PM29", mutant: edits{"spec.metrics": "{store: prometheus, prometheus: {url: 'http://prometheus.istio-system:9090'}}"}, near: edits{"spec.metrics": "{store: prometheus, scope: none, prometheus: {url: 'http://prometheus.istio-system:9090'}}"}},
	{rule: "PM34", mutant: edits{"spec.metrics.thanos.remoteWrite": "{url: 'https://r.example.com'}", "spec.clusters.1.platform": "kubernetes", "spec.kiali.operator": "{install: none}"}, near: edits{"spec.metrics.thanos.remoteWrite": "{url: 'https://r.example.com'}"}},
	{rule: "PM35", mutant: edits{"spec.metrics.thanos.remoteWrite": "{url: 'http://thanos-receive.monitoring.svc:19291'}"}, near: edits{"spec.metrics.thanos.remoteWrite": "{url: 'https://receive.example.com'}"}},
	{rule: "PM36", mutant: edits{"spec.metrics.thanos.url": "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1"}, near: edits{"spec.metrics.thanos.url": "http://aws-sigv4-proxy.monitoring:8005/workspaces/ws-1"}},
	{rule: "PM36", mutant: edits{"spec.metrics.thanos.remoteWrite": "{url: 'https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1/api/v1/remote_write'}"},
		near: edits{"spec.metrics.thanos.remoteWrite": "{url: 'https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1/api/v1/remote_write', settings: {sigv4: {region: eu-west-1}}}"}},
	{rule: "PM37", mutant: edits{"spec.metrics.labels": "{openshift.io/user-monitoring: 'false'}"}, near: edits{"spec.metrics.labels": "{openshift.io/user-monitoring: 'true'}"}},
	{rule: "PM38", made: objects{"PodMonitor spec.podMetricsEndpoints.0.metricRelabelings": "[{action: drop, sourceLabels: [__name__], regex: 'istio_request.*'}]"},
		nearly: objects{"PodMonitor spec.podMetricsEndpoints.0.metricRelabelings": "[{action: drop, sourceLabels: [__name__], regex: 'envoy_cluster_lb.*'}]"}},
	{rule: "PM49", mutant: edits{"spec.telemetry": "{spec: {metrics: [{providers: [{name: stackdriver}]}]}}"}, near: edits{"spec.telemetry": "{spec: {metrics: [{providers: [{name: stackdriver}, {name: prometheus}]}]}}"}},
	{rule: "PM39", mutant: edits{"spec.mesh.dataPlane": "ambient", "spec.clusters.0.network": "n1", "spec.clusters.1.network": "n2"}, near: edits{"spec.mesh.dataPlane": "ambient", "spec.clusters.0.network": "n1", "spec.clusters.1.network": "n1"}},

	{rule: "ID08", mutant: acm("release: '2.16', hub: hub"), near: acm("release: '2.16', hub: hub", "spec.clusters.0.managedCluster", "hub")},
	{rule: "PM14", mutant: acm("release: '2.16', hub: hub"), made: objects{"ScrapeConfig spec.metricRelabelings": "[]"},
		near: acm("release: '2.16', hub: hub"), nearly: objects{"ScrapeConfig spec.metricRelabelings": "[{sourceLabels: [__name__], regex: 'workload:(.+)', targetLabel: __name__}, {action: labeldrop, regex: node_.*}]"}},
	{rule: "PM15", mutant: acm("release: '2.14', hub: hub, allowList: {in: hub, more: {names: [container_cpu_usage_seconds_total]}}"),
		near: acm("release: '2.14', hub: hub, allowList: {in: hub, more: {names: [kiali_health_status]}}")},
	{rule: "PM16", mutant: acm("release: '2.14'"), made: objects{"ConfigMap data": "{metrics_list.yaml: 'names: []'}"}, near: acm("release: '2.14'"), nearly: objects{"ConfigMap metadata.labels.team": "mesh"}},
	{rule: "PM41", mutant: acm("release: '2.16', hub: hub"), made: objects{"ScrapeConfig spec.params.match[].99": `'{__name__="container_memory_working_set_bytes"}'`},
		near: acm("release: '2.16', hub: hub"), nearly: objects{"ScrapeConfig spec.params.match[].99": `'{__name__="kiali_health_status"}'`}},
	{rule: "PM43", mutant: acm("release: '2.16'", "spec.clusters.1.platform", "kubernetes", "spec.kiali.auth", "{strategy: anonymous}", "spec.kiali.operator", "{install: none}"),
		near: acm("release: '2.16'", "spec.kiali.auth", "{strategy: anonymous}", "spec.kiali.operator", "{install: none}")},
	{rule: "PM50", mutant: acm(`release: "2.16"`, "spec.clusters.1.namespaces", "[other]"), near: acm(`release: "2.16"`, "spec.clusters.1.namespaces", "[other]", "spec.createNamespaces", "[other]")},
	{rule: "PM44", mutant: acm("release: '2.14', allowList: {in: none}"), near: acm("release: '2.14', allowList: {in: hub}")},
	{rule: "PM40", mutant: acm("release: '2.16', interval: 89s"), near: acm("release: '2.16', interval: 90s")},
	{rule: "PM42", mutant: acm("release: '2.16', access: internal, hub: west"), near: acm("release: '2.16', access: internal, hub: hub")},
	{rule: "TR01", mutant: edits{"spec.kiali.spec": "{external_services: {tracing: {provider: tempo, internal_url: 'http://tempo-query-frontend.tempo:3200'}}}"}, near: edits{"spec.kiali.spec": "{external_services: {tracing: {provider: tempo, use_grpc: false, internal_url: 'http://tempo-query-frontend.tempo:3200'}}}"}},
	{rule: "TR02", mutant: edits{"spec.kiali.spec": "{external_services: {tracing: {tempo_config: {url_format: openshift, name: a, namespace: b}}}}"}, near: edits{"spec.kiali.spec": "{external_services: {tracing: {tempo_config: {url_format: openshift, name: a, namespace: b, tenant: c}}}}"}},
	{rule: "TR03", mutant: edits{"spec.clusters.1.kiali": "{spec: {external_services: {tracing: {enabled: true}}}}"}, near: edits{"spec.clusters.0.kiali": "{spec: {external_services: {tracing: {enabled: true}}}}"}},

	{rule: "TR04", mutant: edits{"spec.kiali.spec": "{external_services: {tracing: {provider: tempo, use_grpc: false, internal_url: 'https://tempo-mesh-gateway.tempo.svc:8080', auth: {type: bearer, use_kiali_token: true}}}}"},
		near: edits{"spec.kiali.spec": "{external_services: {tracing: {provider: tempo, use_grpc: false, internal_url: 'http://tempo-query-frontend.tempo.svc:3200'}}}"}},
	{rule: "TR05", mutant: edits{"spec.telemetry": "{spec: {tracing: [{randomSamplingPercentage: 101}]}}"}, near: edits{"spec.telemetry": "{spec: {tracing: [{randomSamplingPercentage: 100}]}}"}},
	{rule: "TR06", mutant: edits{"spec.kiali.spec": console("https://tempo.apps.hub.example.com")}, near: edits{"spec.kiali.spec": console("https://console-openshift-console.apps.hub.example.com/")}},
	{rule: "TR07", mutant: edits{}, others: true, other: besides(edits{"spec.mesh.controlPlaneNamespace": "", "spec.kiali.namespace": "two", "spec.metrics.monitors": "{manage: false}", "spec.telemetry": "{name: other}"}),
		near: edits{}, alone: true, otherNear: besides(edits{"spec.mesh.controlPlaneNamespace": "", "spec.kiali.namespace": "two", "spec.metrics.monitors": "{manage: false}", "spec.telemetry": "{manage: false}"})},
	{rule: "TR08", mutant: edits{"spec.kiali.version": "v2.11", "spec.tracing": stack}, near: edits{"spec.kiali.version": "v2.17", "spec.tracing": stack}},
	{rule: "TR09", mutant: edits{"spec.tracing": "{sampling: 0.5}"}, near: edits{"spec.tracing": "{sampling: 0.5, collectors: {manage: false}}"}},
	{rule: "TR10", mutant: edits{"spec.tracing": "{jaeger: {url: 'http://jaeger-query.tracing:16685'}}"}, near: edits{"spec.telemetry": "{spec: {tracing: [{randomSamplingPercentage: 1}]}}"}},

	{rule: "IN01", made: objects{"drop Subscription": ""}, mutant: edits{"spec.kiali.operator": "{install: olm}"}, near: edits{"spec.kiali.operator": "{install: none}"}},
	{rule: "IN02", made: objects{"Telemetry *": "{kind: OperatorGroup, metadata: {name: a, namespace: openshift-operators}, spec: {}}"}, nearly: objects{"Telemetry *": "{kind: OperatorGroup, metadata: {name: a, namespace: kiali-operator}, spec: {}}"}},
	{rule: "IN03", mutant: edits{"spec.kiali.operator": "{source: community-operators}"}, near: edits{"spec.kiali.operator": "{source: mirrored-operators}"}},
	{rule: "IN04", made: objects{"Subscription spec.installPlanApproval": "Manual"}, nearly: objects{"Subscription spec.installPlanApproval": "Automatic"}},
	{rule: "IN05", made: objects{"Kiali metadata.annotations": "{argocd.argoproj.io/sync-wave: '30'}"}, nearly: objects{"Telemetry metadata.annotations": "{a: b}"}},
	{rule: "IN06", made: objects{"Subscription metadata.annotations": "{argocd.argoproj.io/sync-wave: '30'}"}, nearly: objects{"Subscription metadata.annotations": "{argocd.argoproj.io/sync-wave: '29'}"}},
	{rule: "IN07", mutant: edits{"spec.delivery": byFlux("deletionPolicy: MirrorPrune, prune: true")}, near: edits{"spec.delivery": byFlux("deletionPolicy: MirrorPrune")}},
	{rule: "IN08", mutant: edits{"spec.clusters.0.name": "eu-1", "spec.clusters.1.name": "eu.1", "spec.kiali.hub": "eu-1"}, near: edits{"spec.clusters.0.name": "eu-1", "spec.clusters.1.name": "eu1", "spec.kiali.hub": "eu-1"}},
	{rule: "IN09", mutant: edits{"spec.clusters.1.server": "https://API.hub.example.com:6443/"}, near: edits{"spec.clusters.1.server": "https://api.hub.example.com:6444"}},
	{rule: "IN10", mutant: edits{"spec.kiali.spec": "{external_services: {grafana: {external_url: 'kiali.${CTX_CLUSTER1}.example.com'}}}"}, near: edits{"spec.kiali.spec": "{external_services: {grafana: {external_url: kiali.example.com}}}"}, nearly: objects{"PodMonitor spec.podMetricsEndpoints.0.relabelings.4.replacement": "${1}${2}"}},
	{rule: "IN11", mutant: edits{"spec.kiali.operator": "{install: none}", "spec.kiali.spec": "{deployment: {image_version: latest}}"}, near: edits{"spec.kiali.spec": "{deployment: {image_version: v2.27.0}}"}},
	{rule: "IN12", mutant: edits{}, others: true, other: edits{"metadata.name": "two", "spec.mesh.id": "mesh2"}, near: edits{}, alone: true,
		otherNear: besides(nil)},
	{rule: "IN13", made: objects{"copy Telemetry": ""}, nearly: objects{"PodMonitor spec.jobLabel": "a"}},

	{rule: "IN14", mutant: edits{"spec.kiali.operator": "{install: helm, chart: {version: 2.27.1}}", "spec.delivery": argoCD("")}, near: edits{"spec.kiali.operator": "{install: helm, chart: {version: 2.28.0}}", "spec.delivery": argoCD("")}},
	{rule: "IN14", mutant: edits{"spec.kiali.operator": "{install: helm, chart: {version: 2.28.0, values: {image: {tag: v2.27.0}}}}", "spec.delivery": argoCD("")},
		near: edits{"spec.kiali.operator": "{install: helm, chart: {version: 2.27.0, values: {image: {tag: v2.27.1}}}}", "spec.delivery": argoCD("")}},

	{rule: "DL01", mutant: edits{"spec.delivery": byFlux("")}, made: objects{"PodMonitor metadata.annotations": "{argocd.argoproj.io/sync-wave: '50'}", "PodMonitor spec.podMetricsEndpoints.0.relabelings.4.replacement": "${1}${2}"},
		near: edits{"spec.delivery": byFlux("")}, nearly: objects{"PodMonitor spec.podMetricsEndpoints.0.relabelings.4.replacement": "${1}${2}"}},
	{rule: "DL02", mutant: edits{"spec.delivery": "{repoURL: 'https://git.example.com/{{team}}/mesh.git', argocd: {}}"}, near: edits{"spec.delivery": "{repoURL: 'https://git.example.com/{team}/mesh.git', argocd: {}}"}},
	{rule: "DL04", mutant: edits{"spec.kiali.spec": dashboard(210_000)}, near: edits{"spec.kiali.spec": dashboard(200_000)}},
	{rule: "DL05", mutant: edits{"spec.kiali.spec": dashboard(1_580_000)}, near: edits{"spec.kiali.spec": dashboard(1_250_000)}},
	{rule: "DL06", mutant: edits{"spec.delivery": argoCD(""), "spec.namespaces": manyNamespaces(2400)}, near: edits{"spec.delivery": argoCD(""), "spec.namespaces": manyNamespaces(2390)}},
	{rule: "DL07", mutant: edits{"spec.delivery": argoCD("")}, others: true, other: besides(edits{"spec.delivery": byFlux("")}),
		near: edits{"spec.delivery": argoCD("")}, alone: true, otherNear: besides(edits{"spec.delivery": elsewhere(byFlux(""))})},
	{rule: "DL10", mutant: edits{"spec.clusters.1.name": "west_", "spec.delivery": argoCD("")}, near: edits{"spec.clusters.1.name": "west_1", "spec.delivery": argoCD("")}},
	{rule: "DL11", mutant: edits{"spec.delivery": argoCD("rollout: [{clusters: [west]}, {clusters: [hub]}]")}, near: edits{"spec.delivery": argoCD("")}},
	{rule: "DL12", mutant: edits{"spec.delivery": argoCD("rollout: [{clusters: [west]}]")}, near: edits{"spec.delivery": argoCD("rollout: [{clusters: [west]}, {clusters: [hub]}]")}},
	{rule: "DL13", mutant: edits{"spec.delivery": argoCD("project: mesh")}, others: true, other: besides(edits{"spec.delivery": elsewhere(argoCD("project: mesh"))}),
		near: edits{"spec.delivery": argoCD("")}, alone: true, otherNear: besides(edits{"spec.delivery": elsewhere(argoCD(""))})},

	{rule: "DL20", mutant: edits{"spec.delivery": byFlux("wait: false")}, near: edits{"spec.delivery": byFlux("prune: true")}},
	{rule: "DL21", mutant: edits{"spec.delivery": byFlux(""), "spec.clusters.1.name": "two-west"}, others: true, other: besides(edits{"metadata.name": "test-two", "spec.delivery": elsewhere(byFlux(""))}),
		near: edits{"spec.delivery": byFlux(""), "spec.clusters.1.name": "two-west"}, alone: true, otherNear: besides(edits{"metadata.name": "test-two", "spec.delivery": elsewhere(byFlux("namespace: other"))})},

	{rule: "SC01", crds: true, made: objects{"PodMonitor spec.podMetricsEndpoints.0.intervall": "30s"}, nearly: objects{"PodMonitor spec.podMetricsEndpoints.0.interval": "30s"}},
	{rule: "SC02", crds: true, made: objects{"PodMonitor spec.podMetricsEndpoints.0.interval": "often"}, nearly: objects{"PodMonitor spec.podMetricsEndpoints.0.interval": "1m"}},
	{rule: "SC03", crds: true, made: objects{"Telemetry kind": "Telemetries"}, nearly: objects{"Telemetry metadata.labels": "{a: b}"}},
}

// dashboard is a Kiali spec with about this many bytes.
func dashboard(bytes int) string {
	return "{custom_dashboards: [{name: " + strings.Repeat("x", bytes) + "}]}"
}

func manyNamespaces(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("ns-%d", i)
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// stack is the part of a topology for traces in a TempoStack.
const stack = "{collectors: {certificates: {certManager: {issuer: mesh-ca}}}}"

// console makes Kiali link to traces in OpenShift's console, at a URL.
func console(url string) string {
	return "{external_services: {tracing: {enabled: true, provider: tempo, use_grpc: false, internal_url: 'http://tempo.tracing:3200', external_url: '" + url +
		"', tempo_config: {url_format: openshift, name: mesh, namespace: tempo, tenant: mesh1}}}}"
}

// argoCD is a delivery by Argo CD.
func argoCD(with string) string {
	return "{repoURL: 'https://git.example.com/mesh.git', argocd: {" + with + "}}"
}

// chart installs the operator by its chart, with values.
func chart(values string) string {
	return "{install: helm, chart: {version: 2.28.0, values: {" + values + "}}}"
}

// byFlux is a delivery by Flux.
func byFlux(with string) string {
	return "{repoURL: 'https://git.example.com/mesh.git', flux: {" + with + "}}"
}

// elsewhere is a delivery from another directory of the repository.
func elsewhere(delivery string) string {
	return strings.Replace(delivery, "{", "{path: elsewhere, ", 1)
}

// besides is a second topology with the clusters of the sound one. The two have no
// object in common.
func besides(change edits) edits {
	own := edits{"metadata.name": "two", "spec.mesh.id": "mesh2", "spec.mesh.controlPlaneNamespace": "two", "spec.namespaces": "[two-a]", "spec.kiali.instanceName": "kiali2", "spec.kiali.operator": "{install: none}"}
	maps.Copy(own, change)
	return own
}

// TestMutants shows that each rule finds its mutant but not its near miss, and that a
// mutant has no other error: one mistake, one finding.
func TestMutants(t *testing.T) {
	for _, c := range slices.Concat(cases, furtherCases) {
		t.Run(c.rule, func(t *testing.T) {
			rule, _ := check.Lookup(c.rule)
			require.NotNil(t, rule)
			var definitions *check.Definitions
			if c.crds {
				definitions = allDefinitions(t)
			}
			caught := find(t, definitions, c.mutant, c.made, c.other, c.others)
			assert.True(t, has(caught, c.rule), "not caught; found:\n%s", text(caught))
			for _, f := range caught {
				if f.Severity == finding.Error {
					assert.Equal(t, c.rule, f.Rule, "another error for the same defect: %s", f)
				}
			}
			missed := find(t, definitions, c.near, c.nearly, c.otherNear, c.alone)
			assert.False(t, has(missed, c.rule), "a near miss:\n%s", text(missed))
		})
	}
}

// acm is the sound mesh with the store acm and the given fields. ACM runs on a
// cluster outside the topology, unless the fields say otherwise.
func acm(fields string, more ...string) edits {
	if !strings.Contains(fields, "hub:") {
		fields += ", domain: apps.acm.example.com"
	}
	changed := edits{"spec.metrics": "{store: acm, acm: {" + fields + "}}"}
	for i := 0; i < len(more); i += 2 {
		changed[more[i]] = more[i+1]
	}
	return changed
}

// TestEveryRuleHasMutant fails for a rule without a case above. A rule may have several.
func TestEveryRuleHasMutant(t *testing.T) {
	var with []string
	for _, c := range cases {
		with = append(with, c.rule)
	}
	for _, r := range check.Rules() {
		if r.Reserved == "" && !slices.Contains([]string{"overlay", "render", "compare", "status", "discover"}, r.FoundBy) {
			assert.Contains(t, with, r.ID)
		}
	}
}

// TestSoundMesh shows that the sound mesh has no findings.
func TestSoundMesh(t *testing.T) {
	assert.Empty(t, text(find(t, nil, nil, nil, nil, false)))
}

// TestRules shows that every rule has a unique id and a complete page.
func TestRules(t *testing.T) {
	ids := map[string]bool{}
	for _, r := range check.Rules() {
		assert.False(t, ids[r.ID], "two rules %s", r.ID)
		ids[r.ID] = true
		for name, text := range map[string]string{"title": r.Title, "what": r.What, "why": r.Why, "fix": r.Fix, "source": r.Source} {
			assert.NotEmpty(t, text, "%s: %s", r.ID, name)
		}
	}
}

func has(findings finding.Findings, rule string) bool {
	return slices.ContainsFunc(findings, func(f finding.Finding) bool { return f.Rule == rule })
}

func text(findings finding.Findings) string {
	var b strings.Builder
	for _, f := range findings {
		b.WriteString(f.String() + "\n")
	}
	return b.String()
}

// shippedTemplates are the templates of the program, for all tests. So each shape is
// evaluated once.
var shippedTemplates = render.NewTemplates(templates.FS)

// find applies all rules to the sound mesh with changes.
func find(t *testing.T, definitions *check.Definitions, change edits, made objects, other edits, others bool) finding.Findings {
	t.Helper()
	var inputs []check.Input
	texts := []string{edited(t, change)}
	if others {
		texts = append(texts, edited(t, other))
	}
	for i, text := range texts {
		top, findings := check.Parse([]string{"a.yaml", "b.yaml"}[i], []byte(text))
		if len(findings) > 0 {
			return findings
		}
		links := links(t, top, change)
		clusters, err := render.Clusters(top, render.Sources{Templates: shippedTemplates, Links: links})
		require.NoError(t, err)
		remade(t, clusters, made)
		delivered, err := render.Delivery(top, render.Sources{Templates: shippedTemplates, Links: links}, render.Kustomize, clusters)
		require.NoError(t, err)
		rendering, err := render.Open(top, render.Sources{Templates: shippedTemplates, Links: links})
		require.NoError(t, err)
		outside, err := rendering.ACM()
		require.NoError(t, err)
		inputs = append(inputs, check.Input{Topology: top, Clusters: clusters, Delivery: delivered, ACM: outside, Links: links, Written: change["written"], Arg: "a.yaml", Origins: render.Origins, Decided: render.Decided})
	}
	now := change["now"]
	if now == "" {
		now = "2025-01-01T00:00:00Z"
	}
	findings, err := check.Find(inputs, check.Options{Definitions: definitions, Now: now})
	require.NoError(t, err)
	return findings
}

func edited(t *testing.T, change edits) string {
	t.Helper()
	if text, ok := change["text"]; ok {
		return text
	}
	top := decoded(t, sound)
	for _, path := range slices.Sorted(maps.Keys(change)) {
		if path == "now" || path == "written" || strings.HasPrefix(path, "link ") {
			continue
		}
		if path == "remotes" {
			for i := range int(decoded(t, change[path]).(float64)) - 1 {
				name := "r" + string(rune('a'+i))
				top = set(top, []string{"spec", "clusters", "99"}, map[string]any{"name": name, "server": "https://" + name + ".example.com"})
			}
			continue
		}
		var value any
		if change[path] != "" {
			value = decoded(t, change[path])
		}
		top = set(top, strings.Split(path, "."), value)
	}
	out, err := yaml.Marshal(top)
	require.NoError(t, err)
	return string(out)
}

// links are the links of all remotes, with changes.
func links(t *testing.T, top *topology.Topology, change edits) render.Links {
	t.Helper()
	links := render.Links{}
	for i := range top.Spec.Clusters {
		c := &top.Spec.Clusters[i]
		if top.IsHub(c) {
			continue
		}
		secret, size := top.SealedFor(c), 3000
		if said := change["link "+c.Name+" size"]; said != "" {
			size = int(decoded(t, said).(float64))
		}
		data := make([]byte, 2+256+size+16)
		data[0] = 1 // a ciphertext of 256 bytes comes first
		var link any = map[string]any{
			"apiVersion": topology.APIVersion, "kind": topology.SealedLinkKind, "metadata": map[string]any{"name": c.Name},
			"spec": map[string]any{
				"server":        c.Server,
				"secret":        map[string]any{"namespace": secret.Namespace, "name": secret.Name, "key": secret.Key},
				"certificate":   map[string]any{"fingerprint": strings.Repeat("ab", 32), "notAfter": "2126-01-01T00:00:00Z"},
				"caExpires":     "2126-01-01T00:00:00Z",
				"encryptedData": base64.StdEncoding.EncodeToString(data),
			},
		}
		for path, value := range change {
			if path, ok := strings.CutPrefix(path, "link "+c.Name+" spec."); ok {
				link = set(link, strings.Split("spec."+path, "."), decoded(t, value))
			}
		}
		name := c.Name
		if to, ok := change["link "+c.Name]; ok {
			name = to
			link = set(link, []string{"metadata", "name"}, to)
		}
		if name == "" {
			continue
		}
		data, err := yaml.Marshal(link)
		require.NoError(t, err)
		parsed, findings := topology.ParseSealedLink("sealed/test/"+name+".yaml", data)
		require.Empty(t, findings)
		links[name] = parsed
	}
	return links
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	var v any
	require.NoError(t, yaml.Unmarshal([]byte(text), &v), text)
	return v
}

// set sets a value at a path, or removes the old one.
func set(v any, path []string, value any) any {
	if len(path) == 0 {
		return value
	}
	if list, ok := v.([]any); ok {
		i := 0
		for _, digit := range path[0] {
			i = i*10 + int(digit-'0')
		}
		if i >= len(list) {
			return append(list, value)
		}
		if value == nil && len(path) == 1 {
			return slices.Delete(slices.Clone(list), i, i+1)
		}
		list = slices.Clone(list)
		list[i] = set(list[i], path[1:], value)
		return list
	}
	m, _ := v.(map[string]any)
	m = maps.Clone(m)
	if m == nil {
		m = map[string]any{}
	}
	if value == nil && len(path) == 1 {
		delete(m, path[0])
	} else {
		m[path[0]] = set(m[path[0]], path[1:], value)
	}
	return m
}

// remade changes rendered objects, as overlays could do.
func remade(t *testing.T, clusters []resource.Cluster, made objects) {
	t.Helper()
	for _, where := range slices.Sorted(maps.Keys(made)) {
		kind, path, _ := strings.Cut(where, " ")
		kind, only, _ := strings.Cut(strings.TrimSuffix(kind, "]"), "[")
		for i := range clusters {
			c := &clusters[i]
			if only != "" && c.Name != only {
				continue
			}
			var resources []resource.Resource
			for _, r := range c.Resources {
				is := kindOf(t, c, r)
				switch {
				case kind == "drop" && is == path:
					continue
				case kind == "copy" && is == path:
					resources = append(resources, r)
				case is == kind:
					for _, object := range changed(t, c, r, path, decoded(t, made[where])) {
						var err error
						r.Body, err = resource.Literal(object)
						require.NoError(t, err)
						resources = append(resources, r)
					}
					continue
				}
				resources = append(resources, r)
			}
			c.Resources = resources
		}
		if kind == "add" { // from the hub to the others
			for i := range clusters[1:] {
				c := &clusters[i+1]
				for _, r := range clusters[0].Resources {
					if kindOf(t, &clusters[0], r) == path {
						c.Resources = append(c.Resources, r)
						break
					}
				}
			}
		}
	}
}

func kindOf(t *testing.T, c *resource.Cluster, r resource.Resource) string {
	t.Helper()
	for values := range c.Each(r) {
		id, err := r.Body.ID(values)
		require.NoError(t, err)
		return id.Kind
	}
	return ""
}

func changed(t *testing.T, c *resource.Cluster, r resource.Resource, path string, value any) (objects []resource.Object) {
	t.Helper()
	for values := range c.Each(r) {
		object, err := r.Body.Fill(values)
		require.NoError(t, err)
		data, err := json.Marshal(object)
		require.NoError(t, err)
		var clone any
		require.NoError(t, json.Unmarshal(data, &clone))
		if path == "*" {
			root := clone.(map[string]any)
			maps.Copy(root, value.(map[string]any))
			objects = append(objects, root)
			continue
		}
		objects = append(objects, set(clone, strings.Split(path, "."), value).(map[string]any))
	}
	return objects
}

func allDefinitions(t *testing.T) *check.Definitions {
	t.Helper()
	var files []check.Source
	releases, err := upstream.Open("../../e2e/definitions")
	require.NoError(t, err)
	for _, of := range [][2]string{
		{"monitoring.coreos.com", "PodMonitor"}, {"monitoring.coreos.com", "ServiceMonitor"}, {"telemetry.istio.io", "Telemetry"},
		{"operators.coreos.com", "Subscription"}, {"bitnami.com", "SealedSecret"},
	} {
		data, err := releases.Definition(of[0], of[1])
		require.NoError(t, err)
		require.NotNil(t, data, of)
		files = append(files, check.Source{Name: of[1], Data: data})
	}
	// No Go module has Kiali's definition. The definitions of the first operators accept
	// any field.
	files = append(files, check.Source{Name: "Kiali", Data: []byte(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: kialis.kiali.io}
spec:
  group: kiali.io
  scope: Namespaced
  names: {kind: Kiali, plural: kialis}
  versions:
    - name: v1alpha1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`)})
	definitions, err := check.ParseDefinitions(files)
	require.NoError(t, err)
	return definitions
}
