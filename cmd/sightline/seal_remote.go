package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// remote is the cluster of a link.
type remote struct{ *cluster.Cluster }

// openRemote returns a client for a remote, by its context.
func (o *sealRun) openRemote(name string) (remote, error) {
	contexts, err := o.contextsOnce()
	if err != nil {
		return remote{}, err
	}
	opened, err := openContext(contexts, "--context", cmp.Or(o.contextOf[name], name))
	return remote{opened}, err
}

// readRemote reads the token and the CA of a remote into a request, and returns
// warnings. Over an unverified connection it reads only the token. Kiali would trust a
// CA from an attacker for ever.
func (o *sealRun) readRemote(ctx context.Context, r *seal.Request, needToken, needCA bool, progress io.Writer) (warnings []string,
	err error) {
	s, err := o.openRemote(r.Cluster.Name)
	if err != nil {
		return nil, err
	}
	namespace := r.Topology.Spec.Kiali.Namespace
	if needToken {
		wait := tokenWait{
			namespace: namespace,
			secret:    r.Topology.TokenSecret(seal.Generation(r.Before)),
			account:   r.Topology.Account(),
			timeout:   o.timeout,
			say:       func(text string) { fmt.Fprintf(progress, "%s: %s\n", r.Cluster.Name, text) },
		}
		found, err := s.token(ctx, wait)
		if err != nil {
			return nil, err
		}
		r.Token, r.TokenCreated = found.token, found.created
		if !s.Verified() {
			warnings = append(warnings, "the token came over a connection that the context "+s.Context()+" does not verify, so an attacker may "+
				"have read it")
		}
	}
	if needCA {
		if r.CA, err = s.certificateAuthority(ctx, namespace); err != nil {
			return nil, o.late(ctx, s.Name(), err)
		}
	}
	said, err := s.otherName(ctx, r.Topology, r.Cluster)
	if err != nil {
		said = []string{"the name of the cluster in Istio was not checked: " + o.late(ctx, s.Name(), err).Error()}
	}
	return append(warnings, said...), nil
}

// late replaces an error that --timeout has caused by one that says so.
func (o *sealOptions) late(ctx context.Context, name string, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && context.Cause(ctx) == errTimeout {
		return fmt.Errorf("%s does not answer: no answer within the %s of --timeout", name, o.timeout)
	}
	return err
}

// tokenPause is the pause between two reads of a token Secret. progressPause is the
// pause between two lines about it.
const (
	tokenPause    = 500 * time.Millisecond
	progressPause = 10 * time.Second
)

// tokenWait names the Secret whose token is awaited.
type tokenWait struct {
	namespace, secret, account string
	timeout                    time.Duration
	say                        func(string)
}

// foundToken is the token in a Secret, or what is still missing.
type foundToken struct {
	token   []byte
	created time.Time // when the Secret was created
	missing string
}

// token waits until the cluster has filled a Secret, and returns its token. It ends
// when the context ends. If the first request fails, the error comes at once. If a later
// request fails, the API server may come back.
func (s remote) token(ctx context.Context, w tokenWait) (foundToken, error) {
	start := time.Now()
	var said time.Time
	var last error // of the last request
	var missing string
	for first := true; ; first = false {
		found, err := s.lookForToken(ctx, w)
		switch {
		case err == nil && found.missing == "":
			return found, nil
		case ctx.Err() != nil:
			return foundToken{}, s.tooLate(ctx, w, missing, last)
		case err != nil && (first || !cluster.Passing(err)):
			return foundToken{}, s.explain(err, w)
		case err != nil:
			missing, last = err.Error(), err
		default:
			missing, last = found.missing, nil
		}
		if first || time.Since(said) >= progressPause {
			said = time.Now()
			w.say(fmt.Sprintf("waiting for the token, %s of %s: %s", said.Sub(start).Round(time.Second), w.timeout, missing))
		}
		select {
		case <-ctx.Done():
			return foundToken{}, s.tooLate(ctx, w, missing, last)
		case <-time.After(tokenPause):
		}
	}
}

// tooLate returns the error of a wait that the time has ended, with what was missing.
func (s remote) tooLate(ctx context.Context, w tokenWait, missing string, last error) error {
	if context.Cause(ctx) != errTimeout {
		return ctx.Err()
	}
	hint := s.answers()
	switch {
	case missing == "":
		missing = s.Name() + " does not answer"
	case last == nil:
		hint = fmt.Sprintf("the remote deletes a token Secret without a service account: check that %s/%s exists (%s), and apply the "+
			"phase link again", w.namespace, w.account, command.Kubectl(s.Context(), w.namespace, "get serviceaccount,secret"))
	}
	return &hinted{fmt.Errorf("no token within %s: %s", w.timeout, missing), hint}
}

