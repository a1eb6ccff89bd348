package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// nobody is the user of the image: not root, and no user of a usual system.
// A cluster may run the image as any other user; nothing in it is owned.
const nobody = "65532"

// imageFolder is the folder of the image in the output folder, in the OCI layout
// (https://github.com/opencontainers/image-spec/blob/main/image-layout.md).
const imageFolder = "image"

// writeImage writes one image with a variant for every Linux program. A variant
// has only the program, the licences, a passwd file, an empty /tmp and the
// certificate authorities that Mozilla trusts.
func (r *release) writeImage(binaries []binary, notice []byte) error {
	var index v1.ImageIndex = mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, b := range binaries {
		if b.OS != "linux" {
			continue
		}
		image, err := r.image(b, notice)
		if err != nil {
			return err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: b.OS, Architecture: b.Arch}},
		})
	}
	outer := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{
		Add: index, Descriptor: v1.Descriptor{Annotations: map[string]string{"org.opencontainers.image.ref.name": r.Version}},
	})
	_, err := layout.Write(filepath.Join(r.Out, imageFolder), outer)
	return err
}

func (r *release) image(b binary, notice []byte) (v1.Image, error) {
	program, err := os.ReadFile(b.File)
	if err != nil {
		return nil, err
	}
	files := []file{
		{Path: "etc/passwd", Content: []byte("nonroot:x:" + nobody + ":" + nobody + "::/tmp:/sbin/nologin\n")},
		{Path: "etc/ssl/certs/ca-certificates.crt", Content: authorities()},
		{Path: "licenses/NOTICE", Content: notice},
		{Path: "usr/local/bin/sightline", Content: program, Program: true},
	}
	content, err := r.layer(files)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
		tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	image := mutate.MediaType(mutate.ConfigMediaType(empty.Image, types.OCIConfigJSON), types.OCIManifestSchema1)
	if image, err = mutate.AppendLayers(image, layer); err != nil {
		return nil, err
	}
	return mutate.ConfigFile(image, &v1.ConfigFile{
		OS: b.OS, Architecture: b.Arch, Created: v1.Time{Time: r.Date},
		RootFS:  rootFS(image),
		History: []v1.History{{Created: v1.Time{Time: r.Date}, CreatedBy: "tools/release"}},
		Config: v1.Config{
			User: nobody + ":" + nobody, WorkingDir: "/tmp",
			Entrypoint: []string{"/usr/local/bin/sightline"},
			Env:        []string{"PATH=/usr/local/bin", "HOME=/tmp"},
			Labels: map[string]string{
				"org.opencontainers.image.title":    "sightline",
				"org.opencontainers.image.version":  r.Version,
				"org.opencontainers.image.revision": r.Hash,
				"org.opencontainers.image.source":   "https://github.com/sightline-mesh/sightline",
				"org.opencontainers.image.licenses": "Apache-2.0",
			},
		},
	})
}

func rootFS(image v1.Image) v1.RootFS {
	config, err := image.ConfigFile()
	if err != nil {
		return v1.RootFS{} // mutate computed it a moment ago, in memory
	}
	return config.RootFS
}

// layer packs files with the folders above them, and an empty /tmp that every
// user may write to.
func (r *release) layer(files []file) ([]byte, error) {
	var out bytes.Buffer
	packed := tar.NewWriter(&out)
	folders := []string{"tmp/"}
	for _, f := range files {
		for dir := path.Dir(f.Path); dir != "."; dir = path.Dir(dir) {
			folders = append(folders, dir+"/")
		}
	}
	slices.Sort(folders)
	for _, name := range slices.Compact(folders) {
		mode := int64(0o755)
		if name == "tmp/" {
			mode = 0o1777
		}
		if err := packed.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: mode, ModTime: r.Date,
			Format: tar.FormatPAX}); err != nil {
			return nil, err
		}
	}
	for _, f := range files {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.Path, Mode: f.mode(), Size: int64(len(f.Content)), ModTime: r.Date,
			Format: tar.FormatPAX}
		if err := packed.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := packed.Write(f.Content); err != nil {
			return nil, err
		}
	}
	err := packed.Close()
	return out.Bytes(), err
}

// authorities are the certificate authorities of Mozilla's list, as Go publishes
// them, in PEM. Those that Mozilla trusts only up to a date are left out: a file
// cannot say so.
func authorities() []byte {
	var out strings.Builder
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			fmt.Fprintf(&out, "%s", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
		}
	}
	return []byte(out.String())
}
