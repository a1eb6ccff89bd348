package overlay

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// Component is a kustomize overlay as the tree has it: a kustomize component in
// which every patch has a target. If a patch with a target finds no object, it has
// no effect. A patch without a target would fail the build.
type Component struct {
	Patches []Patch

	dir    string         // in the tree
	fields map[string]any // all fields but the patches; they change every object
	files  []tree.File    // of the patches
}

// names are the names of files that kustomize looks for in a folder.
var names = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

func (r *reader) component(name string, at finding.Position) *Component {
	var found []string
	for _, file := range names {
		if _, err := fs.Stat(r.root, file); err == nil {
			found = append(found, file)
		}
	}
	const hint = "a kustomize overlay is a folder with a kustomization.yaml"
	if len(found) != 1 {
		what := "no kustomization.yaml"
		if len(found) > 1 {
			what = strings.Join(found, " and ") + ", but kustomize reads only one"
		}
		r.add(at, topology.RuleValue, hint, "overlay %q: %s has %s", name, r.dir, what)
		return nil
	}
	data, ok := r.read(found[0], at, hint)
	if !ok {
		return nil
	}
	s := r.source(found[0], data)
	roots, ok := s.documents()
	if !ok {
		return nil
	}
	if len(roots) != 1 {
		s.add(finding.Position{File: s.file, Line: 1, Col: 1}, topology.RuleSyntax, hint, "found %d documents, expected one kustomization",
			len(roots))
		return nil
	}
	c := &Component{dir: "overlays/" + name, fields: map[string]any{}}
	good := len(*s.findings)
	for _, f := range s.fields(roots[0], "a kustomization") {
		c.field(s, f)
	}
	if len(*s.findings) > good {
		return nil
	}
	if len(c.Patches) == 0 && len(c.fields) == 0 {
		s.add(s.at(roots[0]), topology.RuleMissing, "", "the overlay changes nothing; expected patches, labels, commonAnnotations or images")
		return nil
	}
	return c
}

// own has the fields of a kustomization that an overlay may have.
var own = []string{"patches", "labels", "commonAnnotations", "images", "metadata", "kind", "apiVersion"}

// apiVersions has the apiVersion of each kind of kustomization.
var apiVersions = map[string]string{
	"Component":     "kustomize.config.k8s.io/v1alpha1",
	"Kustomization": "kustomize.config.k8s.io/v1beta1",
}

func (c *Component) field(s *source, f field) {
	why, isRefused := refused[f.name]
	if empty(f.value) && (isRefused || slices.Contains(own, f.name)) {
		return
	}
	switch f.name {
	case "apiVersion":
		if !slices.Contains(slices.Collect(maps.Values(apiVersions)), f.value.Value) {
			s.add(s.at(f.value), topology.RuleKind, "write kind: Component and apiVersion: "+apiVersions["Component"],
				"expected a kustomization, found apiVersion %s", topology.Describe(f.value))
		}
	case "kind":
		if apiVersions[f.value.Value] == "" {
			s.add(s.at(f.value), topology.RuleKind, "write kind: Component and apiVersion: "+apiVersions["Component"],
				"kind must be Component or Kustomization, found %s", topology.Describe(f.value))
		}
	case "metadata": // of the kustomization itself
	case "patches":
		for i, n := range s.items(f.value, "patches") {
			c.patch(s, n, fmt.Sprintf("patches[%d]", i))
		}
	case "labels":
		c.labels(s, f.value)
	case "commonAnnotations":
		c.fields[f.name] = s.strings(f.value, f.name)
	case "images":
		c.images(s, f.value)
	default:
		if !isRefused {
			s.add(s.at(f.key), topology.RuleUnknown, "an overlay has "+strings.Join(own, ", "), "unknown field %s", f.name)
			return
		}
		s.add(s.at(f.key), RuleField, why.hint, "an overlay must not have %s: %s", f.name, why.reason)
	}
}

// empty tells whether a field has no value, or an empty list or object.
func empty(n *yaml.Node) bool {
	return n.ShortTag() == "!!null" || n.Kind != yaml.ScalarNode && len(n.Content) == 0
}

