package check

import (
	"encoding/base64"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/credential"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// accessRules are about the hub's access to the remotes and about secrets. They
// are sorted by id.
func accessRules() []Rule {
	return slices.SortedFunc(slices.Values(slices.Concat(linkRules(), sealedRules(), managedRules())),
		func(a, b Rule) int { return strings.Compare(a.ID, b.ID) })
}

func linkRules() []Rule {
	return []Rule{
		{
			ID: "RS02", FoundBy: byReader, Also: finding.Warning,
			Title: "the hub's pods can reach the API server",
			What: "server is an https URL. Its host is not the pod itself (localhost, 127.0.0.0/8, ::1), not the hub (kubernetes.default), " +
				"and not a name that only one machine or network knows. It is the API server, not the console, with OpenShift's port. domain " +
				"is the domain of the ingress.",
			Why: "A pod on the hub uses the address. Kiali waits for every cluster at startup, so an unreachable remote keeps Kiali from " +
				"starting.",
			Fix:    "Write an address that `curl -k` reaches from a pod on the hub.",
			Source: "kiali cmd/server.go, kubernetes/client_factory.go",
			mesh:   privateNames,
		},
		{
			ID: "RS03", Severity: finding.Warning,
			Title: "certificates are checked",
			What: "No insecure_skip_verify or insecure_skip_verify_tls is true in a Kiali resource, and no remote has " +
				"access.insecureSkipTLSVerify: true.",
			Why:    "Anybody between Kiali and the server can read Kiali's credential. Kiali's token can read the whole cluster.",
			Fix:    "Put the CA where the release line reads it; the hint says where. From v2.11 on it is a ConfigMap in Kiali's namespace.",
			Source: "kiali business/openshift_oauth.go; kiali.io, TLS configuration",
			mesh:   uncheckedCertificates,
		},
		{
			ID:    "RS05",
			Title: "no credential is in Git",
			What: "No rendered Secret has data, unless SOPS has encrypted all of it. No string, key or comment in a topology, an overlay or " +
				"a sealed link, and no rendered string, holds a credential, also not in base64. A credential is a private key, a JWT, a token " +
				"with its issuer's prefix, a value of Authorization, a URL with a password, or an option such as --token=….",
			Why:    "Git keeps the credential for ever, and everybody who can read the repository can read it.",
			Fix:    "Remove the credential, create a new one, and refer to a Secret: secret:<name>:<key>.",
			Source: "the issuers' descriptions of their tokens; RFC 7519, 7617 and 6750",
			mesh:   plainSecrets,
		},
		{
			ID:    "RS09",
			Title: "a remote's token is for the account that the operator creates",
			What: "The token Secret of a remote is in the namespace of the Kiali resource (without an operator, of the account). Its " +
				"annotation names <instance>-service-account.",
			Why:    "The cluster deletes a token Secret if its account does not exist. Then the hub has no access.",
			Fix:    "Leave the Secret as rendered.",
			Source: "kiali-operator roles/default/kiali-deploy/templates/*/serviceaccount.yaml; kubernetes tokens_controller.go",
			mesh:   tokenAccount,
		},
		{
			ID:    "RS10",
			Title: "a remote's token is applied after its account",
			What:  "The sync wave of the token Secret is later than the sync wave of the Kiali resource (without an operator, of the account).",
			Why: "The operator creates the account after the Kiali resource. A token Secret that exists before its account is deleted at " +
				"once, but the sync still reports success.",
			Fix:    "Leave the sync waves as rendered.",
			Source: "kubernetes pkg/controller/serviceaccount/tokens_controller.go; tried on 1.36",
			mesh:   tokenOrder,
		},
		{
			ID: "RS14", Reserved: "a Kiali server that is installed by its own chart",
			Title: "under Argo CD, the chart needs no lookup",
			What: "If the chart kiali-server replaces the operator, links, signing key and platform are given. (The rendered chart never " +
				"uses lookup.)",
			Why:    "Under Argo CD, Helm has no access to a cluster. The chart looks up in the cluster what you do not give.",
			Fix:    "Give these values.",
			Source: "kiali helm-charts, kiali-server/templates/_helpers.tpl",
		},
		{
			ID: "RS15", Severity: finding.Warning,
			Title:  "users do not log in to more than 20 remotes",
			What:   "With the strategy openshift, there are at most 20 remotes.",
			Why:    "At startup, Kiali asks the OAuth servers of all remotes, within one minute in total. Each user logs in to each cluster.",
			Fix:    "Choose openid with one provider for all clusters.",
			Source: "kiali business/openshift_oauth.go; kiali/kiali issues 7512, 10038",
			mesh:   manyLogins,
		},
		{
			ID:     "RS16",
			Title:  "only one Secret has the watched label",
			What:   "Only the Secret kiali-multi-cluster-secret has the label kiali.io/kiali-multi-cluster-secret.",
			Why:    "The operator watches Secrets by this label, but may read only the Secret with this name.",
			Fix:    "Remove the label.",
			Source: "kiali-operator watches-os.yaml; helm-charts kiali-operator/templates/clusterrole.yaml",
			mesh:   watchedLabel,
		},
		{
			ID: "RS25", Severity: finding.Warning,
			Title: "Kiali restarts when a token changes",
			What: "If a secret store brings the links (links.source externalSecrets), all links are in the one Secret that the operator " +
				"watches (links.format single).",
			Why: "Kiali reads the kubeconfigs once, at startup. The operator does not watch the Secrets of links.format perCluster. A " +
				"changed token arrives on the hub, but Kiali keeps using the old token.",
			Fix:    "Leave out links.format. Or restart Kiali yourself whenever a token changes, and suppress RS25.",
			Source: "kiali kubernetes/client_factory.go; kiali-operator watches-os.yaml",
			mesh:   unwatched,
		},
		{
			ID: "RS26", Also: finding.Warning,
			Title: "something decrypts the links that SOPS encrypted",
			What: "With links.source sops, Argo CD does not deliver the tree. With delivery.argocd.source plugin it is a warning, because " +
				"the plugin may decrypt.",
			Why: "Argo CD cannot decrypt. It applies the encrypted Secret from Git, and the API server refuses it. Flux decrypts the " +
				"objects of a Kustomization with spec.decryption.",
			Fix:    "Deliver with Flux. Or choose links.source sealed or externalSecrets. Or use a plugin that decrypts.",
			Source: "fluxcd.io, manage Kubernetes secrets with SOPS; argo-cd docs/operator-manual/secret-management.md",
			mesh:   undecrypted,
		},
	}
}

// onThisMachine lists host names that mean the machine itself: names from
// container desktops, and public DNS names with the address 127.0.0.1.
var onThisMachine = []string{"host.docker.internal", "docker.internal", "kubernetes.docker.internal", "host.minikube.internal",
	"host.containers.internal",
	"host.lima.internal", "host.rancher-desktop.internal", "localtest.me", "lvh.me", "vcap.me", "localhost.localdomain"}

// mistaken tells what is probably wrong with the URL of an API server, and what
// to write instead.
func mistaken(c *topology.Cluster, host string) (instead, problem string) {
	const console = "console-openshift-console.apps."
	shown := finding.Shorten(host)
	switch base, isConsole := strings.CutPrefix(host, console); {
	case isConsole:
		return "https://api." + base + ":6443", "the host " + shown + " is that of the web console; expected the API server"
	case strings.HasPrefix(host, "api-int."):
		return "https://api." + strings.TrimPrefix(host, "api-int.") + ":6443", "the host " + shown +
			" is only for the cluster's nodes; the hub's pods need another host"
	case slices.ContainsFunc(onThisMachine, func(name string) bool { return host == name || strings.HasSuffix(host, "."+name) }):
		return "https://api.west.example.com:6443, as pods on the hub reach it", "the host " + shown + " always means the machine that asks"
	}
	u, err := url.Parse(c.Server)
	if err == nil && c.Platform == "openshift" && u.Port() == "" && (strings.HasPrefix(host, "api.") || isIP(u)) {
		return "https://" + u.Host + ":6443", "server has no port, so it means 443; OpenShift's API server has another port"
	}
	return "", ""
}

func isIP(u *url.URL) bool {
	_, err := netip.ParseAddr(u.Hostname())
	return err == nil
}

// ingressDomains finds a domain that is the cluster's base domain and not the
// domain of the ingress.
func ingressDomains(m *mesh, f *found) {
	for i := range m.Spec.Clusters {
		c := &m.Spec.Clusters[i]
		u, err := url.Parse(c.Server)
		if err != nil || c.Domain == "" {
			continue
		}
		host, base := strings.ToLower(u.Hostname()), strings.TrimPrefix(c.Domain, "api.")
		if host != c.Domain && host != "api."+c.Domain {
			continue
		}
		problem := "the domain %s is the domain of the API server; Routes are in the domain of the ingress"
		if host == c.Domain {
			problem = "the domain %s is the host of the API server; Routes are in the domain of the ingress"
		}
		f.softer(finding.Warning).cluster(m, i, m.At("spec", "clusters", i, "domain"),
			"write domain: apps."+base+", unless the ingress has another domain", problem, finding.Shorten(c.Domain))
	}
}

func privateNames(m *mesh, f *found) {
	ingressDomains(m, f)
	for i := range m.Spec.Clusters {
		c := &m.Spec.Clusters[i]
		if i == m.hub || c.Server == "" {
			continue
		}
		host := normalServer(c.Server)
		host = host[:strings.LastIndexByte(host, ':')]
		if instead, problem := mistaken(c, host); problem != "" {
			f.softer(finding.Warning).cluster(m, i, m.At("spec", "clusters", i, "server"), "write it like "+instead, "%s", problem)
			continue
		}
		local := strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".svc")
		if local || !strings.Contains(host, ".") && !strings.Contains(host, ":") {
			f.softer(finding.Info).cluster(m, i, m.At("spec", "clusters", i, "server"), "try it from a pod on the hub: curl -k "+c.Server+"/readyz",
				"other networks may not know the host %s; Kiali connects from a pod on the hub", finding.Shorten(host))
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
				f.object(o, path, m.trust(o, path),
					"%s is true, so anybody in between can %s", path[1:], atStake(o, path))
			}
		})
	}
	for i := range m.Spec.Clusters {
		if m.Spec.Clusters[i].Access.InsecureSkipTLSVerify && i != m.hub {
			f.cluster(m, i, m.At("spec", "clusters", i, "access", "insecureSkipTLSVerify"),
				"leave it out, and seal the link with the CA of the API server",
				"the certificate of the API server is not checked, so anybody in between can read the token of the link")
		}
	}
}

