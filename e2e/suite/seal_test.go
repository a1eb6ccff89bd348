package suite

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bitnami-labs/sealed-secrets/pkg/crypto"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// TestSeal goes through the life of a link. The test has the key of the certificate, and
// opens the link in place of the hub's controller.
func TestSeal(t *testing.T) {
	rig.NeedDefinitions(t, "that a sealed link is what the hub takes and the remote knows")
	for _, format := range []string{"single", "perCluster"} {
		t.Run(format, func(t *testing.T) {
			r := newRepository(t, format)
			r.open = r.decrypt
			life(t, r, "--context", "west", "--kubeconfig", r.west.Kubeconfig, "--cert", r.certificate)
		})
	}
}

// life goes through the life of a link in docs/seal.md. The token is read from the live
// cluster, sealed, rendered and applied to the hub, and then rotated in three commits.
// After each apply on either cluster, the link on the hub authenticates. The arguments are
// for seal.
func life(t *testing.T, r *repository, live ...string) {
	r.west.StartOperator(t)
	r.render()
	require.Empty(t, r.link(), "nothing has been sealed yet")
	r.applyWest()

	said := r.seal(live...)
	require.NotContains(t, said, "warning")
	r.render()
	r.applyEast()
	first := r.authenticates()

	before := files(t, r.sealed())
	r.seal(live...)
	require.Equal(t, before, files(t, r.sealed()), "nothing has changed, so nothing is sealed again")

	r.seal("--rotate")
	r.render()
	r.applyEast()
	r.authenticates()
	r.applyWest()
	require.Equal(t, first.BearerToken, r.authenticates().BearerToken, "the first commit leaves the link alone")

	r.seal(live...)
	r.render()
	r.applyWest()
	r.authenticates()
	r.applyEast()
	second := r.authenticates()
	require.NotEqual(t, first.BearerToken, second.BearerToken, "the second commit moves the link")
	require.Equal(t, kialiAccount, whoIs(t, first), "until the third, the way back is open")

	r.seal("--finish")
	r.render()
	r.applyEast()
	r.authenticates()
	r.applyWest()
	require.Equal(t, second.BearerToken, r.authenticates().BearerToken, "the third commit leaves the link alone")
	awaitRefusal(t, r.west, first)
	r.authenticates()

	r.hides(first.BearerToken, second.BearerToken)
}

// TestSealWithoutServer ends the API server of the remote while seal waits for the token.
// The message says so, nothing is written, and the next run works.
func TestSealWithoutServer(t *testing.T) {
	r := newRepository(t, "single")
	token := tokenSecret(t)
	account := serviceAccount(token)
	t.Cleanup(func() { r.west.Delete(t, account, token) })
	r.west.Manager.Stop() // now nothing fills the Secret
	t.Cleanup(func() { r.west.StartManager(t) })
	r.west.Apply(t, account, token)

	said, wait := r.start("--context", "west", "--kubeconfig", r.west.Kubeconfig, "--cert", r.certificate, "--timeout", "8s")
	rig.Wait(t, 20*time.Second, "seal to say that it waits", func() error {
		if !strings.Contains(said.String(), "waiting for the token") {
			return errors.New("it does not wait yet")
		}
		return nil
	})
	r.west.APIServer.Kill()
	err := wait()
	r.west.StartServer(t)
	t.Logf("seal said:\n%s", said)
	require.Error(t, err)
	assert.Contains(t, said.String(), "cluster2")
	assert.Contains(t, said.String(), r.west.Host, "the message says which server")
	assert.Contains(t, said.String(), "hint: check that the API server answers")
	require.Empty(t, written(t, r.sealed()))
}

// TestSealThroughRestart is the same, but the server comes back in time.
func TestSealThroughRestart(t *testing.T) {
	r := newRepository(t, "single")
	token := tokenSecret(t)
	account := serviceAccount(token)
	t.Cleanup(func() { r.west.Delete(t, account, token) })
	r.west.Manager.Stop()
	r.west.Apply(t, account, token)

	said, wait := r.start("--context", "west", "--kubeconfig", r.west.Kubeconfig, "--cert", r.certificate, "--timeout", "90s")
	rig.Wait(t, 20*time.Second, "seal to say that it waits", func() error {
		if !strings.Contains(said.String(), "waiting for the token") {
			return errors.New("it does not wait yet")
		}
		return nil
	})
	r.west.APIServer.Kill()
	r.west.StartServer(t)
	r.west.StartManager(t)
	err := wait()
	t.Logf("seal said:\n%s", said)
	require.NoError(t, err)
	require.Len(t, written(t, r.sealed()), 1)
}

