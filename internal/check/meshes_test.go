package check_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
)

// TestImpersonation shows that the operator's definition decides about one login for
// all clusters, if the definition is known.
func TestImpersonation(t *testing.T) {
	definition := func(openshift string) *check.Definitions {
		known, err := check.ParseDefinitions([]check.Source{{Name: "kiali", Data: []byte(`{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: kialis.kiali.io},
spec: {group: kiali.io, scope: Namespaced, names: {kind: Kiali, plural: kialis}, versions: [{name: v1alpha1, served: true, storage: true, schema: {openAPIV3Schema: {type: object,
properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {auth: {type: object, properties: {openshift: {type: object, properties: {` + openshift + `}}}}}}}}}}]}}`)}})
		require.NoError(t, err)
		return known
	}
	with := edits{"spec.kiali.version": "default", "spec.kiali.auth": "{impersonation: {enabled: true, groups: [mesh]}}"}
	about := func(known *check.Definitions, with edits) (said []string) {
		for _, f := range find(t, known, with, nil, nil, false) {
			if f.Rule == "KC07" {
				said = append(said, f.Severity.String()+" "+f.Message)
			}
		}
		return said
	}
	match := func(said, pattern string) { assert.Regexp(t, pattern, said) }
	knows := definition("impersonation: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {allowed_groups: {type: array, items: {type: string}}}}")
	assert.Empty(t, about(knows, with))
	match(fmt.Sprint(about(definition("redirect_uris: {type: array, items: {type: string}}"), with)), "^.error .*the definition of the Kiali resource has no")
	match(fmt.Sprint(about(nil, with)), "^.warning .*the operator's definition may lack")
	with["spec.kiali.auth"] = "{impersonation: {enabled: true, groups: ['system:masters']}}"
	match(fmt.Sprint(about(knows, with)), "^.error .*Kiali refuses to impersonate")
	with["spec.kiali.auth"] = "{impersonation: {enabled: true}}"
	match(fmt.Sprint(about(knows, with)), "^.warning .*no user or group is named")
}

// TestTwoMeshesOnOneCluster shows that two control planes of one cluster are two
// meshes with different ids, and that topologies with the same control plane are one
// mesh.
func TestTwoMeshesOnOneCluster(t *testing.T) {
	second := besides(edits{"spec.mesh.id": "mesh1"})
	assert.True(t, has(find(t, nil, nil, nil, second, true), "ID09"), "two control planes with one id")
	second["spec.mesh.id"] = "mesh2"
	assert.False(t, has(find(t, nil, nil, nil, second, true), "ID09"))
	second = besides(edits{"spec.mesh.id": "mesh1", "spec.mesh.controlPlaneNamespace": "istio-system"})
	assert.False(t, has(find(t, nil, nil, nil, second, true), "ID09"), "one control plane")
}
