// Package suite has the stories: what users do, on real control planes.
package suite

import (
	"testing"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

func TestMain(m *testing.M) { rig.Main(m, programs()) }
