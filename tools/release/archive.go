package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// file is one file of an archive.
type file struct {
	Path    string
	Content []byte
	Program bool // it can be run
}

// archive is a finished archive in the output folder.
type archive struct {
	platform
	Name   string
	SHA256 string
}

// besides returns what every archive has beside the program: the licences, the
// pages for man, and the completions of shells, which the program itself prints.
func (r *release) besides(work string, notice []byte) ([]file, error) {
	files := []file{{Path: "NOTICE", Content: notice}}
	for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md"} {
		content, err := os.ReadFile(filepath.Join(r.Root, name))
		if err != nil {
			return nil, err
		}
		files = append(files, file{Path: name, Content: content})
	}
	pages, err := filepath.Glob(filepath.Join(r.Root, "docs", "man", "*.1"))
	if err != nil || len(pages) == 0 {
		return nil, fmt.Errorf("docs/man has no pages: %v", err)
	}
	for _, page := range pages {
		content, err := os.ReadFile(page)
		if err != nil {
			return nil, err
		}
		files = append(files, file{Path: "man/" + filepath.Base(page), Content: content})
	}
	host, err := r.build(platform{runtime.GOOS, runtime.GOARCH}, filepath.Join(work, "host"))
	if err != nil {
		return nil, err
	}
	for shell, name := range map[string]string{"bash": "sightline.bash", "zsh": "_sightline", "fish": "sightline.fish",
		"powershell": "sightline.ps1"} {
		script, err := exec.Command(host.File, "completion", shell).Output()
		if err != nil {
			return nil, fmt.Errorf("sightline completion %s: %w", shell, err)
		}
		files = append(files, file{Path: "completions/" + name, Content: script})
	}
	return files, nil
}

// archive packs the program of one platform with all that goes beside it: as
// .zip for Windows, as .tar.gz for all others.
func (r *release) archive(b binary, beside []file) (archive, error) {
	program, err := os.ReadFile(b.File)
	if err != nil {
		return archive{}, err
	}
	files := append([]file{{b.program(), program, true}}, beside...)
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.Path, b.Path) })
	a := archive{platform: b.platform, Name: fmt.Sprintf("sightline_%s_%s_%s", r.Version, b.OS, b.Arch)}
	pack, suffix := r.tarball, ".tar.gz"
	if b.OS == "windows" {
		pack, suffix = r.zipped, ".zip"
	}
	a.Name += suffix
	content, err := pack(files)
	if err != nil {
		return archive{}, err
	}
	a.SHA256 = sum(content)
	return a, os.WriteFile(filepath.Join(r.Out, a.Name), content, 0o644)
}

func (f file) mode() int64 {
	if f.Program {
		return 0o755
	}
	return 0o644
}

// tarball packs files without an owner and with the date of the commit.
func (r *release) tarball(files []file) ([]byte, error) {
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out) // its header has no name and no time
	packed := tar.NewWriter(zipped)
	for _, f := range files {
		err := packed.WriteHeader(&tar.Header{Name: f.Path, Mode: f.mode(), Size: int64(len(f.Content)), ModTime: r.Date, Format: tar.FormatPAX})
		if err != nil {
			return nil, err
		}
		if _, err := packed.Write(f.Content); err != nil {
			return nil, err
		}
	}
	if err := packed.Close(); err != nil {
		return nil, err
	}
	err := zipped.Close()
	return out.Bytes(), err
}

func (r *release) zipped(files []file) ([]byte, error) {
	var out bytes.Buffer
	packed := zip.NewWriter(&out)
	for _, f := range files {
		header := &zip.FileHeader{Name: f.Path, Method: zip.Deflate, Modified: r.Date}
		header.SetMode(os.FileMode(f.mode()))
		w, err := packed.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(f.Content); err != nil {
			return nil, err
		}
	}
	err := packed.Close()
	return out.Bytes(), err
}

func sum(content []byte) string {
	digest := sha256.Sum256(content)
	return hex.EncodeToString(digest[:])
}

// writeChecksums writes a line for each file of the output folder, in the form
// that `sha256sum --check` reads.
func (r *release) writeChecksums() error {
	entries, err := os.ReadDir(r.Out)
	if err != nil {
		return err
	}
	var lines strings.Builder
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		content, err := os.ReadFile(filepath.Join(r.Out, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&lines, "%s  %s\n", sum(content), e.Name())
	}
	return os.WriteFile(filepath.Join(r.Out, "checksums.txt"), []byte(lines.String()), 0o644)
}
