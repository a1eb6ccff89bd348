package kiali

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLines(t *testing.T) {
	lines := Lines()
	require.Len(t, lines, len(LineNames()))
	for i, line := range lines {
		assert.Equal(t, LineNames()[i], line.String())
		parsed, ok := ParseLine(line.String())
		assert.True(t, ok)
		assert.Equal(t, line, parsed)
		for j, other := range lines {
			assert.Equal(t, i < j, line.Before(other), "%s before %s", line, other)
		}
	}
	for _, name := range []string{"", "v2.16", "V2.4", "2.4"} {
		line, ok := ParseLine(name)
		assert.False(t, ok, name)
		assert.Zero(t, line)
		assert.Empty(t, line.String())
	}
	lines[0] = Default
	assert.Equal(t, V1_73, Lines()[0])
}

func TestLinkSecrets(t *testing.T) {
	assert.Equal(t, "kiali-remote-cluster-secret-west-1", RemoteSecret("West_1"))
	assert.True(t, IsLinkSecret(RemoteSecret("west")))
	assert.True(t, IsLinkSecret(SingleSecret))
	assert.False(t, IsLinkSecret("kiali-signing-key"))
}
