// Package observe reads what package status judges: each cluster through its
// API server, and Kiali and the store of metrics through the hub. It writes
// nothing, and keeps no credential.
//
// It asks many clusters at once. A cluster that does not answer costs one
// deadline, because observe then asks it nothing more.
package observe

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/status"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// atOnce is the number of clusters that are asked at the same time.
const atOnce = 20

// Options say what to ask, and how.
type Options struct {
	Open     func(c *topology.Cluster) (*cluster.Cluster, error) // an error says why nobody can ask the cluster
	Wanted   func(check string) bool
	Clusters []string          // clusters to ask beside the hub, which has the links, and the ACM hub; none: all
	Done     func(name string) // called for each cluster after it was asked
	Timeout  time.Duration     // of a request through a link; 0: the default of package cluster
	Kiali    Kiali
	Metrics  Metrics
}

// Everything reads the hub first, because the hub has the links. Then it reads
// all other clusters, their links, Kiali and the store at the same time. So a
// remote that hangs costs one deadline.
func Everything(ctx context.Context, e status.Expected, o Options) status.Facts {
	a := &all{e: e, o: o, opened: map[string]*cluster.Cluster{}, asked: map[string]chan struct{}{}, f: status.Facts{
		Clusters: map[string]*status.Cluster{}, Links: map[string]*status.Link{}, Stores: map[string]*status.Store{},
	}}
	hub := e.Topology.Hub()
	acm := e.ACMHub()
	for _, c := range e.Clusters() {
		if c == hub || c == acm || o.asks(c) {
			a.asked[c.Name] = make(chan struct{})
		}
	}
	kubeconfigs := a.cluster(ctx, hub)
	own := o.Metrics.ofClusters(e)
	var clusters, rest errgroup.Group
	clusters.SetLimit(atOnce)
	rest.SetLimit(atOnce)
	if o.any("view", "tracing") {
		rest.Go(func() error { a.f.Kiali = o.Kiali.read(ctx, e, a.answers(hub.Name)); return nil })
	}
	if o.any("data") && !own {
		rest.Go(func() error { a.f.Stores = o.Metrics.read(ctx, e, hub, o.asks, a.answers); return nil })
	}
	for _, c := range e.Clusters() {
		if c == hub || c != acm && !o.asks(c) {
			continue
		}
		clusters.Go(func() error { a.cluster(ctx, c); return nil }) // started before the link, which waits for the cluster
		if o.any("links") && c != e.Outside && o.asks(c) {
			rest.Go(func() error {
				l := link(ctx, e, c, kubeconfigs[c.Name], o.Timeout, a.answers)
				a.mutex.Lock()
				defer a.mutex.Unlock()
				a.f.Links[c.Name] = l
				return nil
			})
		}
	}
	_ = clusters.Wait()
	_ = rest.Wait()
	if o.any("data") && own {
		a.f.Stores = o.Metrics.read(ctx, e, hub, o.asks, a.answers)
	}
	return a.f
}

// all collects what has been read so far.
type all struct {
	e status.Expected
	o Options

	mutex  sync.Mutex
	f      status.Facts
	opened map[string]*cluster.Cluster
	asked  map[string]chan struct{} // closed after the cluster was asked
}

// cluster reads a cluster. It returns the kubeconfigs of the links on it.
func (a *all) cluster(ctx context.Context, c *topology.Cluster) map[string][]byte {
	got := &status.Cluster{Context: c.Name}
	var kubeconfigs map[string][]byte
	open, err := a.o.Open(c)
	if err != nil {
		got.NoAccess = err.Error()
	} else {
		got.Context = open.Context()
		r := &reader{Cluster: open, e: a.e, o: a.o, on: c, got: got}
		r.read(ctx)
		kubeconfigs = r.kubeconfigs
	}
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.f.Clusters[c.Name] = got
	if err == nil {
		a.opened[c.Name] = open
	}
	if a.o.Done != nil {
		a.o.Done(c.Name)
	}
	close(a.asked[c.Name])
	return kubeconfigs
}

// answers waits until a cluster has been asked. It returns nil if the cluster
// does not answer.
func (a *all) answers(name string) *cluster.Cluster {
	if a.asked[name] == nil { // nobody asks it
		return nil
	}
	<-a.asked[name]
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if got := a.f.Clusters[name]; got == nil || got.Failure != nil {
		return nil
	}
	return a.opened[name]
}

// asks tells whether a cluster is among the chosen ones.
func (o Options) asks(c *topology.Cluster) bool {
	return len(o.Clusters) == 0 || slices.Contains(o.Clusters, c.Name)
}

