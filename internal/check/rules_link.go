package check

import (
	"regexp"
	"strings"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

const (
	sealedLinks = "sealed links"
	theChart    = "the format helm"
)

// linkRules are about the hub's access to the remotes, and about secrets.
func linkRules() []Rule {
	return []Rule{
		{
			ID: "RS01", Reserved: sealedLinks,
			Title:  "a kubeconfig is the cluster's own",
			What:   "The key of the Secret, the name of the cluster in the kubeconfig and the annotation are the cluster's name; there are one cluster and one user, and current-context leads to them.",
			Why:    "Kiali skips the file with a line in its log, and the cluster is missing.",
			Fix:    "Seal the link again.",
			Source: "kiali kubernetes/cluster_secret.go",
		},
		{
			ID: "RS02", FoundBy: byReader, Also: topology.Info,
			Title:  "the hub's pods can reach the API server",
			What:   "server is an https URL whose host is not the pod itself (localhost, 127.0.0.0/8, ::1) nor the hub (kubernetes.default), and not a name that only one machine or network knows.",
			Why:    "The address is used by a pod on the hub. An unreachable remote keeps Kiali from starting: it waits for every cluster.",
			Fix:    "Write the address that `curl -k` reaches from a pod on the hub.",
			Source: "kiali cmd/server.go, kubernetes/client_factory.go",
			mesh:   privateNames,
		},
		{
			ID: "RS03", Severity: topology.Warning,
			Title:  "certificates are checked",
			What:   "No insecure_skip_verify or insecure_skip_verify_tls is true in a Kiali resource. (A kubeconfig's own certificate comes with sealed links.)",
			Why:    "Whoever is between Kiali and the server can read its token, which sees the whole cluster.",
			Fix:    "Put the CA into the key additional-ca-bundle.pem of the ConfigMap <instance>-cabundle in Kiali's namespace.",
			Source: "kiali business/openshift_oauth.go; kiali.io, TLS configuration",
			mesh:   uncheckedCertificates,
		},
		{
			ID: "RS04", Reserved: sealedLinks,
			Title:  "a link's CA can be read",
			What:   "The CA in a kubeconfig parses, and is valid for 30 days more.",
			Why:    "Kiali stops at its start.",
			Fix:    "Seal the link again with the cluster's CA.",
			Source: "kiali kubernetes/client_factory.go",
		},
		{
			ID:     "RS05",
			Title:  "no secret stands in Git",
			What:   "No Secret that is rendered has data, and no text is a private key, a bearer token or a kubeconfig with credentials.",
			Why:    "Git keeps it for ever, for everybody who can read the repository.",
			Fix:    "Take it out, make a new one, and refer to a Secret: secret:<name>:<key>.",
			Source: "kiali.io, credentials in Secrets",
			mesh:   plainSecrets,
		},
		{
			ID: "RS06", Reserved: sealedLinks,
			Title: "a sealed link fits the hub",
			What:  "Name, namespace and scope are those of the Secret, and the certificate is the hub's.",
			Why:   "The controller cannot open it.", Fix: "Seal the link again.",
			Source: "bitnami-labs/sealed-secrets pkg/crypto",
		},
		{
			ID: "RS07", Reserved: sealedLinks,
			Title: "a link's Secret has the labels that Kiali and the operator look for",
			What:  "The template of the sealed link has the labels of its format.",
			Why:   "Nothing would find the Secret.", Fix: "Seal the link again.",
			Source: "kiali-operator watches-os.yaml",
		},
		{
			ID: "RS08", Severity: topology.Warning, Reserved: sealedLinks,
			Title: "the operator is told of a new Secret",
			What:  "With links.format perCluster the hub's Kiali resource has the annotation kiali.io/reconcile.",
			Why:   "The operator does not watch these Secrets.", Fix: "Use links.format: single.",
			Source: "kiali/kiali issue 6941",
		},
		{
			ID:     "RS09",
			Title:  "a remote's token is for the account that the operator makes",
			What:   "The token Secret of a remote is in the namespace of its Kiali resource, and its annotation names <instance>-service-account.",
			Why:    "The cluster deletes a token Secret whose account does not exist, and the hub has no access.",
			Fix:    "Leave the Secret as it is rendered.",
			Source: "kiali-operator roles/default/kiali-deploy/templates/*/serviceaccount.yaml; kubernetes tokens_controller.go",
			mesh:   tokenAccount,
		},
		{
			ID:     "RS10",
			Title:  "a remote's token comes after its account",
			What:   "The sync wave of the token Secret is later than that of the Kiali resource.",
			Why:    "The operator makes the account after the Kiali resource. A token Secret that is there before it is deleted at once, and the sync still says that all is well.",
			Fix:    "Leave the sync waves as they are rendered.",
			Source: "kubernetes pkg/controller/serviceaccount/tokens_controller.go; tried on 1.36",
			mesh:   tokenOrder,
		},
		{
			ID: "RS11", Reserved: sealedLinks,
			Title: "a kubeconfig with a plugin is allowed to run it",
			What:  "clustering.enable_exec_provider is true where a kubeconfig has exec.",
			Why:   "Kiali takes the user out of it.", Fix: "Add the field.",
			Source: "kiali kubernetes/client_factory.go",
		},
		{
			ID: "RS12", Severity: topology.Warning, Reserved: sealedLinks,
			Title: "a cluster is in one Secret",
			What:  "No cluster is in Secrets of both formats.",
			Why:   "Kiali reads the first.", Fix: "Remove one.",
			Source: "kiali kubernetes/cluster_secret.go",
		},
		{
			ID: "RS13", Severity: topology.Warning, Reserved: sealedLinks,
			Title: "a link's token lasts, and is of the right account",
			What:  "The token in a kubeconfig does not expire soon.",
			Why:   "Kiali loses the cluster.", Fix: "Seal the link again.",
			Source: "kiali/kiali issues 8198, 5070",
		},
		{
			ID: "RS14", Reserved: theChart,
			Title: "a chart under Argo CD looks nothing up",
			What:  "Links, signing key and platform are given.",
			Why:   "helm template sees no cluster.", Fix: "Give them.",
			Source: "kiali helm-charts, kiali-server/templates/_helpers.tpl",
		},
		{
			ID: "RS15", Severity: topology.Warning,
			Title:  "a login per cluster is bearable",
			What:   "With the strategy openshift there are at most 20 remotes.",
			Why:    "At its start Kiali asks the OAuth server of every remote within one minute for all of them, and each user logs in to each cluster.",
			Fix:    "Choose openid with one provider for all clusters.",
			Source: "kiali business/openshift_oauth.go; kiali/kiali issues 7512, 10038",
			mesh:   manyLogins,
		},
		{
			ID:     "RS16",
			Title:  "the watched label is on the one Secret that it is for",
			What:   "Only the Secret kiali-multi-cluster-secret has the label kiali.io/kiali-multi-cluster-secret.",
			Why:    "The operator watches by the label, and may read the Secret of that name only.",
			Fix:    "Take the label off.",
			Source: "kiali-operator watches-os.yaml; helm-charts kiali-operator/templates/clusterrole.yaml",
			mesh:   watchedLabel,
		},
		{
			ID: "RS17", Severity: topology.Warning, Reserved: sealedLinks,
			Title: "the Secret of all links has room",
			What:  "All kubeconfigs together have less than 1 MiB.",
			Why:   "The API server refuses a larger Secret.", Fix: "Use links.format: perCluster.",
			Source: "Kubernetes, Secrets",
		},
	}
}

func privateNames(m *mesh, f *found) {
	for i := range m.Spec.Clusters {
		c := &m.Spec.Clusters[i]
		if i == m.hub || c.Server == "" {
			continue
		}
		host := normalServer(c.Server)
		host = host[:strings.LastIndexByte(host, ':')]
		local := strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".svc")
		if local || !strings.Contains(host, ".") && !strings.Contains(host, ":") {
			f.softer(topology.Info).cluster(m, i, m.At("spec", "clusters", i, "server"), "try it from a pod on the hub: curl -k "+c.Server+"/readyz",
				"the host %s is a name that other networks may not know; Kiali asks from a pod on the hub", topology.Shorten(host))
		}
	}
}

