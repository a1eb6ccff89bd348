// Package cluster asks one cluster: its API server, by a context of a kubeconfig, and
// through the API server also programs on the cluster. It only reads.
//
// Every request has a deadline. No redirect is followed. The size of an answer is
// limited. A message of a server or a library may have a credential. So every error of
// this package went through [seal.Redact], with the credentials of the kubeconfig.
package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/seal"
)

// Contexts are the contexts of a kubeconfig.
type Contexts struct {
	config *clientcmdapi.Config
	absent []string // files in $KUBECONFIG that do not exist
}

// ReadContexts reads a kubeconfig as kubectl does: the given file, or the files in
// $KUBECONFIG, or ~/.kube/config.
func ReadContexts(file string) (*Contexts, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = file
	rules.WarnIfAllMissing = false
	config, err := rules.Load()
	if err != nil {
		return nil, fmt.Errorf("the kubeconfig cannot be read: %s", seal.Redact(err.Error()))
	}
	c := &Contexts{config: config}
	if file == "" && os.Getenv(clientcmd.RecommendedConfigPathEnvVar) != "" {
		for _, name := range rules.Precedence { // the loader ignores missing files
			if _, err := os.Stat(name); name != "" && errors.Is(err, fs.ErrNotExist) {
				c.absent = append(c.absent, name)
			}
		}
	}
	return c, nil
}

// Missing returns the error of a context that does not exist. It also names the missing
// files in $KUBECONFIG, because the context may be in one of them.
func (c *Contexts) Missing(context string) error {
	message := fmt.Sprintf("no context %q in the kubeconfig", finding.Shorten(seal.Redact(context)))
	switch {
	case len(c.absent) == 1:
		message += fmt.Sprintf("; $KUBECONFIG names %s, which does not exist", seal.Redact(c.absent[0]))
	case len(c.absent) > 1:
		message += fmt.Sprintf("; $KUBECONFIG names files that do not exist: %s", seal.Redact(strings.Join(c.absent, ", ")))
	}
	return errors.New(message)
}

// Names lists the contexts, sorted.
func (c *Contexts) Names() []string { return slices.Sorted(maps.Keys(c.config.Contexts)) }

// Has tells whether there is such a context.
func (c *Contexts) Has(context string) bool { return c.config.Contexts[context] != nil }

// Timeout is the default time limit of a request.
const Timeout = 15 * time.Second

// Options are the options of a client.
type Options struct {
	Timeout time.Duration // of each request; 0: [Timeout]
}

// Open makes a client for the API server of a context. It sends no request. If the
// context does not exist, it returns the error of Missing.
func (c *Contexts) Open(context string, o Options) (*Cluster, error) {
	if !c.Has(context) {
		return nil, c.Missing(context)
	}
	config, err := clientcmd.NewNonInteractiveClientConfig(*c.config, context, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
	if err != nil {
		return nil, unusable(context, err)
	}
	return open(config, context, o)
}

func unusable(context string, err error, known ...string) error {
	return fmt.Errorf("the context %q cannot be used: %s", context, seal.Redact(err.Error(), known...))
}

func open(config *rest.Config, context string, o Options) (*Cluster, error) {
	if err := rest.LoadTLSFiles(config); err != nil {
		return nil, unusable(context, err)
	}
	config.UserAgent = "sightline"
	config.Timeout = 0 // each request has a deadline
	known := &secrets{}
	for _, secret := range []string{config.BearerToken, config.Password, string(config.KeyData)} {
		known.add(secret)
	}
	config.Wrap(known.watch)
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, unusable(context, err, known.list()...)
	}
	at, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, unusable(context, err, known.list()...)
	}
	// An API server does not redirect, and the credential is only for this server.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if o.Timeout == 0 {
		o.Timeout = Timeout
	}
	return &Cluster{
		Server:  Server{name: fmt.Sprintf("%s (context %q)", at.Host, context), url: at, client: client, known: known, timeout: o.Timeout},
		context: context,
		config:  config,
		plurals: newPlurals(),
	}, nil
}

// ErrExec is the error of a kubeconfig that names a program for its credential.
var ErrExec = errors.New("the kubeconfig gets its credential from a program, which sightline does not run")

// FromLink makes a client from the kubeconfig in a link, as Kiali's server does. If the
// kubeconfig names a program, FromLink does not run it and returns [ErrExec]. Its errors
// have no text of the kubeconfig.
func FromLink(kubeconfig []byte, cluster string, o Options) (*Cluster, error) {
	config, err := clientcmd.Load(kubeconfig)
	if err != nil {
		return nil, errors.New("the kubeconfig cannot be read")
	}
	for _, user := range config.AuthInfos {
		if user.Exec != nil || user.AuthProvider != nil {
			return nil, ErrExec
		}
		// A file name in the kubeconfig would mean a file of this machine.
		if user.TokenFile != "" || user.ClientCertificate != "" || user.ClientKey != "" {
			return nil, errors.New("the kubeconfig names files, which Kiali does not have")
		}
	}
	for _, c := range config.Clusters {
		if c.CertificateAuthority != "" {
			return nil, errors.New("the kubeconfig names files, which Kiali does not have")
		}
	}
	client, err := clientcmd.NewDefaultClientConfig(*config, &clientcmd.ConfigOverrides{}).ClientConfig()
	if err != nil {
		return nil, errors.New("no client can be made of the kubeconfig")
	}
	c, err := open(client, "the link of "+cluster, o)
	if err != nil {
		return nil, errors.New("no client can be made of the kubeconfig")
	}
	c.name = fmt.Sprintf("%s (the link of %s)", c.url.Host, cluster)
	return c, nil
}

// As returns a client for the same API server with another token.
func (c *Cluster) As(token, name string) (*Cluster, error) {
	config := rest.AnonymousClientConfig(c.config)
	config.BearerToken = token
	other, err := open(config, c.context, Options{c.timeout})
	if err != nil {
		return nil, err
	}
	other.name = fmt.Sprintf("%s (context %q, with %s)", c.url.Host, c.context, name)
	return other, nil
}