func (o Options) any(groups ...string) bool {
	for _, g := range status.Groups() {
		for _, wanted := range groups {
			if g.Name != wanted {
				continue
			}
			for _, check := range g.Checks {
				if o.Wanted == nil || o.Wanted(check) {
					return true
				}
			}
		}
	}
	return false
}

// reader asks one cluster. After a question without an answer it asks nothing
// more, because each further question would cost its deadline.
type reader struct {
	*cluster.Cluster
	e    status.Expected
	o    Options
	on   *topology.Cluster
	got  *status.Cluster
	dead *status.Failure

	kubeconfigs map[string][]byte // of the links on the hub
}

// failure says why there is no answer.
func (r *reader) failure(err error) *status.Failure {
	f := failure(err)
	if f != nil && f.Status == 0 {
		var answered *cluster.Error
		if errors.As(err, &answered) {
			r.dead = f
		}
	}
	return f
}

func failure(err error) *status.Failure {
	if err == nil {
		return nil
	}
	return &status.Failure{Status: cluster.Status(err), Text: err.Error()}
}

// ask asks one question.
func ask[T any](r *reader, question func() (T, error)) status.Answer[T] {
	if r.dead != nil {
		return status.Answer[T]{Err: r.dead}
	}
	v, err := question()
	return status.Answer[T]{Value: v, Err: r.failure(err)}
}

func (r *reader) read(ctx context.Context) {
	var version struct{ GitVersion string }
	if err := r.Read(ctx, cluster.Path{"version"}, &version); err != nil {
		r.got.Failure = failure(err)
		return
	}
	// Anybody may ask for the version. This question needs a known user.
	r.got.OpenShift = ask(r, func() (bool, error) { return r.Serves(ctx, "config.openshift.io/v1", "ClusterVersion") })
	if err := r.got.OpenShift.Err; err != nil {
		r.got.Failure = err
		return
	}
	if r.on == r.e.ACMHub() && r.o.any("acm") {
		r.acm(ctx)
	}
	if r.on == r.e.Outside {
		if r.o.any("objects") {
			r.objects(ctx)
		}
		return
	}
	r.got.Namespaces = ask(r, func() (map[string]map[string]string, error) { return r.namespaces(ctx) })
	if r.o.any("names", "tracing") {
		r.istio(ctx)
	}
	if r.o.any("monitoring") {
		r.got.Telemetries = ask(r, func() ([]status.Telemetry, error) { return r.telemetries(ctx) })
	}
	if r.o.any("objects", "kiali") {
		r.objects(ctx)
	}
	if r.o.any("kiali") {
		r.got.Operator = ask(r, func() (status.Operator, error) { return r.operator(ctx) })
		if r.on.Platform == "openshift" {
			r.got.OAuth = ask(r, func() (bool, error) { return r.Serves(ctx, "oauth.openshift.io/v1", "OAuthClient") })
		}
	}
	if r.o.any("links", "kiali") {
		if r.e.Topology.IsHub(r.on) {
			r.hub(ctx)
		} else {
			r.tokens(ctx)
		}
	}
	if r.o.any("monitoring") {
		if r.on.Platform == "openshift" {
			r.got.UserWorkload = ask(r, func() (status.Monitoring, error) { return r.userWorkload(ctx) })
		} else {
			r.got.Prometheuses = ask(r, func() ([]status.Prometheus, error) { return r.prometheuses(ctx) })
		}
	}
}

// objects reads the rendered objects. It reads a kind with many objects by one
// list.
func (r *reader) objects(ctx context.Context) {
	r.got.Objects = map[resource.ID]status.Answer[resource.Object]{}
	kinds := map[[2]string][]resource.ID{}
	var order [][2]string
	for _, o := range r.e.Objects[r.on.Name] {
		id := resource.IDOf(o)
		key := [2]string{id.APIVersion, id.Kind}
		if kinds[key] == nil {
			order = append(order, key)
		}
		kinds[key] = append(kinds[key], id)
	}
	for _, key := range order {
		ids := kinds[key]
		if len(ids) > 3 && key[1] != "Secret" {
			list := ask(r, func() ([]resource.Object, error) {
				return r.List(ctx, key[0], key[1], "", labels.PartOf+"="+r.e.Topology.Metadata.Name)
			})
			for _, o := range list.Value {
				r.got.Objects[resource.IDOf(o)] = status.Answer[resource.Object]{Value: o}
			}
		}
		for _, id := range ids {
			if _, ok := r.got.Objects[id]; !ok {
				r.got.Objects[id] = ask(r, func() (resource.Object, error) { return r.Find(ctx, id) })
			}
		}
	}
}

// missing tells whether an error only says that the object does not exist.
func missing(err error) bool { return cluster.Status(err) == http.StatusNotFound }