// explain adds a hint to the error of a request.
func (s remote) explain(err error, w tokenWait) error {
	switch cluster.Status(err) {
	case http.StatusUnauthorized:
		return &hinted{err, "log in to the cluster again; " + command.Kubectl(s.Context(), "", "auth whoami") + " says who you are"}
	case http.StatusForbidden:
		return &hinted{err, "the user of the context needs get on the Secret: " +
			command.Kubectl(s.Context(), w.namespace, "auth can-i get secret/"+w.secret)}
	}
	var none *cluster.Error
	if errors.As(err, &none) && none.Status == 0 {
		return &hinted{err, s.answers()}
	}
	return err
}

// answers is the hint for an API server that gives no answer.
func (s remote) answers() string {
	return "check that the API server answers (" + command.Kubectl(s.Context(), "", "version") + "), and seal again"
}

// lookForToken reads the token of a Secret once, or says what is still missing.
func (s remote) lookForToken(ctx context.Context, w tokenWait) (foundToken, error) {
	var secret struct {
		Metadata struct {
			Annotations       map[string]string
			CreationTimestamp time.Time
		}
		Type string
		Data map[string][]byte
	}
	at := w.namespace + "/" + w.secret
	err := s.Read(ctx, cluster.Core(w.namespace, "secrets", w.secret), &secret)
	switch account := secret.Metadata.Annotations["kubernetes.io/service-account.name"]; {
	case cluster.Status(err) == http.StatusNotFound:
		return foundToken{missing: fmt.Sprintf("there is no Secret %s on it", at)}, nil
	case err != nil:
		return foundToken{}, err
	case secret.Type != "kubernetes.io/service-account-token" || account != w.account:
		return foundToken{}, &hinted{
			fmt.Errorf("the Secret %s is of the type %q for the account %q, expected kubernetes.io/service-account-token for %q", at,
				finding.Shorten(secret.Type), finding.Shorten(account), w.account),
			"apply the rendered phase link of the remote",
		}
	case len(secret.Data["token"]) == 0:
		return foundToken{missing: fmt.Sprintf("the Secret %s has no token yet", at)}, nil
	}
	return foundToken{token: secret.Data["token"], created: secret.Metadata.CreationTimestamp}, nil
}

// certificateAuthority returns the CA of the API server: the CA of the kubeconfig, or
// else the CA that the cluster gives to its pods. It reads the second one only over a
// verified connection.
func (s remote) certificateAuthority(ctx context.Context, namespace string) ([]byte, error) {
	if ca := s.CA(); len(ca) > 0 {
		return ca, nil
	}
	if !s.Verified() {
		return nil, &finding.Refusal{
			Message: "the context " + s.Context() + " does not verify the API server, so the CA may come from an attacker",
			Hint:    "name the CA of the API server with --ca-file FILE, or put it into the kubeconfig",
		}
	}
	var bundle struct{ Data map[string]string }
	if err := s.Read(ctx, cluster.Core(namespace, "configmaps", "kube-root-ca.crt"), &bundle); err != nil {
		return nil, &hinted{fmt.Errorf("the kubeconfig has no CA, and the ConfigMap kube-root-ca.crt cannot be read: %w", err),
			"name the CA of the API server with --ca-file FILE"}
	}
	return []byte(bundle.Data["ca.crt"]), nil
}

// otherName returns a warning if istiod on the remote has another name for the cluster
// than the topology. Everything else looks well then, but the graph stays empty. It
// checks nothing if the remote has no istiod.
func (s remote) otherName(ctx context.Context, t *topology.Topology, c *topology.Cluster) ([]string, error) {
	if c.ControlPlane.Mode != "local" {
		return nil, nil
	}
	namespace := c.ControlPlane.Namespace
	var found struct {
		Items []struct {
			Metadata struct{ Name string }
			Spec     struct {
				Template struct {
					Spec struct {
						Containers []struct {
							Env []struct{ Name, Value string }
						}
					}
				}
			}
		}
	}
	path := cluster.Path{"apis", "apps", "v1", "namespaces", namespace, "deployments"}
	if err := s.JSON(ctx, path, url.Values{"labelSelector": {labels.Istiod}}, &found); err != nil {
		return nil, err
	}
	var warnings []string
	for _, istiod := range found.Items {
		for _, container := range istiod.Spec.Template.Spec.Containers {
			for _, env := range container.Env {
				if env.Name == "CLUSTER_ID" && env.Value != "" && env.Value != c.Name {
					warnings = append(warnings, fmt.Sprintf("istiod (Deployment %s/%s) has CLUSTER_ID %q, but the topology calls the cluster %q: Kiali "+
						"would show nothing of it. Use Istio's name in the topology",
						namespace, finding.Shorten(istiod.Metadata.Name), finding.Shorten(env.Value), c.Name))
				}
			}
		}
	}
	return warnings, nil
}