// atStake says what somebody between Kiali and a server can get: Kiali's credential,
// if Kiali sends one.
func atStake(o *object, path fieldPath) string {
	auth := path[:len(path)-1]
	kind, _ := o.value(auth.below("type")).(string)
	switch own, _ := o.value(auth.below("use_kiali_token")).(bool); {
	case own || path[len(path)-1] == "insecure_skip_verify_tls":
		return "read Kiali's token"
	case kind == "" || kind == "none":
		return "read and change what Kiali is told"
	}
	return "read the credential that Kiali logs in with"
}

func plainSecrets(m *mesh, f *found) {
	for _, o := range m.objects {
		for _, key := range []string{"data", "stringData"} {
			if o.ID.Kind == "Secret" && o.content[key] != nil && !onlyCertificates(o.content[key]) && !onlyEncrypted(o.content[key]) {
				f.object(o, fieldPath{key}, "remove it, and let the cluster, External Secrets or a sealed Secret fill it",
					"the Secret %s/%s has %s, which would be in Git", o.ID.Namespace, o.ID.Name, key)
			}
		}
	}
	for _, found := range m.credentials() {
		if found.What != "" {
			f.object(found.object, found.Path, topology.CredentialHint, "%s of the %s holds %s, which would be in Git",
				fieldPath(found.Path), found.object, found.What)
		}
	}
}

