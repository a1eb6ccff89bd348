// The releases with whose definitions of custom resources the tests compare objects (internal/upstream), and one that has
// the schema of SARIF. Nothing of them is compiled, so there is nothing to tidy. After a change: go mod download PATH@VERSION, which adds to go.sum.
module github.com/sightline-mesh/sightline/e2e/definitions

go 1.26

require (
	github.com/argoproj/argo-cd/v3 v3.2.11
	github.com/bitnami-labs/sealed-secrets v0.36.6
	github.com/cert-manager/cert-manager v1.21.2
	github.com/external-secrets/external-secrets v0.20.4
	github.com/fluxcd/kustomize-controller v1.9.6
	github.com/fluxcd/source-controller v1.9.6
	github.com/openshift/api v0.0.0-20260807110950-72ae4424ef35
	github.com/operator-framework/api v0.36.0
	github.com/prometheus-operator/prometheus-operator v0.87.1
	github.com/securego/gosec/v2 v2.30.0
	istio.io/api v1.32.0
	open-cluster-management.io/api v1.2.0
	open-cluster-management.io/governance-policy-propagator v0.16.0
	open-cluster-management.io/managed-serviceaccount v0.9.0
)
