package delivery

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/template"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// fluxShape is what the template of Flux branches on.
type fluxShape struct {
	Phase      resource.Phase `json:"phase"` // "" for objects that exist once
	DependsOn  bool           `json:"dependsOn"`
	KubeConfig bool           `json:"kubeConfig"`
	SecretRef  bool           `json:"secretRef"`
	Wait       bool           `json:"wait"`
	Keep       bool           `json:"keep"`    // the applied objects stay when their Flux object is deleted
	Decrypt    bool           `json:"decrypt"` // it contains Secrets that SOPS encrypted
}

// scopeStep is the scope of the values that differ between two steps.
const scopeStep = "step"

// fluxWriter writes the objects of one topology.
type fluxWriter struct {
	vm     *template.VM
	t      *topology.Topology
	flux   *topology.Flux
	helm   bool
	values map[string]any // shared by all objects
	bodies map[fluxShape]map[string]*resource.Body
	filled map[*resource.Body]bool // bodies with an object in out
	out    Output
}

// flux returns the objects of Flux. Flux is pointed at flux/, or at
// flux/<cluster>/ in mode standalone. That folder has a source, and a
// Kustomization of a second folder, which holds all other objects. So no
// Kustomization applies itself, and you can put another Kustomization above.
func flux(vm *template.VM, t *topology.Topology, in Input) (Output, error) {
	w := &fluxWriter{
		vm:     vm,
		t:      t,
		flux:   t.Spec.Delivery.Flux,
		helm:   in.Format == "helm",
		values: fluxValues(t, in),
		bodies: map[fluxShape]map[string]*resource.Body{},
		filled: map[*resource.Body]bool{},
	}
	err := w.all(in)
	return w.out, err
}

func (w *fluxWriter) all(in Input) error {
	t := w.t
	if w.flux.Mode == "standalone" {
		for i, c := range in.Clusters {
			dir := "flux/" + c.Name
			resources, err := w.top(dir, dir+"/phases")
			if err == nil {
				err = w.cluster(dir+"/phases", &c, &t.Spec.Clusters[i], resources)
			}
			if err != nil {
				return err
			}
		}
		if t.ACMOutside() {
			dir := "flux/" + topology.ACMTree
			if _, err := w.top(dir, dir+"/phases"); err != nil {
				return err
			}
			return w.acm(dir + "/phases")
		}
		return nil
	}
	const clusters = "flux/clusters"
	resources, err := w.top("flux", clusters)
	if err != nil {
		return err
	}
	for _, i := range byName(t) {
		c := &in.Clusters[i]
		if err := w.cluster(clusters+"/"+c.Name, c, &t.Spec.Clusters[i], nil); err != nil {
			return err
		}
		resources = append(resources, c.Name)
	}
	if t.ACMOutside() {
		if err := w.acm(clusters + "/" + topology.ACMTree); err != nil {
			return err
		}
		resources = append(resources, topology.ACMTree)
	}
	w.kustomization(clusters, resources)
	return nil
}

// acm writes the Kustomization of an ACM hub outside the topology. Its objects
// are a kustomization in every format.
func (w *fluxWriter) acm(dir string) error {
	shape := w.shape(resource.ACM)
	shape.KubeConfig = w.flux.Mode == "hub"
	values := map[string]any{
		"name":       w.t.FluxNameACM(),
		"path":       fluxPath(w.t.Spec.Delivery, topology.ACMTree),
		"kubeConfig": w.t.Spec.Metrics.ACM.Flux.KubeConfigSecret,
	}
	w.kustomization(dir, []string{topology.ACMTree + ".yaml"})
	return w.object(dir, topology.ACMTree, "kustomization", shape, values)
}

// fluxValues returns the values that all Flux objects of a topology share.
func fluxValues(t *topology.Topology, in Input) map[string]any {
	d := t.Spec.Delivery
	chart := t.Spec.Kiali.Operator.Chart
	return map[string]any{
		"topology":         map[string]any{"name": t.Metadata.Name},
		"namespace":        d.Flux.Namespace,
		"interval":         d.Flux.Interval,
		"timeout":          d.Flux.Timeout,
		"prune":            d.Flux.Prune,
		"wait":             d.Flux.Wait,
		"deletionPolicy":   d.Flux.DeletionPolicy,
		"secretRef":        d.Flux.SecretRef,
		"decryption":       t.Spec.Kiali.Links.SOPS.SecretRef,
		"source":           fluxSource(t),
		"chart":            fluxPath(d, "chart"),
		"phases":           chartPhases(in.Clusters),
		"releaseNamespace": releaseNamespace(t),
		"operator": map[string]any{
			"repository": t.FluxRepository(),
			"url":        chart.RepoURL,
			"access":     repositoryAccess(chart),
			"version":    chart.Version,
			"namespace":  chart.Namespace,
			"values":     chartValues(chart),
		},
	}
}

