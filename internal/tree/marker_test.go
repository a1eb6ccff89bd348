package tree

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMarkerRoundTrip(t *testing.T) {
	digest := strings.Repeat("0123456789abcdef", 4)
	r := record{
		Marker:  Marker{Topology: "east-west.2", Format: "kustomize", Version: "v0.2.1-0.20260101+dirty"},
		writing: true,
		copies:  map[string]bool{digest + " overlays/a/x.yaml": true, digest + " overlays/a b/x.yaml": true},
	}
	text := string(r.text())
	assert.True(t, strings.HasSuffix(text, "\ntopology: east-west.2\nformat: kustomize\nversion: v0.2.1-0.20260101+dirty\nstate: writing\n"+
		"copy: "+digest+" overlays/a b/x.yaml\ncopy: "+digest+" overlays/a/x.yaml\n"), text)
	assert.Contains(t, text, "# Written by `sightline render`")

	for _, text := range []string{text, strings.ReplaceAll(text, "\n", "\r\n"), strings.TrimSuffix(text, "\n")} {
		got, err := parseMarker([]byte(text))
		require.NoError(t, err, text)
		assert.Equal(t, r, got)
	}
}

func TestMarkerIsStrict(t *testing.T) {
	for text, want := range map[string]string{
		"":                                                      "it names no topology",
		"# only a comment":                                      "it names no topology",
		"topology: a\n":                                         "it names no format",
		"format: a\n":                                           "it names no topology",
		"topology: a\nformat: b\nmore: c\n":                     `line 3: expected "topology: NAME" or another line of a marker, got "more: c"`,
		"topology: a\ntopology: a\nformat: b\n":                 "line 2: topology is there twice",
		"topology: a b\nformat: c\n":                            `line 1: topology has the bad name "a b"`,
		"topology: \"a\"\nformat: c\n":                          `line 1: topology has the bad name "\"a\""`,
		"topology: ../a\nformat: c\n":                           `line 1: topology has the bad name "../a"`,
		"topology:\nformat: c\n":                                `line 1: expected "topology: NAME" or another line of a marker, got "topology:"`,
		"topology: \nformat: c\n":                               `line 1: topology has the bad name ""`,
		" topology: a\nformat: c\n":                             `line 1: expected "topology: NAME" or another line of a marker, got " topology: a"`,
		"topology: a\nformat: c\nstate: done\n":                 `line 3: expected "topology: NAME" or another line of a marker, got "state: done"`,
		"topology: a\nformat: c\nversion: 1\nversion: 2\n":      `line 4: version is there twice`,
		"topology: a\nformat: c\ncopy: 12 overlays/x\n":         `line 3: expected "copy: SHA256 overlays/…", got "copy: 12 overlays/x"`,
		"copy: " + strings.Repeat("0", 64) + " mesh.yaml\n":     `line 1: expected "copy: SHA256 overlays/…", got "copy: ` + strings.Repeat("0", 64) + ` mesh.yaml"`,
		"copy: " + strings.Repeat("0", 64) + " overlays/../x\n": `line 1: expected "copy: SHA256 overlays/…", got "copy: ` + strings.Repeat("0", 64) + ` overlays/../x"`,
		"topology: a\n<<<<<<< HEAD\nformat: b\n":                `line 2: expected "topology: NAME" or another line of a marker, got "<<<<<<< HEAD"`,
		"\x7fELF\x00":                                           `line 1: expected "topology: NAME" or another line of a marker, got "\x7fELF\x00"`,
	} {
		_, err := parseMarker([]byte(text))
		assert.EqualError(t, err, want, "%q", text)
	}
}

func FuzzParseMarker(f *testing.F) {
	f.Add(record{Marker: Marker{Topology: "a", Format: "b", Version: "(devel)"}, writing: true}.text())
	f.Add([]byte("topology: a\r\nformat: b\r\n"))
	f.Add([]byte("topology: a\ntopology: b\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseMarker(text)
		if err != nil {
			return
		}
		again, err := parseMarker(m.text())
		require.NoError(t, err)
		require.Equal(t, m, again)
	})
}
