// Package sarif writes findings in the Static Analysis Results Interchange
// Format, version 2.1.0
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html), which code
// scanning and editors read.
package sarif

import (
	"bytes"
	"encoding/json"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// Rule is the description of a rule for a reader.
type Rule struct {
	ID       string
	Title    string // what is true if the rule has no finding
	Page     string // what the rule checks, why, and what to do; several lines
	Severity finding.Severity
}

// Tool is the program that has made the findings.
type Tool struct{ Name, Version, URL string }

// Log returns the findings of one run as a SARIF log. rules returns the description of a
// rule by its id. The log has the rules with findings.
func Log(tool Tool, findings finding.Findings, rules func(id string) Rule) ([]byte, error) {
	var ids []string
	for _, f := range findings {
		ids = append(ids, f.Rule)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	descriptors := make([]descriptor, len(ids))
	for i, id := range ids {
		r := rules(id)
		descriptors[i] = descriptor{ID: id, Short: message{r.Title}, Help: message{r.Page}, Default: configuration{level(r.Severity)}}
	}
	results := make([]result, len(findings))
	for i, f := range findings {
		text := f.Message
		if f.Hint != "" {
			text += "\nhint: " + f.Hint
		}
		at, _ := slices.BinarySearch(ids, f.Rule)
		results[i] = result{RuleID: f.Rule, RuleIndex: at, Level: level(f.Severity), Message: message{text}, Locations: locations(f.Position)}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(log{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0",
		Runs: []run{{
			Tool:       toolOf{driver{tool.Name, tool.Version, tool.URL, descriptors}},
			ColumnKind: "unicodeCodePoints", // what Position.Col counts
			Results:    results,
		}},
	})
	return out.Bytes(), err
}

func level(s finding.Severity) string { return [...]string{"error", "warning", "note"}[s] }

// locations returns the place of a finding: a path relative to the working directory of
// the program, or the URI of a file.
func locations(p finding.Position) []location {
	if p.File == "" {
		return []location{}
	}
	place := physical{Artifact: artifact{address(p.File)}}
	if p.Line > 0 {
		place.Region = &region{p.Line, max(p.Col, 1)}
	}
	return []location{{place}}
}

// address returns a file as a URI reference.
func address(file string) string {
	u := url.URL{Path: filepath.ToSlash(filepath.Clean(file))}
	if strings.HasPrefix(u.Path, "/") {
		u.Scheme = "file"
	}
	return u.String()
}

type log struct {
	Schema  string `json:"$schema"`
	Version string `json:"version"`
	Runs    []run  `json:"runs"`
}

type run struct {
	Tool       toolOf   `json:"tool"`
	ColumnKind string   `json:"columnKind"`
	Results    []result `json:"results"`
}

type toolOf struct {
	Driver driver `json:"driver"`
}

type driver struct {
	Name    string       `json:"name"`
	Version string       `json:"version"`
	URL     string       `json:"informationUri"`
	Rules   []descriptor `json:"rules"`
}

type descriptor struct {
	ID      string        `json:"id"`
	Short   message       `json:"shortDescription"`
	Help    message       `json:"help"`
	Default configuration `json:"defaultConfiguration"`
}

type configuration struct {
	Level string `json:"level"`
}

type result struct {
	RuleID    string     `json:"ruleId"`
	RuleIndex int        `json:"ruleIndex"`
	Level     string     `json:"level"`
	Message   message    `json:"message"`
	Locations []location `json:"locations"`
}

type message struct {
	Text string `json:"text"`
}

type location struct {
	Physical physical `json:"physicalLocation"`
}

type physical struct {
	Artifact artifact `json:"artifactLocation"`
	Region   *region  `json:"region,omitempty"`
}

type artifact struct {
	URI string `json:"uri"`
}

type region struct {
	Line   int `json:"startLine"`
	Column int `json:"startColumn"`
}
