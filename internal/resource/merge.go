package resource

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Merge returns ours with theirs merged over it: maps merge, and any other
// value is replaced. It changes neither argument. Templates have only two
// operators: placing a value, and this one. In a body, the merge waits for its
// value (see MergeHole).
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

// A map with these two keys stands for a merge: one key has the map, and the
// other has the hole of the value that is merged over it.
const (
	mergeOurs   = holeOpen + "merge" + holeClose
	mergeTheirs = holeOpen + "over" + holeClose
)

// MergeHole is Merge for the case that theirs is a hole. The merge is done when
// the hole is filled.
func MergeHole(ours map[string]any, theirs string) map[string]any {
	return map[string]any{mergeOurs: ours, mergeTheirs: theirs}
}

// MergeOf returns the parts of a value from MergeHole. ok is false for any
// other value.
func MergeOf(v any) (ours map[string]any, theirs string, ok bool) {
	m, _ := v.(map[string]any)
	ours, isMerge := m[mergeOurs].(map[string]any)
	theirs, isHole := m[mergeTheirs].(string)
	return ours, theirs, isMerge && isHole && len(m) == 2
}

// Unmerge returns an object without its merges, and a function that adds the
// merges again after the object was changed. The function fails if a map into
// which it must merge is gone.
func Unmerge(object Object) (Object, func(Object) (Object, error)) {
	plain, merges := unmerged(object, nil)
	return plain.(map[string]any), func(result Object) (Object, error) {
		for _, m := range merges {
			var err error
			if result, err = m.into(result, m.path, ""); err != nil {
				return nil, err
			}
		}
		return result, nil
	}
}

// mergeAt is a merge and the path to it.
type mergeAt struct {
	path   []string
	theirs string
}

// unmerged also returns the merges that it removed, the inner before the outer.
// A merge in a list stays, because a list entry has no stable path.
func unmerged(v any, path []string) (any, []mergeAt) {
	var merges []mergeAt
	ours, theirs, isMerge := MergeOf(v)
	m, isMap := v.(map[string]any)
	if isMerge {
		m = ours
	} else if !isMap {
		return v, nil
	}
	plain := make(map[string]any, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		below, taken := unmerged(m[key], append(slices.Clip(path), key))
		plain[key] = below
		merges = append(merges, taken...)
	}
	if isMerge {
		merges = append(merges, mergeAt{path, theirs})
	}
	return plain, merges
}

func (m mergeAt) into(object map[string]any, path []string, at string) (map[string]any, error) {
	if len(path) == 0 {
		return MergeHole(object, m.theirs), nil
	}
	if at != "" {
		at += "."
	}
	at += path[0]
	below, ok := object[path[0]].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s is no object any more, and a value of the chart is merged over it", at)
	}
	merged, err := m.into(below, path[1:], at)
	if err != nil {
		return nil, err
	}
	changed := maps.Clone(object)
	changed[path[0]] = merged
	return changed, nil
}

// Put sets the value at a path of keys with dots between them. It creates
// missing objects.
func Put(m map[string]any, path string, value any) {
	keys := strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		below, ok := m[key].(map[string]any)
		if !ok {
			below = map[string]any{}
			m[key] = below
		}
		m = below
	}
	m[keys[len(keys)-1]] = value
}
