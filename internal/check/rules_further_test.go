package check_test

import "github.com/sightline-mesh/sightline/internal/finding"

// furtherCases are of rules that know several mistakes.
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
}
