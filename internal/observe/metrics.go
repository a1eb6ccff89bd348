package observe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"

	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/openshift"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/status"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Metrics says how to reach the store of metrics: at a URL, or at the address
// in the topology.
type Metrics struct {
	URL   string
	Token string
	CA    []byte // for the URL
}

// read asks the store of all clusters, with the key "". If each cluster has its
// own store, read asks every store, with the cluster names as keys.
func (m Metrics) read(ctx context.Context, e status.Expected, hub *topology.Cluster, asked func(*topology.Cluster) bool,
	answers func(string) *cluster.Cluster) map[string]*status.Store {
	stores := map[string]*status.Store{}
	if !m.ofClusters(e) {
		stores[""] = m.one(ctx, e, answers(hub.Name))
		return stores
	}
	var group errgroup.Group
	group.SetLimit(atOnce)
	got := make([]*status.Store, len(e.Topology.Spec.Clusters))
	for i := range e.Topology.Spec.Clusters {
		c := &e.Topology.Spec.Clusters[i]
		if open := answers(c.Name); open != nil && c.InMesh() && asked(c) {
			group.Go(func() error { got[i] = m.platform(ctx, e, c, open); return nil })
		}
	}
	_ = group.Wait()
	for i, s := range got {
		if s != nil {
			stores[e.Topology.Spec.Clusters[i].Name] = s
		}
	}
	return stores
}

// ofClusters tells whether each cluster has a store of its own.
func (m Metrics) ofClusters(e status.Expected) bool {
	return m.URL == "" && e.Topology.Spec.Metrics.Store == "thanosQuerier"
}

func noAccess(err error) *status.Store {
	return &status.Store{NoAccess: "the store of the metrics cannot be reached: " + withRights(err)}
}

// withRights returns the text of an error. If the error is about rights, it
// adds the command that prints the needed rights.
func withRights(err error) string {
	if cluster.Status(err) == http.StatusForbidden {
		return err.Error() + "; sightline status --rights prints the rights that are needed"
	}
	return err.Error()
}

// platform asks the querier of OpenShift's own monitoring, through a
// port-forward, because the API server's proxy does not pass the token on.
func (m Metrics) platform(ctx context.Context, e status.Expected, c *topology.Cluster, open *cluster.Cluster) *status.Store {
	if c.Platform != "openshift" {
		return &status.Store{NoAccess: "the cluster is not OpenShift, so its store is unknown"}
	}
	querier := openshift.Querier()
	service := cluster.Service{Namespace: querier.Namespace, Name: querier.Name, Port: querier.Port, TLS: true}
	ca, err := serviceCA(ctx, open, service)
	if err != nil {
		return noAccess(err)
	}
	forward, err := open.Forward(ctx, service, cluster.Login{Context: true}, ca)
	if err != nil {
		return noAccess(err)
	}
	defer forward.Close()
	return query(ctx, e, &forward.Server, nil)
}

// one asks the store of all clusters.
func (m Metrics) one(ctx context.Context, e status.Expected, hub *cluster.Cluster) *status.Store {
	if hub == nil {
		return &status.Store{NoAccess: "the hub was not asked, or does not answer"}
	}
	if m.URL != "" {
		login := cluster.Login{Token: m.Token, Context: m.Token == "" && e.Topology.Spec.Metrics.Store == "thanosQuerier"}
		server, err := hub.At("the store of the metrics", m.URL, login, m.CA)
		if err != nil {
			return noAccess(err)
		}
		return query(ctx, e, server, nil)
	}
	address, auth := status.StoreURL(e)
	at, err := url.Parse(address)
	switch {
	case err != nil || at.Host == "":
		return noAccess(errors.New("the topology has no URL for it"))
	case auth.Type != "none" && auth.Type != "" && auth.Type != status.Certificate:
		return noAccess(fmt.Errorf("%s needs a login of type %s, and only Kiali has the credential", at.Host, auth.Type))
	}
	below := segments(at.Path)
	if auth.Type == status.Certificate {
		login, ca, err := certificate(ctx, e, hub)
		if err != nil {
			return noAccess(fmt.Errorf("%s needs Kiali's certificate: %w", at.Host, err))
		}
		server, err := hub.At("the store of the metrics", at.Scheme+"://"+at.Host, login, ca)
		if err != nil {
			return noAccess(err)
		}
		return query(ctx, e, server, below)
	}
	if s, ok := status.StoreService(e); ok {
		return query(ctx, e, hub.Proxy(cluster.Service{Namespace: s.Namespace, Name: s.Name, Port: s.Port, TLS: s.Scheme == "https"}), below)
	}
	server, err := hub.At("the store of the metrics", at.Scheme+"://"+at.Host, cluster.Login{}, m.CA)
	if err != nil {
		return noAccess(err)
	}
	return query(ctx, e, server, below)
}

// certificate reads Kiali's login to ACM's store from the hub: the certificate
// and key that the Kiali resource names, and the CA that Kiali trusts.
func certificate(ctx context.Context, e status.Expected, hub *cluster.Cluster) (cluster.Login, []byte, error) {
	ns, spec := e.Topology.Spec.Kiali.Namespace, status.KialiSpec(e, e.Topology.Hub())
	var parts [2][]byte
	for i, field := range []string{"cert_file", "key_file"} {
		reference, _ := status.In(spec, "external_services", "prometheus", "auth", field).(string)
		name := strings.Split(reference, ":") // secret:<name>:<key>
		if len(name) != 3 {
			return cluster.Login{}, nil, errors.New("the Kiali resource names no Secret with it")
		}
		var secret corev1.Secret
		if err := hub.Read(ctx, cluster.Core(ns, "secrets", name[1]), &secret); err != nil {
			return cluster.Login{}, nil, err
		}
		parts[i] = secret.Data[name[2]]
	}
	pair, err := tls.X509KeyPair(parts[0], parts[1])
	if err != nil {
		return cluster.Login{}, nil, errors.New("the Secret has no certificate with its key")
	}
	var bundle corev1.ConfigMap
	if err := hub.Read(ctx, cluster.Core(ns, "configmaps", status.StoreCA(e.Topology)), &bundle); err != nil {
		return cluster.Login{}, nil, err
	}
	return cluster.Login{Certificate: &pair}, []byte(bundle.Data[kiali.CABundleKey]), nil
}

