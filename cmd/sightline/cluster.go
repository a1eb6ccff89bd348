package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/seal"
)

// This file is all that talks to a cluster, and it only reads: a Secret, a
// ConfigMap and a Service, each by its name. The requests are made here and not
// by a typed client, so that nothing but the errors below reaches the user:
// what a server or a library says may have a credential in it.

// apiServer is the API server that a context of a kubeconfig leads to.
type apiServer struct {
	context string
	url     *url.URL
	ca      []byte // of the kubeconfig; none if it has none
	client  *http.Client
	known   []string // credentials in the kubeconfig
}

// How long a request may take, and the pause between two looks for a token.
const (
	requestTimeout = 15 * time.Second
	tokenPause     = 500 * time.Millisecond
	progressPause  = 10 * time.Second
)

// maxAnswer bounds what is read of an answer. A Secret has at most 1 MiB.
const maxAnswer = 4 << 20

// readContexts reads a kubeconfig as kubectl does: the file, else those of
// $KUBECONFIG, else ~/.kube/config.
func readContexts(file string) (*clientcmdapi.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = file
	rules.WarnIfAllMissing = false
	config, err := rules.Load()
	if err != nil {
		return nil, fmt.Errorf("the kubeconfig cannot be read: %s", seal.Redact(err.Error()))
	}
	return config, nil
}

