package kiali

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCABundle(t *testing.T) {
	for line, want := range map[Line][2]string{
		V1_73: {"", "k-cabundle"}, V2_4: {"k-oauth-cabundle", "k-cabundle"}, V2_11: {"k-oauth-cabundle", "k-cabundle"}, V2_17: {"k-oauth-cabundle", "k-cabundle"},
		V2_22: {"k-cabundle", "k-cabundle"}, Default: {"k-cabundle", "k-cabundle"},
	} {
		assert.Equal(t, want, [2]string{line.CABundle("k", "openshift"), line.CABundle("k", "kubernetes")}, line)
	}
}

// TestOldLines lists the settings that the lines before v2.11 need. Later lines need
// none of them.
func TestOldLines(t *testing.T) {
	for line, want := range map[Line][5]string{
		V1_73: {"k-ca", "/kiali-ca/additional-ca-bundle.pem", "/kiali-cabundle/additional-ca-bundle.pem", "", "k-n-oauth"},
		V2_4:  {"", "/kiali-cabundle/additional-ca-bundle.pem", "/kiali-cabundle/additional-ca-bundle.pem", "oauth-server-ca.crt", "k-n-oauth"},
		V2_11: {"", "", "", "", "k-n-oauth"},
		V2_22: {"", "", "", "", "k-n-openshift"},
	} {
		got := [5]string{line.CASecret("k", "openshift"), line.CAFile("openshift"), line.CAFile("kubernetes"), line.LoginCAKey("openshift", "openshift"), line.LoginRole("k", "n")}
		assert.Equal(t, want, got, line)
	}
	assert.Equal(t, "openid-server-ca.crt", V2_4.LoginCAKey("openid", "kubernetes"))
	assert.Empty(t, V2_4.LoginCAKey("anonymous", "kubernetes"))
}

func TestCommunityCatalog(t *testing.T) {
	for name, want := range map[string]bool{
		"redhat-operators": false, "cs-redhat-operator-index-v4-18": false, "mirror": false,
		"community-operators": true, "cs-community-operator-index-v4-18": true, "operatorhubio-catalog": true,
	} {
		assert.Equal(t, want, CommunityCatalog(name), name)
	}
}

// TestFirstOperators checks both sides of each line's first operator.
func TestFirstOperators(t *testing.T) {
	operator, chart := V2_27.FirstOperator()
	assert.True(t, OperatorBefore("2.27.0", operator))
	assert.True(t, OperatorBefore("v2.9.9", operator))
	assert.False(t, OperatorBefore("v2.27.1", operator))
	assert.False(t, OperatorBefore("2.28.0-rc1", chart))
	assert.True(t, OperatorBefore("2.27.1", chart))
}
