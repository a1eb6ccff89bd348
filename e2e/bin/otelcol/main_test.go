package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"sigs.k8s.io/yaml"
)

// child in the environment has the test binary be the collector.
const child = "SIGHTLINE_OTELCOL"

func TestMain(m *testing.M) {
	if os.Getenv(child) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

const (
	gatewayHost  = "tempo-mesh-gateway.tempo.svc.cluster.local"
	receiverHost = "otel-remote-istio-system.apps.east.example.com"
	tenant       = "mesh1"
)

// TestTraces starts the three collectors of the example topologies/tracing.yaml
// as they are rendered, and sends spans as proxies do. A span of the remote comes to
// the gateway by the hub's receiver, with the certificates of both sides checked.
func TestTraces(t *testing.T) {
	mesh, service := newAuthority(t, "mesh-ca"), newAuthority(t, "service-ca")
	tempo := startTempo(t, service)
	ports := map[string]string{receiverHost + ":443": freeAddress(t), gatewayHost + ":8080": tempo.address}
	proxy := startProxy(t, ports)

	golden := "../../../golden/tracing/kustomize/clusters/"
	hub := startCollector(t, rendered{golden + "cluster1/monitoring/tracing-collector-hub.yaml"}, proxy, freeAddress(t), files{
		account: map[string][]byte{"token": []byte("token-of-hub"), "service-ca.crt": service.pem},
	})
	startCollector(t, rendered{"../../../golden/tracing/kustomize/base/tracing-receiver/tracing-receiver.yaml"}, proxy, ports[receiverHost+":443"], files{
		account: map[string][]byte{"token": []byte("token-of-receiver"), "service-ca.crt": service.pem},
		mounted: mesh.files(t, receiverHost, false),
	})
	remote := startCollector(t, rendered{golden + "cluster2/monitoring/tracing-collector-remote.yaml"}, proxy, freeAddress(t), files{
		mounted: mesh.files(t, "otel-collector", true),
	})

	hub.send(t, "span-of-hub", "cluster1")
	remote.send(t, "span-of-remote", "cluster2")
	for name, want := range map[string]arrived{
		"span-of-hub":    {token: "token-of-hub", tenant: tenant, cluster: "cluster1", istioCluster: "cluster1"},
		"span-of-remote": {token: "token-of-receiver", tenant: tenant, cluster: "cluster2", istioCluster: "cluster2"},
	} {
		if got := tempo.await(t, name); got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}

	t.Run("no certificate", func(t *testing.T) { refused(t, proxy, mesh, tls.Certificate{}, "certificate required") })
	t.Run("a certificate of another CA", func(t *testing.T) {
		of := newAuthority(t, "other-ca").files(t, "otel-collector", true)
		pair, err := tls.X509KeyPair(of["tls.crt"], of["tls.key"])
		if err != nil {
			t.Fatal(err)
		}
		refused(t, proxy, mesh, pair, "unknown certificate authority")
	})
	t.Run("the right certificate", func(t *testing.T) {
		of := mesh.files(t, "otel-collector", true)
		pair, err := tls.X509KeyPair(of["tls.crt"], of["tls.key"])
		if err != nil {
			t.Fatal(err)
		}
		if err := post(proxy, mesh, pair); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("no token at the gateway", func(t *testing.T) {
		response, err := client(proxy, service, tls.Certificate{}).Post("https://"+gatewayHost+":8080/api/traces/v1/"+tenant+"/v1/traces", "application/x-protobuf", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("the stand-in of the gateway answers %s", response.Status)
		}
	})
}

// refused makes sure that the receiver takes nothing.
func refused(t *testing.T, proxy string, mesh *authority, shown tls.Certificate, why string) {
	t.Helper()
	if err := post(proxy, mesh, shown); err == nil || !strings.Contains(err.Error(), "remote error: tls: "+why) {
		t.Errorf("the receiver should say %s, and the error is %v", why, err)
	}
}

// post sends an empty request to the receiver.
func post(proxy string, mesh *authority, shown tls.Certificate) error {
	response, err := client(proxy, mesh, shown).Post("https://"+receiverHost+":443/v1/traces", "application/x-protobuf", nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

// rendered is the file of an OpenTelemetryCollector.
type rendered struct{ file string }

// config is the configuration in it. Only what belongs to a pod differs: the
// addresses that it listens on, and where files are mounted.
func (r rendered) config(t *testing.T, dir string, http, grpc string) []byte {
	t.Helper()
	data, err := os.ReadFile(r.file)
	if err != nil {
		t.Fatal(err)
	}
	var object struct {
		Spec struct{ Config map[string]any }
	}
	if err := yaml.Unmarshal(data, &object); err != nil {
		t.Fatal(err)
	}
	config, err := yaml.Marshal(object.Spec.Config)
	if err != nil {
		t.Fatal(err)
	}
	for pod, here := range map[string]string{
		"0.0.0.0:4318": http, "0.0.0.0:4317": grpc,
		"/var/run/secrets/kubernetes.io/serviceaccount/": dir + "/account/", "/etc/otel-tls/": dir + "/mounted/",
	} {
		config = bytes.ReplaceAll(config, []byte(pod), []byte(here))
	}
	return config
}

// files are those that a pod has.
type files struct{ account, mounted map[string][]byte }

// collector is one that runs.
type collector struct{ grpc string }

func startCollector(t *testing.T, from rendered, proxy, http string, has files) collector {
	t.Helper()
	dir, grpc := t.TempDir(), freeAddress(t)
	for folder, of := range map[string]map[string][]byte{"account": has.account, "mounted": has.mounted} {
		for name, data := range of {
			write(t, filepath.Join(dir, folder, name), data)
		}
	}
	config := filepath.Join(dir, "config.yaml")
	write(t, config, from.config(t, dir, http, grpc))
	log := &bytes.Buffer{}
	// Its own metrics would take one port for all three.
	cmd := exec.Command("/proc/self/exe", "--config", config, "--set", "service.telemetry.metrics.level=none")
	cmd.Env = append(os.Environ(), child+"=1", "HTTPS_PROXY="+proxy, "NO_PROXY=", "no_proxy=")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-ended
		if t.Failed() {
			t.Logf("%s:\n%s", from.file, log)
		}
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if conn, err := net.Dial("tcp", http); err == nil {
			conn.Close()
			return collector{grpc}
		}
		select {
		case <-ended:
			t.Fatalf("the collector of %s has ended", from.file)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("the collector of %s does not listen", from.file)
		}
	}
}

// send sends a span by gRPC, as a proxy of Istio does.
func (c collector) send(t *testing.T, name, cluster string) {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+c.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	traces := ptrace.NewTraces()
	resource := traces.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "productpage.sample")
	span := resource.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetName(name)
	span.SetTraceID([16]byte{1})
	span.SetSpanID([8]byte{1})
	span.Attributes().PutStr("istio.cluster_id", cluster)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := ptraceotlp.NewGRPCClient(conn).Export(ctx, ptraceotlp.NewExportRequestFromTraces(traces)); err != nil {
		t.Fatal(err)
	}
}

// arrived is what the gateway has of a span.
type arrived struct{ token, tenant, cluster, istioCluster string }

// tempo stands in for the gateway of a TempoStack: it wants a token and the tenant.
type tempo struct {
	address string
	mutex   sync.Mutex
	spans   map[string]arrived
}

func startTempo(t *testing.T, service *authority) *tempo {
	t.Helper()
	of := service.files(t, gatewayHost, false)
	pair, err := tls.X509KeyPair(of["tls.crt"], of["tls.key"])
	if err != nil {
		t.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	s := &tempo{address: listener.Addr().String(), spans: map[string]arrived{}}
	server := &http.Server{Handler: http.HandlerFunc(s.take)}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return s
}

func (s *tempo) take(w http.ResponseWriter, r *http.Request) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !ok:
		w.WriteHeader(http.StatusUnauthorized)
		return
	case r.URL.Path != "/api/traces/v1/"+tenant+"/v1/traces":
		w.WriteHeader(http.StatusNotFound)
		return
	}
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		body = unzipped
	}
	data, err := io.ReadAll(body)
	request := ptraceotlp.NewExportRequest()
	if err != nil || request.UnmarshalProto(data) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, resource := range request.Traces().ResourceSpans().All() {
		cluster, _ := resource.Resource().Attributes().Get("k8s.cluster.name")
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				istio, _ := span.Attributes().Get("istio.cluster_id")
				s.spans[span.Name()] = arrived{token, r.Header.Get("X-Scope-OrgID"), cluster.Str(), istio.Str()}
			}
		}
	}
}

func (s *tempo) await(t *testing.T, name string) arrived {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		s.mutex.Lock()
		got, ok := s.spans[name]
		s.mutex.Unlock()
		if ok {
			return got
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s has not come to the gateway", name)
		}
	}
}

// startProxy is the network between the clusters: it leads a connection to a host
// where the host is, and ends no TLS, as a Route with passthrough does not.
func startProxy(t *testing.T, hosts map[string]string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		there, err := net.Dial("tcp", hosts[r.Host])
		if err != nil || r.Method != http.MethodConnect {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		here, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			there.Close()
			return
		}
		fmt.Fprint(here, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { defer there.Close(); _, _ = io.Copy(there, here) }()
		go func() { defer here.Close(); _, _ = io.Copy(here, there) }()
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + listener.Addr().String()
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func write(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
