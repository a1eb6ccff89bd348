package seal

import (
	"k8s.io/client-go/tools/clientcmd"

	"github.com/sightline-mesh/sightline/internal/topology"
)

// Holds tells whether a kubeconfig is the one that a link has sealed. It is not
// known where the link has no digest.
func Holds(l *topology.SealedLink, kubeconfig []byte) (same, known bool) {
	if l == nil || l.Spec.Digest == "" {
		return false, false
	}
	return matches(l.Spec.Digest, kubeconfig), true
}

// Inspect reads a kubeconfig as Kiali's server does. It returns the URL of the
// API server, and what keeps Kiali from using it, or "". Neither has a
// credential in it.
func Inspect(kubeconfig []byte, cluster string) (server, problem string) {
	config, err := clientcmd.Load(kubeconfig)
	if err == nil && config.Clusters[cluster] != nil {
		server = config.Clusters[cluster].Server
	}
	if err := checkKubeconfig(kubeconfig, cluster); err != nil {
		return server, err.Error()
	}
	return server, ""
}
