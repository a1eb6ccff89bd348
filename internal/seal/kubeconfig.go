package seal

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// kubeconfig is the kubeconfig of a link in the clear, with facts about it.
type kubeconfig struct {
	text         []byte
	unguessable  bool
	tokenExpires time.Time
	caExpires    time.Time
	warnings     []string
}

// newKubeconfig makes the kubeconfig for Kiali on the hub, and checks that Kiali can
// read it.
func newKubeconfig(r Request) (*kubeconfig, error) {
	k := &kubeconfig{}
	name, access := r.Cluster.Name, r.Cluster.Access
	if r.Cluster.Server == "" {
		return nil, finding.Refuse("add server: to the cluster", "the topology has no address of the API server")
	}
	if access.ProxyURL != "" {
		k.warn("access.proxyURL: the proxy sees the addresses to which Kiali connects, and the link needs the proxy")
	}
	var ca []byte
	switch {
	case access.InsecureSkipTLSVerify:
		k.warn("access.insecureSkipTLSVerify: an attacker between the hub and the remote can read the token, which can read the whole cluster")
		if len(r.CA) > 0 {
			k.warn("the CA is not used, because access.insecureSkipTLSVerify turns the check of certificates off")
		}
	default:
		var warnings []string
		var err error
		if ca, k.caExpires, warnings, err = parseCAs(r.CA, r.Certificate, r.Now); err != nil {
			return nil, err
		}
		k.warnings = append(k.warnings, warnings...)
	}
	var text string
	if e := access.Exec; e != nil {
		k.unguessable = true // it has no secret
		k.warn("access.exec: Kiali runs " + strconv.Quote(e.Command) +
			" only if clustering.enable_exec_provider is on and the program is in its image")
	} else {
		token, err := parseToken(r.Token)
		if err != nil {
			return nil, err
		}
		generation := Generation(r.Before)
		warnings, err := token.check(r.Topology, generation, r.Before != nil && generation != r.Before.Spec.Generation, r.Now)
		if err != nil {
			return nil, err
		}
		k.warnings = append(k.warnings, warnings...)
		k.unguessable, k.tokenExpires = token.unguessable, token.expires
		text = token.text
	}
	k.text = resource.Encode(nil, r.Cluster.Kubeconfig(base64.StdEncoding.EncodeToString(ca), text))
	return k, checkKubeconfig(k.text, name)
}

func (k *kubeconfig) warn(text string) { k.warnings = append(k.warnings, text) }

// checkKubeconfig reads a kubeconfig as Kiali's server does (kiali
// kubernetes/cluster_secret.go and client_factory.go). If a kubeconfig fails the first
// half, Kiali logs a line and ignores it. If it fails the second half, Kiali does not
// start.
func checkKubeconfig(text []byte, name string) error {
	const hint = "Kiali could not read it, so nothing is sealed"
	config, err := clientcmd.Load(text)
	if err != nil {
		return finding.Refuse(hint, "the kubeconfig cannot be read") // the error may have a credential
	}
	switch {
	case len(config.Clusters) != 1 || config.Clusters[name] == nil:
		return finding.Refuse(hint, "the kubeconfig has %d clusters, expected one with the name %q", len(config.Clusters), name)
	case len(config.AuthInfos) != 1 || config.AuthInfos[name] == nil:
		return finding.Refuse(hint, "the kubeconfig has %d users, expected one with the name %q", len(config.AuthInfos), name)
	case config.CurrentContext != name || config.Contexts[name] == nil:
		return finding.Refuse(hint, "the current context of the kubeconfig is not the context of its cluster")
	}
	client, err := clientcmd.NewDefaultClientConfig(*config, &clientcmd.ConfigOverrides{}).ClientConfig()
	if err == nil {
		_, err = rest.TLSConfigFor(client)
	}
	if err != nil {
		return finding.Refuse(hint, "no client can be made of the kubeconfig: %s", Redact(err.Error(), config.AuthInfos[name].Token))
	}
	return nil
}

// The digest of a kubeconfig tells whether another kubeconfig is equal. The salt hides
// that two links are equal. It does not stop an attacker who tries all tokens. So there
// is a digest only if the token is too long to be found by trying.

const saltSize = 16

func digest(salt, text []byte) string {
	sum := sha256.Sum256(slices.Concat(salt, text))
	return hex.EncodeToString(salt) + ":" + hex.EncodeToString(sum[:])
}

func matches(known string, text []byte) bool {
	salt, _, _ := strings.Cut(known, ":")
	raw, err := hex.DecodeString(salt)
	return err == nil && len(raw) == saltSize && subtle.ConstantTimeCompare([]byte(known), []byte(digest(raw, text))) == 1
}
