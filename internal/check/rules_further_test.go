package check_test

import "github.com/sightline-mesh/sightline/internal/finding"

// furtherCases are cases of rules that find several mistakes.
var furtherCases = []ruleCase{
	{rule: "ID14", mutant: edits{"metadata.name": "con"}, near: edits{"metadata.name": "con-1"}, severity: finding.Warning},
	{rule: "RS02", mutant: edits{"spec.clusters.1.server": "https://console-openshift-console.apps.west.example.com"},
		near: edits{"spec.clusters.1.server": "https://console.west.example.com:6443"}, severity: finding.Warning},
	{rule: "RS02", mutant: edits{"spec.clusters.1.server": "https://api-int.west.example.com:6443"},
		near: edits{"spec.clusters.1.server": "https://api.int.example.com:6443"}, severity: finding.Warning},
	{rule: "RS02", mutant: edits{"spec.clusters.1.server": "https://api.west.example.com"},
		near: edits{"spec.clusters.1.server": "https://west.example.com"}, severity: finding.Warning},
	{rule: "RS02", mutant: edits{"spec.clusters.1.server": "https://10.0.0.1"},
		near: edits{"spec.clusters.1.server": "https://10.0.0.1:443"}, severity: finding.Warning},
	{rule: "RS02", mutant: edits{"spec.clusters.1.server": "https://kubernetes.docker.internal:6443"},
		near: edits{"spec.clusters.1.server": "https://docker.internal.example.com:6443"}, severity: finding.Warning},
	{rule: "RS02", mutant: edits{"spec.clusters.1.domain": "west.example.com"},
		near: edits{"spec.clusters.1.domain": "apps.west.example.com"}, severity: finding.Warning},
	{rule: "RS02", mutant: edits{"spec.clusters.1.domain": "api.west.example.com"},
		near: edits{"spec.clusters.1.domain": "api.example.com"}, severity: finding.Warning},
	{rule: "TR01", mutant: edits{"spec.kiali.spec": asks("provider: tempo, use_grpc: false, internal_url: 'http://tempo-query-frontend.tempo:9095'")}, near: edits{"spec.kiali.spec": asks("provider: tempo, use_grpc: false, internal_url: 'http://tempo-query-frontend.tempo:3200'")}, severity: finding.Warning},
	{rule: "TR01", mutant: edits{"spec.kiali.spec": asks("provider: jaeger, internal_url: 'http://jaeger-query.tracing:16686'")}, near: edits{"spec.kiali.spec": asks("provider: jaeger, use_grpc: false, internal_url: 'http://jaeger-query.tracing:16686'")}},
	{rule: "TR01", mutant: edits{"spec.kiali.spec": asks("provider: jaeger, use_grpc: false, internal_url: 'http://jaeger-query.tracing:16685'")}, near: edits{"spec.kiali.spec": asks("provider: jaeger, internal_url: 'http://jaeger-query.tracing:16685'")}},
	{rule: "PM50", mutant: acm(`release: "2.16"`, "spec.clusters.1.controlPlane", "{namespace: istio-west}"),
		near: acm(`release: "2.16", rules: {namespace: mesh-observability}`, "spec.clusters.1.controlPlane", "{namespace: istio-west}"), severity: finding.Warning},
}

// asks is a kiali.spec with settings for traces.
func asks(tracing string) string { return "{external_services: {tracing: {" + tracing + "}}}" }
