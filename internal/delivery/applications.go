package delivery

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/tree"
)

// Application is the Application that Argo CD makes for one cluster.
type Application struct {
	Cluster string
	Object  resource.Object // the fields of the template, so without apiVersion and kind; nil if there is an error
	Err     error
}

// Applications makes the Applications of the ApplicationSet among the files of
// a delivery, as Argo CD's controller does. It executes the ApplicationSet's
// template once for each set of parameters from the generator. The generator
// clusters gives no parameters here, because it asks Argo CD for them.
//
// Argo CD's own template functions (normalize, slugify, toYaml) are not
// available here. A template that uses one fails.
func Applications(files []tree.File) ([]Application, error) {
	var set resource.Object
	var params []any
	for _, f := range files {
		var to any
		switch dir, name := path.Split(f.Path); {
		case f.Path == argoFolder+"/applicationset.yaml":
			to = &set
		case dir == argoFolder+"/clusters/" && path.Ext(name) == ".yaml":
			params = append(params, nil)
			to = &params[len(params)-1]
		default:
			continue
		}
		if err := yaml.Unmarshal(f.Content, to); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	spec, _ := set["spec"].(map[string]any)
	generators, _ := spec["generators"].([]any)
	for _, g := range generators {
		generator, _ := g.(map[string]any)
		list, _ := generator["list"].(map[string]any)
		elements, _ := list["elements"].([]any)
		params = append(params, elements...)
	}
	e := newExpander()
	made := make([]Application, len(params))
	for i, p := range params {
		of, _ := p.(map[string]any)
		made[i].Cluster, _ = of["cluster"].(string)
		object, err := e.expand(spec["template"], of)
		made[i].Object, _ = object.(map[string]any)
		made[i].Err = err
	}
	return made, nil
}

// Expand executes the template of an ApplicationSet with one set of parameters.
func Expand(set resource.Object, params map[string]any) (resource.Object, error) {
	e := newExpander()
	spec, _ := set["spec"].(map[string]any)
	made, err := e.expand(spec["template"], params)
	object, _ := made.(map[string]any)
	return object, err
}

func newExpander() expander { return expander{map[string]*template.Template{}} }

// expander keeps the templates that it has parsed.
type expander struct{ parsed map[string]*template.Template }

// expand executes every string below v as a template, keys too.
func (e *expander) expand(v any, params map[string]any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		expanded := make(map[string]any, len(v))
		for key, item := range v {
			k, err := e.text(key, params)
			if err != nil {
				return nil, err
			}
			if expanded[k], err = e.expand(item, params); err != nil {
				return nil, err
			}
		}
		return expanded, nil
	case []any:
		expanded := make([]any, len(v))
		for i, item := range v {
			var err error
			if expanded[i], err = e.expand(item, params); err != nil {
				return nil, err
			}
		}
		return expanded, nil
	case string:
		return e.text(v, params)
	}
	return v, nil
}

func (e *expander) text(s string, params map[string]any) (string, error) {
	t, ok := e.parsed[s]
	if !ok {
		var err error
		if t, err = template.New(s).Funcs(templateFuncs()).Option("missingkey=error").Parse(s); err != nil {
			return "", shortened(err)
		}
		e.parsed[s] = t
	}
	var out bytes.Buffer
	if err := t.Execute(&out, params); err != nil {
		return "", shortened(err)
	}
	return out.String(), nil
}

// templateFuncs returns the template functions of Argo CD. They exclude those
// that read Argo CD's environment.
func templateFuncs() template.FuncMap {
	funcs := template.FuncMap(sprig.GenericFuncMap())
	for _, name := range []string{"env", "expandenv", "getHostByName"} {
		delete(funcs, name)
	}
	return funcs
}

// shortened removes the prefix of a template error.
func shortened(err error) error {
	return errors.New(strings.TrimPrefix(err.Error(), "template: "))
}
