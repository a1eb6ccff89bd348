package rig

// full has the programs of tier 3.
var full = []Program{
	{Name: "kubectl", Module: "kubectl", Package: ".", Link: "-X k8s.io/component-base/version.gitVersion=v1.36.3"},
	{Name: "prometheus-operator", Module: "promop", Package: "github.com/prometheus-operator/prometheus-operator/cmd/operator"},
	// It can discover targets only in Kubernetes. The other ways would be most of the program.
	{Name: "prometheus", Module: "prom", Package: "github.com/prometheus/prometheus/cmd/prometheus",
		Tags: "remove_all_sd,enable_kubernetes_sd"},
	{Name: "sealed-secrets-controller", Module: "sealed", Package: "github.com/bitnami/sealed-secrets/cmd/controller"},
	{Name: "external-secrets", Module: "eso", Package: "github.com/external-secrets/external-secrets"},
	{Name: "argocd", Module: "argocd", Package: "."},
	{Name: "kustomize-controller", Module: "flux", Package: "github.com/fluxcd/kustomize-controller"},
}