// TestSealCertificates gives seal certificates that the controller would never use, or not
// any more. Each is refused with its reason, and nothing is written.
func TestSealCertificates(t *testing.T) {
	r := newRepository(t, "single")
	now := time.Now()
	elliptical, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		file   string
		reason string
	}{
		"expired":       {certificateFile(t, r.key.Public(), r.key, now.Add(-48*time.Hour), now.Add(-time.Hour)), "expired"},
		"not yet valid": {certificateFile(t, r.key.Public(), r.key, now.Add(time.Hour), now.Add(48*time.Hour)), "is valid from"},
		"not RSA":       {certificateFile(t, elliptical.Public(), elliptical, now.Add(-time.Hour), now.Add(time.Hour)), "RSA"},
	} {
		t.Run(name, func(t *testing.T) {
			result := rig.Try(t, rig.Sightline(), r.args("--context", "west", "--kubeconfig", r.west.Kubeconfig, "--cert", c.file)...)
			require.NotZero(t, result.Code)
			require.Contains(t, result.Stderr, c.reason)
			require.Contains(t, result.Stderr, "hint: ")
			require.Empty(t, written(t, r.sealed()))
		})
	}
}

// TestSealToFullDisk has no room for a link, new or sealed again. The message says so, and
// the existing files stay.
func TestSealToFullDisk(t *testing.T) {
	r := newRepository(t, "single")
	token := tokenSecret(t)
	account := serviceAccount(token)
	t.Cleanup(func() { r.west.Delete(t, account, token) })
	r.west.Apply(t, account, token)
	awaitToken(t, r.west, token)

	const roomy = "size=1m,nr_inodes=0"
	disk := rig.NewDisk(t, roomy)
	topology, err := os.ReadFile(r.topology)
	require.NoError(t, err)
	r.topology = filepath.Join(disk.Dir, "mesh.yaml")
	require.NoError(t, os.WriteFile(r.topology, topology, 0o644))
	live := []string{"--context", "west", "--kubeconfig", r.west.Kubeconfig, "--cert", r.certificate}
	refuse := func(args ...string) {
		t.Helper()
		result := rig.Try(t, rig.Sightline(), r.args(args...)...)
		require.Equal(t, 2, result.Code, result.Stderr)
		require.Contains(t, result.Stderr, "no space left on device")
	}
	disk.Resize(t, "size="+strconv.Itoa(disk.Used(t))+",nr_inodes=0")
	refuse(live...)
	require.Empty(t, written(t, r.sealed()))

	disk.Resize(t, roomy)
	r.seal(live...)
	before := files(t, r.sealed())
	disk.Resize(t, "size="+strconv.Itoa(disk.Used(t))+",nr_inodes=0")
	refuse(append(live, "--force")...)
	require.Equal(t, before, files(t, r.sealed()))
}

// repository is the built-in example in a separate directory, as in a repository.
type repository struct {
	t           *testing.T
	east, west  *rig.Cluster
	topology    string
	certificate string
	key         *rsa.PrivateKey
	out         tree
	onWest      []*unstructured.Unstructured
	output      *strings.Builder // everything that seal and render print
	open        func() []byte    // the kubeconfig in the link that is on the hub
}

func newRepository(t *testing.T, format string) *repository {
	t.Helper()
	clusters := rig.Up(t)
	dir := t.TempDir()
	example, err := os.ReadFile(filepath.Join(topologyDir, "east-west.yaml"))
	require.NoError(t, err)
	topology := strings.Replace(string(example), "    hub: cluster1\n", "    hub: cluster1\n    links: {format: "+format+"}\n", 1)
	require.NotEqual(t, string(example), topology)
	r := &repository{t: t, east: clusters.East, west: clusters.West, topology: filepath.Join(dir, "mesh.yaml"), output: &strings.Builder{}}
	require.NoError(t, os.WriteFile(r.topology, []byte(topology), 0o644))
	r.key, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	r.certificate = certificateFile(t, r.key.Public(), r.key, time.Now().Add(-time.Hour), time.Now().Add(365*24*time.Hour))
	r.out = tree{dir: filepath.Join(dir, "rendered"), hub: "cluster1"}
	t.Cleanup(func() { r.west.Delete(t, r.onWest...) })
	return r
}

func (r *repository) sealed() string { return filepath.Join(filepath.Dir(r.topology), "sealed") }

func (r *repository) args(args ...string) []string {
	return append([]string{"seal", "cluster2", "--topology", r.topology}, args...)
}

// seal runs sightline seal for the remote, and returns its output.
func (r *repository) seal(args ...string) string {
	r.t.Helper()
	result := rig.Try(r.t, rig.Sightline(), r.args(args...)...)
	require.Zero(r.t, result.Code, result.Stderr)
	r.output.WriteString(result.Stdout + result.Stderr)
	return result.Stderr
}

