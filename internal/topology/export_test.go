package topology

// What the tests of both packages share: those that apply the rules as well
// live outside, because the rules import this package.
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
