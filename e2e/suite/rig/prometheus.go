package rig

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Prometheus is the real Prometheus of a cluster. The real prometheus-operator
// configures it from the monitors and rules on the cluster.
//
// The operator makes a StatefulSet for Prometheus, but nothing runs it. The suite
// starts Prometheus, and does the work of the config reloader.
type Prometheus struct {
	cluster  *Cluster
	name     string // of the Prometheus resource
	dir      string
	operator *Process
	server   *Process
	url      string
	config   string // the file
}

// prometheusDefinitions has the kinds that prometheus-operator needs besides the
// monitors.
var prometheusDefinitions = []string{
	"monitoring.coreos.com_alertmanagerconfigs.yaml",
	"monitoring.coreos.com_alertmanagers.yaml",
	"monitoring.coreos.com_probes.yaml",
	"monitoring.coreos.com_prometheusagents.yaml",
	"monitoring.coreos.com_prometheuses.yaml",
	"monitoring.coreos.com_prometheusrules.yaml",
	"monitoring.coreos.com_scrapeconfigs.yaml",
	"monitoring.coreos.com_thanosrulers.yaml",
}

const prometheusNamespace = "openshift-user-workload-monitoring"

// prometheusObjects has the Prometheus with the settings of OpenShift's user workload
// monitoring (assets/prometheus-user-workload/prometheus.yaml of
// openshift/cluster-monitoring-operator). It also has the account with which
// Prometheus asks the API server for pods.
const prometheusObjects = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: prometheus, namespace: openshift-user-workload-monitoring}
---
apiVersion: v1
kind: Secret
metadata:
  name: prometheus-token
  namespace: openshift-user-workload-monitoring
  annotations: {kubernetes.io/service-account.name: prometheus}
type: kubernetes.io/service-account-token
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: prometheus}
rules:
- {apiGroups: [""], resources: [services, endpoints, pods], verbs: [get, list, watch]}
- {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [get, list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: prometheus}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: prometheus}
subjects: [{kind: ServiceAccount, name: prometheus, namespace: openshift-user-workload-monitoring}]
---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: user-workload, namespace: openshift-user-workload-monitoring}
spec:
  version: v3.5.0
  replicas: 1
  serviceAccountName: prometheus
  ignoreNamespaceSelectors: true
  enforcedNamespaceLabel: namespace
  overrideHonorLabels: true
  overrideHonorTimestamps: true
  arbitraryFSAccessThroughSMs: {deny: true}
  podMonitorSelector: {matchExpressions: [{key: openshift.io/user-monitoring, operator: NotIn, values: ["false"]}]}
  podMonitorNamespaceSelector: {}
  serviceMonitorSelector: {matchExpressions: [{key: openshift.io/user-monitoring, operator: NotIn, values: ["false"]}]}
  serviceMonitorNamespaceSelector: {}
  ruleSelector: {matchLabels: {openshift.io/prometheus-rule-evaluation-scope: leaf-prometheus}}
  ruleNamespaceSelector: {}
  apiserverConfig:
    host: SERVER
    authorization: {type: Bearer, credentialsFile: DIR/token}
    tlsConfig: {caFile: CA}