// chartPhases lists the phases that a release of the chart can turn on or off.
func chartPhases(clusters []resource.Cluster) []resource.Phase {
	has := map[resource.Phase]bool{}
	for i := range clusters {
		for _, phase := range phases(&clusters[i]) {
			has[phase] = true
		}
	}
	return slices.DeleteFunc(resource.Phases(true), func(phase resource.Phase) bool { return phase == resource.ACM && !has[phase] })
}

// releaseNamespace returns a namespace that exists on every cluster before
// anything is applied.
func releaseNamespace(t *topology.Topology) string {
	if slices.Contains(t.Spec.CreateNamespaces, t.Spec.Kiali.Namespace) {
		return "default"
	}
	return t.Spec.Kiali.Namespace
}

var (
	commit = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
	scp    = regexp.MustCompile(`^([^/@:]+@[^/:]+):/*(.+)$`)
)

// fluxSource returns where Flux reads the tree. Flux accepts a Git URL only
// with a scheme. It must know the kind of a revision: a revision that is
// neither a commit nor a full reference is treated as a branch.
func fluxSource(t *topology.Topology) map[string]any {
	d := t.Spec.Delivery
	source := map[string]any{"kind": "GitRepository", "name": t.Metadata.Name, "url": scp.ReplaceAllString(d.RepoURL, "ssh://$1/$2")}
	by := "branch"
	switch {
	case strings.HasPrefix(d.RepoURL, "oci://"):
		source["kind"], by = "OCIRepository", "tag"
	case commit.MatchString(d.Revision):
		by = "commit"
	case strings.HasPrefix(d.Revision, "refs/"):
		by = "name"
	}
	source["ref"] = map[string]string{by: d.Revision}
	return source
}

// top writes the objects that Flux is pointed at. It returns the file names of
// the objects that exist once in the folder to: the repository of the
// operator's chart.
func (w *fluxWriter) top(dir, to string) (resources []string, err error) {
	values := map[string]any{"root": fluxPath(w.t.Spec.Delivery, to)}
	for _, name := range []string{"source", "root"} {
		if err := w.object(dir, name, name, w.shape(""), values); err != nil {
			return nil, err
		}
	}
	w.kustomization(dir, []string{"source.yaml", "root.yaml"})
	if w.t.OperatorByChart() {
		resources = []string{"operator-repository.yaml"}
		err = w.object(to, "operator-repository", "operator-repository", w.shape(""), values)
	}
	return resources, err
}

// fluxStep is one Flux object of a cluster.
type fluxStep struct {
	name  string // part of the file name and of the object's name
	phase resource.Phase
	chart bool // it installs the operator's chart instead of delivering the phase
}

// steps returns the Flux objects of a cluster, in order. With the operator's
// chart, the step operator is the release of the chart. The phase operator then
// only has namespaces, and its step comes first under another name.
func (w *fluxWriter) steps(c *resource.Cluster, of *topology.Cluster) []fluxStep {
	var steps []fluxStep
	for _, phase := range phases(c) {
		name := string(phase)
		if phase == resource.Operator && w.t.OperatorByChart() {
			name = topology.FluxNamespaces
		}
		steps = append(steps, fluxStep{name: name, phase: phase})
	}
	if !w.t.OperatorByChartOn(of) {
		return steps
	}
	first := 0
	if len(steps) > 0 && steps[0].phase == resource.Operator {
		first = 1
	}
	return slices.Insert(steps, first, fluxStep{name: string(resource.Operator), phase: resource.Operator, chart: true})
}

// cluster writes the objects of one cluster into a folder. The folder's
// kustomization also lists the given resources.
func (w *fluxWriter) cluster(dir string, c *resource.Cluster, of *topology.Cluster, resources []string) error {
	before := ""
	for _, step := range w.steps(c, of) {
		name := w.t.FluxName(of, step.name)
		shape, values := w.shape(step.phase), w.step(dir, c, step, name)
		// No step waits for monitoring, and monitoring waits for no step.
		if step.phase != resource.Monitoring {
			shape.DependsOn = before != ""
			values["dependsOn"] = before
			before = name
		}
		shape.Decrypt = step.phase == resource.Link && c.Hub && w.t.Spec.Kiali.Links.Source == "sops"
		if shape.KubeConfig = w.t.FluxByKubeConfig(of); shape.KubeConfig {
			values["kubeConfig"] = of.Flux.KubeConfigSecret
		}
		if err := w.write(dir, step, shape, values); err != nil {
			return fmt.Errorf("cluster %s: %s: %w", c.Name, step.name, err)
		}
		resources = append(resources, step.name+".yaml")
	}
	w.kustomization(dir, resources)
	return nil
}

