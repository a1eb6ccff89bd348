package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/compare"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/fleet"
	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
	"github.com/sightline-mesh/sightline/render"
)

// liveFlags has the flags of commands that ask the clusters of a topology.
type liveFlags struct {
	contexts   []string
	hubContext string
	acmContext string // of an ACM hub that is no cluster of the topology
	kubeconfig string
	only       []string
}

// noACMHub is the error of --acm-context if the topology has no ACM hub outside it.
var noACMHub = &hinted{errors.New("--acm-context is for an ACM hub that is no cluster of the topology, and there is none"),
	"leave it out; for a cluster of the topology use --context"}

// chosen returns the clusters to ask: those of --cluster, or all.
func (l *liveFlags) chosen(t *topology.Topology) ([]*topology.Cluster, error) {
	var all, chosen []*topology.Cluster
	var names []string
	for i := range t.Spec.Clusters {
		all, names = append(all, &t.Spec.Clusters[i]), append(names, t.Spec.Clusters[i].Name)
	}
	for _, name := range l.only {
		i := slices.Index(names, name)
		if i < 0 {
			return nil, &hinted{fmt.Errorf("no cluster %q in the topology", finding.Shorten(name)), "the clusters are " +
				finding.List(names, listed)}
		}
		chosen = append(chosen, all[i])
	}
	if len(l.only) > 0 {
		return chosen, nil
	}
	return all, nil
}

// contextsOf returns the context of each cluster, by its name: the one of --context
// or --hub-context, or else the context with the cluster's name. If only one cluster
// is asked, --context needs no CLUSTER=.
func (l *liveFlags) contextsOf(t *topology.Topology) (map[string]string, error) {
	chosen, err := l.chosen(t)
	if err != nil {
		return nil, err
	}
	of := map[string]string{}
	var names []string
	for i := range t.Spec.Clusters {
		c := &t.Spec.Clusters[i]
		of[c.Name] = c.Name
		if t.IsHub(c) {
			of[c.Name] = cmp.Or(l.hubContext, c.Name)
		}
		names = append(names, c.Name)
	}
	for _, given := range l.contexts {
		name, context, ok := strings.Cut(given, "=")
		if of[name] == "" && len(chosen) == 1 {
			name, context, ok = chosen[0].Name, given, true
		}
		if !ok || of[name] == "" {
			return nil, &hinted{fmt.Errorf("--context %s names no cluster", seal.Redact(given)), "write it as CLUSTER=NAME; the clusters are " +
				finding.List(names, listed)}
		}
		of[name] = context
	}
	return of, nil
}

// everRendered maps each kind that any version has rendered to its API version.
// Objects of these kinds may be left on a cluster.
var everRendered = map[string]string{
	"Certificate":            "cert-manager.io/v1",
	"ClusterPermission":      "rbac.open-cluster-management.io/v1alpha1",
	"ClusterRole":            "rbac.authorization.k8s.io/v1",
	"ClusterRoleBinding":     "rbac.authorization.k8s.io/v1",
	"ConfigMap":              "v1",
	"ExternalSecret":         "external-secrets.io/v1",
	"Kiali":                  "kiali.io/v1alpha1",
	"ManagedServiceAccount":  "authentication.open-cluster-management.io/v1beta1",
	"OAuthClient":            "oauth.openshift.io/v1",
	"OpenTelemetryCollector": "opentelemetry.io/v1beta1",
	"Placement":              "cluster.open-cluster-management.io/v1beta1",
	"PlacementBinding":       "policy.open-cluster-management.io/v1",
	"PodMonitor":             "monitoring.coreos.com/v1",
	"Policy":                 "policy.open-cluster-management.io/v1",
	"PrometheusRule":         "monitoring.coreos.com/v1",
	"PushSecret":             "external-secrets.io/v1alpha1",
	"Role":                   "rbac.authorization.k8s.io/v1",
	"RoleBinding":            "rbac.authorization.k8s.io/v1",
	"Route":                  "route.openshift.io/v1",
	"ScrapeConfig":           "monitoring.rhobs/v1alpha1",
	"SealedSecret":           "bitnami.com/v1alpha1",
	"Secret":                 "v1",
	"ServiceAccount":         "v1",
	"ServiceMonitor":         "monitoring.coreos.com/v1",
	"Subscription":           "operators.coreos.com/v1alpha1",
	"Telemetry":              "telemetry.istio.io/v1",
	"TempoStack":             "tempo.grafana.com/v1alpha1",
}

