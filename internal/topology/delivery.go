package topology

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// fitted joins names to the name of an object. If the name is too long, it is
// cut and ends in a hash of the whole name.
func fitted(most int, parts ...string) string {
	name := ObjectName(strings.Join(parts, "-"))
	if len(name) <= most {
		return name
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "/")))
	hash := hex.EncodeToString(sum[:4])
	return strings.TrimRight(name[:most-len(hash)-1], "-") + "-" + hash
}

// ObjectName converts the name of a cluster to a part of an object's name.
func ObjectName(cluster string) string {
	return strings.ToLower(strings.NewReplacer(".", "-", "_", "-").Replace(cluster))
}

// OperatorByChart tells whether the delivery engine installs the Kiali
// operator.
func (t *Topology) OperatorByChart() bool { return t.Spec.Kiali.Operator.Install == "helm" }

// OperatorByChartOn tells whether the delivery engine installs the Kiali
// operator on the cluster.
func (t *Topology) OperatorByChartOn(c *Cluster) bool {
	return t.OperatorByChart() && !t.WithoutOperator(c)
}

// index is the index of a cluster in the topology, or -1.
func (t *Topology) index(cluster string) int {
	return slices.IndexFunc(t.Spec.Clusters, func(c Cluster) bool { return c.Name == cluster && cluster != "" })
}