`

// StartPrometheus starts prometheus-operator and Prometheus for the cluster, until the
// test ends. The cluster needs the definitions. Prometheus sends its series to the
// others, and accepts series.
func (c *Cluster) StartPrometheus(t testing.TB, to ...*Prometheus) *Prometheus {
	t.Helper()
	dir := filepath.Join(c.Dir, "prometheus")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	c.Define(t, prometheusDefinitions...)
	c.Namespaces(t, prometheusNamespace)
	text := strings.NewReplacer("SERVER", c.Server, "DIR", dir, "CA", c.File("ca.crt")).Replace(prometheusObjects)
	for _, other := range to {
		text += "  remoteWrite: [{url: \"" + other.url + "/api/v1/write\", queueConfig: {batchSendDeadline: 1s}}]\n"
	}
	objects := Objects(t, []byte(text))
	t.Cleanup(func() { c.Delete(t, objects...) })
	c.Apply(t, objects...)

	p := &Prometheus{cluster: c, name: "user-workload", dir: dir, url: "http://" + c.Address + ":9090"}
	token := c.accountToken(t, prometheusNamespace, "prometheus-token")
	if err := os.WriteFile(filepath.Join(dir, "token"), token, 0o600); err != nil {
		t.Fatal(err)
	}

	var err error
	p.operator, err = Start(filepath.Join(c.Name, "prometheus"), "prometheus-operator", nil, "prometheus-operator",
		"-apiserver", c.Server, "-ca-file", c.File("ca.crt"), "-cert-file", c.File("admin.crt"), "-key-file", c.File("admin.key"),
		"-web.listen-address", c.Address+":8080")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.operator.Stop)
	p.configured(t)
	p.start(t)
	return p
}

// configured waits until the operator has written the configuration for the resource.
func (p *Prometheus) configured(t testing.TB) {
	t.Helper()
	p.config = filepath.Join(p.dir, "prometheus.yml")
	Wait(t, time.Minute, "prometheus-operator to write a configuration for "+p.name+" on "+p.cluster.Name, func() error {
		config, err := p.generated(t.Context())
		if err == nil {
			err = os.WriteFile(p.config, []byte(config), 0o644)
		}
		return err
	}, p.cluster.APIServer, p.operator)
}

// start starts the server with the present configuration, until the test ends.
func (p *Prometheus) start(t testing.TB) {
	t.Helper()
	dir, err := filepath.Rel(Dir(), p.dir)
	if err != nil {
		t.Fatal(err)
	}
	// A query looks back only a few scrapes, because earlier series are from another mesh.
	p.server, err = Start(dir, "prometheus", nil, "prometheus", "--config.file", p.config,
		"--storage.tsdb.path", filepath.Join(p.dir, "data"), "--web.listen-address", strings.TrimPrefix(p.url, "http://"),
		"--web.enable-lifecycle", "--web.enable-remote-write-receiver", "--query.lookback-delta", "5s", "--log.level", "warn")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.server.Stop)
	Wait(t, time.Minute, p.name+" to be ready on "+p.cluster.Name, func() error {
		_, err := p.ask(t.Context(), http.MethodGet, "/-/ready")
		return err
	}, p.server)
}

// Server is the process of Prometheus itself.
func (p *Prometheus) Server() *Process { return p.server }

var interval = regexp.MustCompile(`scrape_interval: \S+`)

// generated returns the operator's configuration as the config reloader passes it on,
// but with a scrape every second.
func (p *Prometheus) generated(ctx context.Context) (string, error) {
	const key = "prometheus.yaml.gz"
	secret, err := p.cluster.Client.CoreV1().Secrets(prometheusNamespace).Get(ctx, "prometheus-"+p.name, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(secret.Data[key]))
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	text, err := io.ReadAll(unzipped)
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	config := strings.NewReplacer("$(SHARD)", "0", "$(POD_NAME)", "prometheus-"+p.name+"-0", rulesIn, p.rulesDir()).Replace(string(text))
	return interval.ReplaceAllString(config, "scrape_interval: 1s"), nil
}

// Load waits until complete returns nil for the operator's configuration, and makes
// Prometheus load it.
func (p *Prometheus) Load(t testing.TB, complete func(config string) error) {
	t.Helper()
	Wait(t, time.Minute, "prometheus-operator to write the configuration for the monitors on "+p.cluster.Name, func() error {
		config, err := p.generated(t.Context())
		if err == nil {
			err = complete(config)
		}
		if err != nil {
			return err
		}
		return os.WriteFile(p.config, []byte(config), 0o644)
	}, p.cluster.APIServer, p.operator)
	if answer, err := p.ask(t.Context(), http.MethodPost, "/-/reload"); err != nil {
		t.Fatalf("Prometheus refuses its configuration: %v\n%s\n%s", err, answer, p.server.Tail())
	}
}

// Target is a target of Prometheus.
type Target struct {
	URL    string            `json:"scrapeUrl"`
	Health string            `json:"health"` // up, down, or unknown before the first scrape
	Labels map[string]string `json:"labels"`
	Error  string            `json:"lastError"`
}

// Targets returns all targets of Prometheus.
func (p *Prometheus) Targets(ctx context.Context) ([]Target, error) {
	var answer struct {
		Data struct {
			ActiveTargets []Target `json:"activeTargets"`
		} `json:"data"`
	}
	data, err := p.ask(ctx, http.MethodGet, "/api/v1/targets?state=active")
	if err == nil {
		err = json.Unmarshal(data, &answer)
	}
	return answer.Data.ActiveTargets, err
}

// Query returns the labels of each series that a query finds now.
func (p *Prometheus) Query(ctx context.Context, query string) ([]map[string]string, error) {
	samples, err := p.samples(ctx, query)
	series := []map[string]string{}
	for _, s := range samples {
		series = append(series, s.Metric)
	}
	return series, err
}

// sample is a sample in an answer: its time and its value, a string.
type sample struct {
	Metric map[string]string
	Value  [2]any
}

func (p *Prometheus) samples(ctx context.Context, query string) ([]sample, error) {
	var answer struct {
		Data struct{ Result []sample }
	}
	data, err := p.ask(ctx, http.MethodGet, "/api/v1/query?query="+url.QueryEscape(query))
	if err == nil {
		err = json.Unmarshal(data, &answer)
	}
	return answer.Data.Result, err
}

func (p *Prometheus) ask(ctx context.Context, method, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, p.url+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	return data, err
}
