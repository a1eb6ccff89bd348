package seal_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/bitnami-labs/sealed-secrets/pkg/crypto"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// unseal opens a link as the controller does.
func unseal(t *testing.T, key *rsa.PrivateKey, l *topology.SealedLink) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(l.Spec.EncryptedData)
	require.NoError(t, err)
	s := l.Spec.Secret
	plain, err := crypto.HybridDecrypt(rand.Reader, map[string]*rsa.PrivateKey{"": key}, data, []byte(s.Namespace+"/"+s.Name))
	require.NoError(t, err)
	return plain
}

// TestSealedIsWhatTheHubReads seals links of all kinds, opens them with the key of the
// controller, and reads them as Kiali's server does.
func TestSealedIsWhatTheHubReads(t *testing.T) {
	t.Parallel()
	random := mathrand.New(mathrand.NewPCG(1, 2))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	hub := newHub(t)
	for i := range 60 {
		name := pick("west", "true", "null", "no", "1e3", "0x1F", "1.5", "12", "2024-01-01", "West_2", "a.b-c", "=", "~")
		if strings.ContainsAny(name, "=~") {
			name = fmt.Sprintf("c%d", i)
		}
		namespace, instance := pick("istio-system", "kiali", "on"), pick("kiali", "k")
		access := pick("", "insecureSkipTLSVerify: true", `proxyURL: "http://proxy.example.com:3128"`,
			`exec: {command: "aws-iam-authenticator", args: [token, -i, "yes"], env: {B: "2", A: "on"}}`, `exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: x}`)
		topo := mesh(t, fmt.Sprintf("%q", name), fmt.Sprintf("namespace: %q, instanceName: %s, links: {format: single}", namespace, instance), access)
		if format := pick("single", "perCluster"); format == "perCluster" {
			topo.Spec.Kiali.Links.Format = format
		}
		r := request(t, topo, hub)
		r.Token = []byte(jwt(t, map[string]any{"sub": "system:serviceaccount:" + namespace + ":" + instance + "-service-account"}, random.IntN(600)+32) + pick("", "\n", "\r\n"))
		insecure, exec := r.Cluster.Access.InsecureSkipTLSVerify, r.Cluster.Access.Exec
		if exec != nil {
			r.Token = nil
		}
		result, err := seal.Seal(r)
		require.NoError(t, err)

		// The file has all of it, and no secret in the clear.
		file := seal.Encode(result.Link)
		l, findings := topology.ParseSealedLink("x.yaml", file)
		require.Empty(t, findings, string(file))
		require.Equal(t, result.Link.Spec, l.Spec)
		require.Equal(t, name, l.Name())
		require.Equal(t, topo.SealedFor(r.Cluster), l.Spec.Secret)

		plain := unseal(t, hub.key, l)
		config, err := clientcmd.Load(plain)
		require.NoError(t, err)
		require.Len(t, config.Clusters, 1)
		require.Len(t, config.AuthInfos, 1)
		require.Equal(t, name, config.CurrentContext)
		client, err := clientcmd.NewDefaultClientConfig(*config, &clientcmd.ConfigOverrides{}).ClientConfig()
		require.NoError(t, err)
		_, err = rest.TLSConfigFor(client)
		require.NoError(t, err)
		require.Equal(t, r.Cluster.Server, client.Host)
		require.Equal(t, insecure, client.Insecure)
		if insecure {
			require.Empty(t, client.CAData)
			require.Empty(t, l.Spec.CAExpires)
		} else {
			require.Equal(t, string(r.CA), string(client.CAData))
		}
		require.Equal(t, r.Cluster.Access.ProxyURL != "", client.Proxy != nil)
		if exec == nil {
			require.Equal(t, strings.TrimSpace(string(r.Token)), client.BearerToken)
		} else {
			require.Equal(t, exec.Command, client.ExecProvider.Command)
			require.Equal(t, exec.Args, client.ExecProvider.Args)
			require.Len(t, client.ExecProvider.Env, len(exec.Env))
		}

		// It is bound to its Secret.
		data, _ := base64.StdEncoding.DecodeString(l.Spec.EncryptedData)
		for _, elsewhere := range []string{"other/" + l.Spec.Secret.Name, l.Spec.Secret.Namespace, "", l.Spec.Secret.Namespace + "/other"} {
			_, err = crypto.HybridDecrypt(rand.Reader, map[string]*rsa.PrivateKey{"": hub.key}, data, []byte(elsewhere))
			require.Error(t, err, elsewhere)
		}

		// A second run has nothing to do.
		r.Before = l
		result, err = seal.Seal(r)
		require.NoError(t, err)
		require.Nil(t, result.Link)
		require.Equal(t, "unchanged", result.Done)
	}
}

