package kiali

import "strings"

// CABundle is the ConfigMap in Kiali's namespace whose key CABundleKey has the CAs
// that Kiali trusts beside those of its image; "" for a line that reads none. On
// OpenShift the lines v2.11 and v2.17 have a ConfigMap beside the operator's own,
// all of whose data OpenShift replaces.
//
// Source: kiali-operator roles/*/kiali-deploy/templates/*/deployment.yaml;
// service-ca-operator pkg/controller/cabundleinjector/configmap.go.
func (l Line) CABundle(instance, platform string) string {
	switch {
	case l.Before(V2_11):
		return ""
	case platform == "openshift" && l.Before(V2_22):
		return instance + "-oauth-cabundle"
	}
	return instance + "-cabundle"
}

// CABundleKey is the key of the ConfigMap that CABundle names.
const CABundleKey = "additional-ca-bundle.pem"

// CommunityCatalog tells whether a catalog has the operator of the community, and
// not that of OpenShift Service Mesh: one of the community, or its mirror as
// oc-mirror names it, such as cs-community-operator-index-v4-18.
func CommunityCatalog(name string) bool {
	return name == "operatorhubio-catalog" || strings.Contains(name, "community-operator")
}
