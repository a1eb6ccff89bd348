package credential_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/credential"
	"github.com/sightline-mesh/sightline/internal/credential/corpus"
)

func TestFind(t *testing.T) {
	t.Parallel()
	all := corpus.Credentials()
	require.GreaterOrEqual(t, len(all), 200)
	for _, c := range all {
		for _, text := range []string{c.Text, "x " + c.Text, fmt.Sprintf("%q", c.Text), c.Text + "\nmore"} {
			assert.NotEmpty(t, credential.FindSetting(text), "%s", text)
		}
	}
}

// TestRedact shows that everything that Find knows is removed from messages, also
// from messages that were cut off.
func TestRedact(t *testing.T) {
	t.Parallel()
	for _, c := range corpus.Credentials() {
		if credential.Find(c.Text) == "" || strings.Contains(c.Text, "kind: Config") {
			continue // a setting, whose end is unknown
		}
		for _, text := range []string{c.Text, "error: " + c.Text + " is wrong", fmt.Sprintf("found %q", c.Text)} {
			assert.NotContains(t, credential.Redact(text), c.Secret, "%s", text)
		}
	}
}

// TestNothing has texts that only look like credentials.
func TestNothing(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "kiali", "secret:kiali-prometheus:token", "bearer token is missing", "Basic authentication needs a user", "basic information about tokens",
		"sk-bratislava-production-cluster-1", "https://git@git.example.com/mesh.git", "ssh://git@git.example.com:22/mesh.git", "git@github.com:platform/mesh.git",
		"https://kiali.example.com:8443/a@b", "arn:aws:iam::210987654321:role/kiali-reader", "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		"quay.io/kiali/kiali@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
		"https://store.example.com/api?tenant=mesh&match[]=up", "--token-file=/var/run/token", "--namespace=istio-system", "get-token --cluster-name prod",
		"e45533adab33077d9cfe481c23b6e8a4af783c7b215e90c75b9fc22e680ce871", "platform.example.com/a-rather-long-name-of-a-thing-0123456789",
		"http://user-service.team.svc:8080", "token=$TOKEN_FROM_VAULT"[:6], "api_key=secret:kiali:key", "kube:admin", "AKIA", "the kind: ConfigMap has a token: field",
		"https://store.example.com/api?key=short", "https://store.example.com/?key=a-long-name-of-a-thing", "key=0123456789abcdef0123456789",
		"log in with login and password",
	} {
		assert.Empty(t, credential.FindSetting(text), "%s", text)
	}
}

func TestNamed(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"password": true, "clientSecret": true, "client_secret": true, "X-API-Key": true, "apiKey": true, "APIKey": true, "Authorization": true, "DB_PASSWORD": true,
		"bearerToken": true, "signing_key": true, "secretKey": true, "accessKey": true, "AWS_SECRET_ACCESS_KEY": true, "credentials": true, "--token": true, "Cookie": true,
		"X-Auth-Token": true, "secret": true, "PRIVATE-TOKEN": true, "ssh-private-key": true, "passphrase": true,
		"DB_PASS": true, "PGPASSWORD": true, "SECRET_KEY_BASE": true, "GITHUB_PAT": true, "ssl-passthrough": false, "bypass": false, "path": false,
		"secretName": false, "secret_name": false, "token_url": false, "key": false, "keyFile": false, "bearerTokenFile": false, "token_max_age": false, "secretRef": false,
		"imagePullSecret": false, "image_pull_secrets": false, "kubeConfigSecret": false, "existingSecret": false, "keySecret": false, "matchKey": false, "X-Scope-OrgID": false,
		"use_kiali_token": true, "": false, "…": false, "AWS_ACCESS_KEY_ID": false, "tokenExpires": false, "monkey": false,
	} {
		assert.Equal(t, want, credential.Named(name), name)
	}
}

func TestScan(t *testing.T) {
	t.Parallel()
	scan := func(text string) (found []string) {
		var doc yaml.Node
		require.NoError(t, yaml.Unmarshal([]byte(text), &doc))
		credential.Scan(credential.Node(&doc), func(f credential.Found) {
			found = append(found, strings.TrimSpace(fmt.Sprintln(f.Path, f.What != "", f.InComment)))
		})
		return found
	}
	const token = "gh" + "p_0123456789abcdefghijABCDEFGHIJ012345"
	for text, want := range map[string][]string{
		"a: {password: hunter2}":                          {"[a password] false false"},
		"a: {password: 12345}":                            {"[a password] false false"},
		"a: {password: {name: s, key: k}}":                nil,
		"a: {password: {value: hunter2}}":                 {"[a password value] false false"},
		"a: {password: secret:s:k}":                       nil,
		"a: {token: /run/secrets/token}":                  nil,
		"a: {use_kiali_token: true}":                      nil,
		"env: [{name: DB_PASSWORD, value: hunter2}]":      {"[env 0 value] false false"},
		"env: [{value: hunter2, name: DB_PASSWORD}]":      {"[env 0 value] false false"},
		"env: [{name: DB_USER, value: hunter2}]":          nil,
		"args: [--token, hunter2, --verbose]":             {"[args 1] false false"},
		"args: [--token, --verbose]":                      nil,
		"args: [get-token, hunter2]":                      nil,
		"chat_ai: {providers: [{name: a, key: hunter2}]}": {"[chat_ai providers 0 key] false false"},
		"tolerations: [{key: node, operator: Exists}]":    nil,
		"a: " + token:           {"[a] true false"},
		token + ": a":           {"[[redacted]] true false"},
		"a: b # " + token:       {"[a] true true"},
		"# " + token + "\na: b": {"[a] true true"},
		"config.yaml: |\n  alertmanager:\n    password: hu2": {"[config.yaml] false false"},
		`a: '{"auths": {"r": {"password": "hunter2"}}}'`:     {"[a] false false"},
		`a: '{"auths": {"r": {"auth": "bWU6aHVudGVyMg"}}}'`:  {"[a] false false"},
		"auths: {r: {auth: bWU6aHVudGVyMg}}":                 {"[auths r auth] false false"},
		"auth: token":                                        nil,
		"encryptedData: {token: AgB0}":                       nil,
		"secrets: [a, b]":                                    nil,
		"cookie: {name: kiali-token}":                        nil,
	} {
		assert.Equal(t, want, scan(text), text)
	}
}

// TestNoFalseAlarm scans every example, golden and page of this repository, and the
// set-ups of other people if they are there.
func TestNoFalseAlarm(t *testing.T) {
	t.Parallel()
	n := 0
	for _, dir := range []string{"../../topologies", "../../golden", "../../docs", "../../templates", "../../overlays", "../../../shared/cases", "../../../shared/examples"} {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if os.IsNotExist(err) {
				return nil
			}
			if err != nil || entry.IsDir() || strings.Contains(path, "/bad") {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			n++
			for i, line := range strings.Split(string(data), "\n") {
				assert.Empty(t, credential.Find(line), "%s:%d", path, i+1)
			}
			if ext := filepath.Ext(path); ext != ".yaml" || strings.Contains(path, "/templates/") {
				return nil
			}
			dec := yaml.NewDecoder(strings.NewReader(string(data)))
			for {
				var doc yaml.Node
				if dec.Decode(&doc) != nil {
					return nil
				}
				credential.Scan(credential.Node(&doc), func(f credential.Found) { t.Errorf("%s: %v %s", path, f.Path, f.What) })
			}
		})
		require.NoError(t, err)
	}
	require.Greater(t, n, 500)
}
