package suite

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// around the querier: OpenShift's objects of it, without the pod.
const aroundQuerier = `
apiVersion: v1
kind: Service
metadata: {name: thanos-querier, namespace: openshift-monitoring}
spec: {selector: {app.kubernetes.io/name: thanos-query}, ports: [{name: web, port: 9091, targetPort: web}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: cluster-monitoring-view}
rules:
- {apiGroups: [""], resources: [namespaces], verbs: [get]}
- {apiGroups: [monitoring.coreos.com], resources: [prometheuses/api], resourceNames: [k8s], verbs: [get, create, update]}
`

const querierHost = "thanos-querier.openshift-monitoring.svc"

// querier is a stand-in for thanos-querier. Like the proxy before the real one, it asks its
// cluster's API server whose token it is, and whether this user may read. It knows no
// PromQL: e2e/metrics tests the queries.
type querier struct {
	on            *rig.Cluster
	name, other   string // the clusters of its series
	mutex         sync.Mutex
	certificate   tls.Certificate
	redirect      string
	authorization []string // of the requests
}

// serving makes a self-signed certificate for the querier.
func serving(t *testing.T) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: querierHost},
		DNSNames:  []string{querierHost},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// startQuerier makes the Service, its pod and the CA of its certificate.
func startQuerier(t *testing.T, on *rig.Cluster, ip, name, other string) *querier {
	t.Helper()
	q := &querier{on: on, name: name, other: other}
	certificate, ca := serving(t)
	q.certificate = certificate
	on.Namespaces(t, "openshift-monitoring")
	objects := rig.Objects(t, []byte(aroundQuerier))
	t.Cleanup(func() { on.Delete(t, objects...) })
	on.Apply(t, objects...)
	bundle := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "openshift-service-ca.crt"},
		Data: map[string]string{"service-ca.crt": string(ca)}}
	maps := on.Client.CoreV1().ConfigMaps("openshift-monitoring")
	_, err := maps.Create(t.Context(), bundle, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { on.Delete(t, configMap("openshift-monitoring", bundle.Name)) })
	on.RunPods(t, rig.Pod{Namespace: "openshift-monitoring", Name: "thanos-querier-0", IP: ip, Container: "kube-rbac-proxy-web",
		Labels: map[string]string{"app.kubernetes.io/name": "thanos-query"}, Declares: map[string]int32{"web": 9091}})
	on.StartKubelet(t, "a-node")
	listener, err := net.Listen("tcp", net.JoinHostPort(ip, "9091"))
	require.NoError(t, err)
	server := &http.Server{Handler: q}
	config := &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		q.mutex.Lock()
		defer q.mutex.Unlock()
		return &q.certificate, nil
	}}
	go func() { _ = server.Serve(tls.NewListener(listener, config)) }()
	t.Cleanup(func() { _ = server.Close() })
	return q
}

func (q *querier) change(f func()) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	f()
}

