package main

import (
	"bytes"
	"embed"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// download is where the archives of a release are published.
const download = "https://github.com/sightline-mesh/sightline/releases/download/"

//go:embed krew.yaml.tmpl homebrew.rb.tmpl
var packageTemplates embed.FS

// writePackages writes the manifests with which krew and Homebrew install the
// archives: sightline.yaml and sightline.rb. Each has the archives' checksums.
func (r *release) writePackages(archives []archive) error {
	args := map[string]any{
		"Version":  r.Version,
		"Number":   strings.TrimPrefix(r.Version, "v"), // Homebrew's versions have no v
		"URL":      download + r.Version + "/",
		"Archives": archives,
		"Brewed":   brewed(archives),
	}
	for from, to := range map[string]string{"krew.yaml.tmpl": "sightline.yaml", "homebrew.rb.tmpl": "sightline.rb"} {
		t, err := template.ParseFS(packageTemplates, from)
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := t.Execute(&out, args); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(r.Out, to), out.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// brewed are the archives by the words of Homebrew's formulae.
func brewed(archives []archive) map[string]map[string]archive {
	words := map[string]string{"darwin": "macos", "linux": "linux", "amd64": "intel", "arm64": "arm"}
	by := map[string]map[string]archive{}
	for _, a := range archives {
		if words[a.OS] == "" {
			continue
		}
		if by[words[a.OS]] == nil {
			by[words[a.OS]] = map[string]archive{}
		}
		by[words[a.OS]][words[a.Arch]] = a
	}
	return by
}
