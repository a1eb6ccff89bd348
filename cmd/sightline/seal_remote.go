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

// remote is a cluster that a link leads to.
type remote struct{ *cluster.Cluster }

// openRemote opens a remote by its context.
func (o *sealRun) openRemote(name string) (remote, error) {
	contexts, err := o.contextsOnce()
	if err != nil {
		return remote{}, err
	}
	opened, err := openContext(contexts, "--context", cmp.Or(o.contextOf[name], name))
	return remote{opened}, err
}

// readRemote reads the token and the CA of a remote, and says what is odd about
// them. Over a connection that is not verified only the token is taken: with a CA
// from somebody in between, Kiali would trust him for good.
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
			warnings = append(warnings, "the token came over a connection that the context "+s.Context()+" does not verify: whoever is in between "+
				"has read it")
		}
	}
	if needCA {
		if r.CA, err = s.certificateAuthority(ctx, namespace); err != nil {
			return nil, o.late(ctx, s.Name(), err)
		}
	}
	said, err := s.otherName(ctx, r.Topology, r.Cluster)
	if err != nil {
		said = []string{"whether Istio knows the cluster by this name was not checked: " + o.late(ctx, s.Name(), err).Error()}
	}
	return append(warnings, said...), nil
}

// late says of an error that the time of --timeout is over, where it is.
func (o *sealOptions) late(ctx context.Context, name string, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && context.Cause(ctx) == errTimeout {
		return fmt.Errorf("%s does not answer: no answer within the %s of --timeout", name, o.timeout)
	}
	return err
}

// The pause between two looks for a token, and between two reports of that.
const (
	tokenPause    = 500 * time.Millisecond
	progressPause = 10 * time.Second
)

// tokenWait is what is waited for: the token in a Secret.
type tokenWait struct {
	namespace, secret, account string
	timeout                    time.Duration
	say                        func(string)
}

// foundToken is the token in a Secret, or what is missing still.
type foundToken struct {
	token   []byte
	created time.Time // the Secret
	missing string
}

// token reads the token of a Secret, once the cluster has filled it, until the
// context ends. An API server that cannot be asked at all is an error at once; one
// that goes away while it is waited for may come back.
func (s remote) token(ctx context.Context, w tokenWait) (foundToken, error) {
	start := time.Now()
	var said time.Time
	var last error // why there was no answer when it was last asked
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

// tooLate says what was missing when the time was over.
func (s remote) tooLate(ctx context.Context, w tokenWait, missing string, last error) error {
	if context.Cause(ctx) != errTimeout {
		return ctx.Err()
	}
	hint := s.answers()
	switch {
	case missing == "":
		missing = s.Name() + " does not answer"
	case last == nil:
		hint = fmt.Sprintf("the remote deletes a token Secret that comes before its service account: see that %s/%s exists (%s), and apply the "+
			"phase link again", w.namespace, w.account, command.Kubectl(s.Context(), w.namespace, "get serviceaccount,secret"))
	}
	return &hinted{fmt.Errorf("no token within %s: %s", w.timeout, missing), hint}
}

// explain adds what to do about an answer.
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
	return "see that the API server answers (" + command.Kubectl(s.Context(), "", "version") + "), and seal again"
}

// lookForToken reads the token of a Secret, or says what is missing still.
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
			"apply the phase link of the remote as it is rendered",
		}
	case len(secret.Data["token"]) == 0:
		return foundToken{missing: fmt.Sprintf("the Secret %s has none yet", at)}, nil
	}
	return foundToken{token: secret.Data["token"], created: secret.Metadata.CreationTimestamp}, nil
}

// certificateAuthority is the CA of the API server: that of the kubeconfig, else
// the one that the cluster gives its own pods, if it is the cluster that says so.
func (s remote) certificateAuthority(ctx context.Context, namespace string) ([]byte, error) {
	if ca := s.CA(); len(ca) > 0 {
		return ca, nil
	}
	if !s.Verified() {
		return nil, &finding.Refusal{
			Message: "the context " + s.Context() + " does not verify the API server, so a CA from there may be anybody's",
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

// otherName says that istiod on the remote calls the cluster something else than
// the topology does. Everything else looks well then, and the graph stays empty.
// There is nothing to say where the remote has no istiod of its own.
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
					warnings = append(warnings, fmt.Sprintf("istiod (Deployment %s/%s) has CLUSTER_ID %q, and the topology calls the cluster %q: Kiali "+
						"would find nothing of it. Use the name that Istio uses",
						namespace, finding.Shorten(istiod.Metadata.Name), finding.Shorten(env.Value), c.Name))
				}
			}
		}
	}
	return warnings, nil
}
