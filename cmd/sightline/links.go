package main

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/render"
)

// beside is what seal has left beside a topology.
type beside struct {
	links  render.Links // by the names of their files
	others []string     // files that are no links
	output string       // the path of the directory that is written, in its repository; "": none
	arg    string       // how commands are told of the topology, "" where it is no file
}

// readLinks reads the sealed links beside topologies that the arguments name,
// and returns all findings of all of them as one error, with what could be read. There are none beside
// standard input and the built-in example, and where they come from elsewhere
// nobody looks.
func readLinks(args []string, parsed []*topology.Topology) ([]beside, error) {
	all := make([]beside, len(parsed))
	var findings finding.Findings
	for i, t := range parsed {
		if len(args) == 0 || args[i] == "-" {
			continue
		}
		b := &all[i]
		b.arg = args[i]
		if t.Spec.Kiali.Links.Source == "external" {
			continue
		}
		found, err := b.read(linkFolder(b.arg, t))
		if err != nil {
			return nil, err
		}
		findings = append(findings, found...)
	}
	if len(findings) > 0 {
		return all, &invalid{findings: findings.Sorted()}
	}
	return all, nil
}

// read reads a folder of links, but for hidden files.
func (b *beside) read(folder string) (finding.Findings, error) {
	entries, err := readFolder(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b.links = render.Links{}
	var findings finding.Findings
	for _, entry := range entries {
		file := filepath.Join(folder, entry.Name())
		name, isLink := strings.CutSuffix(entry.Name(), ".yaml")
		switch {
		case strings.HasPrefix(entry.Name(), "."):
			continue
		case !isLink || entry.IsDir():
			b.others = append(b.others, file)
			continue
		}
		link, found, err := readLink(file)
		if err != nil {
			return nil, err
		}
		findings = append(findings, found...)
		if link != nil {
			b.links[name] = link
		}
	}
	return findings, nil
}