// step returns the values of one step of a cluster.
func (w *fluxWriter) step(dir string, c *resource.Cluster, step fluxStep, name string) map[string]any {
	d := w.t.Spec.Delivery
	values := map[string]any{
		"name":    name,
		"path":    fluxPath(d, "clusters/"+c.Name+"/"+string(step.phase)),
		"release": w.t.FluxRelease(string(step.phase)),
		"values":  fluxPath(d, "clusters/"+c.Name+".yaml"),
	}
	if step.chart {
		values["path"] = fluxPath(d, dir+"/operator")
	}
	return values
}

// write writes the objects of a step. A Kustomization can only wait for other
// Kustomizations. So if the tree is no chart, a Kustomization around the
// operator's release becomes ready when the release is ready.
func (w *fluxWriter) write(dir string, step fluxStep, shape fluxShape, values map[string]any) error {
	switch {
	case step.chart && w.helm:
		return w.object(dir, step.name, "operator-release", shape, values)
	case step.chart:
		w.kustomization(dir+"/operator", []string{"release.yaml"})
		alone := shape
		alone.DependsOn = false
		if err := w.object(dir+"/operator", "release", "operator-release", alone, values); err != nil {
			return err
		}
		return w.object(dir, step.name, "operator", shape, values)
	case w.helm:
		return w.object(dir, step.name, "chart", shape, values)
	}
	return w.object(dir, step.name, "kustomization", shape, values)
}

// shape returns the shape of a phase that depends on no other, on the cluster
// of Flux.
func (w *fluxWriter) shape(phase resource.Phase) fluxShape {
	return fluxShape{
		Phase:     phase,
		SecretRef: w.flux.SecretRef != "",
		Wait:      w.flux.Wait,
		Keep:      w.flux.Keeps(),
	}
}

// object writes one object of the template.
func (w *fluxWriter) object(dir, file, name string, shape fluxShape, values map[string]any) error {
	bodies, err := w.evaluate(shape)
	if err != nil {
		return err
	}
	body, filling := bodies[name], resource.Values{scopeStep: values}
	content, err := body.Append(nil, filling)
	if err == nil && !w.filled[body] {
		w.filled[body] = true
		var object resource.Object
		object, err = body.Fill(filling)
		w.out.Objects = append(w.out.Objects, object)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	w.out.Files = append(w.out.Files, tree.File{Path: path.Join(dir, file+".yaml"), Content: content})
	return nil
}

// evaluate returns the template's objects for a shape, with holes for the
// values that differ between steps.
func (w *fluxWriter) evaluate(shape fluxShape) (map[string]*resource.Body, error) {
	if bodies, ok := w.bodies[shape]; ok {
		return bodies, nil
	}
	holes := map[string]any{}
	for _, value := range []string{"name", "path", "root", "dependsOn", "kubeConfig", "release", "values"} {
		holes[value] = resource.Hole(scopeStep + "." + value)
	}
	byName, err := objects(w.vm, "flux.jsonnet", map[string]any{"shape": shape, "flux": w.values, "step": holes})
	if err != nil {
		return nil, err
	}
	bodies := make(map[string]*resource.Body, len(byName))
	for name, object := range byName {
		if bodies[name], err = resource.NewBody(object); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	w.bodies[shape] = bodies
	return bodies, nil
}

func (w *fluxWriter) kustomization(dir string, resources []string) {
	w.out.Files = append(w.out.Files, tree.File{Path: path.Join(dir, kustomize.File),
		Content: kustomize.Kustomization(map[string]any{"resources": resources})})
}

// fluxPath returns a path in the repository in Flux's form.
func fluxPath(d *topology.Delivery, p string) string { return "./" + inRepository(d, p) }

// repositoryAccess returns the fields of the operator's HelmRepository for a
// registry and a login.
func repositoryAccess(chart topology.OperatorChart) map[string]any {
	access := map[string]any{}
	if strings.HasPrefix(chart.RepoURL, "oci://") {
		access["type"] = "oci"
	}
	if chart.SecretRef != "" {
		access["secretRef"] = map[string]any{"name": chart.SecretRef}
	}
	return access
}
