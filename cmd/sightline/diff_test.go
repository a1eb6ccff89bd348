package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestDiffWithoutGit shows the message if git is not installed.
func TestDiffWithoutGit(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	var stdout, stderr bytes.Buffer
	code := run(shared(t.Context()), []string{"diff", "testdata/diff/before.yaml", "--against", "HEAD"}, nil, &stdout, &stderr)
	assert.Equal(t, exitFailure, code)
	assert.Equal(t, "sightline: --against needs the program git, and there is none in $PATH\n"+
		"hint: install git, or compare with a rendered directory: -o DIR\n", stderr.String())
}
