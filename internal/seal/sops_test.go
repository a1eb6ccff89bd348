package seal_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// Two public age keys. e2e/sops shows that SOPS opens links that are encrypted for them.
const (
	alice = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
	bob   = "age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp2z"
)

// encrypted returns requests for the remotes of a mesh with links.source: sops.
func encrypted(t *testing.T, links, names string) []seal.Request {
	t.Helper()
	text := "apiVersion: sightline.dev/v1alpha1\nkind: Topology\nmetadata: {name: m}\nspec:\n  mesh: {id: mesh1}\n  kiali: {hub: east, links: {" +
		links + "}}\n  clusters:\n    - {name: east, domain: apps.east.example.com}\n"
	for name := range strings.FieldsSeq(names) {
		text += "    - {name: " + name + ", server: \"https://api." + name + ".example.com:6443\"}\n"
	}
	topo, findings := topology.Parse("mesh.yaml", []byte(text))
	require.Empty(t, findings)
	recipients, err := seal.ParseRecipients([]string{alice})
	require.NoError(t, err)
	var requests []seal.Request
	for i := range topo.Spec.Clusters[1:] {
		c := &topo.Spec.Clusters[i+1]
		requests = append(requests, seal.Request{
			Remote: seal.Remote{Topology: topo, Cluster: c, Command: "seal " + c.Name}, Recipients: recipients,
			Token: []byte(token(t)), CA: authority(t, c.Name, start.AddDate(10, 0, 0)), Now: start, Rand: rand.Reader,
		})
	}
	return requests
}

// sealedTogether seals, keeps the links in the requests, and returns the reasons.
func sealedTogether(t *testing.T, requests []seal.Request) (done []string) {
	t.Helper()
	results, err := seal.SOPS(requests)
	require.NoError(t, err)
	for i, result := range results {
		done = append(done, result.Done)
		if result.Link != nil {
			requests[i].Before = result.Link
		}
	}
	return done
}

func TestSOPS(t *testing.T) {
	t.Parallel()
	requests := encrypted(t, "source: sops", "south west")
	south, west := &requests[0], &requests[1]
	assert.Equal(t, []string{"sealed", "sealed"}, sealedTogether(t, requests))
	assert.True(t, south.Before.Spec.SOPS.Together(west.Before.Spec.SOPS), "one data key and one MAC for the Secret")
	assert.Equal(t, []string{"south", "west"}, west.Before.Spec.SOPS.Keys)
	assert.Nil(t, west.Before.Spec.Certificate)
	file := seal.Encode(west.Before)
	assert.NotContains(t, string(file), string(west.Token))
	read, findings := topology.ParseSealedLink("west.yaml", file)
	require.Empty(t, findings)
	assert.Equal(t, west.Before.Spec, read.Spec)
	assert.Equal(t, read.Spec.Checksum, read.Spec.Sum())

	assert.Equal(t, []string{"unchanged", "unchanged"}, sealedTogether(t, requests))
	west.Token = []byte(token(t))
	assert.Equal(t, []string{"sealed again, together with the other links of the Secret kiali-multi-cluster-secret",
		"sealed again, because the credential, the CA or the access has changed"}, sealedTogether(t, requests))
	south.Force = true
	assert.Equal(t, []string{"sealed again, because of --force",
		"sealed again, together with the other links of the Secret kiali-multi-cluster-secret"}, sealedTogether(t, requests))
	south.Force = false
	both, err := seal.ParseRecipients([]string{bob, alice, bob})
	require.NoError(t, err)
	south.Recipients, west.Recipients = both, both
	assert.Equal(t, []string{"sealed again, for other recipients", "sealed again, for other recipients"}, sealedTogether(t, requests))
	assert.Len(t, west.Before.Spec.SOPS.Age, 2)
	assert.Equal(t, []string{"unchanged", "unchanged"}, sealedTogether(t, requests))

	// A remote that joins changes the Secret, and one that leaves too.
	joined := encrypted(t, "source: sops", "north south west")
	joined[1].Before, joined[2].Before = south.Before, west.Before
	joined[1].Token, joined[2].Token, joined[1].CA, joined[2].CA = south.Token, west.Token, south.CA, west.CA
	for i := range joined {
		joined[i].Recipients = both
	}
	assert.Equal(t, []string{"sealed", "sealed again, together with the other links of the Secret kiali-multi-cluster-secret",
		"sealed again, together with the other links of the Secret kiali-multi-cluster-secret"}, sealedTogether(t, joined))
	left := joined[1:]
	assert.Equal(t, "sealed again, together with the other links of the Secret kiali-multi-cluster-secret", sealedTogether(t, left)[0])

	_, err = seal.SOPS([]seal.Request{{Remote: west.Remote, Recipients: both, Token: west.Token, Now: start, Rand: rand.Reader}})
	var of *seal.OfCluster
	require.ErrorAs(t, err, &of)
	assert.Equal(t, "west", of.Cluster)
}

// TestApart finds flaws between the links of one Secret.
func TestApart(t *testing.T) {
	t.Parallel()
	requests := encrypted(t, "source: sops", "south west")
	sealedTogether(t, requests)
	links := map[string]*topology.SealedLink{"south": requests[0].Before, "west": requests[1].Before}
	topo := requests[0].Topology
	assert.Empty(t, seal.Apart(topo, links))

	only := seal.Apart(topo, map[string]*topology.SealedLink{"west": links["west"]})
	require.Contains(t, only, "west")
	assert.Equal(t, "the MAC of the Secret kiali-multi-cluster-secret is over south, west, but the Secret has west: "+
		"Flux ignores the MAC, but sops --decrypt refuses", only["west"].Message)

	requests[1].Force = true
	sealedTogether(t, requests)
	links["west"] = requests[1].Before // the link of south stays the earlier one
	apart := seal.Apart(topo, links)
	require.Contains(t, apart, "west")
	assert.Equal(t, "its data key differs from the one of south, but the Secret kiali-multi-cluster-secret has one data key for all",
		apart["west"].Message)

	each := encrypted(t, "source: sops, format: perCluster", "south west")
	sealedTogether(t, each[:1])
	sealedTogether(t, each[1:])
	assert.Empty(t, seal.Apart(each[0].Topology, map[string]*topology.SealedLink{"south": each[0].Before, "west": each[1].Before}))
}

func TestRecipients(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		alice + "," + bob: "",
		"":                "recipient 1 is no public age key",
		"age1abc":         "recipient 1 is no public age key",
		alice + ",ssh-ed25519 AAAAC3NzaC1lZDI1NTE5": "recipient 2 is no public age key",
		"AGE-SECRET-" + "KEY-1ABC":                  "recipient 1 is a private age key, expected the public key",
	} {
		_, err := seal.ParseRecipients(strings.Split(text, ","))
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "ABC")
	}
}