// onlyCertificates tells whether all data of a Secret are certificates. Certificates
// are public.
func onlyCertificates(data any) bool {
	items, _ := data.(map[string]any)
	for _, item := range items {
		text, _ := item.(string)
		decoded, err := base64.StdEncoding.DecodeString(text)
		if err != nil || topology.CertificatesProblem(string(decoded)) != "" {
			return false
		}
	}
	return len(items) > 0
}

// onlyEncrypted tells whether SOPS has encrypted all data of a Secret.
func onlyEncrypted(data any) bool {
	if items, ok := data.(map[string]string); ok { // a value as a whole
		return len(items) > 0 && !slices.ContainsFunc(slices.Collect(maps.Values(items)),
			func(text string) bool { return !topology.EncryptedBySOPS(text) })
	}
	items, _ := data.(map[string]any)
	for _, item := range items {
		if text, _ := item.(string); !topology.EncryptedBySOPS(text) {
			return false
		}
	}
	return len(items) > 0
}

// credentialIn is a credential in an object.
type credentialIn struct {
	*object
	credential.Found
}

// findCredentials finds the credentials in what is rendered.
func (m *mesh) findCredentials() []credentialIn {
	var all []credentialIn
	for _, o := range slices.Concat(m.ofClusters(), m.delivered) {
		content := o.content
		if o.ID.Kind == "Secret" { // any data of a Secret are a finding already
			content = maps.Clone(content)
			delete(content, "data")
			delete(content, "stringData")
		}
		credential.Scan(credential.Value(content), func(found credential.Found) { all = append(all, credentialIn{o, found}) })
	}
	return all
}

