// Package openshift has the facts about OpenShift's monitoring operator
// (openshift/cluster-monitoring-operator): the two ConfigMaps that configure it, and
// the values that it accepts. The operator reads both strictly. If one field is
// wrong, it refuses the whole text, keeps the old configuration, and reports itself
// as degraded.
package openshift

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// Config is a ConfigMap of the monitoring operator. Its key config.yaml has the
// content.
type Config struct{ Namespace, Name string }

// Configs returns the ConfigMaps of the monitoring operator: the one of the platform,
// which turns on user workload monitoring, and the one of user workloads.
func Configs() (platform, workloads Config) {
	return Config{"openshift-monitoring", "cluster-monitoring-config"},
		Config{"openshift-user-workload-monitoring", "user-workload-monitoring-config"}
}

// Service is a Service and its port.
type Service struct{ Namespace, Name, Port string }

// Querier returns the Service that answers from the Prometheus servers of the platform and
// of user workloads. It serves https. A client needs the ClusterRole [ViewRole].
func Querier() Service { return Service{"openshift-monitoring", "thanos-querier", "9091"} }

// ServiceCA is a ConfigMap in every namespace. Its key service-ca.crt has the CA that
// signs the certificates of Services.
const ServiceCA = "openshift-service-ca.crt"

// ViewRole is the ClusterRole for reading all metrics of a cluster.
const ViewRole = "cluster-monitoring-view"

// Scraped tells whether user workload monitoring reads the monitors of a namespace
// with labels (pkg/manifests/manifests.go, the namespace selector of its Prometheus).
func Scraped(labels map[string]string) bool {
	return labels["openshift.io/user-monitoring"] != "false" && labels["openshift.io/cluster-monitoring"] != "true"
}

// ReservedLabels returns external labels that the operator refuses, because its
// Prometheus servers set them: cluster from OpenShift 4.19 on, the others in every
// release (pkg/manifests/config.go).
func ReservedLabels() []string { return []string{"cluster", "prometheus", "prometheus_replica"} }

// Problem is a part of a config that the operator refuses.
type Problem struct {
	Path    []any // keys (string) and indexes (int)
	Unknown bool  // the last key of the path is not a field
	Message string
	Hint    string
}

// Problems lists the parts of config.yaml that the operator refuses, according to its
// types and checks. content must come from a YAML or JSON decoder.
func (c Config) Problems(content any) []Problem {
	var k checker
	k.value(content, c.Name, nil)
	return k.found
}

//go:embed monitoring.txt
var monitoring string

// fields gives the type of each field of each object.
var fields = sync.OnceValue(func() map[string]map[string]string {
	objects := map[string]map[string]string{}
	var fields map[string]string
	for line := range strings.Lines(monitoring) {
		switch name, kind, isField := strings.Cut(strings.TrimSpace(line), " "); {
		case name == "" || name == "#":
		case !isField:
			fields = map[string]string{}
			objects[name] = fields
		default:
			fields[name] = kind
		}
	}
	return objects
})

// label is the type of an external label.
const label = "label"

type checker struct{ found []Problem }

