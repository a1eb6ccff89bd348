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

// accessRules are about the hub's access to the remotes, and about secrets, in
// the order of their ids.
func accessRules() []Rule {
	return slices.SortedFunc(slices.Values(append(linkRules(), sealedRules()...)), func(a, b Rule) int { return strings.Compare(a.ID, b.ID) })
}

func linkRules() []Rule {
	return []Rule{
		{
			ID: "RS02", FoundBy: byReader, Also: finding.Warning,
			Title: "the hub's pods can reach the API server",
			What: "server is an https URL whose host is not the pod itself (localhost, 127.0.0.0/8, ::1) nor the hub (kubernetes.default), and " +
				"not a name that only one machine or network knows. It is the API server, not the console, at the port that OpenShift has; and " +
				"domain is that of the ingress.",
			Why:    "The address is used by a pod on the hub. An unreachable remote keeps Kiali from starting: it waits for every cluster.",
			Fix:    "Write the address that `curl -k` reaches from a pod on the hub.",
			Source: "kiali cmd/server.go, kubernetes/client_factory.go",
			mesh:   privateNames,
		},
		{
			ID: "RS03", Severity: finding.Warning,
			Title: "certificates are checked",
			What: "No insecure_skip_verify or insecure_skip_verify_tls is true in a Kiali resource, and no remote has " +
				"access.insecureSkipTLSVerify: true.",
			Why:    "Whoever is between Kiali and the server can read what it logs in with. Its own token sees the whole cluster.",
			Fix:    "Put the CA where the line reads it, which the hint says: from v2.11 on a ConfigMap in Kiali's namespace.",
			Source: "kiali business/openshift_oauth.go; kiali.io, TLS configuration",
			mesh:   uncheckedCertificates,
		},
		{
			ID:    "RS05",
			Title: "no secret stands in Git",
			What: "No Secret that is rendered has data, unless SOPS has encrypted all of it. No string, key or comment of a topology, an " +
				"overlay or a sealed link, and no string " +
				"that is rendered, has a credential in it: a private key, a JWT, a token with the prefix of its issuer, a value of Authorization, a " +
				"URL with a password, an option such as --token=…; in base64 neither.",
			Why:    "Git keeps it for ever, for everybody who can read the repository.",
			Fix:    "Take it out, make a new one, and refer to a Secret: secret:<name>:<key>.",
			Source: "the issuers' own descriptions of their tokens; RFC 7519, 7617 and 6750",
			mesh:   plainSecrets,
		},
		{
			ID:    "RS09",
			Title: "a remote's token is for the account that the operator makes",
			What: "The token Secret of a remote is in the namespace of its Kiali resource, or of the account where there is no operator, and " +
				"its annotation names <instance>-service-account.",
			Why:    "The cluster deletes a token Secret whose account does not exist, and the hub has no access.",
			Fix:    "Leave the Secret as it is rendered.",
			Source: "kiali-operator roles/default/kiali-deploy/templates/*/serviceaccount.yaml; kubernetes tokens_controller.go",
			mesh:   tokenAccount,
		},
		{
			ID:    "RS10",
			Title: "a remote's token comes after its account",
			What:  "The sync wave of the token Secret is later than that of the Kiali resource, or of the account where there is no operator.",
			Why: "The operator makes the account after the Kiali resource. A token Secret that is there before it is deleted at once, and the " +
				"sync still says that all is well.",
			Fix:    "Leave the sync waves as they are rendered.",
			Source: "kubernetes pkg/controller/serviceaccount/tokens_controller.go; tried on 1.36",
			mesh:   tokenOrder,
		},
		{
			ID: "RS14", Reserved: "a Kiali server that is installed by its own chart",
			Title: "a chart under Argo CD looks nothing up",
			What: "Where the chart kiali-server is used in place of the operator, links, signing key and platform are given. (The chart that is " +
				"rendered looks nothing up.)",
			Why:    "Helm sees no cluster when Argo CD calls it, and that chart asks the cluster for what it is not given.",
			Fix:    "Give them.",
			Source: "kiali helm-charts, kiali-server/templates/_helpers.tpl",
		},
		{
			ID: "RS15", Severity: finding.Warning,
			Title: "a login per cluster is bearable",
			What:  "With the strategy openshift there are at most 20 remotes.",
			Why: "At its start Kiali asks the OAuth server of every remote within one minute for all of them, and each user logs in to each " +
				"cluster.",
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
			ID: "RS25", Severity: finding.Warning,
			Title: "what renews itself restarts Kiali",
			What: "Links that a store of secrets brings (links.source externalSecrets) are in the one Secret that the operator watches " +
				"(links.format single).",
			Why: "Kiali reads the kubeconfigs once, at its start, and the operator watches none of the Secrets for one remote each. " +
				"A token that changes in them arrives on the hub, and Kiali goes on with the old one.",
			Fix:    "Leave out links.format; or restart Kiali yourself when a token has changed, and suppress RS25.",
			Source: "kiali kubernetes/client_factory.go; kiali-operator watches-os.yaml",
			mesh:   unwatched,
		},
		{
			ID: "RS26", Also: finding.Warning,
			Title: "somebody decrypts what SOPS has encrypted",
			What: "With links.source sops the tree is not delivered by Argo CD. With delivery.argocd.source plugin it is a warning, since the " +
				"plugin may decrypt.",
			Why: "Argo CD has no decryption of its own: it applies the Secret as it is in Git, and the API server refuses it. Flux decrypts what " +
				"a Kustomization with spec.decryption applies.",
			Fix:    "Deliver by Flux; or choose links.source sealed or externalSecrets; or give Argo CD a plugin that decrypts.",
			Source: "fluxcd.io, manage Kubernetes secrets with SOPS; argo-cd docs/operator-manual/secret-management.md",
			mesh:   undecrypted,
		},
	}
}

