package seal

import (
	"k8s.io/client-go/tools/clientcmd"

	"github.com/sightline-mesh/sightline/internal/topology"
)

// Holds tells whether a kubeconfig is the one in a link. If the link has no digest,
// known is false.
func Holds(l *topology.SealedLink, kubeconfig []byte) (same, known bool) {
	if l == nil || l.Spec.Digest == "" {
		return false, false
	}
	return matches(l.Spec.Digest, kubeconfig), true
}

// Inspect reads a kubeconfig as Kiali's server does. It returns the URL of the API
// server, and the reason why Kiali cannot use the kubeconfig, or "". Neither has a
// credential.
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