func (q *querier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var redirect string
	q.change(func() {
		redirect = q.redirect
		q.authorization = append(q.authorization, r.Header.Get("Authorization"))
	})
	if redirect != "" {
		http.Redirect(w, r, redirect, http.StatusFound)
		return
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	review, err := q.on.Client.AuthenticationV1().TokenReviews().Create(r.Context(),
		&authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}, metav1.CreateOptions{})
	if err != nil || !review.Status.Authenticated {
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	verb := map[string]string{http.MethodGet: "get", http.MethodPost: "create"}[r.Method]
	access, err := q.on.Client.AuthorizationV1().SubjectAccessReviews().Create(r.Context(), &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{User: review.Status.User.Username, Groups: review.Status.User.Groups,
			ResourceAttributes: &authorizationv1.ResourceAttributes{Group: "monitoring.coreos.com", Version: "v1", Resource: "prometheuses",
				Subresource: "api", Name: "k8s", Namespace: "openshift-monitoring", Verb: verb}},
	}, metav1.CreateOptions{})
	if err != nil || !access.Status.Allowed {
		http.Error(w, fmt.Sprintf("Forbidden (user=%s, verb=%s, resource=prometheuses, subresource=api)", review.Status.User.Username, verb),
			http.StatusForbidden)
		return
	}
	var result []any
	for _, labels := range q.answer(r.URL.Query().Get("query")) {
		value := "1"
		if strings.Contains(r.URL.Query().Get("query"), "timestamp(") {
			value = fmt.Sprint(time.Now().Unix() - 20)
		}
		result = append(result, map[string]any{"metric": labels, "value": []any{0, value}})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": map[string]any{"resultType": "vector", "result": result}})
}

// answer returns the answer of a healthy mesh to a query.
func (q *querier) answer(query string) []map[string]string {
	namespaces := func(label string) []map[string]string {
		return []map[string]string{{label: q.name, "namespace": "sample"}, {label: q.name, "namespace": "istio-system"}}
	}
	switch {
	case strings.Contains(query, "timestamp("):
		return []map[string]string{
			{"mesh_id": "mesh1", "reporter": "source", "source_cluster": q.name, "destination_cluster": q.other},
			{"mesh_id": "mesh1", "reporter": "destination", "source_cluster": q.other, "destination_cluster": q.name},
		}
	case strings.HasPrefix(query, "count by (source_cluster"):
		return namespaces("source_cluster")
	case strings.HasPrefix(query, "count by (destination_cluster"):
		return namespaces("destination_cluster")
	case strings.HasPrefix(query, "count by (namespace) (up"):
		return namespaces("x")
	case strings.HasPrefix(query, "count by (prometheus_replica)"):
		return []map[string]string{{}}
	}
	return nil
}

// TestStatusThanosQuerier asks the querier of each OpenShift cluster through a
// port-forward. The token comes from the context, and belongs to a user with only the rights that
// --rights prints.
func TestStatusThanosQuerier(t *testing.T) {
	rig.NeedDefinitions(t, "that status reads thanos-querier with the token of the context")
	clusters := rig.Up(t)
	dir := t.TempDir()
	topology := filepath.Join(dir, "mesh.yaml")
	require.NoError(t, os.WriteFile(topology, []byte(openShiftTopology), 0o644))
	named := map[string]*rig.Cluster{"cluster1": clusters.East, "cluster2": clusters.West}
	east := startQuerier(t, clusters.East, "10.244.8.2", "cluster1", "cluster2")
	west := startQuerier(t, clusters.West, "10.245.8.2", "cluster2", "cluster1")
	version := rig.Objects(t, []byte(clusterVersion))
	for _, c := range named {
		t.Cleanup(func() { c.Delete(t, version...) })
		c.Apply(t, version...)
	}
	tokens := readers(t, topology, named)
	contexts := filepath.Join(dir, "config")
	config := api.NewConfig()
	certificates, err := clientcmd.LoadFromFile(kubeconfig(t, clusters.East, clusters.West))
	require.NoError(t, err)
	for name, c := range named {
		config.Clusters[name] = certificates.Clusters[certificates.Contexts[c.Name].Cluster]
		config.AuthInfos[name] = &api.AuthInfo{Token: tokens[name]}
		config.Contexts[name] = &api.Context{Cluster: name, AuthInfo: name}
	}
	config.AuthInfos["by-certificate"] = certificates.AuthInfos[certificates.Contexts[clusters.West.Name].AuthInfo]
	config.Contexts["by-certificate"] = &api.Context{Cluster: "cluster2", AuthInfo: "by-certificate"}
	require.NoError(t, clientcmd.WriteToFile(*config, contexts))

	sound := west.certificate
	other, _ := serving(t)
	view := clusters.West.Client.RbacV1().ClusterRoleBindings()
	bound, err := view.Get(t.Context(), "sightline-status-metrics", metav1.GetOptions{})
	require.NoError(t, err)
	bound.ResourceVersion, bound.UID = "", ""
	for _, fault := range []struct {
		name         string
		break_, mend func()
		args         []string
		want         []string
		found        string
	}{
		{"nothing is wrong", func() {}, func() {}, nil, []string{}, ""},
		{"without cluster-monitoring-view", func() { require.NoError(t, view.Delete(t.Context(), bound.Name, metav1.DeleteOptions{})) },
			func() {
				_, err := view.Create(t.Context(), bound, metav1.CreateOptions{})
				require.NoError(t, err)
			}, nil, []string{"ST25 cluster2 unchecked: the user needs the role cluster-monitoring-view for thanos-querier, and the rights that sightline " +
				"status " + topology + " --rights prints"},
			"by port-forward to the pod thanos-querier-0 (context \"cluster2\") answers Forbidden"},
		{"a context without a token", func() {}, func() {}, []string{"--context", "cluster2=by-certificate"},
			[]string{"ST25 cluster2 unchecked: give the store's address with --prometheus-url, and a token for it with --prometheus-token-file"},
			"the user of the context has no bearer token"},
		{"a certificate of somebody else", func() { west.change(func() { west.certificate = other }) },
			func() { west.change(func() { west.certificate = sound }) }, nil,
			[]string{"ST25 cluster2 bad: see that the store runs: sightline explain ST25"}, "certificate"},
		{"it leads elsewhere", func() { west.change(func() { west.redirect = "https://elsewhere.example.com" }) },
			func() { west.change(func() { west.redirect = "" }) }, nil,
			[]string{"ST25 cluster2 bad: see that the store runs: sightline explain ST25"}, "answers with a redirect, which is not followed"},
	} {
		t.Run(fault.name, func(t *testing.T) {
			fault.break_()
			defer fault.mend()
			rig.Wait(t, 20*time.Second, "the fault to show", func() error {
				west.change(func() { west.authorization = nil })
				result := rig.Try(t, rig.Sightline(), append([]string{"status", topology, "--kubeconfig", contexts, "--output", "json",
					"--only", "data"}, fault.args...)...)
				for _, token := range tokens {
					assert.NotContains(t, result.Stdout+result.Stderr, token)
				}
				var report struct {
					Results []struct{ Check, Cluster, Mark, Found, Next string }
				}
				if err := json.Unmarshal([]byte(result.Stdout), &report); err != nil {
					return fmt.Errorf("%w: %s", err, result.Stderr)
				}
				not, found := []string{}, ""
				for _, r := range report.Results {
					if r.Mark != "good" {
						not = append(not, fmt.Sprintf("%s %s %s: %s", r.Check, r.Cluster, r.Mark, r.Next))
						found += r.Found + "\n"
					}
				}
				if !slices.Equal(fault.want, not) || !strings.Contains(found, fault.found) {
					return fmt.Errorf("found %q\n%s\nshould be %q\n%s", not, found, fault.want, fault.found)
				}
				return nil
			})
			west.change(func() {
				switch fault.name {
				case "a context without a token", "a certificate of somebody else":
					assert.Empty(t, west.authorization, "nothing is sent")
				default:
					assert.NotEmpty(t, west.authorization)
				}
				for _, header := range west.authorization {
					assert.Equal(t, "Bearer "+tokens["cluster2"], header)
				}
			})
		})
	}
	east.change(func() { assert.Contains(t, east.authorization, "Bearer "+tokens["cluster1"]) })
}

// readers makes an account with the rights that --rights prints on each cluster, and
// returns the tokens by the cluster's name.
func readers(t *testing.T, topology string, named map[string]*rig.Cluster) map[string]string {
	t.Helper()
	tokens := map[string]string{}
	parts := strings.Split(rig.Run(t, rig.Sightline(), "status", topology, "--rights"), "# What sightline status may read on ")
	for _, part := range parts[1:] {
		first, documents, _ := strings.Cut(part, "\n")
		name, _, _ := strings.Cut(first, ",")
		c := named[name]
		require.NotNil(t, c, first)
		objects := rig.Objects(t, []byte(strings.ReplaceAll(documents, "- apiGroup: rbac.authorization.k8s.io\n  kind: Group\n  name: sightline-status",
			"- kind: ServiceAccount\n  name: reader\n  namespace: default")))
		for _, o := range objects {
			if ns := o.GetNamespace(); ns != "" {
				c.Namespaces(t, ns)
			}
		}
		t.Cleanup(func() { c.Delete(t, objects...) })
		c.Apply(t, objects...)
		accounts := c.Client.CoreV1().ServiceAccounts("default")
		_, err := accounts.Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "reader"}}, metav1.CreateOptions{})
		require.NoError(t, err)
		account := accountObject()
		account.SetNamespace("default")
		account.SetName("reader")
		t.Cleanup(func() { c.Delete(t, account) })
		request, err := accounts.CreateToken(t.Context(), "reader", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
		require.NoError(t, err)
		tokens[name] = request.Status.Token
	}
	return tokens
}
