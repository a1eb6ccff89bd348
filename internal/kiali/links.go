package kiali

import (
	"regexp"
	"strings"
)

// The marks with which Kiali and its operator find the kubeconfigs of remote clusters
// (kiali kubernetes/cluster_secret.go; kiali-operator watches-os.yaml,
// roles/default/kiali-deploy/tasks/main.yml).
const (
	// SingleSecret is the Secret with the kubeconfigs of all remotes.
	SingleSecret = "kiali-multi-cluster-secret"
	// SingleSecretLabel is only on the SingleSecret. The operator watches it.
	SingleSecretLabel = "kiali.io/kiali-multi-cluster-secret"

	// RemoteSecretLabel is on a Secret with the kubeconfig of one remote, and
	// RemoteSecretCluster is the annotation with the remote's name.
	RemoteSecretLabel   = "kiali.io/multiCluster"
	RemoteSecretCluster = "kiali.io/cluster"

	remoteSecretPrefix = "kiali-remote-cluster-secret-"
)

var notInNames = regexp.MustCompile(`[^-a-z0-9]`)

// RemoteSecret is the Secret with the kubeconfig of one remote, with the name from
// Kiali's script kiali-prepare-remote-cluster.sh.
func RemoteSecret(cluster string) string {
	return remoteSecretPrefix + notInNames.ReplaceAllString(strings.ToLower(cluster), "-")
}

// IsLinkSecret tells whether a Secret of this name holds kubeconfigs.
func IsLinkSecret(name string) bool {
	return strings.HasPrefix(name, SingleSecret) || strings.HasPrefix(name, remoteSecretPrefix)
}
