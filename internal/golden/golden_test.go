package golden_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sightline-mesh/sightline/internal/golden"
)

func TestDifference(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ kept, made, want string }{
		{"a\nb\n", "a\nb\n", ""},
		{"a\nb\n", "a\nc\n", `differs at line 2: expected "b", got "c"`},
		{"a\nb", "a", `differs at line 2: expected "b", got its end`},
		{"a", "a\nb", `differs at line 2: expected its end, got "b"`},
		{"", "a", `differs at line 1: expected "", got "a"`},
	} {
		assert.Equal(t, test.want, golden.Difference(test.kept, test.made))
	}
}