// TestWhatSealsAgain changes one input after another, with a present link.
func TestWhatSealsAgain(t *testing.T) {
	t.Parallel()
	hub, renewed := newHub(t), newHub(t)
	weak := func(r *seal.Request) { r.Token = []byte("sha256~opaque-token-of-a-login") }
	for _, c := range []struct {
		name  string
		first func(*seal.Request)
		then  func(*seal.Request)
		want  string // what was done; with a * nothing is written
	}{
		{"nothing", nil, func(*seal.Request) {}, "*unchanged"},
		{"the day", nil, func(r *seal.Request) { r.Now = r.Now.AddDate(1, 0, 0) }, "*unchanged"},
		{"a line end", nil, func(r *seal.Request) { r.Token = append(r.Token, '\n') }, "*unchanged"},
		{"a comment in the CA", nil, func(r *seal.Request) { r.CA = append([]byte("# of west\n"), r.CA...) }, "*unchanged"},
		{"the certificate", nil, func(r *seal.Request) { r.Certificate = renewed.certificate(t, r.Now) }, "*unchanged, and sealed with another certificate"},
		{"rekey", nil, func(r *seal.Request) { r.Rekey = true }, "*unchanged"},
		{"rekey with another certificate", nil, func(r *seal.Request) { r.Rekey, r.Certificate = true, renewed.certificate(t, r.Now) }, "sealed again, for another certificate"},
		{"force", nil, func(r *seal.Request) { r.Force = true }, "sealed again, because of --force"},
		{"the token", nil, func(r *seal.Request) { r.Token = []byte(token(t)) }, "sealed again, because the credential, the CA or the access has changed"},
		{"the CA", nil, func(r *seal.Request) { r.CA = authority(t, "new", start.AddDate(10, 0, 0)) }, "sealed again, because the credential, the CA or the access has changed"},
		{"a proxy", nil, func(r *seal.Request) { r.Cluster.Access.ProxyURL = "http://proxy.example.com" }, "sealed again, because the credential, the CA or the access has changed"},
		{"the server", nil, func(r *seal.Request) { r.Cluster.Server = "https://api.new.example.com" }, "sealed again, for another server"},
		{"what has been cut off", nil, func(r *seal.Request) { r.Before.Spec.EncryptedData = r.Before.Spec.EncryptedData[:40] }, "sealed again, because the present link is damaged"},
		{"the format", nil, func(r *seal.Request) { r.Topology.Spec.Kiali.Links.Format = "perCluster" }, "sealed again, for the key west of istio-system/kiali-remote-cluster-secret-west"},
		{"an opaque token", weak, func(*seal.Request) {}, "*left as it is: a change of the token cannot be detected"},
		{"another opaque token", weak, func(r *seal.Request) { r.Token = []byte("sha256~another") }, "*left as it is: a change of the token cannot be detected"},
		{"another opaque token, by force", weak, func(r *seal.Request) { r.Token, r.Force = []byte("sha256~another"), true }, "sealed again, because of --force"},
		{"another opaque token, and the server", weak, func(r *seal.Request) { r.Cluster.Server = "https://api.new.example.com" }, "sealed again, for another server"},
		{"an opaque token for a JWT", nil, weak, "sealed again, because the credential, the CA or the access has changed"},
		{"a JWT for an opaque token", weak, func(r *seal.Request) { r.Token = []byte(token(t)) }, "sealed again, because the credential, the CA or the access has changed"},
		{"a short signature", func(r *seal.Request) { r.Token = []byte(jwt(t, map[string]any{"sub": account}, 31)) }, func(*seal.Request) {}, "*left as it is: a change of the token cannot be detected"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(t, mesh(t, "west", "", ""), hub)
			if c.first != nil {
				c.first(&r)
			}
			first, err := seal.Seal(r)
			require.NoError(t, err)
			require.Equal(t, "sealed", first.Done)
			require.Equal(t, c.first == nil, first.Link.Spec.Digest != "", "a digest is kept only where nobody can find the token by it")
			r.Before = first.Link
			c.then(&r)
			second, err := seal.Seal(r)
			require.NoError(t, err)
			done, nothing := strings.CutPrefix(c.want, "*")
			assert.Equal(t, done, second.Done)
			assert.Equal(t, nothing, second.Link == nil)
		})
	}
}

