package rig

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// rulesIn is the directory into which the operator mounts the files of the rules.
const rulesIn = "/etc/prometheus/rules"

func (p *Prometheus) rulesDir() string { return filepath.Join(p.dir, "rules") }

var ruleInterval = regexp.MustCompile(`\binterval: \S+`)

// LoadRules waits until complete returns nil for the files that the operator makes of
// the rules. Then it makes Prometheus evaluate them once a second. Call Load before,
// because it names the directory of the files.
func (p *Prometheus) LoadRules(t testing.TB, complete func(rules string) error) {
	t.Helper()
	configMap := "prometheus-" + p.name + "-rulefiles-0"
	dir := filepath.Join(p.rulesDir(), configMap)
	Wait(t, time.Minute, "prometheus-operator to make files of the rules on "+p.cluster.Name, func() error {
		files, err := p.cluster.Client.CoreV1().ConfigMaps(prometheusNamespace).Get(t.Context(), configMap, metav1.GetOptions{})
		if err != nil {
			return err
		}
		var all strings.Builder
		for _, text := range files.Data {
			all.WriteString(text)
		}
		if err := complete(all.String()); err != nil {
			return err
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		for name, text := range files.Data {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(ruleInterval.ReplaceAllString(text, "interval: 1s")), 0o644); err != nil {
				return err
			}
		}
		return nil
	}, p.cluster.APIServer, p.operator)
	p.Load(t, func(config string) error {
		if !strings.Contains(config, dir) {
			return fmt.Errorf("it names no file in %s", dir)
		}
		return nil
	})
}

// WithoutEnforcement lets the rules in a namespace read the series of all namespaces,
// like namespacesWithoutLabelEnforcement in OpenShift's monitoring.
func (p *Prometheus) WithoutEnforcement(t testing.TB, namespace string) {
	t.Helper()
	patch := Objects(t, []byte(strings.NewReplacer("SERVER", p.cluster.Server, "DIR", p.dir, "CA", p.cluster.File("ca.crt")).Replace(
		prometheusObjects)))
	of := patch[len(patch)-1]
	of.Object["spec"].(map[string]any)["excludedFromEnforcement"] = []any{
		map[string]any{"group": "monitoring.coreos.com", "resource": "prometheusrules", "namespace": namespace},
	}
	p.cluster.Apply(t, of)
}

// URL is where the server answers, as http://host:port.
func (p *Prometheus) URL() string { return p.url }

const scrapes = `
global: {scrape_interval: 1s}
scrape_configs: [{job_name: pages, honor_labels: true, static_configs: [{targets: [%q]}]}]
`

// StartPlatform starts a Prometheus in place of OpenShift's own, until the test ends.
// It scrapes /metrics of a host and port once a second.
func (c *Cluster) StartPlatform(t testing.TB, page string) *Prometheus {
	t.Helper()
	p := &Prometheus{cluster: c, name: "k8s", dir: filepath.Join(c.Dir, "platform"), url: "http://" + c.Address + ":9091"}
	p.config = filepath.Join(p.dir, "prometheus.yml")
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.config, fmt.Appendf(nil, scrapes, page), 0o644); err != nil {
		t.Fatal(err)
	}
	p.start(t)
	return p
}

const storeObject = `
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: store, namespace: openshift-user-workload-monitoring}
spec: {version: v3.5.0, replicas: 1, scrapeConfigSelector: {}, scrapeConfigNamespaceSelector: {}}
`

// StartStore starts one more Prometheus on the cluster of another one, until the test
// ends. The operator of the other one configures it from the ScrapeConfigs of the
// cluster. It scrapes every two seconds. Load makes it read changes.
func (p *Prometheus) StartStore(t testing.TB) *Prometheus {
	t.Helper()
	c := p.cluster
	store := &Prometheus{cluster: c, name: "store", dir: filepath.Join(c.Dir, "store"), operator: p.operator,
		url: "http://" + c.Address + ":9092"}
	if err := os.MkdirAll(store.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	objects := Objects(t, []byte(storeObject))
	t.Cleanup(func() { c.Delete(t, objects...) })
	c.Apply(t, objects...)
	store.configured(t)
	store.start(t)
	return store
}

// Sum returns the number of series that a query finds now, and the sum of their values.
func (p *Prometheus) Sum(ctx context.Context, query string) (series int, sum float64, err error) {
	samples, err := p.samples(ctx, query)
	for _, s := range samples {
		value, wrong := strconv.ParseFloat(fmt.Sprint(s.Value[1]), 64)
		if sum += value; wrong != nil {
			err = wrong
		}
	}
	return len(samples), sum, err
}
