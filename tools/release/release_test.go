package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/CycloneDX/cyclonedx-go"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"
)

// made builds a release of HEAD for this platform from a copy of the checkout
// of its own, and returns its folder.
func made(t *testing.T) string {
	t.Helper()
	here, err := git("", "rev-parse", "--show-toplevel")
	require.NoError(t, err)
	c, err := head(here)
	require.NoError(t, err)
	c.Root = filepath.Join(t.TempDir(), "checkout")
	require.NoError(t, os.Mkdir(c.Root, 0o755))
	packed := exec.Command("git", "archive", "HEAD")
	packed.Dir = here
	content, err := packed.Output()
	require.NoError(t, err)
	unpack(t, bytes.NewReader(content), c.Root)
	r := release{commit: c, Version: "v0.0.0-test", Out: t.TempDir()}
	require.NoError(t, r.make([]platform{{runtime.GOOS, runtime.GOARCH}}))
	return r.Out
}

// unpack unpacks a tar stream of files and folders.
func unpack(t *testing.T, in io.Reader, dir string) {
	t.Helper()
	packed := tar.NewReader(in)
	for {
		header, err := packed.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		name := filepath.Join(dir, filepath.FromSlash(header.Name))
		switch header.Typeflag {
		case tar.TypeDir:
			require.NoError(t, os.MkdirAll(name, 0o755))
			require.NoError(t, os.Chmod(name, header.FileInfo().Mode().Perm()|header.FileInfo().Mode()&fs.ModeSticky))
		case tar.TypeReg:
			content, err := io.ReadAll(packed)
			require.NoError(t, err)
			require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
			require.NoError(t, os.WriteFile(name, content, header.FileInfo().Mode().Perm()))
		case tar.TypeXGlobalHeader: // the commit, which git archive puts first
		default:
			t.Fatalf("%s has type %c", header.Name, header.Typeflag)
		}
	}
}

// contents are the files below a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, dir)] = sum(content)
		return err
	}))
	return files
}

// Everything about a release is tried on one that is made here, because making
// it takes longest.
func TestRelease(t *testing.T) {
	out := made(t)
	archiveName := "sightline_v0.0.0-test_" + runtime.GOOS + "_" + runtime.GOARCH + ".tar.gz"
	unpacked := t.TempDir()
	packed, err := os.Open(filepath.Join(out, archiveName))
	require.NoError(t, err)
	defer packed.Close()
	plain, err := gzip.NewReader(packed)
	require.NoError(t, err)
	unpack(t, plain, unpacked)

	t.Run("a second one has the same bytes", func(t *testing.T) {
		t.Setenv("TZ", "Asia/Tokyo")
		t.Setenv("HOME", homeWithCaches(t))
		first, second := contents(t, out), contents(t, made(t))
		require.Equal(t, first, second)
	})

	t.Run("the program says its version", func(t *testing.T) {
		text, err := exec.Command(filepath.Join(unpacked, "sightline"), "version", "--output", "json").Output()
		require.NoError(t, err)
		var said struct{ Version, Commit, Date string }
		require.NoError(t, json.Unmarshal(text, &said))
		c, err := head("")
		require.NoError(t, err)
		if said.Version != "v0.0.0-test" || said.Commit != c.Hash || said.Date != c.Date.Format("2006-01-02T15:04:05Z") {
			t.Errorf("the program says %s; the commit is %s of %s", text, c.Hash, c.Date)
		}
	})

	t.Run("the archive is complete", func(t *testing.T) {
		for _, name := range []string{"LICENSE", "NOTICE", "README.md", "man/sightline.1", "man/sightline-render.1",
			"completions/sightline.bash", "completions/_sightline", "completions/sightline.fish", "completions/sightline.ps1"} {
			if info, err := os.Stat(filepath.Join(unpacked, name)); err != nil || info.Size() == 0 {
				t.Errorf("%s: %v", name, err)
			}
		}
	})

	t.Run("the checksums are right", func(t *testing.T) {
		verify := exec.Command("sha256sum", "--check", "--strict", "checksums.txt")
		verify.Dir = out
		if text, err := verify.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, text)
		}
	})

	t.Run("the bill of materials and the notice name every module", func(t *testing.T) {
		text, err := os.ReadFile(filepath.Join(out, "sightline_v0.0.0-test.cdx.json"))
		require.NoError(t, err)
		bill := new(cyclonedx.BOM)
		require.NoError(t, cyclonedx.NewBOMDecoder(bytes.NewReader(text), cyclonedx.BOMFileFormatJSON).Decode(bill))
		notice, err := os.ReadFile(filepath.Join(unpacked, "NOTICE"))
		require.NoError(t, err)
		billed := map[string]bool{}
		for _, c := range *bill.Components {
			billed[c.Name] = true
			if c.Licenses == nil || len(*c.Licenses) == 0 || !bytes.Contains(notice, []byte("\n"+c.Name+" "+c.Version+" (")) {
				t.Errorf("%s has no licence, or the notice leaves it out", c.Name)
			}
		}
		listed, err := exec.Command("go", "version", "-m", filepath.Join(unpacked, "sightline")).Output()
		require.NoError(t, err)
		for line := range strings.Lines(string(listed)) {
			if fields := strings.Fields(line); len(fields) > 2 && fields[0] == "dep" && !billed[fields[1]] {
				t.Errorf("%s is in the program and not in the bill", fields[1])
			}
		}
	})

	t.Run("the image runs with nothing around it", func(t *testing.T) { tryImage(t, out) })
	t.Run("kubectl runs it as a plugin", func(t *testing.T) { tryPlugin(t, unpacked) })
	t.Run("the action installs it and runs its steps", func(t *testing.T) { tryAction(t, out) })
	t.Run("the hooks keep a commit from being made", func(t *testing.T) { tryHook(t, unpacked) })
	t.Run("charts and the image can be pushed", func(t *testing.T) { tryRegistry(t, unpacked, out) })
}

