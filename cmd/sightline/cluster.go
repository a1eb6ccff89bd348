package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/seal"
)

// openContext opens the cluster that a context leads to. The flag is the one
// that names the context.
func openContext(contexts *cluster.Contexts, flag, context string) (*cluster.Cluster, error) {
	if contexts.Has(context) {
		return contexts.Open(context, cluster.Options{})
	}
	hint := "the contexts are " + finding.List(contexts.Names(), listed)
	if len(contexts.Names()) == 0 {
		hint = "there are none; name a kubeconfig with --kubeconfig FILE"
	}
	return nil, &hinted{fmt.Errorf("no context %q in the kubeconfig", finding.Shorten(seal.Redact(context))), "name one with " + flag + "; " + hint}
}

// remote is a cluster that a link leads to.
type remote struct{ *cluster.Cluster }

// The pause between two looks for a token, and between two reports of that.
const (
	tokenPause    = 500 * time.Millisecond
	progressPause = 10 * time.Second
)

// readRemote reads the token and the CA of a remote.
func (o *sealOptions) readRemote(ctx context.Context, r *seal.Request, needToken, needCA bool, stderr io.Writer) error {
	contexts, err := o.contextsOnce()
	if err != nil {
		return err
	}
	opened, err := openContext(contexts, "--context", cmp.Or(o.contextOf[r.Cluster.Name], r.Cluster.Name))
	if err != nil {
		return err
	}
	s := remote{opened}
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
func (s remote) token(ctx context.Context, w tokenWait) ([]byte, error) {
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
		case err != nil && (first || !cluster.Passing(err)):
			return nil, s.explain(err, w)
		case err != nil:
			missing = err.Error()
		}
		now := time.Now()
		if now.Sub(start) >= most {
			hint := fmt.Sprintf("see that the API server answers (kubectl --context %s version), and seal again", s.Context())
			if err == nil {
				hint = fmt.Sprintf("the remote deletes a token Secret that comes before its service account: see that %s/%s exists (kubectl --context %s -n %s get serviceaccount,secret), and apply the phase link again",
					w.namespace, w.account, s.Context(), w.namespace)
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

// explain adds what to do about an answer.
func (s remote) explain(err error, w tokenWait) error {
	switch cluster.Status(err) {
	case http.StatusUnauthorized:
		return &hinted{err, "log in to the cluster again; kubectl --context " + s.Context() + " auth whoami says who you are"}
	case http.StatusForbidden:
		return &hinted{err, fmt.Sprintf("the user of the context needs get on the Secret: kubectl --context %s -n %s auth can-i get secret/%s", s.Context(), w.namespace, w.secret)}
	}
	return err
}

// lookForToken reads the token of a Secret, or says what is missing still.
func (s remote) lookForToken(ctx context.Context, w tokenWait) (token []byte, missing string, err error) {
	var secret struct {
		Metadata struct{ Annotations map[string]string }
		Type     string
		Data     map[string][]byte
	}
	at := w.namespace + "/" + w.secret
	err = s.Read(ctx, cluster.Core(w.namespace, "secrets", w.secret), &secret)
	switch account := secret.Metadata.Annotations["kubernetes.io/service-account.name"]; {
	case cluster.Status(err) == http.StatusNotFound:
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
func (s remote) certificateAuthority(ctx context.Context, namespace string) ([]byte, error) {
	if ca := s.CA(); len(ca) > 0 {
		return ca, nil
	}
	var bundle struct{ Data map[string]string }
	if err := s.Read(ctx, cluster.Core(namespace, "configmaps", "kube-root-ca.crt"), &bundle); err != nil {
		return nil, &hinted{fmt.Errorf("the kubeconfig has no CA, and the ConfigMap kube-root-ca.crt cannot be read: %w", err), "name the CA of the API server with --ca-file FILE"}
	}
	return []byte(bundle.Data["ca.crt"]), nil
}

// fetchCertificate has the certificate from the controller on the hub, through
// the API server, as kubeseal --fetch-cert does it.
func (o *sealOptions) fetchCertificate(ctx context.Context) ([]byte, error) {
	contexts, err := o.contextsOnce()
	if err != nil {
		return nil, err
	}
	s, err := openContext(contexts, "--hub-context", o.hubContext)
	if err != nil {
		return nil, err
	}
	hint := "name the controller's service with --controller-name and --controller-namespace, or its certificate with --cert FILE"
	var service struct {
		Spec struct{ Ports []struct{ Name string } }
	}
	if err := s.Read(ctx, cluster.Core(o.controllerNamespace, "services", o.controllerName), &service); err != nil {
		return nil, &hinted{fmt.Errorf("the controller on the hub: %w", err), hint}
	}
	if len(service.Spec.Ports) == 0 {
		return nil, &hinted{fmt.Errorf("the controller on the hub: the service %s/%s has no port", o.controllerNamespace, o.controllerName), hint}
	}
	data, err := s.Proxy(cluster.Service{Namespace: o.controllerNamespace, Name: o.controllerName, Port: service.Spec.Ports[0].Name}).Get(ctx, cluster.Path{"v1", "cert.pem"}, nil)
	if err != nil {
		return nil, &hinted{fmt.Errorf("the certificate of the controller on the hub: %w", err), "see that its pod runs, or name its certificate with --cert FILE"}
	}
	return data, nil
}
