package kiali

import "strings"

// CABundle is the ConfigMap in Kiali's namespace with the CAs that Kiali trusts in
// addition to those of its image. On OpenShift, the lines up to v2.17 have it in
// addition to the operator's ConfigMap, because OpenShift replaces all data of that
// one. It is "" for the line v1.73 on OpenShift, which mounts no other ConfigMap: see
// CASecret.
//
// Source: kiali-operator roles/*/kiali-deploy/templates/*/deployment.yaml;
// service-ca-operator pkg/controller/cabundleinjector/configmap.go.
func (l Line) CABundle(instance, platform string) string {
	switch {
	case platform == "openshift" && l == V1_73:
		return ""
	case platform == "openshift" && l.Before(V2_22):
		return instance + "-oauth-cabundle"
	}
	return instance + "-cabundle"
}

// CABundleKey is the key in the ConfigMap of CABundle and in the Secret of CASecret.
const CABundleKey = "additional-ca-bundle.pem"

// CAMount is the folder in which the Secret of CASecret is mounted.
const CAMount = "/kiali-ca"

// CASecret is the Secret with the CAs if the line mounts no ConfigMap for them, or
// else "". A CA is not secret, but the operator mounts nothing else (kiali-operator
// roles/v1.73/kiali-deploy/templates/openshift/deployment.yaml, custom_secrets).
func (l Line) CASecret(instance, platform string) string {
	if platform == "openshift" && l == V1_73 {
		return instance + "-ca"
	}
	return ""
}

// CAFile is the file with the CAs that must be set for the store. It is "" for the
// lines from v2.11 on, which find the file.
//
// Source: kiali v1.73 and v2.4 util/httputil/http_util.go (GetTransportConfig).
func (l Line) CAFile(platform string) string {
	switch {
	case l.CASecret("", platform) != "":
		return CAMount + "/" + CABundleKey
	case l.Before(V2_11):
		return "/kiali-cabundle/" + CABundleKey
	}
	return ""
}

// LoginCAKey is the key of the ConfigMap from which a line before v2.11 reads the CA
// of a login provider. It is "" for other lines, and if the line reads no such CA.
//
// Source: kiali v2.4 business/openshift_oauth.go,
// handlers/authentication/openid_auth_controller.go.
func (l Line) LoginCAKey(strategy, platform string) string {
	switch {
	case !l.Before(V2_11) || l.CABundle("", platform) == "":
		return ""
	case strategy == "openshift":
		return "oauth-server-ca.crt"
	case strategy == "openid":
		return "openid-server-ca.crt"
	}
	return ""
}

// CommunityCatalog tells whether a catalog has the community's operator instead of
// the operator of OpenShift Service Mesh. It is a community catalog, or its mirror
// with the name from oc-mirror, such as cs-community-operator-index-v4-18.
func CommunityCatalog(name string) bool {
	return name == "operatorhubio-catalog" || strings.Contains(name, "community-operator")
}
