package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"k8s.io/client-go/rest"

	"github.com/sightline-mesh/sightline/internal/resource"
)

// Cluster is the API server of a cluster, asked as the user of a kubeconfig.
type Cluster struct {
	Server
	context string
	config  *rest.Config
	plurals *plurals
}

// Context is the context of the kubeconfig that leads to the cluster.
func (c *Cluster) Context() string { return c.context }

// Host is the host and port of the API server.
func (c *Cluster) Host() string { return c.url.Host }

// URL is the URL of the API server, without a slash at its end.
func (c *Cluster) URL() string { return strings.TrimSuffix(c.url.String(), "/") }

// CA is the certificate authority that the kubeconfig has for the API server,
// in PEM; none if it has none.
func (c *Cluster) CA() []byte { return c.config.CAData }

// Verified tells whether the API server proves who it is: without that, what
// it says may be the word of anybody in between.
func (c *Cluster) Verified() bool { return c.url.Scheme == "https" && !c.config.Insecure }

// nothing is what an answer is that Kubernetes does not give.
const nothing = "no object of Kubernetes"

// Read reads an object into a type that has the fields of interest.
func (c *Cluster) Read(ctx context.Context, path Path, into any) error {
	body, err := c.Get(ctx, path, nil)
	if err != nil {
		return err
	}
	return c.decode(body, into, nothing)
}

// Core is the path of an object of the core API in a namespace, or without a
// name that of all of the kind; what follows is below it.
func Core(namespace, plural string, name ...string) Path {
	return append(Path{"api", "v1", "namespaces", namespace, plural}, name...)
}

// Review asks the API server a question that is put as an object, such as a
// SelfSubjectAccessReview, which it answers and does not keep.
func (c *Cluster) Review(ctx context.Context, path Path, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	if body, err = c.do(ctx, ask{method: http.MethodPost, path: path, body: body}); err != nil {
		return err
	}
	return c.decode(body, answer, nothing)
}

// Find reads an object by what it is. An error with the status 404 says that
// there is none, or that the cluster does not know its kind.
func (c *Cluster) Find(ctx context.Context, id resource.ID) (resource.Object, error) {
	at, err := c.path(ctx, id.APIVersion, id.Kind, id.Namespace)
	if err != nil {
		return nil, err
	}
	body, err := c.Get(ctx, append(at, id.Name), nil)
	if err != nil {
		return nil, err
	}
	return c.object(body)
}

// List reads the objects of a kind: those of a namespace, or with "" those of
// the whole cluster; those that a label selector matches, or with "" all. The
// error is as that of Find.
func (c *Cluster) List(ctx context.Context, apiVersion, kind, namespace, selector string) ([]resource.Object, error) {
	at, err := c.path(ctx, apiVersion, kind, namespace)
	if err != nil {
		return nil, err
	}
	return c.pages(ctx, ask{path: at}, kind, apiVersion, selector, "")
}

// metadataOnly asks for nothing of objects but their metadata, and takes no other
// answer.
const metadataOnly = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

// Metadata lists objects as List does, those that a field selector matches as
// well, but has the API server leave out everything below their metadata: no
// value of a Secret is in its answer.
func (c *Cluster) Metadata(ctx context.Context, apiVersion, kind, labels, fields string) ([]resource.Object, error) {
	at, err := c.path(ctx, apiVersion, kind, "")
	if err != nil {
		return nil, err
	}
	return c.pages(ctx, ask{path: at, accept: metadataOnly}, kind, apiVersion, labels, fields)
}

// pages reads a list in pages, so that no answer is large.
func (c *Cluster) pages(ctx context.Context, q ask, kind, apiVersion, labels, fields string) ([]resource.Object, error) {
	var all []resource.Object
	q.method = http.MethodGet
	for next := ""; ; {
		q.query = url.Values{"limit": {"500"}}
		for key, value := range map[string]string{"labelSelector": labels, "fieldSelector": fields, "continue": next} {
			if value != "" {
				q.query.Set(key, value)
			}
		}
		body, err := c.do(ctx, q)
		if err != nil {
			return nil, err
		}
		page, err := c.object(body)
		if err != nil {
			return nil, err
		}
		items, _ := page["items"].([]any)
		for _, item := range items {
			object, ok := item.(map[string]any)
			if !ok {
				return nil, &Error{text: c.name + " answers with " + nothing}
			}
			object["kind"], object["apiVersion"] = kind, apiVersion // which a list says once
			all = append(all, object)
		}
		meta, _ := page["metadata"].(map[string]any)
		if next, _ = meta["continue"].(string); next == "" {
			return all, nil
		}
	}
}

func (c *Cluster) object(body []byte) (resource.Object, error) {
	value, err := resource.DecodeJSON(body)
	object, ok := value.(map[string]any)
	if err != nil || !ok {
		return nil, &Error{text: c.name + " answers with " + nothing}
	}
	return object, nil
}

// plurals is what the resources of kinds are called in paths, by group and
// version, as far as it has been asked for.
type plurals struct {
	sync.Mutex
	known map[string]map[string]kind
}

type kind struct {
	plural     string
	namespaced bool
}

func newPlurals() *plurals { return &plurals{known: map[string]map[string]kind{}} }

// path is where the objects of a kind are.
func (c *Cluster) path(ctx context.Context, apiVersion, name, namespace string) (Path, error) {
	root := Path{"api", apiVersion}
	if group, version, ok := strings.Cut(apiVersion, "/"); ok {
		root = Path{"apis", group, version}
	}
	kinds, err := c.kinds(ctx, root, apiVersion)
	if err != nil {
		return nil, err
	}
	k, ok := kinds[name]
	switch {
	case !ok:
		return nil, &Error{Status: http.StatusNotFound, text: fmt.Sprintf("%s does not know the kind %s of %s", c.name, name, apiVersion)}
	case k.namespaced && namespace != "":
		return append(root, "namespaces", namespace, k.plural), nil
	}
	return append(root, k.plural), nil
}

func (c *Cluster) kinds(ctx context.Context, root Path, apiVersion string) (map[string]kind, error) {
	c.plurals.Lock()
	defer c.plurals.Unlock()
	if kinds, ok := c.plurals.known[apiVersion]; ok {
		return kinds, nil
	}
	var list struct {
		Resources []struct {
			Name, Kind string
			Namespaced bool
		}
	}
	if err := c.Read(ctx, root, &list); err != nil {
		if Status(err) == http.StatusNotFound {
			return nil, &Error{Status: http.StatusNotFound, text: fmt.Sprintf("%s does not serve %s", c.name, apiVersion)}
		}
		return nil, err
	}
	kinds := map[string]kind{}
	for _, r := range list.Resources {
		if !strings.Contains(r.Name, "/") { // a subresource
			kinds[r.Kind] = kind{r.Name, r.Namespaced}
		}
	}
	c.plurals.known[apiVersion] = kinds
	return kinds, nil
}

// Serves tells whether the cluster knows a kind.
func (c *Cluster) Serves(ctx context.Context, apiVersion, kind string) (bool, error) {
	_, err := c.path(ctx, apiVersion, kind, "")
	if Status(err) == http.StatusNotFound {
		return false, nil
	}
	return err == nil, err
}
