package overlay

import (
	"maps"
	"slices"
)

// RefusedFields lists the fields of a kustomization that are refused by name.
func RefusedFields() []string { return slices.Sorted(maps.Keys(refused)) }
