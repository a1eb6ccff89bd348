package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// platform is an operating system and an architecture, as Go names them.
type platform struct{ OS, Arch string }

func (p platform) String() string { return p.OS + "/" + p.Arch }

// program is the file name of the program on the platform.
func (p platform) program() string {
	if p.OS == "windows" {
		return "sightline.exe"
	}
	return "sightline"
}

var platforms = []platform{
	{"linux", "amd64"}, {"linux", "arm64"},
	{"darwin", "amd64"}, {"darwin", "arm64"},
	{"windows", "amd64"}, {"windows", "arm64"},
}

func allPlatforms() []string {
	var names []string
	for _, p := range platforms {
		names = append(names, p.String())
	}
	return names
}

func parsePlatforms(names []string) ([]platform, error) {
	var chosen []platform
	for _, name := range names {
		i := slices.IndexFunc(platforms, func(p platform) bool { return p.String() == name })
		if i < 0 {
			return nil, fmt.Errorf("-platforms names %q; the platforms are %s", name, strings.Join(allPlatforms(), ", "))
		}
		chosen = append(chosen, platforms[i])
	}
	return chosen, nil
}

// binary is the program for one platform.
type binary struct {
	platform
	File string
}

// build compiles the program. -trimpath takes the paths of this machine out of
// it, -s -w the symbols that only a debugger reads. What Go would record of the
// checkout depends on its tags, so the version is given to the linker instead.
func (r *release) build(p platform, work string) (binary, error) {
	b := binary{p, filepath.Join(work, p.OS+"-"+p.Arch, p.program())}
	set := func(name, value string) string { return " -X main." + name + "=" + value }
	flags := "-s -w" + set("releaseVersion", r.Version) + set("releaseCommit", r.Hash) + set("releaseDate",
		r.Date.Format("2006-01-02T15:04:05Z"))
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", b.File, "./cmd/sightline")
	cmd.Dir = r.Root
	// GOAMD64 and GOARM64 could be set on this machine.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOOS="+p.OS, "GOARCH="+p.Arch, "GOAMD64=v1", "GOARM64=v8.0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return b, fmt.Errorf("go build for %s: %w\n%s", p, err, out)
	}
	return b, nil
}
