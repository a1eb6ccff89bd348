package rig

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sightline-mesh/sightline/internal/cluster/forwardtest"
)

// Kubelet answers an API server for the pods of one node. It has the log of a
// container before its last crash, and connects to a port.
//
// It is a stand-in: no container runs. A log is a fixed text. A port is one of the
// pod's address, and the test listens there.
type Kubelet struct {
	Node    string
	cluster *Cluster
	mutex   sync.Mutex
	logs    map[string]string // by pod
}

// StartKubelet makes a node with a kubelet on the cluster, until the test ends.
func (c *Cluster) StartKubelet(t testing.TB, node string) *Kubelet {
	t.Helper()
	k := &Kubelet{Node: node, cluster: c, logs: map[string]string{}}
	listener, err := net.Listen("tcp", net.JoinHostPort(c.Address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(k)
	server.Listener = listener
	server.StartTLS()
	t.Cleanup(server.Close)
	nodes := c.Client.CoreV1().Nodes()
	object, err := nodes.Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node}}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		object, err = nodes.Get(t.Context(), node, metav1.GetOptions{})
	}
	if err == nil {
		object.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: c.Address}}
		object.Status.DaemonEndpoints.KubeletEndpoint.Port = int32(listener.Addr().(*net.TCPAddr).Port)
		_, err = nodes.UpdateStatus(t.Context(), object, metav1.UpdateOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Log sets the log of a pod's container before its last crash.
func (k *Kubelet) Log(pod, text string) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.logs[pod] = text
}

func (k *Kubelet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case len(parts) == 4 && parts[0] == "containerLogs":
		k.mutex.Lock()
		defer k.mutex.Unlock()
		fmt.Fprint(w, k.logs[parts[2]])
	case len(parts) >= 3 && parts[0] == "portForward":
		pod, err := k.cluster.Client.CoreV1().Pods(parts[1]).Get(r.Context(), parts[2], metav1.GetOptions{})
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		forwardtest.Serve(w, r, pod.Status.PodIP)
	default:
		http.NotFound(w, r)
	}
}
