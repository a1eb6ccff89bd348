// Package kiali has the facts about Kiali that do not depend on a topology: its
// release lines, the fields of a Kiali resource that each line reads, and the names
// of the metrics, labels and objects that it looks for.
package kiali

import (
	"slices"
	"strconv"
	"strings"
)

// Line is a release line of the Kiali server, as in kiali.version. The zero value is
// no line: the version of the topology was refused.
type Line int

// The lines, oldest first. Default is the newest line that the operator knows
// (kiali-operator playbooks/kiali-default-supported-images.yml).
const (
	V1_73 Line = iota + 1
	V2_4
	V2_11
	V2_17
	V2_22
	V2_27
	Default
)

var lineNames = [...]string{V1_73: "v1.73", V2_4: "v2.4", V2_11: "v2.11", V2_17: "v2.17", V2_22: "v2.22", V2_27: "v2.27",
	Default: "default"}

// Lines lists the lines, oldest first.
func Lines() []Line { return []Line{V1_73, V2_4, V2_11, V2_17, V2_22, V2_27, Default} }

// LineNames lists the names of the lines, oldest first.
func LineNames() []string { return slices.Clone(lineNames[1:]) }

// ParseLine returns the line with a name. ok is false if there is none.
func ParseLine(name string) (l Line, ok bool) {
	i := slices.Index(lineNames[1:], name)
	return Line(i + 1), i >= 0
}

// String is the name of the line, or "" for the zero value.
func (l Line) String() string { return lineNames[l] }

// firstOperators are the first versions of the operator that know a line. They are
// later than the version with the line's number. charts are the versions of the
// operator's chart, which some versions do not have (kiali-operator
// playbooks/kiali-default-supported-images.yml at its tags; helm-charts).
var firstOperators = [Default + 1]struct{ operator, chart string }{
	V2_4:  {"2.5.0", "2.5.0"},
	V2_11: {"2.12.0", "2.12.0"},
	V2_17: {"2.18.0", "2.18.0"},
	V2_22: {"2.22.1", "2.23.0"},
	V2_27: {"2.27.1", "2.28.0"},
}

// FirstOperator is the oldest version of the operator that knows the line, and of the
// operator's chart. It is "" if every version knows the line.
func (l Line) FirstOperator() (operator, chart string) {
	return firstOperators[l].operator, firstOperators[l].chart
}

// OperatorBefore tells whether one version of the operator or of its chart is older
// than another. Versions are x.y.z, with or without a v.
func OperatorBefore(version, other string) bool {
	var a, b [3]int
	for at, text := range map[*[3]int]string{&a: version, &b: other} {
		text, _, _ = strings.Cut(strings.TrimPrefix(text, "v"), "-")
		for i, part := range strings.SplitN(text, ".", 3) {
			at[i], _ = strconv.Atoi(part)
		}
	}
	return slices.Compare(a[:], b[:]) < 0
}

// Before tells whether the line is older than another.
func (l Line) Before(other Line) bool { return l < other }