func uncheckedCertificates(m *mesh, f *found) {
	for _, o := range m.kialis {
		if o == nil {
			continue
		}
		walk(o.content["spec"], fieldPath{"spec"}, func(path fieldPath, v any) {
			key, _ := path[len(path)-1].(string)
			if on, _ := v.(bool); on && (key == "insecure_skip_verify" || key == "insecure_skip_verify_tls") {
				f.object(o, path, "put the CA into the key additional-ca-bundle.pem of the ConfigMap "+m.Spec.Kiali.InstanceName+"-cabundle in "+m.Spec.Kiali.Namespace,
					"%s is true, so whoever is in between can read Kiali's token", path[1:])
			}
		})
	}
}

// secrets are texts that nobody writes but for a credential. No message
// repeats them.
var secrets = []struct {
	what string
	re   *regexp.Regexp
}{
	{"a private key", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`)},
	{"a token (JWT)", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+`)},
	{"a token of OpenShift", regexp.MustCompile(`\bsha256~[A-Za-z0-9_-]{20,}`)},
	{"a kubeconfig with credentials", regexp.MustCompile(`(?s)kind:\s*Config\b.*(token|client-key-data|password):\s*\S`)},
	{"a URL with a password", regexp.MustCompile(`[a-z]://[^/\s:@]+:[^/\s:@]+@`)},
}

