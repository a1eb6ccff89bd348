package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// fetchCertificate reads the certificate from the controller on the hub, through the
// API server, as kubeseal --fetch-cert does.
func (o *sealRun) fetchCertificate(ctx context.Context) ([]byte, error) {
	h, err := o.openHub()
	if err != nil {
		return nil, err
	}
	if !h.Verified() {
		return nil, &finding.Refusal{
			Message: "the context " + h.Context() + " does not verify the API server of the hub, so the certificate may come from an attacker",
			Hint:    "put the CA of the API server into the kubeconfig, or name the certificate with --cert FILE",
		}
	}
	hint := "name the controller's service with --controller-name and --controller-namespace, or its certificate with --cert FILE"
	var service struct {
		Spec struct{ Ports []struct{ Name string } }
	}
	if err := h.Read(ctx, cluster.Core(o.controllerNamespace, "services", o.controllerName), &service); err != nil {
		return nil, &hinted{fmt.Errorf("the controller on the hub: %w", o.late(ctx, h.Name(), err)), hint}
	}
	if len(service.Spec.Ports) == 0 {
		return nil, &hinted{fmt.Errorf("the controller on the hub: the service %s/%s has no port", o.controllerNamespace, o.controllerName), hint}
	}
	data, err := h.Proxy(cluster.Service{Namespace: o.controllerNamespace, Name: o.controllerName, Port: service.Spec.Ports[0].Name}).Get(ctx,
		cluster.Path{"v1", "cert.pem"}, nil)
	if err != nil {
		return nil, &hinted{fmt.Errorf("the certificate of the controller on the hub: %w", o.late(ctx, h.Name(), err)),
			"check that its pod runs, or name its certificate with --cert FILE"}
	}
	return data, nil
}

// hub is the cluster with the Secrets of the links.
type hub struct{ *cluster.Cluster }

// openHub returns a client for the hub, by --hub-context.
func (o *sealRun) openHub() (*hub, error) {
	contexts, err := o.contextsOnce()
	if err != nil {
		return nil, err
	}
	opened, err := openContext(contexts, "--hub-context", o.hubContext)
	return &hub{opened}, err
}

// link returns the kubeconfig of a remote in a Secret of the hub, or nil.
func (h *hub) link(ctx context.Context, namespace, secret, key string) ([]byte, error) {
	var found struct{ Data map[string][]byte }
	err := h.Read(ctx, cluster.Core(namespace, "secrets", secret), &found)
	if cluster.Status(err) == http.StatusNotFound {
		return nil, nil
	}
	return found.Data[key], err
}

// has tells whether the hub has the Secret of a link, and the earlier Secret.
func (h *hub) has(ctx context.Context, l *topology.SealedLink) (seal.Hub, error) {
	is := l.Spec.Secret
	known := seal.Hub{Asked: true}
	now, err := h.link(ctx, is.Namespace, is.Name, is.Key)
	if err != nil {
		return known, err
	}
	before, err := h.link(ctx, is.Namespace, l.Spec.Replaces, is.Key)
	known.New, known.Old = now != nil, before != nil
	return known, err
}
