package topology

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// fitted joins names to that of an object. One that is too long ends in a hash
// of the whole.
func fitted(most int, parts ...string) string {
	name := ObjectName(strings.Join(parts, "-"))
	if len(name) <= most {
		return name
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "/")))
	hash := hex.EncodeToString(sum[:4])
	return strings.TrimRight(name[:most-len(hash)-1], "-") + "-" + hash
}

// ObjectName is the name of a cluster as a part of an object's name.
func ObjectName(cluster string) string {
	return strings.ToLower(strings.NewReplacer(".", "-", "_", "-").Replace(cluster))
}

// OperatorByChart tells whether the engine of delivery installs the Kiali
// operator.
func (t *Topology) OperatorByChart() bool { return t.Spec.Kiali.Operator.Install == "helm" }

// OperatorByChartOn tells whether it does so on the cluster.
func (t *Topology) OperatorByChartOn(c *Cluster) bool {
	return t.OperatorByChart() && !t.WithoutOperator(c)
}

// index is the place of a cluster in the topology, or -1.
func (t *Topology) index(cluster string) int {
	return slices.IndexFunc(t.Spec.Clusters, func(c Cluster) bool { return c.Name == cluster && cluster != "" })
}
