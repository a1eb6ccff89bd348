// Command release builds everything that a release of Sightline consists of:
// an archive for each platform, checksums, a software bill of materials, the
// container image as an OCI layout, and the manifests of krew and Homebrew.
//
//	go run -C tools/release . -version v0.1.0 -out dist
//
// It reads the checkout that it is part of and writes the output folder. It
// publishes nothing. Equal commits give equal bytes: every time stamp is the
// commit's, nothing is taken from the machine but Go itself.
//
// It is a program and not a configuration of GoReleaser, because it needs no
// program beside Go and Git (GoReleaser calls syft for the bill of materials and
// an engine for the image), and because a test can hold its parts.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

func main() {
	version := flag.String("version", "", "version to build, such as v0.1.0 or v0.1.0-rc.1")
	out := flag.String("out", "dist", "folder to write; it must be absent or empty, relative to the checkout")
	only := flag.String("platforms", strings.Join(allPlatforms(), ","), "platforms to build, separated by commas")
	flag.Parse()
	if err := run(*version, *out, strings.Split(*only, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// commit is what a release is made from.
type commit struct {
	Root string    // the checkout
	Hash string    // of its HEAD
	Date time.Time // of that commit, UTC
}

// release is one release that is being made.
type release struct {
	commit
	Version string // with the v
	Out     string
}

// A version becomes a file name, a tag of an image and an argument of the
// linker. This is Semantic Versioning without build metadata, which no tag of an
// image can have (https://semver.org, https://github.com/opencontainers/distribution-spec).
var semantic = regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`)

func run(version, out string, platforms []string) error {
	if !semantic.MatchString(version) {
		return fmt.Errorf("-version is %q; expected a version such as v0.1.0 or v0.1.0-rc.1", version)
	}
	head, err := checkout()
	if err != nil {
		return err
	}
	r := release{commit: head, Version: version, Out: out}
	if !filepath.IsAbs(out) {
		r.Out = filepath.Join(head.Root, out)
	}
	if err := emptyFolder(r.Out); err != nil {
		return err
	}
	targets, err := parsePlatforms(platforms)
	if err != nil {
		return err
	}
	return r.make(targets)
}

// make builds everything into the output folder, which is empty.
func (r *release) make(targets []platform) error {
	work, err := os.MkdirTemp("", "sightline-release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	var binaries []binary
	for _, p := range targets {
		fmt.Fprintln(os.Stderr, "build", p)
		b, err := r.build(p, work)
		if err != nil {
			return err
		}
		binaries = append(binaries, b)
	}
	modules, err := linkedModules(binaries)
	if err != nil {
		return err
	}
	notice, err := notice(modules)
	if err != nil {
		return err
	}
	beside, err := r.besides(work, notice)
	if err != nil {
		return err
	}
	var archives []archive
	for _, b := range binaries {
		a, err := r.archive(b, beside)
		if err != nil {
			return err
		}
		archives = append(archives, a)
	}
	for _, step := range []func() error{
		func() error { return r.writeBill(modules) },
		func() error { return r.writeImage(binaries, notice) },
		func() error { return r.writePackages(archives) },
		r.writeChecksums,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// checkout describes the Git checkout that the program runs in. A release is
// made of a commit, so files that are not committed are an error.
func checkout() (commit, error) {
	root, err := git("", "rev-parse", "--show-toplevel")
	if err != nil {
		return commit{}, err
	}
	changed, err := git(root, "status", "--porcelain")
	if err != nil {
		return commit{}, err
	}
	if changed != "" {
		return commit{}, fmt.Errorf("the checkout has changes that are not committed; commit or stash them first:\n%s", changed)
	}
	return head(root)
}

func head(root string) (commit, error) {
	text, err := git(root, "log", "-1", "--format=%H %ct")
	if err != nil {
		return commit{}, err
	}
	var c commit
	var seconds int64
	if _, err := fmt.Sscan(text, &c.Hash, &seconds); err != nil {
		return commit{}, fmt.Errorf("git log: %w", err)
	}
	c.Root, c.Date = root, time.Unix(seconds, 0).UTC()
	return c, nil
}

func git(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}

func emptyFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty; remove it, or name another folder with -out", dir)
	}
	return err
}