func plainSecrets(m *mesh, f *found) {
	for _, o := range m.objects {
		if o.ID.Kind == "Secret" {
			for _, key := range []string{"data", "stringData"} {
				if o.content[key] != nil {
					f.object(o, fieldPath{key}, "take it out, and let the cluster, External Secrets or a sealed Secret fill it", "the Secret %s/%s has %s, which would stand in Git", o.ID.Namespace, o.ID.Name, key)
				}
			}
			continue
		}
		walk(o.content, nil, func(path fieldPath, v any) {
			text, ok := v.(string)
			if !ok || len(text) < 8 {
				return
			}
			for _, s := range secrets {
				if s.re.MatchString(text) {
					f.object(o, path, "take it out, make a new one, and refer to a Secret: secret:<name>:<key>", "%s of the %s has %s in it, which would stand in Git", path, o, s.what)
					return
				}
			}
		})
	}
}

const tokenType = "kubernetes.io/service-account-token"

// tokens yields the token Secrets with the Kiali resource of their clusters.
func (m *mesh) tokens(visit func(token, kiali *object)) {
	for _, o := range m.kinds("Secret") {
		if o.content["type"] == tokenType && m.kialis[o.cluster] != nil {
			visit(o, m.kialis[o.cluster])
		}
	}
}

func tokenAccount(m *mesh, f *found) {
	m.tokens(func(token, kiali *object) {
		account, _ := token.value(fieldPath{"metadata", "annotations", "kubernetes.io/service-account.name"}).(string)
		want := m.Spec.Kiali.InstanceName + "-service-account"
		if account != want || token.ID.Namespace != kiali.ID.Namespace {
			f.object(token, fieldPath{"metadata"}, "leave the Secret as it is rendered",
				"the token is for %s in %s, and the operator makes %s in %s; the cluster deletes a token without its account", account, token.ID.Namespace, want, kiali.ID.Namespace)
		}
	})
}

// wave is the place of an object in Argo CD's order.
func (o *object) wave() int {
	return max(number(o.value(fieldPath{"metadata", "annotations", "argocd.argoproj.io/sync-wave"})), 0)
}

func tokenOrder(m *mesh, f *found) {
	m.tokens(func(token, kiali *object) {
		if token.phase != resource.Link || token.wave() <= kiali.wave() {
			f.object(token, fieldPath{"metadata", "annotations"}, "leave the sync waves as they are rendered",
				"the token is of the sync wave %d and the Kiali resource of %d; before the operator has made the account, the cluster deletes the token", token.wave(), kiali.wave())
		}
	})
}

func manyLogins(m *mesh, f *found) {
	const bearable = 20
	remotes := 0
	for i := range m.Spec.Clusters {
		if i != m.hub && m.Spec.Clusters[i].Platform == "openshift" {
			remotes++
		}
	}
	if m.Spec.Kiali.Auth.Strategy == "openshift" && remotes > bearable {
		f.on(m, m.At("spec", "kiali", "auth", "strategy"), "choose openid with one provider for all clusters; or suppress RS15 if the remotes answer quickly",
			"each user logs in to %d remotes one by one, and Kiali asks all their OAuth servers within one minute of its start", remotes)
	}
}

func watchedLabel(m *mesh, f *found) {
	const label, name = "kiali.io/kiali-multi-cluster-secret", "kiali-multi-cluster-secret"
	for _, o := range m.objects {
		if v := o.value(fieldPath{"metadata", "labels", label}); v != nil && (o.ID.Kind != "Secret" && o.ID.Kind != "SealedSecret" || o.ID.Name != name) {
			f.object(o, fieldPath{"metadata", "labels", label}, "take the label off", "the %s %s has the label %s, which is for the Secret %s alone", o.ID.Kind, o.ID.Name, label, name)
		}
	}
}
