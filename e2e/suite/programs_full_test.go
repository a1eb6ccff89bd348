//go:build full

package suite

import (
	"slices"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

func programs() []rig.Program { return slices.Concat(rig.Programs.Core, rig.Programs.Full) }