// compareLive compares the objects on the clusters with the rendered ones. A cluster
// that cannot be asked is an error. The other clusters are compared nevertheless.
func (o *diffOptions) compareLive(ctx context.Context, t *topology.Topology, files []tree.File, stderr io.Writer) (*compare.Report, error) {
	clusters, err := o.clusters.chosen(t)
	if err != nil {
		return nil, err
	}
	of, err := o.clusters.contextsOf(t)
	if err != nil {
		return nil, err
	}
	contexts, err := cluster.ReadContexts(o.clusters.kubeconfig)
	if err != nil {
		return nil, err
	}
	switch acm := o.clusters.acmContext; {
	case acm != "" && !t.ACMOutside():
		return nil, noACMHub
	case acm != "":
		outside := topology.OutsideACMHub()
		clusters, of[outside.Name] = append(clusters, outside), acm
	case t.ACMOutside() && len(o.clusters.only) == 0:
		fmt.Fprintln(stderr, "the objects on the ACM hub are not compared; to compare them, name its context with --acm-context")
	}
	_, rendered, err := fleet.Trees(nil, files, nil)
	if err != nil {
		return nil, err
	}
	wanted := map[string][]compare.Object{}
	for _, c := range rendered.Clusters {
		wanted[c.Name] = c.Objects
	}
	found := make([][]compare.Object, len(clusters))
	errs := together(clusters, stderr, func(c *topology.Cluster, out, _ io.Writer) error {
		i := slices.Index(clusters, c)
		flag := "--context " + c.Name + "=NAME"
		if c.Name == topology.ACMTree && t.ACMOutside() {
			flag = "--acm-context NAME"
		}
		asked, err := openContext(contexts, flag, of[c.Name])
		if err == nil {
			found[i], err = readLive(ctx, asked, t, wanted[c.Name], out)
		}
		if err != nil {
			return &aboutCluster{c.Name, err}
		}
		return nil
	})
	var live, applied compare.Fleet
	var failed several
	for i, c := range clusters {
		if errs[i] != nil {
			failed = append(failed, errs[i])
			continue
		}
		live.Clusters = append(live.Clusters, compare.Cluster{Name: c.Name, Objects: found[i]})
		applied.Clusters = append(applied.Clusters, compare.Cluster{Name: c.Name, Objects: wanted[c.Name]})
	}
	if len(live.Clusters) == 0 {
		return nil, failed
	}
	diff, err := compare.Live(live, applied)
	if err != nil {
		return nil, err
	}
	return compare.NewReport(t.Metadata.Name, "the clusters", diff, render.CompareFacts(t)), failed.err()
}

// collectedKinds has the kinds of the objects that ACM's add-on brings to clusters.
var collectedKinds = []string{"PrometheusRule", "ScrapeConfig"}

// hasOwner tells whether another object owns an object. ACM's add-on copies rules and
// ScrapeConfigs with our labels to every cluster, and owns the copies
// (multicluster-observability-addon internal/metrics/manifests/values.go). A rendered
// object has no owner.
func hasOwner(o resource.Object) bool {
	meta, _ := o["metadata"].(map[string]any)
	owners, _ := meta["ownerReferences"].([]any)
	return len(owners) > 0
}

// readLive reads from a cluster the objects that are rendered for it. It also reads
// the objects that were rendered from the topology before. Their labels name it.
func readLive(ctx context.Context, c *cluster.Cluster, t *topology.Topology, wanted []compare.Object, out io.Writer) (
	[]compare.Object, error) {
	kinds := maps.Clone(everRendered)
	for _, o := range wanted {
		kinds[o.ID.Kind] = o.ID.APIVersion
	}
	seen := map[resource.ID]bool{}
	var objects []compare.Object
	add := func(o resource.Object) {
		id := resource.IDOf(o)
		if seen[id] {
			return
		}
		seen[id] = true
		if id.Kind == "Secret" {
			delete(o, "data") // a diff shows no credential
			delete(o, "stringData")
		}
		objects = append(objects, compare.Object{ID: id, Content: compare.NewContent(o)})
	}
	const byUs = labels.ManagedBy + " in (" + labels.Sightline + "," + labels.Helm + "),"
	rendered := map[resource.ID]bool{}
	for _, o := range wanted {
		rendered[o.ID] = true
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		var list []resource.Object
		err := cluster.Patiently(ctx, func() (err error) {
			list, err = c.List(ctx, kinds[kind], kind, "", byUs+labels.PartOf+"="+t.Metadata.Name)
			if err == nil && slices.Contains(collectedKinds, kind) { // from ACM 5.0 on, the add-on owns that label
				var more []resource.Object
				more, err = c.List(ctx, kinds[kind], kind, "", byUs+labels.Topology+"="+t.Metadata.Name)
				list = append(list, more...)
			}
			return err
		})
		switch {
		case cluster.Status(err) == http.StatusNotFound: // the cluster does not know the kind
		case cluster.Status(err) == http.StatusForbidden:
			fmt.Fprintf(out, "%s may not list %s, so those that are no longer rendered are not found: %v\n", c.Context(), kind, err)
		case err != nil:
			return nil, err
		}
		for _, o := range list {
			if !hasOwner(o) || rendered[resource.IDOf(o)] {
				add(o)
			}
		}
	}
	for _, o := range wanted {
		if seen[o.ID] {
			continue
		}
		var live resource.Object
		err := cluster.Patiently(ctx, func() (err error) {
			live, err = c.Find(ctx, o.ID)
			return err
		})
		if cluster.Status(err) == http.StatusNotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		add(live)
	}
	return objects, nil
}