// TestRotation goes through a rotation. At each commit, the remote has the token Secret
// of the link in use.
func TestRotation(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	topo := mesh(t, "west", "", "")
	r := request(t, topo, hub)
	r.Token = []byte(tokenOf(t, "kiali-service-account"))
	state := func(result seal.Result, err error) string {
		require.NoError(t, err)
		r.Before = result.Link
		require.Contains(t, r.Before.Spec.Tokens, r.Before.Spec.Generation)
		return fmt.Sprint(r.Before.Spec.Generation, r.Before.Spec.Tokens)
	}
	refused := func(result seal.Result, err error) string {
		var refusal *finding.Refusal
		require.ErrorAs(t, err, &refusal)
		require.Nil(t, result.Link)
		return refusal.Message + "\n" + refusal.Hint
	}
	require.Equal(t, "there is no link yet, so there is no token to rotate\nseal it first: seal west --cert hub.pem", refused(seal.Rotate(r.Remote, nil)))
	require.Equal(t, "there is no link yet, so there is no rotation to finish\nseal it first: seal west --cert hub.pem", refused(seal.Finish(r.Remote, nil, seal.Hub{})))
	for generation := 1; generation < 4; generation++ {
		last, next := topo.TokenSecret(generation), topo.TokenSecret(generation+1)
		if generation == 1 {
			require.Equal(t, "1 [1]", state(seal.Seal(r)))
		}
		sealed := r.Before.Spec.EncryptedData
		require.Contains(t, refused(seal.Finish(r.Remote, r.Before, seal.Hub{})), "there is no rotation to finish")
		require.Equal(t, fmt.Sprintf("%d [%d %d]", generation, generation, generation+1), state(seal.Rotate(r.Remote, r.Before)))
		require.Equal(t, sealed, r.Before.Spec.EncryptedData)
		require.Contains(t, refused(seal.Rotate(r.Remote, r.Before)), "a rotation has already begun")
		require.Equal(t, fmt.Sprintf("the link still uses the token of generation %d, which this would drop\nonce the token Secret %s is on the remote, move the link to it: seal west --cert hub.pem", generation, next),
			refused(seal.Finish(r.Remote, r.Before, seal.Hub{})))
		require.Equal(t, fmt.Sprintf("the token belongs to the Secret %q, expected %q\ngive the token of the Secret %s on the remote", last, next, next), refused(seal.Seal(r)))

		r.Token = []byte(tokenOf(t, next))
		require.Equal(t, fmt.Sprintf("%d [%d %d]", generation+1, generation, generation+1), state(seal.Seal(r)))
		require.Contains(t, string(unseal(t, hub.key, r.Before)), string(r.Token))
		again, err := seal.Seal(r)
		require.NoError(t, err)
		require.Nil(t, again.Link)
		require.Equal(t, fmt.Sprintf("%d [%d]", generation+1, generation+1), state(seal.Finish(r.Remote, r.Before, seal.Hub{})))
	}

	// If a token does not name its Secret, the digest shows that it is the same.
	r = request(t, topo, hub)
	require.Equal(t, "1 [1]", state(seal.Seal(r)))
	require.Equal(t, "1 [1 2]", state(seal.Rotate(r.Remote, r.Before)))
	require.Equal(t, "the token is the sealed one, of generation 1; expected the token of generation 2\ngive the token of the Secret kiali-service-account-g2 on the remote", refused(seal.Seal(r)))
}

