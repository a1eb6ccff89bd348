package kiali

import "strings"

// CABundle is the ConfigMap in Kiali's namespace with the CAs that Kiali trusts
// beside those of its image. On OpenShift the lines up to v2.17 have a ConfigMap
// beside the operator's own, all of whose data OpenShift replaces. It is "" for the
// line v1.73 on OpenShift, which mounts no other: see CASecret.
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

// CABundleKey is the key of the ConfigMap that CABundle names, and of the Secret
// that CASecret names.
const CABundleKey = "additional-ca-bundle.pem"

// CAMount is the folder that the Secret of CASecret is mounted in.
const CAMount = "/kiali-ca"

// CASecret is the Secret with the CAs where the line mounts no ConfigMap for them; ""
// elsewhere. A CA is no secret: the
// operator mounts nothing else (kiali-operator
// roles/v1.73/kiali-deploy/templates/openshift/deployment.yaml, custom_secrets).
func (l Line) CASecret(instance, platform string) string {
	if platform == "openshift" && l == V1_73 {
		return instance + "-ca"
	}
	return ""
}

// CAFile is the file with the CAs that a line has to be told of for its store; ""
// for the lines from v2.11 on, which find it themselves.
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

// LoginCAKey is the key of the ConfigMap that a line before v2.11 reads the CA of a
// login provider from; "" for others, and where the line reads none.
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

// CommunityCatalog tells whether a catalog has the operator of the community, and
// not that of OpenShift Service Mesh: one of the community, or its mirror as
// oc-mirror names it, such as cs-community-operator-index-v4-18.
func CommunityCatalog(name string) bool {
	return name == "operatorhubio-catalog" || strings.Contains(name, "community-operator")
}
