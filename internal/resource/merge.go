package resource

import "maps"

// Merge returns ours with theirs over it: maps merge, everything else is
// replaced. Neither is changed. It is the only operator besides placing a
// value; in a body it waits for its value (see MergeHole).
func Merge(ours, theirs map[string]any) map[string]any {
	merged := maps.Clone(ours)
	if merged == nil {
		merged = map[string]any{}
	}
	for k, v := range theirs {
		a, aMap := normal(merged[k]).(map[string]any)
		b, bMap := normal(v).(map[string]any)
		if aMap && bMap {
			merged[k] = Merge(a, b)
		} else {
			merged[k] = v
		}
	}
	return merged
}

// A map with these two keys stands for a merge: of the map under the one with
// the value whose hole is under the other.
const (
	mergeOurs   = holeOpen + "merge" + holeClose
	mergeTheirs = holeOpen + "over" + holeClose
)

// MergeHole is what Merge is while theirs is a hole.
func MergeHole(ours map[string]any, theirs string) map[string]any {
	return map[string]any{mergeOurs: ours, mergeTheirs: theirs}
}

// asMerge takes a merge apart; ok tells whether v is one.
func asMerge(v any) (ours map[string]any, theirs string, ok bool) {
	m, _ := v.(map[string]any)
	ours, isMerge := m[mergeOurs].(map[string]any)
	theirs, _ = m[mergeTheirs].(string)
	return ours, theirs, isMerge && len(m) == 2
}
