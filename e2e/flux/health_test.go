package flux

import (
	"maps"
	"slices"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// rendered returns the health checks of all goldens, by kind. The checks of a
// kind are the same everywhere.
func rendered(t *testing.T) map[string]kustomize.CustomHealthCheck {
	t.Helper()
	checks := map[string]kustomize.CustomHealthCheck{}
	for file, manifest := range golden(t) {
		object, _, err := decoder(t).Decode(manifest, nil, nil)
		require.NoError(t, err, file)
		var own []kustomize.CustomHealthCheck
		switch object := object.(type) {
		case *kustomizev1.Kustomization:
			own = object.Spec.HealthCheckExprs
		case *helmv2.HelmRelease:
			own = object.Spec.HealthCheckExprs
		}
		_, err = cel.NewStatusReader(own) // both controllers do the same before they apply
		require.NoError(t, err, file)
		for _, check := range own {
			if first, ok := checks[check.Kind]; ok {
				assert.Equal(t, first, check, file)
			}
			checks[check.Kind] = check
		}
	}
	return checks
}

// TestHealth shows Flux's judgement of an object in each of its states, with
// Flux's own status reader. If an expression fails, the status is Unknown, and
// Flux keeps waiting, as with InProgress.
func TestHealth(t *testing.T) {
	checks := rendered(t)
	tested := map[string]bool{}
	for _, test := range []struct {
		kind, name, object string
		want               status.Status
	}{
		{"Kiali", "no operator has seen it", `metadata: {generation: 1}`, status.UnknownStatus},
		{"Kiali", "the operator has begun to write", `status: {}`, status.InProgressStatus},
		{"Kiali", "no conditions yet", `status: {conditions: []}`, status.InProgressStatus},
		{"Kiali", "first run", `status: {conditions: [{type: Running, status: "True", reason: Running}]}`, status.InProgressStatus},
		{"Kiali", "done", `status: {conditions: [{type: Running, status: "True", reason: Successful}, {type: Successful, status: "True", reason: Successful}]}`, status.CurrentStatus},
		{"Kiali", "done, and failed before", `status: {conditions: [{type: Failure, status: "False", reason: Failed}, {type: Running, status: "True", reason: Successful}, {type: Successful, status: "True", reason: Successful}]}`, status.CurrentStatus},
		{"Kiali", "stale: the run before was successful, the next is under way", `status: {conditions: [{type: Successful, status: "True", reason: Successful}, {type: Running, status: "True", reason: Running}]}`, status.InProgressStatus},
		{"Kiali", "stale: the run before failed, the next is under way", `status: {conditions: [{type: Failure, status: "True", reason: Failed}, {type: Running, status: "True", reason: Running}]}`, status.InProgressStatus},
		{"Kiali", "failed", `status: {conditions: [{type: Running, status: "True", reason: Failed}, {type: Failure, status: "True", reason: Failed}, {type: Successful, status: "False", reason: ""}]}`, status.FailedStatus},
		{"Kiali", "failed, and no longer running", `status: {conditions: [{type: Running, status: "False", reason: Running}, {type: Failure, status: "True", reason: Failed}]}`, status.FailedStatus},
		{"Kiali", "neither", `status: {conditions: [{type: Successful, status: "False", reason: Successful}]}`, status.InProgressStatus},

		{"SealedSecret", "no controller has seen it", `metadata: {generation: 1}`, status.UnknownStatus},
		{"SealedSecret", "no conditions yet", `status: {observedGeneration: 1}`, status.InProgressStatus},
		{"SealedSecret", "opened", `status: {conditions: [{type: Synced, status: "True"}]}`, status.CurrentStatus},
		{"SealedSecret", "sealed for another certificate", `status: {conditions: [{type: Synced, status: "False", message: no key could decrypt secret}]}`, status.FailedStatus},
		{"SealedSecret", "stale: the one before was opened", `{metadata: {generation: 2}, status: {observedGeneration: 1, conditions: [{type: Synced, status: "True"}]}}`, status.InProgressStatus},

		{"Subscription", "no lifecycle manager has seen it", `metadata: {generation: 1}`, status.UnknownStatus},
		{"Subscription", "the catalog is asked", `status: {conditions: [{type: CatalogSourcesUnhealthy, status: "False"}]}`, status.InProgressStatus},
		{"Subscription", "the plan is there", `status: {state: UpgradePending, currentCSV: kiali-operator.v2.11.0}`, status.InProgressStatus},
		{"Subscription", "installed", `status: {state: AtLatestKnown, currentCSV: kiali-operator.v2.11.0, installedCSV: kiali-operator.v2.11.0}`, status.CurrentStatus},
		{"Subscription", "at the latest of nothing", `status: {state: AtLatestKnown}`, status.InProgressStatus},
		{"Subscription", "the next version is known", `status: {state: UpgradeAvailable, currentCSV: kiali-operator.v2.11.0, installedCSV: kiali-operator.v2.11.0}`, status.InProgressStatus},
		{"Subscription", "stale: the next version is on its way", `status: {state: AtLatestKnown, currentCSV: kiali-operator.v2.12.0, installedCSV: kiali-operator.v2.11.0}`, status.InProgressStatus},
		{"Subscription", "failed", `status: {state: UpgradeFailed, currentCSV: kiali-operator.v2.11.0}`, status.FailedStatus},

		{"Secret", "nobody has filled it in", `type: kubernetes.io/service-account-token`, status.UnknownStatus},
		{"Secret", "nothing but the CA yet", `{type: kubernetes.io/service-account-token, data: {ca.crt: Q0E=}}`, status.InProgressStatus},
		{"Secret", "filled in", `{type: kubernetes.io/service-account-token, data: {ca.crt: Q0E=, token: dG9rZW4=}}`, status.CurrentStatus},
		{"Secret", "of another type", `{type: Opaque}`, status.CurrentStatus},
	} {
		t.Run(test.kind+"/"+test.name, func(t *testing.T) {
			require.Contains(t, checks, test.kind, "there is no such health check")
			tested[test.kind] = true
			assert.Equal(t, test.want, asFluxSeesIt(t, checks[test.kind], test.object))
		})
	}
	assert.Equal(t, slices.Sorted(maps.Keys(checks)), slices.Sorted(maps.Keys(tested)), "the kinds with a health check, and those that are tried")
}

// TestHealthWithoutChecks shows the reason for the checks: without them, Flux
// continues with the next phase as soon as an object exists.
func TestHealthWithoutChecks(t *testing.T) {
	for kind, check := range rendered(t) {
		object := named(t, check, `metadata: {generation: 1}`)
		if kind == "Secret" {
			object.Object["type"] = "kubernetes.io/service-account-token"
		}
		computed, err := status.Compute(object)
		require.NoError(t, err)
		assert.Equal(t, status.CurrentStatus, computed.Status, kind)
	}
}

// TestHealthOfReleases shows that a release needs no check if a Kustomization
// waits for it. Its definition gives it a status that is outdated until its
// controller has seen it.
func TestHealthOfReleases(t *testing.T) {
	release := kustomize.CustomHealthCheck{APIVersion: "helm.toolkit.fluxcd.io/v2", Kind: "HelmRelease"}
	for object, want := range map[string]status.Status{
		`{metadata: {generation: 1}, status: {observedGeneration: -1}}`:                                                                               status.InProgressStatus,
		`{metadata: {generation: 1}, status: {observedGeneration: 1, conditions: [{type: Reconciling, status: "True"}]}}`:                             status.InProgressStatus,
		`{metadata: {generation: 1}, status: {observedGeneration: 1, conditions: [{type: Ready, status: "False"}, {type: Stalled, status: "True"}]}}`: status.FailedStatus,
		`{metadata: {generation: 1}, status: {observedGeneration: 1, conditions: [{type: Ready, status: "True"}]}}`:                                   status.CurrentStatus,
	} {
		computed, err := status.Compute(named(t, release, object))
		require.NoError(t, err)
		assert.Equal(t, want, computed.Status, object)
	}
}

func asFluxSeesIt(t *testing.T, check kustomize.CustomHealthCheck, object string) status.Status {
	t.Helper()
	reader, err := cel.NewStatusReader([]kustomize.CustomHealthCheck{check})
	require.NoError(t, err)
	read, err := reader(nil).ReadStatusForObject(t.Context(), nil, named(t, check, object))
	require.NoError(t, err)
	return read.Status
}

// named returns an object of the check's kind.
func named(t *testing.T, check kustomize.CustomHealthCheck, text string) *unstructured.Unstructured {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	require.NoError(t, err)
	object := &unstructured.Unstructured{Object: map[string]any{}}
	fields := unstructured.Unstructured{}
	require.NoError(t, fields.UnmarshalJSON([]byte(`{"apiVersion":"v1","kind":"Any",`+string(data[1:]))))
	object.Object = fields.Object
	object.SetAPIVersion(check.APIVersion)
	object.SetKind(check.Kind)
	object.SetName("kiali")
	object.SetNamespace("istio-system")
	return object
}
