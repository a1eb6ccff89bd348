package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	yaml3 "go.yaml.in/yaml/v3"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/resource"
)

// Definitions are the definitions (CRDs) of custom resources. A nil
// *Definitions has none.
type Definitions struct {
	kinds map[string]*definition // by apiVersion and kind
}

// definition is one version of a custom resource.
type definition struct {
	namespaced bool
	served     bool
	structural *schema.Structural
	schema     validation.SchemaValidator
	rules      *cel.Validator // nil: the definition has no rules
}

// ParseDefinitions reads files with CustomResourceDefinitions. A file has one
// or more documents, or a List from `kubectl get crd -o yaml`. Other kinds are
// ignored.
func ParseDefinitions(files []Source) (*Definitions, error) {
	ds := &Definitions{kinds: map[string]*definition{}}
	for _, file := range files {
		dec := yaml3.NewDecoder(bytes.NewReader(file.Data))
		for {
			var doc any
			err := dec.Decode(&doc)
			if errors.Is(err, io.EOF) {
				break
			}
			if err == nil {
				err = ds.document(doc)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file.Name, err)
			}
		}
	}
	return ds, nil
}

// Source is a file of definitions.
type Source struct {
	Name string
	Data []byte
}

func (ds *Definitions) document(doc any) error {
	object, _ := doc.(map[string]any)
	if items, ok := object["items"].([]any); ok {
		for _, item := range items {
			if err := ds.document(item); err != nil {
				return err
			}
		}
		return nil
	}
	if object["kind"] != "CustomResourceDefinition" {
		return nil
	}
	data, err := yaml.Marshal(object)
	if err != nil {
		return err
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(data, &crd); err != nil {
		return err
	}
	for _, v := range crd.Spec.Versions {
		key := crd.Spec.Group + "/" + v.Name + " " + crd.Spec.Names.Kind
		d := &definition{namespaced: crd.Spec.Scope == apiextensionsv1.NamespaceScoped, served: v.Served}
		if v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
			continue
		}
		var internal apiextensions.JSONSchemaProps
		if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(v.Schema.OpenAPIV3Schema, &internal,
			nil); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if d.structural, err = schema.NewStructural(&internal); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if d.schema, _, err = validation.NewSchemaValidator(&internal); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		d.rules = cel.NewValidator(d.structural, true, celconfig.PerCallLimit)
		ds.kinds[key] = d
	}
	return nil
}

// Len is the number of versions of all kinds.
func (ds *Definitions) Len() int { return len(ds.kinds) }

func (ds *Definitions) of(id resource.ID) *definition {
	if ds == nil {
		return nil
	}
	return ds.kinds[id.APIVersion+" "+id.Kind]
}

func (ds *Definitions) has(id resource.ID) bool { return ds.of(id) != nil }

// hasField tells whether the definition of a kind has a field.
func (ds *Definitions) hasField(kind string, path fieldPath) bool {
	if ds == nil {
		return false
	}
	for key, d := range ds.kinds {
		if !strings.HasSuffix(key, " "+kind) {
			continue
		}
		s, found := d.structural, true
		for _, step := range path {
			name, ok := step.(string)
			if !ok {
				s = s.Items
				continue
			}
			below, has := s.Properties[name]
			if !has {
				found = false
				break
			}
			s = &below
		}
		if found {
			return true
		}
	}
	return false
}

// plain returns an object with the types of an API server: whole numbers are
// int64.
func plain(o *object) (map[string]any, error) {
	data, err := yaml.YAMLToJSON(resource.Encode(nil, o.content))
	if err != nil {
		return nil, err
	}
	var content map[string]any
	return content, json.Unmarshal(data, &content)
}

// dropped lists the fields of an object that the API server would drop.
func (d *definition) dropped(content map[string]any) []string {
	return pruning.PruneWithOptions(content, d.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
}

// refused lists why the schema and its rules refuse an object.
func (d *definition) refused(content map[string]any) field.ErrorList {
	defaulting.Default(content, d.structural)
	errs := validation.ValidateCustomResource(nil, content, d.schema)
	if d.rules != nil {
		broken, _ := d.rules.Validate(context.Background(), nil, d.structural, content, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, broken...)
	}
	return errs
}

var pathStep = regexp.MustCompile(`\[([^\]]*)\]|[^.\[]+`)

// parsePath reads a path in the form of an API server, such as
// spec.endpoints[0].port.
func parsePath(s string) fieldPath {
	var path fieldPath
	for _, step := range pathStep.FindAllStringSubmatch(s, -1) {
		if !strings.HasPrefix(step[0], "[") {
			path = append(path, step[0])
		} else if n, err := strconv.Atoi(step[1]); err == nil {
			path = append(path, n)
		} else {
			path = append(path, step[1])
		}
	}
	return path
}

func decodeYAML(text string) (any, error) {
	var v any
	err := yaml3.Unmarshal([]byte(text), &v)
	return v, err
}

// builtIn tells whether an object is of a kind that needs no definition.
func builtIn(id resource.ID) bool {
	group, _, versioned := strings.Cut(id.APIVersion, "/")
	return !versioned || slices.Contains([]string{"apps", "batch", "rbac.authorization.k8s.io", "networking.k8s.io", "policy"}, group)
}
