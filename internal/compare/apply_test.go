package compare_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/sightline-mesh/sightline/internal/compare"
)

// apply makes the changes in an object: first changed values, then removed items from
// the end of a list, then the order of the remaining items, then new items from the
// front.
func apply(object map[string]any, fields []compare.Field) map[string]any {
	var v any = object
	inList := func(f compare.Field) bool { return f.At >= 0 }
	for _, f := range fields {
		if !inList(f) && f.Op != compare.Moved {
			v = edit(v, f.Path, func(any) any { return f.New }, f.Op == compare.Removed)
		}
	}
	for _, f := range slices.Backward(fields) {
		if inList(f) && f.Op == compare.Removed {
			v = edit(v, f.Path[:len(f.Path)-1], func(list any) any { return slices.Delete(slices.Clone(list.([]any)), f.At, f.At+1) }, false)
		}
	}
	for _, f := range fields {
		if f.Op == compare.Moved {
			v = edit(v, f.Path, func(list any) any { return ordered(list.([]any), f.Old.([]any), f.New.([]any)) }, false)
		}
	}
	for _, f := range fields {
		if inList(f) && f.Op == compare.Added {
			v = edit(v, f.Path[:len(f.Path)-1], func(list any) any { return slices.Insert(slices.Clone(list.([]any)), f.At, f.New) }, false)
		}
	}
	return v.(map[string]any)
}

// ordered sorts the items of a list into the order of new. old identifies the items
// in their present order.
func ordered(list, old, new []any) []any {
	moved := make([]any, len(list))
	for i, k := range new {
		moved[i] = list[slices.Index(old, k)]
	}
	return moved
}

// edit changes the value at a path.
func edit(v any, path compare.Path, change func(any) any, remove bool) any {
	if len(path) == 0 {
		return change(v)
	}
	step := path[0]
	if !step.List {
		m := maps.Clone(v.(map[string]any))
		if remove && len(path) == 1 {
			delete(m, step.Key)
			return m
		}
		m[step.Key] = edit(m[step.Key], path[1:], change, remove)
		return m
	}
	list := slices.Clone(v.([]any))
	i := step.Index
	if step.By != "" {
		i = slices.IndexFunc(list, func(item any) bool { return fmt.Sprint(item.(map[string]any)[step.By]) == step.Value })
	}
	list[i] = edit(list[i], path[1:], change, remove)
	return list
}