// homeWithCaches is a home folder that shares only Go's caches with this one.
func homeWithCaches(t *testing.T) string {
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH"} {
		dir, err := goOutput("env", name)
		require.NoError(t, err)
		t.Setenv(name, dir)
	}
	return t.TempDir()
}

// tryImage unpacks the image into a folder and runs it there as its own user,
// with that folder as the root of all files.
func tryImage(t *testing.T, out string) {
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("only root may change the root folder of a program; run as root on Linux")
	}
	image := readImage(t, filepath.Join(out, imageFolder))
	require.NoError(t, validate.Image(image))
	config, err := image.ConfigFile()
	require.NoError(t, err)
	root := t.TempDir()
	unpack(t, mutate.Extract(image), root)
	require.NoError(t, os.Chmod(root, 0o755)) // the user of the image has to get in
	run := func(args ...string) string {
		cmd := exec.Command(config.Config.Entrypoint[0], args...)
		cmd.Dir, cmd.Env = config.Config.WorkingDir, config.Config.Env
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
		text, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("sightline %s: %v\n%s", strings.Join(args, " "), err, text)
		}
		return string(text)
	}
	if text := run("version"); !strings.Contains(text, "v0.0.0-test") {
		t.Errorf("the image says %s", text)
	}
	example, err := os.ReadFile("../../topologies/east-west.yaml")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(root, "mesh.yaml"), example, 0o644))
	run("render", "/mesh.yaml", "-o", "rendered")
	if _, err := os.Stat(filepath.Join(root, "tmp", "rendered", "clusters")); err != nil {
		t.Error(err)
	}
	authorities, err := os.ReadFile(filepath.Join(root, "etc", "ssl", "certs", "ca-certificates.crt"))
	require.NoError(t, err)
	if n := bytes.Count(authorities, []byte("BEGIN CERTIFICATE")); n < 50 {
		t.Errorf("the image trusts %d certificate authorities", n)
	}
}

// readImage reads the image of this architecture from an OCI layout.
func readImage(t *testing.T, dir string) v1.Image {
	index, err := layout.ImageIndexFromPath(dir)
	require.NoError(t, err)
	for {
		manifest, err := index.IndexManifest()
		require.NoError(t, err)
		d := manifest.Manifests[0]
		if d.MediaType.IsIndex() {
			index, err = index.ImageIndex(d.Digest)
			require.NoError(t, err)
			continue
		}
		image, err := index.Image(d.Digest)
		require.NoError(t, err)
		return image
	}
}

// tryPlugin has kubectl find the program as krew installs it: under the name
// kubectl-sightline, on the path.
func tryPlugin(t *testing.T, unpacked string) {
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		t.Skip("kubectl is not installed")
	}
	bin := t.TempDir()
	require.NoError(t, os.Symlink(filepath.Join(unpacked, "sightline"), filepath.Join(bin, "kubectl-sightline")))
	cmd := exec.Command(kubectl, "sightline", "version")
	cmd.Env = append(os.Environ(), "PATH="+bin)
	text, err := cmd.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(text), "sightline v0.0.0-test") {
		t.Errorf("kubectl sightline version: %v: %s", err, text)
	}
}

func TestVersionRefused(t *testing.T) {
	for _, version := range []string{"", "0.1.0", "v0.1", "v01.0.0", "v0.1.0+build", "v0.1.0;rm"} {
		if err := run(version, t.TempDir(), []string{"linux/amd64"}); err == nil || !strings.Contains(err.Error(), "expected a version such as v0.1.0") {
			t.Errorf("%q: %v", version, err)
		}
	}
}

func TestPackages(t *testing.T) {
	r := release{Version: "v1.2.3", Out: t.TempDir()}
	var archives []archive
	for _, p := range platforms {
		archives = append(archives, archive{p, "sightline_v1.2.3_" + p.OS + "_" + p.Arch + ".tar.gz", strings.Repeat("0", 64)})
	}
	require.NoError(t, r.writePackages(archives))
	for _, name := range []string{"sightline.yaml", "sightline.rb"} {
		got, err := os.ReadFile(filepath.Join(r.Out, name))
		require.NoError(t, err)
		want, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
	}
}
