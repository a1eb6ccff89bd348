//go:build unix

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// pictured is the kind of a chunk of text in a PNG, with its keyword. The text is the
// digest of the page that the PNG shows.
const pictured = "tEXtPage\x00"

// TestPagePicture holds docs/pictures/page.png against the page that it shows: that of
// the topology linked, with the status of simulated clusters. With -update it opens the
// page in Chromium and writes the PNG. Two releases of Chromium draw different bytes, so
// the PNG has the digest of the page, and the test compares that.
func TestPagePicture(t *testing.T) {
	t.Parallel()
	const path = "../../docs/pictures/page.png"
	dir := t.TempDir()
	_, found, _ := simulatedPages(t, "linked").run("--only", "names", "--output", "json")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "status.json"), []byte(found), 0o644))
	var page, stderr bytes.Buffer
	args := []string{"graph", "../../topologies/linked.yaml", "--status", filepath.Join(dir, "status.json"), "--output", "html"}
	require.Equal(t, exitOK, run(shared(t.Context()), args, nil, &page, &stderr), "%s", &stderr)
	sum := sha256.Sum256(page.Bytes())
	want := pictured + hex.EncodeToString(sum[:])
	if *update {
		chromium, err := exec.LookPath("chromium")
		require.NoError(t, err, "install Debian's package chromium")
		file, shot := filepath.Join(dir, "page.html"), filepath.Join(dir, "page.png")
		unfolded := bytes.ReplaceAll(page.Bytes(), []byte("<details>"), []byte("<details open>")) // as after a click
		require.NoError(t, os.WriteFile(file, unfolded, 0o644))
		out, err := exec.Command(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
			"--user-data-dir="+filepath.Join(dir, "profile"), "--window-size=1280,960", "--screenshot="+shot, "file://"+file).CombinedOutput()
		require.NoError(t, err, "%s", out)
		png, err := os.ReadFile(shot)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, withChunk(png, want), 0o644))
	}
	png, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(png), want, "the page has changed: run make pictures, and look at the picture")
}

// withChunk is a PNG with one more chunk, which begins with its kind, before its end.
func withChunk(png []byte, chunk string) []byte {
	end := len(png) - 12
	added := binary.BigEndian.AppendUint32(bytes.Clone(png[:end]), uint32(len(chunk)-4))
	added = binary.BigEndian.AppendUint32(append(added, chunk...), crc32.ChecksumIEEE([]byte(chunk)))
	return append(added, png[end:]...)
}
