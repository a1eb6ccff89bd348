package kiali

// LoginRole is the ClusterRole that the operator makes for an account of Kiali that
// reads the OAuthClient of its cluster.
//
// Source: kiali-operator roles/*/kiali-deploy/templates/openshift/clusterrole-{oauth,openshift}.yaml.
func (l Line) LoginRole(instance, namespace string) string {
	if l.Before(V2_22) {
		return instance + "-" + namespace + "-oauth"
	}
	return instance + "-" + namespace + "-openshift"
}
