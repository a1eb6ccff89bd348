package topology_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/credential/corpus"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// withPlaces is a topology with an @ at every place for free text.
const withPlaces = `apiVersion: sightline.dev/v1alpha1
kind: Topology
metadata:
  name: mesh
  annotations:
    note: @
    @: key
spec:
  mesh: {id: mesh1}
  kiali:
    hub: east
    spec:
      chat_ai:
        enabled: true
        providers:
        - name: a
          key: @
          models:
          - {name: m, key: @, endpoint: @}
      deployment:
        pod_annotations:
          a: @
          @: key
        custom_envs:
        - name: A
          value: @
      external_services:
        prometheus:
          custom_headers:
            Authorization: @
            X-API-Key: @
            X-Other: @
        grafana:
          auth: {username: @, password: @, token: @}
          external_url: @
      login_token: {signing_key: @}
      additional_display_details:
      - title: @
        icon_annotation: @
  metrics:
    store: thanos
    labels:
      a: @
    thanos:
      url: @
      auth: {type: bearer, token: @}
      remoteWrite:
        url: @
        settings:
          sigv4: {accessKey: @, secretKey: @, profile: @}
          authorization: {type: Bearer, credentials: @}
          basicAuth: {username: {name: a, key: b}, password: @}
          headers: {Authorization: @, X-Other: @}
          oauth2: {clientSecret: @, endpointParams: {a: @}}
        config:
          prometheus:
            additionalAlertmanagerConfigs:
            - {apiVersion: v2, bearerToken: @, staticConfigs: [ @ ]}
    userWorkloadMonitoring:
      manage: true
      config:
        enableUserWorkload: true
        alertmanagerMain: {secrets: [ @ ], a: @}
        text: |
          a: b
          c: @
  namespaces: [shop]
  delivery:
    repoURL: @
    revision: @
    path: @
    argocd:
      cluster: @
      project: @
  overlays:
  - name: own
    kustomize: @
    match: {names: [ @ ], labels: {a: @}}
  - name: other
    jsonnet: @
  clusters:
  - name: east
    domain: apps.east.example.com
    labels: {a: @}
    argocd: {name: @}
    # @
    userWorkloadMonitoring:
      manage: true
      config: {a: @}
    kiali:
      spec: {server: {a: @}}
  - name: west
    server: @
    domain: @
    controlPlane: {mode: remote, primary: @}
    access:
      proxyURL: @
      exec:
        command: @
        args: [get-token, @, "--password", @]
        env:
          DB_PASSWORD: @
          A: @
`

// onlyNamed are the places of withPlaces at which a password is found only
// because of the name of the field.
var onlyNamed = []string{"key: @", "Authorization: @", "X-API-Key: @", "password: @", "token: @", "signing_key: @", "accessKey: @", "secretKey: @",
	"credentials: @", "clientSecret: @", "bearerToken: @", `"--password", @`, "DB_PASSWORD: @"}

// filled puts a credential at the places of a text. It returns the lines with
// one.
func filled(text string, c corpus.Credential, at func(place int, line string) bool) (filled string, lines []int) {
	quoted, err := json.Marshal(c.Text)
	if err != nil {
		panic(err)
	}
	place := 0
	var out []string
	for n, line := range strings.Split(text, "\n") {
		for from := 0; ; {
			i := strings.Index(line[from:], "@")
			if i < 0 {
				break
			}
			i += from
			value := string(quoted)
			switch {
			case !at(place, line[:i+1]):
				value = `"x"`
			case strings.Contains(line, "# @"):
				value = strings.ReplaceAll(c.Text, "\n", " ")
			}
			if value != `"x"` && (len(lines) == 0 || lines[len(lines)-1] != n+1) {
				lines = append(lines, n+1)
			}
			line = line[:i] + value + line[i+1:]
			from = i + len(value)
			place++
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n"), lines
}

// TestCredentials puts more than 200 credentials of real form at every place.
// Each is found at its line, and no message repeats it.
func TestCredentials(t *testing.T) {
	t.Parallel()
	all := corpus.Credentials()
	places := strings.Count(withPlaces, "@")
	require.GreaterOrEqual(t, len(all), 200)
	require.GreaterOrEqual(t, places, 50)
	for i, c := range all {
		text, lines := filled(withPlaces, c, func(int, string) bool { return true })
		requireFound(t, text, c, lines)
		// Each place is also tested alone, so that another finding does not
		// hide it.
		text, lines = filled(withPlaces, c, func(place int, _ string) bool { return place == i%places })
		requireFound(t, text, c, lines)
	}
}

// TestPasswords does the same with passwords, which have no form, in the fields
// that are named for them.
func TestPasswords(t *testing.T) {
	t.Parallel()
	for _, c := range corpus.Passwords() {
		text, lines := filled(withPlaces, c, func(_ int, line string) bool {
			return slices.ContainsFunc(onlyNamed, func(end string) bool { return strings.HasSuffix(line, end) }) && !strings.HasSuffix(line, "basicAuth: @")
		})
		require.GreaterOrEqual(t, len(lines), 15)
		requireFound(t, text, c, lines)
	}
}

func requireFound(t *testing.T, text string, c corpus.Credential, lines []int) {
	t.Helper()
	_, findings := check.Parse("mesh.yaml", []byte(text))
	at := map[int]bool{}
	for _, f := range findings {
		at[f.Line] = at[f.Line] || f.Rule == "RS05" || f.Rule == "PM26"
		require.NotContains(t, f.String(), c.Secret)
	}
	for _, line := range lines {
		// A comment is found at the key below it, and text in a block at the
		// block's start.
		assert.True(t, at[line] || at[line+1] || at[line-2], "%s: %s", c.Text, strings.Split(text, "\n")[line-1])
	}
}

// TestCredentialsInLinks does the same with every field of a sealed link.
func TestCredentialsInLinks(t *testing.T) {
	t.Parallel()
	const link = `apiVersion: sightline.dev/v1alpha1
kind: SealedLink
metadata:
  name: @
spec:
  server: @
  secret: {namespace: @, name: @, key: @}
  certificate:
    fingerprint: @
    notAfter: @
  tokenExpires: @
  caExpires: @
  digest: @
  encryptedData: @
`
	for _, c := range corpus.Credentials() {
		text, _ := filled(link, c, func(int, string) bool { return true })
		_, findings := topology.ParseSealedLink("west.yaml", []byte(text))
		require.NotEmpty(t, findings)
		require.NotContains(t, said(findings), c.Secret)
		for _, field := range []string{"digest: @", "fingerprint: @"} {
			text, _ := filled(link, c, func(_ int, line string) bool { return strings.HasSuffix(line, field) })
			_, findings := topology.ParseSealedLink("west.yaml", []byte(strings.ReplaceAll(text, `"x"`, "x")))
			require.NotEmpty(t, findings, "%s", field)
			require.NotContains(t, said(findings), c.Secret)
		}
	}
}

func said(findings finding.Findings) string { return fmt.Sprint(findings) }
