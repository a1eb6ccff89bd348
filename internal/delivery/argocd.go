package delivery

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/template"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// argoFolder is the folder of Argo CD's objects in the tree. It also holds the
// files for the generator git. They are not in clusters/, because everything
// below that folder belongs to a cluster.
const argoFolder = "argocd"

// argoShape is what the template of Argo CD's objects branches on.
type argoShape struct {
	Format        string `json:"format"`
	Plugin        bool   `json:"plugin"` // Argo CD itself renders the topology
	Generator     string `json:"generator"`
	ByName        bool   `json:"byName"`     // Argo CD knows the clusters by name
	Components    bool   `json:"components"` // there are kustomize overlays
	Kept          bool   `json:"kept"`       // the Applications outlive the ApplicationSet
	Rollout       bool   `json:"rollout"`
	Automated     bool   `json:"automated"`
	OperatorChart bool   `json:"operatorChart"`
	Created       bool   `json:"created"`       // there are namespaces to create
	PermitChart   bool   `json:"permitChart"`   // the project permits the objects of the operator's chart
	PermitACM     bool   `json:"permitACM"`     // the project permits the objects on an ACM hub
	PermitTracing bool   `json:"permitTracing"` // the project permits the objects for traces
	PermitRemote  bool   `json:"permitRemote"`  // the project permits the objects for remotes without an operator
	Pulled        bool   `json:"pulled"`        // ACM brings the Applications to their clusters
	ACM           bool   `json:"acm"`           // the ACM hub has its own tree
}

// argoShapeOf returns the shape of a topology's Argo CD objects.
func argoShapeOf(t *topology.Topology, format string) argoShape {
	argo := t.Spec.Delivery.ArgoCD
	return argoShape{
		Format:        format,
		Plugin:        argo.Source == "plugin",
		Generator:     argo.Generator,
		ByName:        slices.ContainsFunc(t.Spec.Clusters, func(c topology.Cluster) bool { return c.ArgoCD != nil && c.ArgoCD.Name != "" }),
		Components:    slices.ContainsFunc(t.Spec.Overlays, func(o topology.Overlay) bool { return o.Kustomize != "" }),
		Kept:          argo.ApplicationsSync != "sync",
		Rollout:       len(argo.Rollout) > 0,
		Automated:     argo.Sync.Automated,
		OperatorChart: t.OperatorByChart(),
		Created:       len(t.Spec.CreateNamespaces) > 0,
		PermitChart:   t.OperatorByChart() || argo.Permit.OperatorChart,
		PermitACM:     t.OnACM() || argo.Permit.ACM,
		PermitTracing: t.TracesIn() == "stack" || argo.Permit.Tracing,
		PermitRemote:  t.Spec.Kiali.Operator.Remotes == "none" || argo.Permit.Accounts,
		Pulled:        argo.Pulled(),
		ACM:           t.ACMOutside(),
	}
}

