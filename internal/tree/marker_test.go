package tree

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMarkerRoundTrip(t *testing.T) {
	m := Marker{Topology: "east-west.2", Format: "kustomize"}
	text := string(m.text())
	assert.True(t, strings.HasSuffix(text, "\ntopology: east-west.2\nformat: kustomize\n"), text)
	assert.Contains(t, text, "# Written by `sightline render`")

	for _, text := range []string{text, strings.ReplaceAll(text, "\n", "\r\n"), "format: kustomize\n\ntopology: east-west.2"} {
		got, err := parseMarker([]byte(text))
		require.NoError(t, err, text)
		assert.Equal(t, m, got)
	}
}

func TestMarkerIsStrict(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "it names no topology",
		"# only a comment":                      "it names no topology",
		"topology: a\n":                         "it names no format",
		"format: a\n":                           "it names no topology",
		"topology: a\nformat: b\nmore: c\n":     `line 3: expected "topology: NAME" or "format: NAME", got "more: c"`,
		"topology: a\ntopology: a\nformat: b\n": "line 2: topology is there twice",
		"topology: a b\nformat: c\n":            `line 1: topology has the bad name "a b"`,
		"topology: \"a\"\nformat: c\n":          `line 1: topology has the bad name "\"a\""`,
		"topology: ../a\nformat: c\n":           `line 1: topology has the bad name "../a"`,
		"topology:\nformat: c\n":                `line 1: expected "topology: NAME" or "format: NAME", got "topology:"`,
		"topology: \nformat: c\n":               `line 1: topology has the bad name ""`,
		" topology: a\nformat: c\n":             `line 1: expected "topology: NAME" or "format: NAME", got " topology: a"`,
		"\x7fELF\x00":                           `line 1: expected "topology: NAME" or "format: NAME", got "\x7fELF\x00"`,
	} {
		_, err := parseMarker([]byte(text))
		assert.EqualError(t, err, want, "%q", text)
	}
}

func FuzzParseMarker(f *testing.F) {
	f.Add(Marker{Topology: "a", Format: "b"}.text())
	f.Add([]byte("topology: a\r\nformat: b\r\n"))
	f.Add([]byte("topology: a\ntopology: b\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseMarker(text)
		if err != nil {
			return
		}
		require.NoError(t, m.check())
		again, err := parseMarker(m.text())
		require.NoError(t, err)
		require.Equal(t, m, again)
	})
}