// A pattern with the lengths in it would take half a millisecond at each start.
var (
	labelPrefix = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`)
	labelName   = regexp.MustCompile(`^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$`)
)

// isLabel tells whether Kubernetes accepts a label.
func isLabel(key, value string) bool {
	prefix, name, prefixed := strings.Cut(key, "/")
	if !prefixed {
		name = key
	} else if len(prefix) > 253 || !labelPrefix.MatchString(prefix) {
		return false
	}
	valid := func(text string) bool { return len(text) <= 63 && labelName.MatchString(text) }
	return valid(name) && (value == "" || valid(value))
}

func (c *Component) labels(s *source, list *yaml.Node) {
	var labels []any
	for i, n := range s.items(list, "labels") {
		what := fmt.Sprintf("labels[%d]", i)
		var pairs map[string]any
		for _, f := range s.fields(n, what) {
			switch f.name {
			case "pairs":
				pairs = s.strings(f.value, what+".pairs")
				for _, f := range s.fields(f.value, what+".pairs") {
					if value, ok := pairs[f.name].(string); ok && !isLabel(f.name, value) {
						s.add(s.at(f.value), topology.RuleValue, "use an annotation for free text", "%q: %q is not a valid label", f.name, value)
					}
				}
			case "includeSelectors", "includeTemplates", "includeVolumeClaimTemplates", "fields":
				if f.value.ShortTag() == "!!bool" && f.value.Value == "false" || empty(f.value) {
					continue
				}
				s.add(s.at(f.key), RuleField, "remove it; labels on the objects themselves need only pairs",
					"labels of an overlay must not have %s: a selector with another label selects nothing", f.name)
			default:
				s.add(s.at(f.key), topology.RuleUnknown, "labels have pairs", "unknown field %s", f.name)
			}
		}
		if len(pairs) > 0 {
			labels = append(labels, map[string]any{"pairs": pairs})
		}
	}
	if len(labels) > 0 {
		c.fields["labels"] = labels
	}
}

var imageFields = []string{"name", "newName", "newTag", "digest", "tagSuffix"}

func (c *Component) images(s *source, list *yaml.Node) {
	var images []any
	for i, n := range s.items(list, "images") {
		what := fmt.Sprintf("images[%d]", i)
		image := s.strings(n, what)
		for _, f := range s.fields(n, what) {
			if !slices.Contains(imageFields, f.name) {
				s.add(s.at(f.key), topology.RuleUnknown, "an image has "+strings.Join(imageFields, ", "), "unknown field %s", f.name)
			}
		}
		if image["name"] == nil {
			s.add(s.at(n), topology.RuleMissing, "", "%s.name is missing", what)
		}
		images = append(images, image)
	}
	c.fields["images"] = images
}

// Concerns tells whether the component may change an object.
func (c *Component) Concerns(id resource.ID) bool { return len(c.fields) > 0 || c.Patched(id) }

// Patched tells whether a patch may change an object. Only patches can fail, or
// change the identity of an object.
func (c *Component) Patched(id resource.ID) bool {
	return slices.ContainsFunc(c.Patches, func(p Patch) bool { return p.Selects(id) })
}

// Files are the component's files in a tree.
func (c *Component) Files() []tree.File {
	return append(slices.Clone(c.files), c.kustomization(c.Patches, c.fields))
}

// Only returns the files of a component with only the first patches.
func (c *Component) Only(patches int) []tree.File {
	return append(slices.Clone(c.files), c.kustomization(c.Patches[:patches], nil))
}

func (c *Component) kustomization(patches []Patch, fields map[string]any) tree.File {
	content := map[string]any{"apiVersion": apiVersions["Component"], "kind": "Component"}
	maps.Copy(content, fields)
	var list []any
	for _, p := range patches {
		list = append(list, p.entry)
	}
	if len(list) > 0 {
		content["patches"] = list
	}
	return tree.File{Path: path.Join(c.dir, names[0]), Content: resource.Encode(nil, content)}
}

// refused has the fields of a kustomization that an overlay must not have.
var refused = map[string]struct{ reason, hint string }{
	"namePrefix": {renames, "the names come from the topology: kiali.instanceName, telemetry.name"},
	"nameSuffix": {renames, "the names come from the topology: kiali.instanceName, telemetry.name"},
	"namespace": {"it moves objects, but an account, its token and a sealed Secret belong to one namespace",
		"the namespaces come from the topology: kiali.namespace, mesh.controlPlaneNamespace, namespaces"},
	"replacements":   {copies, "write the value into a patch, or use a Jsonnet overlay"},
	"vars":           {copies, "write the value into a patch, or use a Jsonnet overlay"},
	"openapi":        {schemas, "a JSON patch or a Jsonnet overlay changes the entries of a list without it"},
	"crds":           {schemas, "a JSON patch or a Jsonnet overlay changes the entries of a list without it"},
	"configurations": {schemas, "a JSON patch or a Jsonnet overlay changes any field"},
	"resources": {adds, beside + "; in the topology, kiali.ca has the CAs that Kiali trusts, and createNamespaces has " +
		"namespaces to create"},
	"bases":              {adds, beside},
	"configMapGenerator": {adds, beside + "; in the topology, kiali.ca has the CAs that Kiali trusts"},
	"secretGenerator": {"it adds a Secret, readable in Git, to every phase",
		"seal the Secret, or let External Secrets make it; " + beside},
	"generators":                  {adds, beside},
	"generatorOptions":            {"there are no generators, so it has no effect", "remove it"},
	"helmCharts":                  {adds, beside},
	"helmGlobals":                 {"there are no charts, so it has no effect", "remove it"},
	"helmChartInflationGenerator": {adds, beside},
	"components": {"an overlay is one component, which sightline checks and copies as a whole",
		"make each component an overlay of the topology, in the order in which they apply"},
	"transformers": {runs, "use patches, labels, commonAnnotations and images, or a Jsonnet overlay"},
	"validators":   {runs, "check the tree after the render, for example in CI"},
	"commonLabels": {"it also changes selectors, which then select nothing", "write labels: [{pairs: …}]"},
	"patchesStrategicMerge": {"it is deprecated in kustomize, and such a patch fails each phase without its target",
		"write patches: [{path: …}]"},
	"patchesJson6902": {"it is deprecated in kustomize", "write patches: [{path: …, target: …}]"},
	"imageTags":       {"it is deprecated in kustomize", "write images: [{name: …, newTag: …}]"},
	"replicas": {"it sets the number of pods of Deployments, and no Deployment is rendered",
		"patch deployment.replicas or deployment.hpa of the Kiali resource"},
	"sortOptions": {"only the kustomization that is built can have it", "remove it"},
	"buildMetadata": {"it has no effect in a component",
		"remove it; an annotation can say where an object comes from"},
}

const (
	renames = "it renames objects, but the hub, the remotes, accounts and sealed Secrets refer to each other by name"
	copies  = "it copies values between objects, also names, and a phase without one of the objects fails"
	schemas = "it changes how kustomize reads and merges every object, also for other overlays"
	adds    = "it adds objects, in every phase that the overlay changes"
	runs    = "it may do anything to the objects, and may need a program that is not installed everywhere"
	beside  = "apply them with your own kustomization, in addition to the cluster's"
)
