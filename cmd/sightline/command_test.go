package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/command"
)

// TestSuggestedCommands parses the flags of the commands that messages suggest.
func TestSuggestedCommands(t *testing.T) {
	t.Parallel()
	for _, step := range []command.Step{
		command.Again, command.Force, command.Rekey, command.Rotate, command.Revoke, command.Finish, command.Plain,
	} {
		for _, which := range []string{"west", command.All} {
			line := command.Seal(which, "mesh.yaml", command.HubContext("east"), string(step))
			words := strings.Fields(line)
			require.Equal(t, "sightline", words[0])
			cmd, rest, err := newCommand().Find(words[1:])
			require.NoError(t, err)
			assert.Equal(t, "seal", cmd.Name())
			assert.NoError(t, cmd.ParseFlags(rest), line)
		}
	}
}