// onThisMachine are names by which container desktops call the machine that they
// run on, and names that public servers give the address 127.0.0.1.
var onThisMachine = []string{"host.docker.internal", "docker.internal", "kubernetes.docker.internal", "host.minikube.internal",
	"host.containers.internal",
	"host.lima.internal", "host.rancher-desktop.internal", "localtest.me", "lvh.me", "vcap.me", "localhost.localdomain"}

// mistaken tells what is wrong with an API server that is a URL, and may be
// right on another network.
func mistaken(c *topology.Cluster, host string) (instead, problem string) {
	const console = "console-openshift-console.apps."
	shown := finding.Shorten(host)
	switch base, isConsole := strings.CutPrefix(host, console); {
	case isConsole:
		return "https://api." + base + ":6443", "the host " + shown + " is that of the web console, expected the API server"
	case strings.HasPrefix(host, "api-int."):
		return "https://api." + strings.TrimPrefix(host, "api-int.") + ":6443", "the host " + shown +
			" is for the nodes of the cluster alone; the hub's pods use another"
	case slices.ContainsFunc(onThisMachine, func(name string) bool { return host == name || strings.HasSuffix(host, "."+name) }):
		return "https://api.west.example.com:6443, as pods on the hub reach it", "the host " + shown + " is the machine itself, for whoever asks"
	}
	u, err := url.Parse(c.Server)
	if err == nil && c.Platform == "openshift" && u.Port() == "" && (strings.HasPrefix(host, "api.") || isIP(u)) {
		return "https://" + u.Host + ":6443", "server has no port, and the API server of OpenShift is not at 443"
	}
	return "", ""
}

func isIP(u *url.URL) bool {
	_, err := netip.ParseAddr(u.Hostname())
	return err == nil
}

// ingressDomains finds a domain that is the one of the whole cluster.
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
		problem := "the domain %s is the one that the API server is in; routes are in that of the ingress"
		if host == c.Domain {
			problem = "the domain %s is the host of the API server; routes are in the domain of the ingress"
		}
		f.softer(finding.Warning).cluster(m, i, m.At("spec", "clusters", i, "domain"),
			"write domain: apps."+base+", unless the ingress has another", problem, finding.Shorten(c.Domain))
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
				"the host %s is a name that other networks may not know; Kiali asks from a pod on the hub", finding.Shorten(host))
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
					"%s is true, so whoever is in between can %s", path[1:], atStake(o, path))
			}
		})
	}
	for i := range m.Spec.Clusters {
		if m.Spec.Clusters[i].Access.InsecureSkipTLSVerify && i != m.hub {
			f.cluster(m, i, m.At("spec", "clusters", i, "access", "insecureSkipTLSVerify"),
				"leave it out, and seal the link with the CA of the API server",
				"the certificate of the API server is not checked, so whoever is in between can read the token of the link")
		}
	}
}

