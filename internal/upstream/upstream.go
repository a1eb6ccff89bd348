// Package upstream finds the definitions of custom resources in the modules of
// their projects. Only tests use it.
package upstream

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// places says, by API group, which module and which files have the definitions.
var places = map[string]struct{ module, files string }{
	"argoproj.io": {"github.com/argoproj/argo-cd/v3", "manifests/crds/*-crd.yaml"},
	"authentication.open-cluster-management.io": {"open-cluster-management.io/managed-serviceaccount", "config/crd/bases/*.yaml"},
	"bitnami.com":                        {"github.com/bitnami-labs/sealed-secrets", "helm/sealed-secrets/crds/*.yaml"},
	"cert-manager.io":                    {"github.com/cert-manager/cert-manager", "deploy/crds/*.yaml"},
	"cluster.open-cluster-management.io": {"open-cluster-management.io/api", "cluster/*/*.crd.yaml"},
	"external-secrets.io":                {"github.com/external-secrets/external-secrets", "config/crds/bases/*.yaml"},
	"kustomize.toolkit.fluxcd.io":        {"github.com/fluxcd/kustomize-controller", "config/crd/bases/*.yaml"},
	"monitoring.coreos.com":              {"github.com/prometheus-operator/prometheus-operator", "example/prometheus-operator-crd/*.yaml"},
	"operators.coreos.com":               {"github.com/operator-framework/api", "crds/*.yaml"},
	"policy.open-cluster-management.io":  {"open-cluster-management.io/governance-policy-propagator", "deploy/crds/*.yaml"},
	"route.openshift.io":                 {"github.com/openshift/api", "route/v1/zz_generated.crd-manifests/*.yaml"},
	"source.toolkit.fluxcd.io":           {"github.com/fluxcd/source-controller", "config/crd/bases/*.yaml"},
	"telemetry.istio.io":                 {"istio.io/api", "kubernetes/customresourcedefinitions.gen.yaml"},
}

// Releases are modules in Go's cache.
type Releases struct{ dirs map[string]string }

// Open finds the modules in the go.mod of a folder, and downloads those that
// are not in the cache. The go.sum of the folder verifies them.
func Open(dir string) (*Releases, error) {
	var mod struct {
		Require []struct{ Path, Version string }
	}
	if err := ask(dir, func(out *json.Decoder) error { return out.Decode(&mod) }, "edit", "-json"); err != nil {
		return nil, err
	}
	args := []string{"download", "-json"}
	for _, r := range mod.Require {
		args = append(args, r.Path+"@"+r.Version)
	}
	r := &Releases{map[string]string{}}
	return r, ask(dir, func(out *json.Decoder) error {
		for out.More() {
			var of struct{ Path, Dir, Error string }
			if err := out.Decode(&of); err != nil {
				return err
			}
			if of.Error != "" {
				return fmt.Errorf("%s", of.Error)
			}
			r.dirs[of.Path] = of.Dir
		}
		return nil
	}, args...)
}

// ask runs go mod in a folder, and reads its output.
func ask(dir string, read func(*json.Decoder) error, args ...string) error {
	cmd := exec.Command("go", append([]string{"-C", dir, "mod"}, args...)...)
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	out, err := cmd.Output()
	if readErr := read(json.NewDecoder(bytes.NewReader(out))); readErr != nil {
		return fmt.Errorf("go mod %s: %w", args[0], readErr)
	}
	if err != nil {
		return fmt.Errorf("go mod %s: %w", args[0], err)
	}
	return nil
}

// File reads a file of a module.
func (r *Releases) File(module, path string) ([]byte, error) {
	if r.dirs[module] == "" {
		return nil, fmt.Errorf("e2e/definitions/go.mod has no module %s", module)
	}
	return os.ReadFile(filepath.Join(r.dirs[module], filepath.FromSlash(path)))
}

// Definition returns the CustomResourceDefinition of a kind, or nil if no
// module has it.
func (r *Releases) Definition(group, kind string) ([]byte, error) {
	at, ok := places[group]
	if !ok {
		return nil, nil
	}
	files, err := filepath.Glob(filepath.Join(r.dirs[at.module], filepath.FromSlash(at.files)))
	if err != nil || r.dirs[at.module] == "" || len(files) == 0 {
		return nil, fmt.Errorf("%s has no files %s: %w", at.module, at.files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for document := range strings.SplitSeq(string(data), "\n---") {
			if !strings.Contains(document, "kind: "+kind+"\n") {
				continue
			}
			var crd struct {
				Kind string
				Spec struct {
					Group string
					Names struct{ Kind string }
				}
			}
			if err := yaml.Unmarshal([]byte(document), &crd); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			if crd.Kind == "CustomResourceDefinition" && crd.Spec.Group == group && crd.Spec.Names.Kind == kind {
				return []byte(document), nil
			}
		}
	}
	return nil, nil
}
