// Package kiali is what is known of Kiali, whatever a topology says: its release
// lines, the fields of a Kiali resource that each line reads, and the names of
// the metrics, labels and objects that it looks for.
package kiali

import "slices"

// Line is a release line of the Kiali server, as kiali.version names it. The
// zero value is no line: that of a topology whose version was refused.
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

var lineNames = [...]string{V1_73: "v1.73", V2_4: "v2.4", V2_11: "v2.11", V2_17: "v2.17", V2_22: "v2.22", V2_27: "v2.27", Default: "default"}

// Lines lists the lines, oldest first.
func Lines() []Line { return []Line{V1_73, V2_4, V2_11, V2_17, V2_22, V2_27, Default} }

// LineNames lists the names of the lines, oldest first.
func LineNames() []string { return slices.Clone(lineNames[1:]) }

// ParseLine returns the line with a name; ok is false where there is none.
func ParseLine(name string) (l Line, ok bool) {
	i := slices.Index(lineNames[1:], name)
	return Line(i + 1), i >= 0
}

// String is the name of the line, "" of none.
func (l Line) String() string { return lineNames[l] }

// Before tells whether the line is older than another.
func (l Line) Before(other Line) bool { return l < other }
