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

// kubeconfig is the plain text of a link, with what is known about it.
type kubeconfig struct {
	text         []byte
	unguessable  bool
	tokenExpires time.Time
	caExpires    time.Time
	warnings     []string
}

// newKubeconfig writes the kubeconfig that Kiali on the hub is to read, and
// makes sure that it can.
func newKubeconfig(r Request) (*kubeconfig, error) {
	k := &kubeconfig{}
	name, access := r.Cluster.Name, r.Cluster.Access
	if r.Cluster.Server == "" {
		return nil, finding.Refuse("add server: to the cluster", "the topology does not say where the API server is")
	}
	if access.ProxyURL != "" {
		k.warn("access.proxyURL: the proxy sees where Kiali connects to, and the link lasts as long as the proxy is there")
	}
	var ca []byte
	switch {
	case access.InsecureSkipTLSVerify:
		k.warn("access.insecureSkipTLSVerify: whoever is between the hub and the remote can read the token, which sees the whole cluster")
		if len(r.CA) > 0 {
			k.warn("the CA is not used, since access.insecureSkipTLSVerify says that no certificate is checked")
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
		k.unguessable = true // nothing in it is a secret
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

// checkKubeconfig reads a kubeconfig as Kiali's server does (its
// kubernetes/cluster_secret.go and client_factory.go): a file that fails the
// first half is left out with a line in a log, one that fails the second keeps
// the server from starting.
func checkKubeconfig(text []byte, name string) error {
	const hint = "Kiali would not read it; nothing is sealed"
	config, err := clientcmd.Load(text)
	if err != nil {
		return finding.Refuse(hint, "the kubeconfig cannot be read") // the error may repeat what it could not read
	}
	switch {
	case len(config.Clusters) != 1 || config.Clusters[name] == nil:
		return finding.Refuse(hint, "the kubeconfig has %d clusters, expected one of the name %q", len(config.Clusters), name)
	case len(config.AuthInfos) != 1 || config.AuthInfos[name] == nil:
		return finding.Refuse(hint, "the kubeconfig has %d users, expected one of the name %q", len(config.AuthInfos), name)
	case config.CurrentContext != name || config.Contexts[name] == nil:
		return finding.Refuse(hint, "the current context of the kubeconfig is not its own")
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

// The digest of a kubeconfig tells whether another is the same. The salt keeps
// equal ones from showing; against trying it does nothing, so there is a digest
// only where the token cannot be found by trying.

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