// start starts sightline seal. Its output can be read while it runs. wait waits for its
// end.
func (r *repository) start(args ...string) (said *output, wait func() error) {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), rig.Sightline(), r.args(args...)...)
	said = &output{}
	cmd.Stdout, cmd.Stderr = said, said
	require.NoError(r.t, cmd.Start())
	return said, cmd.Wait
}

// output can be read while it is written.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (r *repository) render() {
	r.t.Helper()
	result := rig.Try(r.t, rig.Sightline(), "render", r.topology, "-o", r.out.dir, "--format", "manifests")
	require.Zero(r.t, result.Code, result.Stderr)
	r.output.WriteString(result.Stdout + result.Stderr)
}

// applyWest applies the remote in the order of its phases, and then deletes the objects
// that it no longer has, like an engine that prunes.
func (r *repository) applyWest() {
	r.t.Helper()
	var now []*unstructured.Unstructured
	for _, phase := range phases(false) {
		objects := applyManifests(r.t, r.out, "cluster2", phase, r.west)
		settle(r.t, r.west, objects)
		now = append(now, objects...)
	}
	before := r.onWest
	r.onWest = now
	for _, object := range before {
		if !has(now, object) {
			r.west.Delete(r.t, object)
		}
	}
}

func has(objects []*unstructured.Unstructured, object *unstructured.Unstructured) bool {
	for _, other := range objects {
		if rig.Title(other) == rig.Title(object) {
			return true
		}
	}
	return false
}

// link returns the objects of the hub's phase link.
func (r *repository) link() []*unstructured.Unstructured {
	r.t.Helper()
	return rig.Objects(r.t, []byte(manifests(r.t, r.out, "cluster1", "link")))
}

// applyEast applies the hub's link.
func (r *repository) applyEast() {
	r.t.Helper()
	objects := r.link()
	require.Len(r.t, objects, 1)
	r.t.Cleanup(func() { r.east.Delete(r.t, objects...) })
	r.east.Apply(r.t, objects...)
}

// authenticates asserts that the link on the hub authenticates on the remote as Kiali's
// account. It returns the content of the link.
func (r *repository) authenticates() *rest.Config {
	r.t.Helper()
	config, err := clientcmd.RESTConfigFromKubeConfig(r.open())
	require.NoError(r.t, err)
	require.Equal(r.t, r.west.Server, config.Host)
	require.Equal(r.t, kialiAccount, whoIs(r.t, config))
	return config
}

// decrypt opens the link with the test's key.
func (r *repository) decrypt() []byte {
	r.t.Helper()
	live, err := r.east.Live(r.t.Context(), r.link()[0])
	require.NoError(r.t, err)
	items, _, err := unstructured.NestedStringMap(live.Object, "spec", "encryptedData")
	require.NoError(r.t, err)
	require.Contains(r.t, items, "cluster2")
	ciphertext, err := base64.StdEncoding.DecodeString(items["cluster2"])
	require.NoError(r.t, err)
	// The scope strict: for one name in one namespace.
	label := []byte(live.GetNamespace() + "/" + live.GetName())
	kubeconfig, err := crypto.HybridDecrypt(rand.Reader, map[string]*rsa.PrivateKey{"": r.key}, ciphertext, label)
	require.NoError(r.t, err)
	return kubeconfig
}

// hides asserts that no token, in any form, is in a file of the repository or in the
// output.
func (r *repository) hides(tokens ...string) {
	r.t.Helper()
	all := files(r.t, filepath.Dir(r.topology))
	all["(output)"] = r.output.String()
	for _, token := range tokens {
		forms := append(strings.Split(token, "."), base64.StdEncoding.EncodeToString([]byte(token)))
		forms = forms[1:] // the header is the same for everybody
		for path, content := range all {
			for _, form := range forms {
				assert.NotContains(r.t, content, form, path)
			}
		}
	}
}

// written returns the files below the directory, or none if it does not exist.
func written(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			found = append(found, path)
		}
		return err
	})
	if !errors.Is(err, fs.ErrNotExist) {
		require.NoError(t, err)
	}
	return found
}

// certificateFile writes a file with a certificate like the controller's.
func certificateFile(t *testing.T, public, private any, from, until time.Time) string {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{}, NotBefore: from, NotAfter: until, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "hub.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644))
	return file
}

// kubeconfig writes a file with the contexts of the clusters.
func kubeconfig(t *testing.T, clusters ...*rig.Cluster) string {
	t.Helper()
	rules := clientcmd.ClientConfigLoadingRules{}
	for _, c := range clusters {
		rules.Precedence = append(rules.Precedence, c.Kubeconfig)
	}
	config, err := rules.Load()
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "config")
	require.NoError(t, clientcmd.WriteToFile(*config, file))
	return file
}
