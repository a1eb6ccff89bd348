package rig

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// Program is a program that the suite builds from a module in e2e/bin.
type Program struct {
	Name    string // of the file
	Module  string // directory below e2e/bin
	Package string // in this module or in one that it requires
	Tags    string // build tags
	Link    string // flags of the linker
}

// Programs has all programs, by the tier that needs them.
var Programs = struct{ Core, Full []Program }{
	Core: []Program{
		// Helm asks the server for its version. Releases of Kubernetes set it in this way.
		{Name: "kube", Module: "kube", Package: ".", Link: "-X k8s.io/component-base/version.gitVersion=v1.36.3"},
	},
	Full: full,
}

// Path returns the file that Build makes, below bin in the suite's home. The path has
// a digest of all inputs of the program, so an existing file is up to date. modules is
// the directory e2e/bin.
func (p Program) Path(modules string) (string, error) {
	home, err := Home()
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	fmt.Fprintln(hash, p, runtime.Version())
	dir := filepath.Join(modules, p.Module)
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		fmt.Fprintf(hash, "%s %x\n", name, sha256.Sum256(data))
		return err
	})
	if err != nil {
		return "", err
	}
	return filepath.Join(home, "bin", hex.EncodeToString(hash.Sum(nil)[:6]), p.Name), nil
}

// Build builds the program if it is not there yet, and says so on log. It downloads
// only what the module's go.sum has.
func (p Program) Build(modules string, log io.Writer) error {
	path, err := p.Path(modules)
	if err != nil {
		return err
	}
	if _, err = os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	fmt.Fprintf(log, "e2e: building %s, which the first time takes minutes\n", p.Name)
	// The file gets its name when it is complete, so an interrupted build leaves none.
	partial := path + ".partial"
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-tags", p.Tags, "-ldflags", "-s -w "+p.Link, "-o",
		partial, p.Package)
	cmd.Dir = filepath.Join(modules, p.Module)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOTOOLCHAIN=local", "GOFLAGS=")
	cmd.Stdout, cmd.Stderr = log, log
	if err = cmd.Run(); err != nil {
		return fmt.Errorf("build of %s in %s: %w", p.Package, cmd.Dir, err)
	}
	return os.Rename(partial, path)
}

const envHome = "SIGHTLINE_E2E_HOME"

// Home returns the directory for the built programs: SIGHTLINE_E2E_HOME, or
// sightline-e2e in the user's cache.
func Home() (string, error) {
	if home := os.Getenv(envHome); home != "" {
		return filepath.Abs(home)
	}
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "sightline-e2e"), err
}