// argoCD returns the objects of Argo CD. With the generator git, it also returns
// a file for each cluster.
func argoCD(vm *template.VM, t *topology.Topology, in Input) (Output, error) {
	shape, order := argoShapeOf(t, in.Format), byName(t)
	clusters := make([]any, len(order))
	for n, i := range order {
		c := &t.Spec.Clusters[i]
		element := map[string]any{"cluster": c.Name, "application": t.Application(c), "destination": destination(t.ArgoCDKnows(c))}
		if shape.Pulled {
			element["managedCluster"] = c.ManagedCluster
		}
		clusters[n] = element
	}
	values, err := argoValues(t, in, shape, order)
	if err != nil {
		return Output{}, err
	}
	if shape.Generator == "list" {
		values["clusters"] = clusters
	}
	made, err := objects(vm, "argocd.jsonnet", map[string]any{"shape": shape, "topology": map[string]any{"name": t.Metadata.Name},
		"argocd": values})
	if err != nil {
		return Output{}, err
	}
	out := Output{Files: folder(argoFolder, made, "appproject")}
	if shape.Generator == "git" {
		for n, i := range order {
			name := path.Join(argoFolder, "clusters", t.Spec.Clusters[i].Name+".yaml")
			out.Files = append(out.Files, tree.File{Path: name, Content: resource.Encode(nil, clusters[n])})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(made)) {
		out.Objects = append(out.Objects, made[name])
	}
	return out, nil
}

// argoValues returns the values that the template places. order has the indexes
// of the clusters, sorted by name.
func argoValues(t *topology.Topology, in Input, shape argoShape, order []int) (map[string]any, error) {
	d, argo, chart := t.Spec.Delivery, t.Spec.Delivery.ArgoCD, t.Spec.Kiali.Operator.Chart
	destinations, err := destinations(t, in, order)
	if err != nil {
		return nil, err
	}
	if shape.ACM {
		for _, namespace := range acmNamespaces(t) {
			to := permitted(t.ArgoCDKnowsACM())
			to["namespace"] = namespace
			destinations = append(destinations, to)
		}
	}
	repositories := []string{d.RepoURL}
	// Argo CD identifies a registry by host and path, without the scheme.
	chartRepository := strings.TrimPrefix(chart.RepoURL, "oci://")
	if shape.OperatorChart {
		repositories = append(repositories, chartRepository)
	}
	values := map[string]any{
		"namespace":        argo.Namespace,
		"project":          argo.Project,
		"applicationsSync": argo.ApplicationsSync,
		"repositories":     repositories,
		"destinations":     destinations,
		"repoURL":          d.RepoURL,
		"revision":         d.Revision,
		"path":             d.Path,
		"plugin":           map[string]any{"name": argo.Plugin.Name, "topology": argo.Plugin.Topology},
		"clustersPath":     inRepository(d, "clusters"),
		"chartPath":        inRepository(d, "chart"),
		"clusterFiles":     inRepository(d, argoFolder+"/clusters/*.yaml"),
		"sync":             map[string]any{"prune": argo.Sync.Prune, "selfHeal": argo.Sync.SelfHeal},
		"rollout":          rollout(argo.Rollout),
		"home":             t.Spec.Kiali.Namespace,
		"placement":        argo.Placement,
		"clusterOfACM":     clusterOfACM(t, order),
		"applications":     map[string]any{"labels": orEmpty(argo.Applications.Labels), "annotations": orEmpty(argo.Applications.Annotations)},
		"pulled":           topology.Pulled,
		"chart": map[string]any{"repoURL": chartRepository, "version": chart.Version, "namespace": chart.Namespace,
			"values": chartValues(chart)},
	}
	if shape.ACM {
		values["acm"] = map[string]any{
			"application": t.ApplicationACM(), "cluster": topology.ACMTree, "path": inRepository(d, topology.ACMTree),
			"namespace":   topology.ACMNamespace,
			"destination": destination(t.ArgoCDKnowsACM()),
		}
	}
	return values, nil
}

// destination returns a destination as Argo CD knows it: by its name, or by its
// server if it has no name.
func destination(server, name string) map[string]any {
	if name != "" {
		return map[string]any{"name": name}
	}
	return map[string]any{"server": server}
}

// acmNamespaces lists the namespaces with objects on an ACM hub outside the
// topology.
func acmNamespaces(t *topology.Topology) []string {
	return []string{topology.ACMNamespace, t.Spec.Metrics.ACM.PolicyNamespace}
}

// clusterOfACM returns a template expression. It maps ACM's name of a cluster,
// which Argo CD also uses, to the name of the cluster in the topology.
func clusterOfACM(t *topology.Topology, order []int) string {
	var others strings.Builder
	for _, i := range order {
		c := &t.Spec.Clusters[i]
		name := c.ManagedCluster
		if c.ArgoCD != nil {
			name = cmp.Or(c.ArgoCD.Name, name)
		}
		if name != c.Name {
			fmt.Fprintf(&others, " %q %q", name, c.Name)
		}
	}
	if others.Len() == 0 {
		return ".clusterName"
	}
	return "get (dict" + others.String() + ") .clusterName | default .clusterName"
}

func orEmpty(texts map[string]string) map[string]string {
	if texts == nil {
		return map[string]string{}
	}
	return texts
}

// rollout returns the steps with their defaults filled in.
func rollout(steps []topology.RolloutStep) []any {
	all := make([]any, len(steps))
	for i, step := range steps {
		var most any = "100%"
		if step.MaxUpdate != "" {
			most = step.MaxUpdate
			if n, err := strconv.Atoi(step.MaxUpdate); err == nil {
				most = n // Argo CD needs a number here: it rejects a string without a percent sign
			}
		}
		all[i] = map[string]any{"clusters": step.Clusters, "maxUpdate": most}
	}
	return all
}

// chartValues are the values of the operator's chart. The chart must not create
// a Kiali resource, because Sightline renders that resource.
func chartValues(chart topology.OperatorChart) map[string]any {
	return resource.Merge(map[string]any{"cr": map[string]any{"create": false}}, chart.Values)
}
