package render_test

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	schemavalidation "k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/upstream"
)

// TestSchemas shows that an API server accepts every object of every topology:
// custom resources by the schemas and rules of their definitions, the others by
// their Go types.
func TestSchemas(t *testing.T) {
	topologies := examples(t)
	topologies["without merged metrics"] = eastWest(t, prometheusMerge(false))
	for name, top := range topologies {
		objects := rendered(t, top)
		require.NotEmpty(t, objects)
		for key, manifest := range objects {
			kind := kindOf(t, manifest)
			manifest = decrypted(t, manifest)
			assert.Empty(t, metadataProblems(t, manifest), "%s: %s", name, key)
			if scheme.Scheme.Recognizes(kind) {
				assert.NoError(t, strictlyDecoded(manifest), "%s: %s", name, key)
				continue
			}
			assert.Empty(t, definitionOf(t, kind).problems(t, manifest), "%s: %s", name, key)
		}
	}
}

// TestKialiSchemas shows that the operators of all supported releases accept
// the Kiali resources. The older operators have no schema and accept anything.
func TestKialiSchemas(t *testing.T) {
	dir := shared(t, "crds/kiali-by-version", "that the Kiali resources pass the schema of each release of the operator")
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			d := defineFile(t, file, "v1alpha1")
			version := strings.Split(strings.TrimPrefix(filepath.Base(file), "kiali-"), ".")
			line, known := kiali.ParseLine("v" + version[0] + "." + version[1])
			for name, top := range examples(t) {
				for key, manifest := range rendered(t, top) {
					cluster, _, _ := strings.Cut(key, "/")
					if !strings.Contains(key, "/Kiali/") {
						continue
					}
					if c := top.Spec.Clusters[slices.IndexFunc(top.Spec.Clusters, func(c topology.Cluster) bool { return c.Name == cluster })]; known &&
						c.Kiali.Version != kiali.Default && line.Before(c.Kiali.Version) {
						continue // a topology with a later line has an operator that knows the line
					}
					assert.Empty(t, d.problems(t, manifest), "%s: %s", name, key)
				}
			}
		})
	}
}

// TestSchemasFindMistakes puts one mistake into a rendered object, to show that
// the tests above find it.
func TestSchemasFindMistakes(t *testing.T) {
	objects := rendered(t, eastWest(t))
	for _, test := range []struct{ name, key, right, wrong, problem string }{
		{"typo", "cluster1/Kiali/istio-system/kiali", "query_scope:", "query_scopes:", "unknown field spec.external_services.prometheus.query_scopes"},
		{"typo in a list", "cluster1/PodMonitor/sample/istio-proxies-monitor", "targetLabel: app", "targetlabel: app", "unknown field spec.podMetricsEndpoints[0].relabelings[4].targetlabel"},
		{"wrong type", "cluster2/Kiali/istio-system/kiali", "remote_cluster_resources_only: true", `remote_cluster_resources_only: "true"`, "must be of type boolean"},
		{"value of an enumeration", "cluster1/ServiceMonitor/istio-system/istiod-monitor", "action: replace", "action: overwrite", "Unsupported value"},
		{"missing field", "cluster1/Subscription/openshift-operators/kiali-ossm", "sourceNamespace: openshift-marketplace", "config: {}", "spec.sourceNamespace: Required value"},
		{"rule", "cluster1/Telemetry/istio-system/enable-prometheus-metrics", "spec:", "spec:\n  selector: {matchLabels: {app: \"*\"}}", "wildcard not allowed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			manifest := mistaken(t, objects[test.key], test.right, test.wrong)
			kind := kindOf(t, manifest)
			problems := definitionOf(t, kind).problems(t, manifest)
			require.Len(t, problems, 1)
			assert.Contains(t, problems[0], test.problem)
		})
	}
	t.Run("typo in a built-in kind", func(t *testing.T) {
		assert.ErrorContains(t, strictlyDecoded(mistaken(t, objects["cluster2/Secret/istio-system/kiali-service-account"], "\ntype:", "\ntyp:")), `unknown field "typ"`)
	})
	t.Run("label", func(t *testing.T) {
		problems := metadataProblems(t, mistaken(t, objects["cluster1/ClusterRoleBinding//kiali-istio-system-monitoring-view"], "part-of: east-west", "part-of: east west"))
		require.Len(t, problems, 1)
		assert.Contains(t, problems[0], "metadata.labels: Invalid value")
	})
}

func mistaken(t *testing.T, manifest []byte, right, wrong string) []byte {
	t.Helper()
	require.Contains(t, string(manifest), right)
	return []byte(strings.Replace(string(manifest), right, wrong, 1))
}

func kindOf(t *testing.T, manifest []byte) runtimeschema.GroupVersionKind {
	t.Helper()
	id := resource.IDOf(decode[resource.Object](t, manifest))
	return runtimeschema.FromAPIVersionAndKind(id.APIVersion, id.Kind)
}

// metadataProblems returns the objections of an API server to the metadata of
// any kind.
func metadataProblems(t *testing.T, manifest []byte) (problems []string) {
	t.Helper()
	raw, err := yaml.Marshal(decode[resource.Object](t, manifest)["metadata"])
	require.NoError(t, err)
	metadata := decode[metav1.ObjectMeta](t, raw)
	for _, err := range validation.ValidateObjectMeta(&metadata, metadata.Namespace != "", validation.NameIsDNSSubdomain, field.NewPath("metadata")) {
		problems = append(problems, err.Error())
	}
	return problems
}