const tokenType = "kubernetes.io/service-account-token"

// tokens visits each token Secret together with the object from which its
// account comes: the Kiali resource of the cluster or, on a remote without an
// operator, the account.
func (m *mesh) tokens(visit func(token, of *object)) {
	accounts := map[int]*object{}
	for _, o := range m.kinds("ServiceAccount") {
		accounts[o.cluster] = o
	}
	for _, o := range m.kinds("Secret") {
		of := m.kialis[o.cluster]
		if of == nil {
			of = accounts[o.cluster]
		}
		if o.content["type"] == tokenType && of != nil {
			visit(o, of)
		}
	}
}

func tokenAccount(m *mesh, f *found) {
	m.tokens(func(token, of *object) {
		account, _ := token.value(fieldPath{"metadata", "annotations", "kubernetes.io/service-account.name"}).(string)
		want := m.Account()
		if account != want || token.ID.Namespace != of.ID.Namespace {
			f.object(token, fieldPath{"metadata"}, "leave the Secret as rendered",
				"the token is for %s in %s, but the account is %s in %s; the cluster deletes a token without its account", account, token.ID.Namespace,
				want, of.ID.Namespace)
		}
	})
}

// wave is the place of an object in Argo CD's order.
func (o *object) wave() int {
	return max(number(o.value(fieldPath{"metadata", "annotations", "argocd.argoproj.io/sync-wave"})), 0)
}

func tokenOrder(m *mesh, f *found) {
	m.tokens(func(token, of *object) {
		if token.phase != resource.Link || token.wave() <= of.wave() {
			f.object(token, fieldPath{"metadata", "annotations"}, "leave the sync waves as rendered",
				"the token has sync wave %d and the %s has %d; the cluster deletes a token that comes before its account", token.wave(),
				made(of), of.wave())
		}
	})
}

// made names the object from which an account comes.
func made(of *object) string {
	if of.ID.Kind == "Kiali" {
		return "Kiali resource (the operator creates the account for it)"
	}
	return "account"
}

func manyLogins(m *mesh, f *found) {
	const bearable = 20
	remotes := 0
	for i := range m.Spec.Clusters {
		if i != m.hub && m.Spec.Clusters[i].Platform == "openshift" {
			remotes++
		}
	}
	if m.Spec.Kiali.Auth.Strategy == "openshift" && !m.Spec.Kiali.Auth.Impersonation.Enabled && remotes > bearable {
		f.on(m, m.At("spec", "kiali", "auth", "strategy"), "choose openid with one provider for all clusters; if the remotes answer "+
			"quickly, suppress RS15",
			"each user logs in to %d remotes one by one; at startup, Kiali asks all their OAuth servers within one minute in total", remotes)
	}
}

func watchedLabel(m *mesh, f *found) {
	for _, o := range m.objects {
		template, makes := templates[o.ID.Kind]
		for _, path := range []fieldPath{{"metadata", "labels", kiali.SingleSecretLabel},
			template.below("metadata", "labels", kiali.SingleSecretLabel)} {
			if v := o.value(path); v != nil && (o.ID.Kind != "Secret" && !makes || o.ID.Name != kiali.SingleSecret) {
				f.object(o, path, "remove the label", "the %s %s has the label %s; only the Secret %s may have it", o.ID.Kind, o.ID.Name,
					kiali.SingleSecretLabel, kiali.SingleSecret)
				break
			}
		}
	}
}

func unwatched(m *mesh, f *found) {
	if links := m.Spec.Kiali.Links; links.Source == "externalSecrets" && links.Format == "perCluster" {
		f.on(m, m.At("spec", "kiali", "links", "format"), "leave out format: perCluster; the release lines v1.73 and v2.4 know no other "+
			"format",
			"when the secret store brings a new token, nothing restarts Kiali; the operator does not watch a Secret for each remote")
	}
}

func undecrypted(m *mesh, f *found) {
	argo := m.argoCD()
	if argo == nil || m.Spec.Kiali.Links.Source != "sops" {
		return
	}
	at := m.At("spec", "kiali", "links", "source")
	if argo.Source == "plugin" {
		f.softer(finding.Warning).on(m, at, "if the plugin decrypts its output, suppress RS26; if not, choose links.source sealed or "+
			"externalSecrets", "Sightline's plugin prints the Secrets encrypted by SOPS, and Argo CD applies them without decryption")
		return
	}
	f.on(m, at, "deliver with Flux, or choose links.source sealed or externalSecrets; with source: plugin, a plugin may decrypt",
		"links.source is sops, but Argo CD cannot decrypt")
}