// atStake says what somebody gets who is between Kiali and a server: what Kiali logs
// in with, if anything.
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
				f.object(o, fieldPath{key}, "take it out, and let the cluster, External Secrets or a sealed Secret fill it",
					"the Secret %s/%s has %s, which would stand in Git", o.ID.Namespace, o.ID.Name, key)
			}
		}
	}
	for _, found := range m.credentials() {
		if found.What != "" {
			f.object(found.object, found.Path, topology.CredentialHint, "%s of the %s has %s in it, which would stand in Git",
				fieldPath(found.Path), found.object, found.What)
		}
	}
}

// onlyCertificates tells whether all data of a Secret are certificates, which are no
// secrets.
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
		if o.ID.Kind == "Secret" { // whose data are a finding as they are
			content = maps.Clone(content)
			delete(content, "data")
			delete(content, "stringData")
		}
		credential.Scan(credential.Value(content), func(found credential.Found) { all = append(all, credentialIn{o, found}) })
	}
	return all
}

const tokenType = "kubernetes.io/service-account-token"

// tokens yields the token Secrets with what makes their accounts: the Kiali
// resource of their cluster or, on a remote without an operator, the account.
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
		want := m.Spec.Kiali.InstanceName + "-service-account"
		if account != want || token.ID.Namespace != of.ID.Namespace {
			f.object(token, fieldPath{"metadata"}, "leave the Secret as it is rendered",
				"the token is for %s in %s, and the account is %s in %s; the cluster deletes a token without its account", account, token.ID.Namespace,
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
			f.object(token, fieldPath{"metadata", "annotations"}, "leave the sync waves as they are rendered",
				"the token is of the sync wave %d and the %s of %d; a token that comes before its account is deleted by the cluster", token.wave(),
				made(of), of.wave())
		}
	})
}

// made names what an account comes from.
func made(of *object) string {
	if of.ID.Kind == "Kiali" {
		return "Kiali resource, for which the operator makes the account,"
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
		f.on(m, m.At("spec", "kiali", "auth", "strategy"), "choose openid with one provider for all clusters; or suppress RS15 if the remotes "+
			"answer quickly",
			"each user logs in to %d remotes one by one, and Kiali asks all their OAuth servers within one minute of its start", remotes)
	}
}

func watchedLabel(m *mesh, f *found) {
	for _, o := range m.objects {
		template, makes := templates[o.ID.Kind]
		for _, path := range []fieldPath{{"metadata", "labels", kiali.SingleSecretLabel},
			template.below("metadata", "labels", kiali.SingleSecretLabel)} {
			if v := o.value(path); v != nil && (o.ID.Kind != "Secret" && !makes || o.ID.Name != kiali.SingleSecret) {
				f.object(o, path, "take the label off", "the %s %s has the label %s, which is for the Secret %s alone", o.ID.Kind, o.ID.Name,
					kiali.SingleSecretLabel, kiali.SingleSecret)
				break
			}
		}
	}
}

func unwatched(m *mesh, f *found) {
	if links := m.Spec.Kiali.Links; links.Source == "externalSecrets" && links.Format == "perCluster" {
		f.on(m, m.At("spec", "kiali", "links", "format"), "leave out format: perCluster; Kiali of the lines v1.73 and v2.4 knows no other",
			"nobody restarts Kiali when a store of secrets brings another token, because each remote has a Secret of its own")
	}
}

func undecrypted(m *mesh, f *found) {
	argo := m.argoCD()
	if argo == nil || m.Spec.Kiali.Links.Source != "sops" {
		return
	}
	at := m.At("spec", "kiali", "links", "source")
	if argo.Source == "plugin" {
		f.softer(finding.Warning).on(m, at, "have the plugin decrypt what it prints, and suppress RS26; or choose links.source sealed or "+
			"externalSecrets", "the plugin of Sightline prints what SOPS has encrypted, and Argo CD applies it as it is")
		return
	}
	f.on(m, at, "deliver by Flux, or choose links.source sealed or externalSecrets; with source: plugin a plugin may decrypt",
		"links.source is sops, and Argo CD decrypts nothing")
}
