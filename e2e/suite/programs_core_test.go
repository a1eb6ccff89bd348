//go:build !full

package suite

import "github.com/sightline-mesh/sightline/e2e/suite/rig"

func programs() []rig.Program { return rig.Programs.Core }
