package main

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/google/licensecheck"
)

// module is a Go module that is linked into the program, with its licence.
type module struct {
	Path, Version string
	Sum           string   // as go.sum has it
	Licences      []string // SPDX identifiers, sorted
	Texts         []text
}

// text is a file of a module that a copy of it has to be accompanied by.
type text struct {
	Name    string
	Content []byte
}

// linkedModules reads from the programs themselves which modules are in them,
// and from Go's module cache what their licences are. Go's own library is one
// of them. A module without a licence that is known is an error.
func linkedModules(binaries []binary) ([]module, error) {
	linked := map[string]module{}
	goVersion := ""
	for _, b := range binaries {
		info, err := buildinfo.ReadFile(b.File)
		if err != nil {
			return nil, err
		}
		goVersion = info.GoVersion
		for _, m := range info.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			linked[m.Path] = module{Path: m.Path, Version: m.Version, Sum: m.Sum}
		}
	}
	root, err := goOutput("env", "GOROOT")
	if err != nil {
		return nil, err
	}
	modules := []module{{Path: "std", Version: strings.TrimPrefix(goVersion, "go")}}
	if err := modules[0].readLicences(root); err != nil {
		return nil, err
	}
	cache, err := goOutput("env", "GOMODCACHE")
	if err != nil {
		return nil, err
	}
	for _, path := range slices.Sorted(maps.Keys(linked)) {
		m := linked[path]
		if err := m.readLicences(filepath.Join(cache, escaped(m.Path)+"@"+escaped(m.Version))); err != nil {
			return nil, err
		}
		modules = append(modules, m)
	}
	return modules, nil
}

// escaped is a path as the module cache has it: a capital is a small letter
// after an exclamation mark (https://go.dev/ref/mod#module-cache).
func escaped(path string) string {
	return capitals.ReplaceAllStringFunc(path, func(s string) string { return "!" + strings.ToLower(s) })
}

var (
	capitals = regexp.MustCompile(`[A-Z]`)
	licence  = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([-._].*)?$`)
)

// readLicences reads the licence files at the top of a module's folder.
func (m *module) readLicences(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	found := map[string]bool{}
	for _, e := range entries {
		if !e.Type().IsRegular() || !licence.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		m.Texts = append(m.Texts, text{e.Name(), content})
		for _, match := range licensecheck.Scan(content).Match {
			if !match.IsURL {
				found[match.ID] = true
			}
		}
	}
	if m.Licences = slices.Sorted(maps.Keys(found)); len(m.Licences) == 0 {
		return fmt.Errorf("%s %s: no licence was found in %s; look at it, and teach this program where it is", m.Path, m.Version, dir)
	}
	return nil
}

// notice is the text that has to accompany the program: every licence of every
// module, word for word.
func notice(modules []module) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString("Sightline\nCopyright The Sightline authors. Licensed under the Apache License, Version 2.0; see LICENSE.\n\n" +
		"The program contains the Go modules below, under the licences that follow each name.\n")
	for _, m := range modules {
		fmt.Fprintf(&out, "\n%s\n%s %s (%s)\n", strings.Repeat("=", 80), m.Path, m.Version, strings.Join(m.Licences, ", "))
		for _, t := range m.Texts {
			fmt.Fprintf(&out, "\n-- %s --\n%s\n", t.Name, bytes.TrimSpace(t.Content))
		}
	}
	return out.Bytes(), nil
}

// writeBill writes the software bill of materials in CycloneDX' form. It names
// each module by its package URL (https://github.com/package-url/purl-spec).
func (r *release) writeBill(modules []module) error {
	bill := cyclonedx.NewBOM()
	product := cyclonedx.Component{
		BOMRef: "pkg:golang/github.com/sightline-mesh/sightline@" + r.Version,
		Type:   cyclonedx.ComponentTypeApplication, Name: "sightline", Version: r.Version,
		PackageURL: "pkg:golang/github.com/sightline-mesh/sightline@" + r.Version,
		Licenses:   licences([]string{"Apache-2.0"}),
	}
	bill.Metadata = &cyclonedx.Metadata{Timestamp: r.Date.Format("2006-01-02T15:04:05Z"), Component: &product}
	var components []cyclonedx.Component
	var refs []string
	for _, m := range modules {
		url := "pkg:golang/" + m.Path + "@" + m.Version
		components = append(components, cyclonedx.Component{
			BOMRef: url, Type: cyclonedx.ComponentTypeLibrary, Name: m.Path, Version: m.Version, PackageURL: url, Licenses: licences(m.Licences),
		})
		refs = append(refs, url)
	}
	bill.Components = &components
	bill.Dependencies = &[]cyclonedx.Dependency{{Ref: product.BOMRef, Dependencies: &refs}}
	var out bytes.Buffer
	if err := cyclonedx.NewBOMEncoder(&out, cyclonedx.BOMFileFormatJSON).SetPretty(true).Encode(bill); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.Out, fmt.Sprintf("sightline_%s.cdx.json", r.Version)), out.Bytes(), 0o644)
}

func licences(ids []string) *cyclonedx.Licenses {
	var all cyclonedx.Licenses
	for _, id := range ids {
		all = append(all, cyclonedx.LicenseChoice{License: &cyclonedx.License{ID: id}})
	}
	return &all
}

func goOutput(args ...string) (string, error) {
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}
