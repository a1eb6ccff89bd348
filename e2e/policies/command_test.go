package policies

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// resolver is ACM's command template-resolver, a tool in go.mod. It resolves a
// Policy for both clusters. Nothing is encrypted on the way.
var resolver = sync.OnceValues(func() (string, error) {
	path, err := exec.Command("go", "tool", "-n", "template-resolver").Output()
	return strings.TrimSpace(string(path)), err
})

func command(t *testing.T, has bool, args ...string) *exec.Cmd {
	t.Helper()
	path, err := resolver()
	require.NoError(t, err)
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig(t, has))
	return cmd
}

// kubeconfig leads to a stand-in for the API server of a cluster.
func kubeconfig(t *testing.T, has bool) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, `{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: c}}],
		clusters: [{name: c, cluster: {server: %q}}]}`, apiServer(t, has).Host), 0o600))
	return file
}

// commanded returns the command's result for a rendered Policy.
func commanded(t *testing.T, file string, onHub bool) (map[string]any, error) {
	t.Helper()
	args := []string{filepath.Join(tree, file)}
	if !onHub {
		args = append(args, "--hub-kubeconfig", kubeconfig(t, true), "--cluster-name", "east")
	}
	cmd := command(t, onHub, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, &stderr)
	}
	var p map[string]any
	return p, yaml.Unmarshal(stdout.Bytes(), &p)
}

// TestCommand resolves every rendered Policy of the examples with the command.
// Kiali gets the certificate and the CAs byte for byte, and no template is
// left.
func TestCommand(t *testing.T) {
	var policies []string
	for _, pattern := range []string{"*/kustomize/acm/*.yaml", "*/kustomize/base/*/*.yaml", "*/manifests/clusters/*/acm/*.yaml"} {
		files, err := filepath.Glob(tree + pattern)
		require.NoError(t, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			if bytes.Contains(data, []byte("\nkind: Policy\n")) {
				name, err := filepath.Rel(tree, file)
				require.NoError(t, err)
				policies = append(policies, name)
			}
		}
	}
	require.Subset(t, policies, []string{here, there, collection})
	for _, file := range policies {
		t.Run(file, func(t *testing.T) {
			resolved, err := commanded(t, file, !strings.HasPrefix(file, "acm-apart/"))
			require.NoError(t, err)
			text, err := yaml.Marshal(resolved)
			require.NoError(t, err)
			assert.NotContains(t, string(text), "{{")
			if file == links {
				secret := objectTemplates(t, resolved)[0].(map[string]any)["objectDefinition"].(map[string]any)
				for name, token := range map[string]string{"west": "token-of-west", "south": "token-of-south"} {
					kubeconfig, err := base64.StdEncoding.DecodeString(fmt.Sprint(secret["data"].(map[string]any)[name]))
					require.NoError(t, err)
					assert.Contains(t, string(kubeconfig), token)
				}
				return
			}
			if !strings.Contains(file, "certificate") {
				assert.Equal(t, policy(t, file), resolved)
				return
			}
			objects := objectTemplates(t, resolved)
			require.Len(t, objects, 2)
			of := func(i int) map[string]any {
				return objects[i].(map[string]any)["objectDefinition"].(map[string]any)["data"].(map[string]any)
			}
			for key, want := range secrets["observability-grafana-certs"] {
				assert.Equal(t, base64.StdEncoding.EncodeToString([]byte(want)), of(0)[key], key)
			}
			assert.Equal(t, map[string]any{"additional-ca-bundle.pem": pem("new") + pem("old")}, of(1))
		})
	}
}

// TestCommandFails shows that the command reports a missing Secret.
func TestCommandFails(t *testing.T) {
	out, err := command(t, false, filepath.Join(tree, here)).CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), "observability-grafana-certs")
}
