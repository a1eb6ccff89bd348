package topology

// Shared by the tests of both packages. Tests that also apply the rules are
// outside this package, because the rules import it.
const (
	Small        = small
	Head         = head
	HeadDocument = headDocument
)

var (
	Update            = update
	Read              = read
	Glob              = glob
	Inputs            = inputs
	Text              = text
	ClusterSource     = clusterSource
	SameAfterPrinting = sameAfterPrinting
	CanonicalForm     = canonical
)
