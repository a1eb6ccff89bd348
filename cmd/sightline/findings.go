package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/credential"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/sarif"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/topologies"
)

// The outputs of commands that print findings.
const (
	outputText   = "text"
	outputJSON   = "json"
	outputSARIF  = "sarif"
	outputGitHub = "github"
)

func findingOutputs() []string { return []string{outputText, outputJSON, outputSARIF, outputGitHub} }

// unknownOutput returns the error of an output that does not exist, or nil.
func unknownOutput(output string, known []string) error { return unknownOf("output", output, known) }

// unknownOf returns the error of a word that is not one of the known words, or nil.
func unknownOf(what, word string, known []string) error {
	if slices.Contains(known, word) {
		return nil
	}
	hint := finding.DidYouMean(word, known)
	if hint == "" {
		last := len(known) - 1
		hint = "the " + what + "s are " + strings.Join(known[:last], ", ") + " and " + known[last]
	}
	return &hinted{fmt.Errorf("unknown %s %q", what, word), hint}
}

// printFindings prints findings for people. On a terminal, each finding has the line
// of the file that causes it. Elsewhere the findings are lines that editors and grep
// understand.
func printFindings(w io.Writer, findings finding.Findings) error {
	screen := terminal(w)
	if screen == nil {
		for _, f := range findings {
			if _, err := fmt.Fprintln(w, seal.Redact(f.String())); err != nil {
				return err
			}
		}
		return nil
	}
	s := sources{given: givenTo(w), files: map[string][]string{}, hidden: map[finding.Position]bool{}}
	for _, f := range findings {
		if f.Rule == topology.RuleCredential || f.Rule == topology.RuleReference {
			s.hidden[finding.Position{File: f.File, Line: f.Line}] = true
		}
	}
	var text strings.Builder
	columns := columnsOf(screen)
	explained := map[string]bool{}
	for _, f := range findings {
		writeFinding(&text, f, s.line(f.Position), columns)
		if rule, _ := check.Lookup(f.Rule); rule != nil && !explained[f.Rule] {
			explained[f.Rule] = true
			fmt.Fprintf(&text, "more: sightline explain %s\n", f.Rule)
		}
		text.WriteByte('\n')
	}
	_, err := io.WriteString(screen, text.String())
	return err
}

// writeFinding writes a finding for a terminal. If line is "", no line of the file is
// shown.
func writeFinding(text *strings.Builder, f finding.Finding, line string, columns int) {
	colour := [...]int{finding.Error: red, finding.Warning: yellow, finding.Info: cyan}[f.Severity]
	said := func(s string) string { return finding.VisibleText(seal.Redact(s)) }
	fmt.Fprintf(text, "%s: %s: %s: %s\n", said(f.Position.String()), painted(colour, f.Severity.String()), f.Rule, said(f.Message))
	if strings.TrimSpace(line) != "" {
		shown, under := f.Position.Excerpt(line, columns)
		place := strings.IndexByte(under, '^')
		fmt.Fprintf(text, "%s\n%s%s\n", shown, under[:place], painted(colour, under[place:]))
	}
	if f.Hint != "" {
		fmt.Fprintf(text, "hint: %s\n", said(f.Hint))
	}
}

// sources has the lines of the files with findings.
type sources struct {
	given  []byte // the content of standard input
	files  map[string][]string
	hidden map[finding.Position]bool // lines with a credential
}

// line returns the line that a finding is about. It returns "" if the line may have a
// credential, or the file cannot be read again.
func (s *sources) line(at finding.Position) string {
	lines, known := s.files[at.File]
	if !known {
		lines = strings.Split(string(s.read(at.File)), "\n")
		s.files[at.File] = lines
	}
	if at.Line < 1 || at.Line > len(lines) || s.hidden[finding.Position{File: at.File, Line: at.Line}] {
		return ""
	}
	if line := lines[at.Line-1]; !credential.InLine(line) {
		return line
	}
	return ""
}

func (s *sources) read(file string) []byte {
	if file == displayName("-") {
		return s.given
	}
	if name, ok := strings.CutPrefix(file, "<built-in "); ok {
		text, _, _ := topologies.Example(strings.TrimSuffix(name, ">"))
		return text
	}
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	text, err := readFile(file)
	if err != nil {
		return nil
	}
	return bytes.TrimPrefix(text, []byte("\ufeff"))
}

// printEncoded prints findings for programs.
func printEncoded(w io.Writer, output string, findings finding.Findings) error {
	data, err := encodeFindings(output, findings)
	if err == nil {
		_, err = w.Write(data)
	}
	return err
}

// encodeFindings returns findings for programs: as JSON, as SARIF, or as commands of a
// GitHub workflow.
func encodeFindings(output string, findings finding.Findings) ([]byte, error) {
	plain := make(finding.Findings, len(findings))
	for i, f := range findings {
		f.Message, f.Hint = seal.Redact(f.Message), seal.Redact(f.Hint)
		plain[i] = f
	}
	switch output {
	case outputSARIF:
		tool := sarif.Tool{Name: "sightline", Version: thisBuild().Version, URL: "https://github.com/sightline-mesh/sightline"}
		return sarif.Log(tool, plain, sarifRule)
	case outputGitHub:
		var lines bytes.Buffer
		for _, f := range plain {
			fmt.Fprintln(&lines, f.WorkflowCommand())
		}
		return lines.Bytes(), nil
	}
	list := make([]printed, len(plain))
	for i, f := range plain {
		list[i] = printed{f.Severity.String(), f.Rule, f.File, f.Line, f.Col, f.Message, f.Hint}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(list)
	return out.Bytes(), err
}

func sarifRule(id string) sarif.Rule {
	r, _ := check.Lookup(id)
	if r == nil {
		return sarif.Rule{ID: id, Title: id, Page: id}
	}
	page := "What: " + r.What + "\n\nWhy: " + r.Why + "\n\nFix: " + r.Fix
	if r.Source != "" {
		page += "\n\nSource: " + r.Source
	}
	return sarif.Rule{ID: r.ID, Title: r.Title, Page: finding.WithPages(page), Severity: r.Severity}
}

// printed is a finding in the output json.
type printed struct {
	Severity string `json:"severity"`
	Rule     string `json:"rule"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
}