// The queries. A series belongs to the cluster whose proxy reported it. The
// labels of the series name this cluster. External labels of the store do not
// matter.
const (
	bySeries = "max by (mesh_id, reporter, source_cluster, destination_cluster) "
	newest   = bySeries + "(timestamp(istio_requests_total))"
	// The removed labels distinguish targets and replicas, not what is counted.
	doubled = `topk(20, count by (namespace, pod) (` +
		`count without (instance, job, container, endpoint, prometheus, prometheus_replica) (istio_requests_total) > 1))`
	replicas = "count by (prometheus_replica) (istio_requests_total)"
)

// query asks a store all questions.
func query(ctx context.Context, e status.Expected, server *cluster.Server, below cluster.Path) *status.Store {
	a := asker{ctx, server, below}
	s := &status.Store{}
	s.Series = a.series(newest)
	if s.Series.Err != nil {
		return s
	}
	if silent := status.Silent(e.Topology, s.Series.Value); len(silent) > 0 {
		for i := range silent {
			silent[i] = regexp.QuoteMeta(silent[i])
		}
		names := strconv.Quote(strings.Join(silent, "|"))
		s.Seen = a.series(fmt.Sprintf(
			`%s(max_over_time(timestamp(istio_requests_total{reporter="source", source_cluster=~%s})[1d:5m]) or `+
				`max_over_time(timestamp(istio_requests_total{reporter!="source", destination_cluster=~%s})[1d:5m]))`,
			bySeries, names, names))
	}
	s.Spaces = a.samples(`count by (source_cluster, namespace) (istio_requests_total{reporter="source"})`, "source_cluster")
	if s.Spaces.Err == nil {
		other := a.samples(`count by (destination_cluster, namespace) (istio_requests_total{reporter!="source"})`, "destination_cluster")
		s.Spaces = status.Answer[[]status.Sample]{Value: append(s.Spaces.Value, other.Value...), Err: other.Err}
	}
	s.Doubled = a.samples(doubled, "")
	values, err := a.ask(replicas)
	s.Replicas.Err = err
	for _, v := range values {
		s.Replicas.Value = append(s.Replicas.Value, v.Metric["prometheus_replica"])
	}
	targets := fmt.Sprintf(`up{job=~%s}`, strconv.Quote(jobs(e)))
	label := status.ClusterLabel(e.Topology)
	by := strings.TrimPrefix(label+", namespace", ", ")
	s.Down = a.samples("topk(20, "+targets+" == 0)", label)
	s.Proxies = a.samples("count by ("+by+") ("+targets+" == 1)", label)
	return s
}

// jobs returns a regular expression for the label job of our monitors' targets.
// prometheus-operator sets <namespace>/<name> for a PodMonitor, and the name of
// the Service for a ServiceMonitor.
func jobs(e status.Expected) string {
	var names []string
	for _, objects := range e.Objects {
		for _, o := range objects {
			if id := resource.IDOf(o); id.Kind == "PodMonitor" {
				names = append(names, regexp.QuoteMeta(id.Name))
			}
		}
	}
	slices.Sort(names)
	return ".*/(" + strings.Join(slices.Compact(names), "|") + ")|istiod.*"
}

type asker struct {
	ctx    context.Context
	server *cluster.Server
	below  cluster.Path
}

type value struct {
	Metric map[string]string
	Value  [2]any // time in seconds, and a string
}

// ask makes an instant query (prometheus.io/docs/prometheus/latest/querying/api).
func (a asker) ask(query string) ([]value, *status.Failure) {
	var answer struct {
		Status, Error string
		Data          struct{ Result []value }
	}
	err := a.server.JSON(a.ctx, append(slices.Clone(a.below), "api", "v1", "query"), url.Values{"query": {query}}, &answer)
	if err == nil && answer.Status != "success" {
		err = fmt.Errorf("%s does not answer like a Prometheus", a.server.Name())
	}
	return answer.Data.Result, failure(err)
}

func (v value) number() float64 {
	text, _ := v.Value[1].(string)
	n, _ := strconv.ParseFloat(text, 64)
	return n
}

func (a asker) series(query string) status.Answer[[]status.Series] {
	values, err := a.ask(query)
	var all []status.Series
	for _, v := range values {
		at := v.number()
		all = append(all, status.Series{
			MeshID: v.Metric["mesh_id"], Reporter: v.Metric["reporter"], Source: v.Metric["source_cluster"],
			Destination: v.Metric["destination_cluster"],
			Newest:      time.Unix(int64(at), int64(1e9*(at-float64(int64(at))))),
		})
	}
	return status.Answer[[]status.Series]{Value: all, Err: err}
}

func (a asker) samples(query, clusterLabel string) status.Answer[[]status.Sample] {
	values, err := a.ask(query)
	var all []status.Sample
	for _, v := range values {
		all = append(all, status.Sample{Cluster: v.Metric[clusterLabel], Namespace: v.Metric["namespace"], Pod: v.Metric["pod"],
			Value: v.number()})
	}
	return status.Answer[[]status.Sample]{Value: all, Err: err}
}