// decrypted returns a Secret as the engine applies it, if SOPS encrypted it:
// without the field sops, and with some value for each key. It does not change
// other objects.
func decrypted(t *testing.T, manifest []byte) []byte {
	t.Helper()
	var secret map[string]any
	require.NoError(t, yaml.Unmarshal(manifest, &secret))
	if secret["kind"] != "Secret" || secret["sops"] == nil {
		return manifest
	}
	delete(secret, "sops")
	for key := range secret["data"].(map[string]any) {
		secret["data"].(map[string]any)[key] = "eA=="
	}
	text, err := yaml.Marshal(secret)
	require.NoError(t, err)
	return text
}

func strictlyDecoded(manifest []byte) error {
	_, _, err := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer().Decode(manifest, nil, nil)
	return err
}

// releases are the modules with the definitions of custom resources.
var releases = sync.OnceValues(func() (*upstream.Releases, error) { return upstream.Open("../e2e/definitions") })

// known holds the definitions that were read.
var known sync.Map

// elsewhere has the kinds whose definition is in no Go module, and what checks
// them instead.
var elsewhere = map[string]judge{
	"Kiali.kiali.io":                     kialiTable{},
	"HelmRelease.helm.toolkit.fluxcd.io": goType{}, // e2e/flux decodes it into its Go type
	// The operator's CRD, opentelemetry.io/v1beta1. In e2e/bin/otelcol, a
	// collector reads the config.
	"OpenTelemetryCollector.opentelemetry.io": fieldNames("mode volumes.name volumes.secret.secretName volumeMounts.name volumeMounts.mountPath volumeMounts.readOnly config"),
	// The operator's CRD, which is under the AGPL.
	"TempoStack.tempo.grafana.com": fieldNames("storageSize storage.secret.type storage.secret.name tenants.mode tenants.authentication.tenantName " +
		"tenants.authentication.tenantId template.gateway.enabled template.queryFrontend.jaegerQuery.enabled"),
	"OAuthClient.oauth.openshift.io": goType{}, // OpenShift serves it with a separate API server, without a definition
	"ScrapeConfig.monitoring.rhobs":  goType{}, // from OpenShift's copy of prometheus-operator, which is in no Go module
}

// goType is a kind that a separate module decodes into its Go type.
type goType struct{}

func (goType) problems(*testing.T, []byte) []string { return nil }

// definitionOf returns the definition of a custom resource: from a release in
// Go's cache, else from the folder with upstream's definitions
// (docs/testing.md), else from elsewhere.
func definitionOf(t *testing.T, kind runtimeschema.GroupVersionKind) judge {
	t.Helper()
	if d, ok := known.Load(kind); ok {
		return d.(judge)
	}
	of, err := releases()
	require.NoError(t, err)
	data, err := of.Definition(kind.Group, kind.Kind)
	require.NoError(t, err)
	if data == nil {
		plural, _ := meta.UnsafeGuessKindToResource(kind)
		dir := cmp.Or(os.Getenv("SIGHTLINE_CRDS"), "../../shared/crds")
		file := filepath.Join(dir, kind.Group+"_"+plural.Resource)
		if data, err = os.ReadFile(file + ".yaml"); err != nil {
			data, err = os.ReadFile(file + ".standin.yaml") // a kind without a definition
		}
		if err != nil {
			require.Contains(t, elsewhere, kind.GroupKind().String(), "no definition of this kind, so nothing shows that its objects are right")
			return elsewhere[kind.GroupKind().String()]
		}
	}
	d := define(t, kind.String(), data, kind.Version)
	known.Store(kind, d)
	return d
}

// definition is one version of a custom resource in an API server.
type definition struct {
	namespaced bool
	structural *schema.Structural
	schema     schemavalidation.SchemaValidator
	rules      *cel.Validator // nil: there are no rules
}

func define(t *testing.T, name string, data []byte, version string) *definition {
	t.Helper()
	var crd apiextensionsv1.CustomResourceDefinition
	require.NoError(t, yaml.Unmarshal(data, &crd))
	for _, v := range crd.Spec.Versions {
		if v.Name != version {
			continue
		}
		require.True(t, v.Served, "%s: %s is not served", name, version)
		d := &definition{namespaced: crd.Spec.Scope == apiextensionsv1.NamespaceScoped}
		var internal apiextensions.JSONSchemaProps
		require.NoError(t, apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(v.Schema.OpenAPIV3Schema, &internal, nil))
		var err error
		d.structural, err = schema.NewStructural(&internal)
		require.NoError(t, err)
		d.schema, _, err = schemavalidation.NewSchemaValidator(&internal)
		require.NoError(t, err)
		d.rules = cel.NewValidator(d.structural, true, celconfig.PerCallLimit)
		return d
	}
	require.Fail(t, "no such version", "%s: %s", name, version)
	return nil
}

func defineFile(t *testing.T, file, version string) *definition {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return define(t, file, data, version)
}

// problems returns the objections of an API server to a new object: fields that
// it would drop, values that the schema does not allow, rules that fail.
func (d *definition) problems(t *testing.T, manifest []byte) (problems []string) {
	t.Helper()
	data, err := yaml.YAMLToJSONStrict(manifest)
	require.NoError(t, err)
	var object map[string]any
	require.NoError(t, json.Unmarshal(data, &object)) // whole numbers become int64, as in an API server
	require.Equal(t, d.namespaced, resource.IDOf(object).Namespace != "", "the scope of the kind")

	for _, path := range pruning.PruneWithOptions(object, d.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}) {
		problems = append(problems, "unknown field "+path)
	}
	defaulting.Default(object, d.structural)
	errs := schemavalidation.ValidateCustomResource(nil, object, d.schema)
	if d.rules != nil {
		broken, _ := d.rules.Validate(t.Context(), nil, d.structural, object, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, broken...)
	}
	for _, err := range errs {
		problems = append(problems, err.Error())
	}
	return problems
}
