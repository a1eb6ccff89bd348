package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBuildString(t *testing.T) {
	released := build{
		Version: "v0.1.0", Commit: "0123456789abcdef0123456789abcdef01234567", Date: "2026-11-27T10:00:00Z",
		Go: "go1.26.8", Platform: "linux/amd64",
	}
	assert.Equal(t, "sightline v0.1.0 (0123456789ab, 2026-11-27T10:00:00Z) go1.26.8 linux/amd64", released.String())
	assert.Equal(t, "sightline (devel) go1.26.8 linux/arm64", build{Version: "(devel)", Go: "go1.26.8", Platform: "linux/arm64"}.String())
}
