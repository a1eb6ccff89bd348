package render

import (
	"fmt"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// LinkSecret is a Secret on the hub without data, and the remotes whose
// kubeconfigs belong in it, each under its name.
type LinkSecret struct {
	Object  resource.Object
	Remotes []*topology.Cluster
}

// LinkSecrets returns the Secrets for the kubeconfigs of the remotes in the
// topology's links.format, in the order of the remotes. It handles no
// credential: the caller adds the kubeconfigs to the returned objects.
func LinkSecrets(t *topology.Topology, templates *Templates, remotes []*topology.Cluster) ([]LinkSecret, error) {
	single := t.Spec.Kiali.Links.Format == "single"
	format := "perCluster"
	var links []map[string]string
	if single {
		format = "single"
	}
	for _, c := range remotes {
		links = append(links, map[string]string{"name": c.Name, "secret": t.SealedFor(c).Name})
	}
	out, err := templates.vm.Call("secrets.jsonnet", map[string]any{
		"shape":    map[string]string{"links": format},
		"topology": nested(topologyValues(t), func(_ string, leaf any) any { return leaf }),
		"links":    links,
	})
	if err != nil {
		return nil, err
	}
	decoded, err := resource.DecodeJSON(out)
	if err != nil {
		return nil, err
	}
	objects, err := resource.Named(decoded)
	if err != nil {
		return nil, fmt.Errorf("secrets.jsonnet: %w", err)
	}
	if single {
		return []LinkSecret{{Object: objects["single"], Remotes: remotes}}, nil
	}
	secrets := make([]LinkSecret, len(remotes))
	for i, c := range remotes {
		secrets[i] = LinkSecret{Object: objects[c.Name], Remotes: remotes[i : i+1]}
	}
	return secrets, nil
}