// openContext finds the API server of a context. The flag is the one that names
// the context.
func openContext(config *clientcmdapi.Config, flag, context string) (*apiServer, error) {
	if config.Contexts[context] == nil {
		hint := "the contexts are " + finding.List(slices.Sorted(maps.Keys(config.Contexts)), listed)
		if len(config.Contexts) == 0 {
			hint = "there are none; name a kubeconfig with --kubeconfig FILE"
		}
		return nil, &hinted{fmt.Errorf("no context %q in the kubeconfig", finding.Shorten(seal.Redact(context))), "name one with " + flag + "; " + hint}
	}
	client, err := clientcmd.NewNonInteractiveClientConfig(*config, context, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
	if err == nil {
		err = rest.LoadTLSFiles(client)
	}
	if err != nil {
		return nil, fmt.Errorf("the context %q cannot be used: %s", context, seal.Redact(err.Error()))
	}
	s := &apiServer{context: context, ca: client.CAData, known: []string{client.BearerToken, client.Password}}
	client.UserAgent = "sightline"
	client.Timeout = requestTimeout
	if s.client, err = rest.HTTPClientFor(client); err == nil {
		s.url, _, err = rest.DefaultServerUrlFor(client)
	}
	if err != nil {
		return nil, fmt.Errorf("the context %q cannot be used: %s", context, seal.Redact(err.Error(), s.known...))
	}
	// An API server does not redirect, and the credential is for it alone.
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return s, nil
}

// apiError is an answer that is not what was asked for.
type apiError struct {
	status int // 0 where there is no answer
	text   string
}

func (e *apiError) Error() string { return e.text }

// status is the code of the answer that an error is about; 0 for others.
func status(err error) int {
	var answer *apiError
	if errors.As(err, &answer) {
		return answer.status
	}
	return 0
}

// get reads an object, or what is behind a path.
func (s *apiServer) get(ctx context.Context, path ...string) ([]byte, error) {
	at := s.url.JoinPath(path...)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json, */*")
	answer, err := s.client.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var outer *url.Error
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return nil, &apiError{0, fmt.Sprintf("%s (context %q) does not answer: %s", s.url.Host, s.context, seal.Redact(err.Error(), s.known...))}
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, &apiError{0, fmt.Sprintf("%s (context %q) broke off its answer", s.url.Host, s.context)}
	}
	if answer.StatusCode != http.StatusOK {
		var reason struct{ Message string }
		_ = json.Unmarshal(body, &reason) // a proxy answers as it likes
		text := fmt.Sprintf("%s (context %q) answers %s", s.url.Host, s.context, http.StatusText(answer.StatusCode))
		if reason.Message != "" {
			message := []rune(seal.Redact(reason.Message, s.known...))
			text += ": " + string(message[:min(len(message), 300)])
		}
		return nil, &apiError{answer.StatusCode, text}
	}
	return body, nil
}

// object reads an object of the core API.
func (s *apiServer) object(ctx context.Context, into any, namespace, resource, name string) error {
	body, err := s.get(ctx, "api", "v1", "namespaces", namespace, resource, name)
	if err != nil {
		return err
	}
	if json.Unmarshal(body, into) != nil { // whose error may repeat what is in it
		return &apiError{0, fmt.Sprintf("%s (context %q) answers with no object of Kubernetes", s.url.Host, s.context)}
	}
	return nil
}

// readRemote reads the token and the CA of a remote.
func (o *sealOptions) readRemote(ctx context.Context, r *seal.Request, needToken, needCA bool, stderr io.Writer) error {
	config, err := o.contextsOnce()
	if err != nil {
		return err
	}
	s, err := openContext(config, "--context", cmp.Or(o.contextOf[r.Cluster.Name], r.Cluster.Name))
	if err != nil {
		return err
	}
	namespace := r.Topology.Spec.Kiali.Namespace
	if needToken {
		wait := tokenWait{
			namespace: namespace,
			secret:    r.Topology.TokenSecret(seal.Generation(r.Before)),
			account:   r.Topology.Account(),
			timeout:   o.timeout,
			left:      &o.left,
			say:       func(text string) { fmt.Fprintf(stderr, "%s: %s\n", r.Cluster.Name, text) },
		}
		if r.Token, err = s.token(ctx, wait); err != nil {
			return err
		}
	}
	if needCA {
		r.CA, err = s.certificateAuthority(ctx, namespace)
	}
	return err
}

// tokenWait is what is waited for: the token in a Secret.
type tokenWait struct {
	namespace, secret, account string
	timeout                    time.Duration  // for all remotes together
	left                       *time.Duration // of it
	say                        func(string)
}

// token reads the token of a Secret, once the cluster has filled it. An API
// server that cannot be asked at all is an error at once; one that goes away
// while it is waited for may come back. What one remote has waited the others
// need not: a fleet without tokens takes no longer than one remote without.
func (s *apiServer) token(ctx context.Context, w tokenWait) ([]byte, error) {
	start, most := time.Now(), *w.left
	said := start
	defer func() { *w.left = max(most-time.Since(start), 0) }()
	for first := true; ; first = false {
		token, missing, err := s.lookForToken(ctx, w)
		switch {
		case err == nil && missing == "":
			return token, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil && (first || !passing(err)):
			return nil, s.explain(err, w)
		case err != nil:
			missing = err.Error()
		}
		now := time.Now()
		if now.Sub(start) >= most {
			hint := fmt.Sprintf("see that the API server answers (kubectl --context %s version), and seal again", s.context)
			if err == nil {
				hint = fmt.Sprintf("the remote deletes a token Secret that comes before its service account: see that %s/%s exists (kubectl --context %s -n %s get serviceaccount,secret), and apply the phase link again",
					w.namespace, w.account, s.context, w.namespace)
			}
			return nil, &hinted{fmt.Errorf("no token within %s: %s", w.timeout, missing), hint}
		}
		if first || now.Sub(said) >= progressPause {
			said = now
			w.say(fmt.Sprintf("waiting for the token, %s of %s: %s", (w.timeout - most + now.Sub(start)).Round(time.Second), w.timeout, missing))
		}
		select {
		case <-ctx.Done():
		case <-time.After(min(tokenPause, most-now.Sub(start))):
		}
	}
}

// passing tells whether an error may be gone a moment later.
func passing(err error) bool {
	code := status(err)
	return code == 0 || code == http.StatusTooManyRequests || code >= 500
}

// explain adds what to do about an answer.
func (s *apiServer) explain(err error, w tokenWait) error {
	switch status(err) {
	case http.StatusUnauthorized:
		return &hinted{err, "log in to the cluster again; kubectl --context " + s.context + " auth whoami says who you are"}
	case http.StatusForbidden:
		return &hinted{err, fmt.Sprintf("the user of the context needs get on the Secret: kubectl --context %s -n %s auth can-i get secret/%s", s.context, w.namespace, w.secret)}
	}
	return err
}

// lookForToken reads the token of a Secret, or says what is missing still.
func (s *apiServer) lookForToken(ctx context.Context, w tokenWait) (token []byte, missing string, err error) {
	var secret struct {
		Metadata struct{ Annotations map[string]string }
		Type     string
		Data     map[string][]byte
	}
	at := w.namespace + "/" + w.secret
	err = s.object(ctx, &secret, w.namespace, "secrets", w.secret)
	switch account := secret.Metadata.Annotations["kubernetes.io/service-account.name"]; {
	case status(err) == http.StatusNotFound:
		return nil, fmt.Sprintf("there is no Secret %s on it", at), nil
	case err != nil:
		return nil, "", err
	case secret.Type != "kubernetes.io/service-account-token" || account != w.account:
		return nil, "", &hinted{
			fmt.Errorf("the Secret %s is of the type %q for the account %q, expected kubernetes.io/service-account-token for %q", at, finding.Shorten(secret.Type), finding.Shorten(account), w.account),
			"apply the phase link of the remote as it is rendered",
		}
	case len(secret.Data["token"]) == 0:
		return nil, fmt.Sprintf("the Secret %s has none yet", at), nil
	}
	return secret.Data["token"], "", nil
}

// certificateAuthority is the CA of the API server: that of the kubeconfig, else
// the one that the cluster gives its own pods.
func (s *apiServer) certificateAuthority(ctx context.Context, namespace string) ([]byte, error) {
	if len(s.ca) > 0 {
		return s.ca, nil
	}
	var bundle struct{ Data map[string]string }
	if err := s.object(ctx, &bundle, namespace, "configmaps", "kube-root-ca.crt"); err != nil {
		return nil, &hinted{fmt.Errorf("the kubeconfig has no CA, and the ConfigMap kube-root-ca.crt cannot be read: %w", err), "name the CA of the API server with --ca-file FILE"}
	}
	return []byte(bundle.Data["ca.crt"]), nil
}

// fetchCertificate has the certificate from the controller on the hub, through
// the API server, as kubeseal --fetch-cert does it.
func (o *sealOptions) fetchCertificate(ctx context.Context) ([]byte, error) {
	config, err := o.contextsOnce()
	if err != nil {
		return nil, err
	}
	s, err := openContext(config, "--hub-context", o.hubContext)
	if err != nil {
		return nil, err
	}
	hint := "name the controller's service with --controller-name and --controller-namespace, or its certificate with --cert FILE"
	var service struct {
		Spec struct{ Ports []struct{ Name string } }
	}
	if err := s.object(ctx, &service, o.controllerNamespace, "services", o.controllerName); err != nil {
		return nil, &hinted{fmt.Errorf("the controller on the hub: %w", err), hint}
	}
	if len(service.Spec.Ports) == 0 {
		return nil, &hinted{fmt.Errorf("the controller on the hub: the service %s/%s has no port", o.controllerNamespace, o.controllerName), hint}
	}
	data, err := s.get(ctx, "api", "v1", "namespaces", o.controllerNamespace, "services", strings.Join([]string{"http", o.controllerName, service.Spec.Ports[0].Name}, ":"), "proxy", "v1", "cert.pem")
	if err != nil {
		return nil, &hinted{fmt.Errorf("the certificate of the controller on the hub: %w", err), "see that its pod runs, or name its certificate with --cert FILE"}
	}
	return data, nil
}
