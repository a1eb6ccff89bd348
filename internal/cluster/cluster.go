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

// Cluster is a client for the API server of a cluster, as the user of a kubeconfig.
type Cluster struct {
	Server
	context string
	config  *rest.Config
	plurals *plurals
}

// Context returns the context of the kubeconfig for the cluster.
func (c *Cluster) Context() string { return c.context }

// Host returns the host and port of the API server.
func (c *Cluster) Host() string { return c.url.Host }

// URL returns the URL of the API server, without a slash at its end.
func (c *Cluster) URL() string { return strings.TrimSuffix(c.url.String(), "/") }

// CA returns the CA of the API server in the kubeconfig, in PEM, or nothing.
func (c *Cluster) CA() []byte { return c.config.CAData }

// Verified tells whether the certificate of the API server is checked. Otherwise its
// answers may come from an attacker.
func (c *Cluster) Verified() bool { return c.url.Scheme == "https" && !c.config.Insecure }

// nothing describes an answer that is not from Kubernetes.
const nothing = "no object of Kubernetes"

// Read reads an object into a struct with the needed fields.
func (c *Cluster) Read(ctx context.Context, path Path, into any) error {
	body, err := c.Get(ctx, path, nil)
	if err != nil {
		return err
	}
	return c.decode(body, into, nothing)
}

// Core returns the path of an object of the core API in a namespace. Without a name, it
// is the path of all objects of the kind. More names are segments below it.
func Core(namespace, plural string, name ...string) Path {
	return append(Path{"api", "v1", "namespaces", namespace, plural}, name...)
}

// Review sends an object with a question to the API server, such as a
// SelfSubjectAccessReview. The API server answers it and does not store it.
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

// Find reads an object by its kind and name. An error with the status 404 says that
// there is no such object, or that the cluster does not know the kind.
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

// List reads the objects of a kind in a namespace; "" means all namespaces. A label
// selector chooses among them; "" means all. The error is as for Find.
func (c *Cluster) List(ctx context.Context, apiVersion, kind, namespace, selector string) ([]resource.Object, error) {
	at, err := c.path(ctx, apiVersion, kind, namespace)
	if err != nil {
		return nil, err
	}
	return c.pages(ctx, ask{path: at}, kind, apiVersion, selector, "")
}

// metadataOnly is the media type that asks only for the metadata of objects. It accepts
// no other answer.
const metadataOnly = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

// Metadata lists objects as List does, and takes a field selector too. The API server
// sends only the metadata, so no value of a Secret is in the answer.
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
			object["kind"], object["apiVersion"] = kind, apiVersion // a list has them once
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

// plurals has the names of resources in paths, by kind, group and version. It keeps the
// answers of the API server.
type plurals struct {
	sync.Mutex
	known map[string]map[string]kind
}

type kind struct {
	plural     string
	namespaced bool
}

func newPlurals() *plurals { return &plurals{known: map[string]map[string]kind{}} }

// path returns the path of the objects of a kind.
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