// TestRefused gives wrong input. No message has the token.
func TestRefused(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	valid := token(t)
	for _, c := range []struct {
		name   string
		change func(*seal.Request)
		want   string
	}{
		{"no token", func(r *seal.Request) { r.Token = []byte(" \n") }, "the token is empty"},
		{"two lines", func(r *seal.Request) { r.Token = []byte("token: " + valid) }, "the token has spaces, ends of lines or characters that a token cannot have; expected a token and nothing else"},
		{"a Secret", func(r *seal.Request) { r.Token = []byte("apiVersion: v1\nkind: Secret\n") }, "the token has spaces, ends of lines or characters that a token cannot have; expected a token and nothing else"},
		{"binary", func(r *seal.Request) { r.Token = []byte("abc\x00def") }, "the token has spaces, ends of lines or characters that a token cannot have; expected a token and nothing else"},
		{"a film", func(r *seal.Request) { r.Token = bytes.Repeat([]byte("x"), 100_000) }, "the token has 100000 bytes; expected a token and nothing else"},
		{"base64", func(r *seal.Request) { r.Token = []byte(base64.StdEncoding.EncodeToString([]byte(valid))) }, "the token is still in base64, as in a Secret"},
		{"half a JWT", func(r *seal.Request) { r.Token = []byte(strings.Replace(valid, ".", ".A", 1)) }, "the token begins like a JWT, but is not a valid one"},
		{"another account", func(r *seal.Request) {
			r.Token = []byte(jwt(t, map[string]any{"sub": "system:serviceaccount:istio-system:default"}, 256))
		}, `the token belongs to "system:serviceaccount:istio-system:default", expected "system:serviceaccount:istio-system:kiali-service-account"`},
		{"expired", func(r *seal.Request) {
			r.Token = []byte(jwt(t, map[string]any{"sub": account, "exp": start.Add(-time.Hour).Unix()}, 256))
		}, "the token expired on 2026-01-01T11:00:00Z"},
		{"not yet", func(r *seal.Request) {
			r.Token = []byte(jwt(t, map[string]any{"sub": account, "nbf": start.Add(time.Hour).Unix()}, 256))
		}, "the token is valid from 2026-01-01T13:00:00Z on, but now it is 2026-01-01T12:00:00Z"},
		{"no CA", func(r *seal.Request) { r.CA = nil }, "the CA of the remote's API server: the file is empty, expected a certificate in PEM"},
		{"no PEM", func(r *seal.Request) { r.CA = []byte("x") }, "the CA of the remote's API server: found no PEM block, expected -----BEGIN CERTIFICATE-----"},
		{"a CA in base64", func(r *seal.Request) { r.CA = []byte(base64.StdEncoding.EncodeToString(r.CA)) }, "the CA of the remote's API server: found PEM in base64, as in a kubeconfig; decode it first"},
		{"a private key", func(r *seal.Request) { r.CA = append(r.CA, hub.private()...) }, "the CA of the remote's API server: found a private key, expected certificates only"},
		{"a broken CA", func(r *seal.Request) {
			r.CA = []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
		}, "the CA of the remote's API server: certificate 1 cannot be read: malformed certificate"},
		{"an expired CA", func(r *seal.Request) { r.CA = authority(t, "old", start.AddDate(0, 0, -1)) }, "the CA of the remote's API server expired on 2025-12-31T12:00:00Z"},
		{"a CA with the hub's key", func(r *seal.Request) {
			r.CA = append(r.CA, selfSigned(t, hub.key, "ca", start.AddDate(-2, 0, 0), start.AddDate(-1, 0, 0))...)
		},
			"the hub's certificate and a CA of the remote's API server have the same key; one of the two is wrong"},
		{"the hub's certificate for the CA", func(r *seal.Request) { r.CA = sealedSecretsOwn(t) },
			"the CA of the remote's API server is a certificate of sealed-secrets, which no server has"},
		{"no server", func(r *seal.Request) { r.Cluster.Server = "" }, "the topology has no address of the API server"},
		{"another cluster's file", func(r *seal.Request) {
			r.Before, _ = topology.ParseSealedLink("sealed/m/west.yaml", bytes.ReplaceAll(linkFile(t, hub), []byte("name: west\n"), []byte("name: south\n")))
		}, `sealed/m/west.yaml:5:9: the link is for "south", expected "west"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(t, mesh(t, "west", "", ""), hub)
			r.Token = []byte(valid)
			c.change(&r)
			result, err := seal.Seal(r)
			require.Nil(t, result.Link)
			var refusal *finding.Refusal
			require.True(t, errors.As(err, &refusal), "%v", err)
			assert.Equal(t, c.want, refusal.Message)
			assert.NotEmpty(t, refusal.Hint)
			assert.NotContains(t, refusal.Message+refusal.Hint, valid[:20])
		})
	}
}

// TestWarnings seals unusual input with a warning.
func TestWarnings(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	for _, c := range []struct {
		name   string
		access string
		change func(*seal.Request)
		want   []string
	}{
		{"nothing", "", func(*seal.Request) {}, nil},
		{"expires", "", func(r *seal.Request) {
			r.Token = []byte(jwt(t, map[string]any{"sub": account, "exp": start.Add(time.Hour).Unix()}, 256))
		}, []string{"the token, and so the link, expires on 2026-01-01T13:00:00Z; the token of the Secret kiali-service-account does not expire"}},
		{"another Secret", "", func(r *seal.Request) { r.Token = []byte(tokenOf(t, "mine")) }, []string{`the token belongs to the Secret "mine", but the rendered Secret is "kiali-service-account"`}},
		{"opaque", "", func(r *seal.Request) { r.Token = []byte("sha256~x") }, []string{"the token is no JWT, so its account and its end are unknown, and a later run cannot detect a change"}},
		{"an old CA among others", "", func(r *seal.Request) { r.CA = append(authority(t, "old", start.AddDate(0, 0, -1)), r.CA...) }, []string{"a CA (old) expired on 2025-12-31 and is left out"}},
		{"a CA near its end", "", func(r *seal.Request) { r.CA = authority(t, "x", start.AddDate(0, 0, 7)) }, []string{"a CA of the remote's API server expires on 2026-01-08; seal the link again when the remote has a new one"}},
		{"a certificate near its end", "", func(r *seal.Request) { r.Now = start.AddDate(9, 11, 20) }, []string{"the hub's certificate expires on 2036-01-01; is it the newest one of the controller?"}},
		{"insecure", "insecureSkipTLSVerify: true", func(*seal.Request) {}, []string{
			"access.insecureSkipTLSVerify: an attacker between the hub and the remote can read the token, which can read the whole cluster",
			"the CA is not used, because access.insecureSkipTLSVerify turns the check of certificates off",
		}},
		{"proxy", "proxyURL: http://proxy.example.com", func(*seal.Request) {}, []string{"access.proxyURL: the proxy sees the addresses to which Kiali connects, and the link needs the proxy"}},
		{"exec", "exec: {command: kubelogin}", func(r *seal.Request) { r.Token = nil }, []string{`access.exec: Kiali runs "kubelogin" only if clustering.enable_exec_provider is on and the program is in its image`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(t, mesh(t, "west", "", c.access), hub)
			c.change(&r)
			result, err := seal.Seal(r)
			require.NoError(t, err)
			require.NotNil(t, result.Link)
			assert.Equal(t, c.want, result.Warnings)
		})
	}
}

// TestRevoke replaces a leaked token in one step, from each state.
func TestRevoke(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	topo := mesh(t, "west", "", "")
	sealed := func(generation int, tokens ...int) (seal.Request, *topology.SealedLink) {
		r := request(t, topo, hub)
		result, err := seal.Seal(r)
		require.NoError(t, err)
		result.Link.Spec.Generation, result.Link.Spec.Tokens = generation, tokens
		return r, result.Link
	}
	for _, c := range []struct {
		generation, want int
		tokens           []int
		gone             string
	}{
		{1, 2, []int{1}, "kiali-service-account"},
		{1, 3, []int{1, 2}, "kiali-service-account kiali-service-account-g2"},
		{2, 3, []int{1, 2}, "kiali-service-account kiali-service-account-g2"},
		{4, 5, []int{4}, "kiali-service-account-g4"},
	} {
		r, before := sealed(c.generation, c.tokens...)
		result, err := seal.Revoke(r.Remote, before)
		require.NoError(t, err)
		assert.Equal(t, []int{c.want}, result.Link.Spec.Tokens)
		assert.Equal(t, before.Spec.EncryptedData, result.Link.Spec.EncryptedData)
		assert.True(t, result.Link.Spec.Revoked())
		assert.Contains(t, result.Next, "kubectl --context west -n istio-system delete secret "+c.gone+";")
		assert.Equal(t, []string{"after the sync, Kiali cannot show west until it is sealed, and a Kiali that restarts in this time does not start"}, result.Warnings)
		parsed, findings := topology.ParseSealedLink("x.yaml", seal.Encode(result.Link))
		require.Empty(t, findings)

		// The only next step is to seal the next token.
		for _, refused := range []func() (seal.Result, error){
			func() (seal.Result, error) { return seal.Revoke(r.Remote, parsed) },
			func() (seal.Result, error) { return seal.Finish(r.Remote, parsed, seal.Hub{}) },
			func() (seal.Result, error) { return seal.Rotate(r.Remote, parsed) },
			func() (seal.Result, error) { r.Before = parsed; return seal.Seal(r) },
		} {
			result, err := refused()
			require.ErrorAs(t, err, new(*finding.Refusal))
			require.Nil(t, result.Link)
		}
		assert.Contains(t, told(seal.Check(r.Remote, parsed, nil, start)), "outdated! | warning: RS13: the token in the kubeconfig, of generation")
		r.Before, r.Token = parsed, []byte(tokenOf(t, topo.TokenSecret(c.want)))
		result, err = seal.Seal(r)
		require.NoError(t, err)
		assert.Equal(t, c.want, result.Link.Spec.Generation)
		assert.False(t, result.Link.Spec.Revoked())
	}
}

// TestSameTokenAgain distinguishes a token Secret that was deleted and created again
// from one with another token.
func TestSameTokenAgain(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	for _, c := range []struct {
		name  string
		made  time.Time
		token string // "" for the same
		want  string
	}{
		{"the same Secret", start, "", ""},
		{"nobody knows", time.Time{}, "", ""},
		{"another token", start.Add(time.Hour), token(t), ""},
		{"a younger Secret", start.Add(time.Second), "", "the token Secret kiali-service-account was created again on 2026-01-01T12:00:01Z, with the same token: its deletion revoked nothing. If the token has leaked: seal west --revoke"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(t, mesh(t, "west", "", ""), hub)
			r.TokenCreated = start
			first, err := seal.Seal(r)
			require.NoError(t, err)
			require.Equal(t, "2026-01-01T12:00:00Z", first.Link.Spec.TokenCreated)
			r.Before, r.TokenCreated = first.Link, c.made
			if c.token != "" {
				r.Token = []byte(c.token)
			}
			again, err := seal.Seal(r)
			require.NoError(t, err)
			assert.Equal(t, c.want, strings.Join(again.Warnings, "\n"))
			assert.Equal(t, c.token == "", again.Link == nil)
		})
	}
}

// TestFormatChanges changes from one Secret for all links to one for each, and back. The
// link remembers the earlier Secret until --finish.
func TestFormatChanges(t *testing.T) {
	t.Parallel()
	r := request(t, mesh(t, "west", "", ""), newHub(t))
	const shared, own = "kiali-multi-cluster-secret", "kiali-remote-cluster-secret-west"
	to := func(format string) *topology.SealedLink {
		r.Topology.Spec.Kiali.Links.Format = format
		result, err := seal.Seal(r)
		require.NoError(t, err)
		r.Before = result.Link
		return result.Link
	}
	require.Empty(t, to("single").Spec.Replaces)
	require.Equal(t, shared, to("perCluster").Spec.Replaces)
	require.Equal(t, own, to("single").Spec.Replaces, "back again, before anybody has removed anything")
	link := to("perCluster")
	require.Equal(t, shared, link.Spec.Replaces)
	told := told(seal.Check(r.Remote, link, nil, start))
	require.Contains(t, told, "outdated! | warning: RS12: links.format has changed: once the hub has the Secret "+own+", remove the SealedSecret "+shared+" from it")
	require.Contains(t, told, "kubectl --context east -n istio-system delete sealedsecret "+shared+"; kubectl --context east -n istio-system rollout restart deployment/kiali; then: seal west --finish")

	for _, c := range []struct {
		hub  seal.Hub
		want string
	}{
		{seal.Hub{Asked: true, Old: true, New: true}, "the hub still has the Secret " + shared + " from before the change of links.format"},
		{seal.Hub{Asked: true, Old: true}, "the hub still has the Secret " + shared + " from before the change of links.format"},
		{seal.Hub{Asked: true}, "the hub does not have the Secret " + own + " yet"},
	} {
		_, err := seal.Finish(r.Remote, link, c.hub)
		require.EqualError(t, err, c.want)
	}
	result, err := seal.Finish(r.Remote, link, seal.Hub{Asked: true, New: true})
	require.NoError(t, err)
	require.Empty(t, result.Warnings)
	require.Empty(t, result.Link.Spec.Replaces)
	result, err = seal.Finish(r.Remote, link, seal.Hub{})
	require.NoError(t, err)
	require.Len(t, result.Warnings, 1, "nobody has asked the hub")

	r.Topology.Spec.Kiali.Namespace = "kiali"
	r.Token = []byte(jwt(t, map[string]any{"sub": "system:serviceaccount:kiali:kiali-service-account"}, 256))
	require.Empty(t, to("single").Spec.Replaces, "another Kiali, which has never seen the Secret")
}

// TestDamage changes every byte of the encrypted data, one at a time.
func TestDamage(t *testing.T) {
	t.Parallel()
	r := request(t, mesh(t, "west", "", ""), newHub(t))
	result, err := seal.Seal(r)
	require.NoError(t, err)
	sound := result.Link.Spec.EncryptedData
	for i := range sound {
		other := byte('A')
		if sound[i] == other {
			other = 'B'
		}
		result.Link.Spec.EncryptedData = sound[:i] + string(other) + sound[i+1:]
		require.True(t, seal.Check(r.Remote, result.Link, nil, start).Work, "byte %d", i)
	}
}

// TestSourceOfRandomnessFails gives no link without randomness.
func TestSourceOfRandomnessFails(t *testing.T) {
	t.Parallel()
	r := request(t, mesh(t, "west", "", ""), newHub(t))
	for _, size := range []int{0, 15, 16, 47} {
		r.Rand = bytes.NewReader(make([]byte, size))
		result, err := seal.Seal(r)
		require.Error(t, err, size)
		require.Nil(t, result.Link)
	}
}