func (k *checker) add(path []any, hint, format string, args ...any) {
	k.found = append(k.found, Problem{Path: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// value checks a value against the type that monitoring.txt gives it.
func (k *checker) value(v any, kind string, path []any) {
	switch element, isList := strings.CutPrefix(kind, "[]"); {
	case v == nil: // as if it were absent
	case isList:
		k.list(v, element, path)
	case strings.HasPrefix(kind, "{}"):
		k.object(v, path, nil, func(string) string { return kind[len("{}"):] })
	case kind == "labels":
		k.object(v, path, nil, func(string) string { return label })
	case fields()[kind] != nil:
		known := fields()[kind]
		k.object(v, path, slices.Sorted(maps.Keys(known)), func(key string) string { return known[key] })
	default:
		k.scalar(v, kind, path)
	}
}

func (k *checker) list(v any, element string, path []any) {
	list, ok := v.([]any)
	if !ok {
		k.add(path, `begin each entry with "- "`, "%s must be a list, found %s", dotted(path), describe(v))
	}
	for i := range list {
		k.value(list[i], element, append(slices.Clone(path), i))
	}
}

// object checks the fields of an object. known lists the names of the fields, or is
// nil if names are free. of gives the type of each field, or "" if the field does not
// exist.
func (k *checker) object(v any, path []any, known []string, of func(key string) string) {
	object, ok := v.(map[string]any)
	hint := ""
	if known != nil {
		hint = "the fields are " + finding.List(known, 12)
	}
	if !ok {
		k.add(path, hint, "%s must be an object, found %s", dotted(path), describe(v))
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		below := append(slices.Clone(path), key)
		switch kind := of(key); {
		case kind == "":
			k.found = append(k.found, Problem{below, true, fmt.Sprintf("%s has no field %q", dotted(path), finding.Shorten(key)),
				cmp.Or(finding.DidYouMean(key, known), hint)})
		case kind == label && slices.Contains(ReservedLabels(), key):
			k.add(below, "choose another name, such as cluster_name", "the external label %q is reserved for the cluster's own Prometheus servers%s",
				key, since(key))
		default:
			k.value(object[key], kind, below)
		}
	}
}

// scalar checks a value without parts.
func (k *checker) scalar(v any, kind string, path []any) {
	n, isNumber := number(v)
	text, isText := v.(string)
	hint := ""
	if isText {
		hint = "leave out the quotes"
	}
	switch kind {
	case "string", label:
		_, isTime := v.(time.Time) // a time of YAML is a string in JSON
		if !isText && !isTime {
			k.add(path, "put it in quotes", "%s must be a string, found %s", dotted(path), describe(v))
			return
		}
		k.text(text, path)
	case "boolean":
		if _, ok := v.(bool); !ok {
			k.add(path, hint, "%s must be true or false, found %s", dotted(path), describe(v))
		}
	case "integer", "unsigned":
		if !isNumber || n != float64(int64(n)) || kind == "unsigned" && n < 0 {
			k.add(path, hint, "%s must be a whole number, found %s", dotted(path), describe(v))
		}
	case "quantity":
		if !isNumber && !isText {
			k.add(path, "", "%s must be a quantity, such as 500m or 2Gi, found %s", dotted(path), describe(v))
		}
	}
}

// text checks the strings for which the operator has more checks.
func (k *checker) text(text string, path []any) {
	if text == "" {
		return
	}
	switch path[len(path)-1] {
	case "scrapeInterval", "evaluationInterval":
		if d, err := time.ParseDuration(text); err != nil || d < 5*time.Second || d > 5*time.Minute {
			k.add(path, "write it as 30s or 1m", "%s must be a duration from 5s to 5m, found %q", dotted(path), finding.Shorten(text))
		}
	case "messageVersion":
		if text != "V1.0" && text != "V2.0" {
			k.add(path, "", "%s must be V1.0 or V2.0, found %q", dotted(path), finding.Shorten(text))
		}
	}
}

func since(label string) string {
	if label == "cluster" {
		return " from OpenShift 4.19 on"
	}
	return ""
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	case float64:
		return v, true
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	}
	return 0, false
}

func describe(v any) string {
	if n, ok := number(v); ok {
		return fmt.Sprintf("the number %v", n)
	}
	switch v := v.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case bool:
		return fmt.Sprint(v)
	case string:
		return "a string" // it may be a credential
	}
	return "something else"
}

// dotted names a path, or the whole content if the path is empty.
func dotted(path []any) string {
	if len(path) == 0 {
		return "the config"
	}
	var b strings.Builder
	for i, step := range path {
		switch step := step.(type) {
		case int:
			fmt.Fprintf(&b, "[%d]", step)
		default:
			if i > 0 {
				b.WriteByte('.')
			}
			fmt.Fprint(&b, step)
		}
	}
	return b.String()
}
