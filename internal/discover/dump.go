package discover

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// Dump makes a snapshot from files with objects, in the form of kubectl get -o yaml
// and -o json: one object, several documents, or lists. A kubeconfig among them gives
// the URL of the API server. Dump returns a finding for each file that cannot be read
// or that holds a credential.
func Dump(label string, files []Source) (*Snapshot, finding.Findings) {
	s := &Snapshot{Label: label, Dumped: true, asked: map[string]bool{}}
	var findings finding.Findings
	have := false // a pod with the environment of its proxy
	for _, f := range files {
		values, err := decode(f.Data, &have)
		if err != nil {
			if line := shellBlock(f.Data); line > 0 {
				findings.Add(finding.Position{File: f.Name, Line: line, Col: 1}, "AD12", "dump what it has made: kubectl get … -o yaml; in a "+
					"heredoc whose mark is not quoted, a shell takes the backslash out of \\$, and an editor does not",
					"it has a shell command, expected objects")
				continue
			}
			at, text := failedAt(f.Name, err)
			findings.Add(at, "AD12", "dump it again: kubectl get … -o yaml", "not readable: %s", text)
			continue
		}
		s.asked[resourceOf(f.Name)] = true
		for _, v := range values {
			s.add(v, f.Name, &findings)
		}
	}
	return s, findings
}

var heredoc = regexp.MustCompile(`(?m)^[ \t]*(?:\$ )?(?:cat|tee|oc|kubectl|sudo)\b.*<<-?[ \t]*['"\\]?\w+`)

// shellBlock is the line on which a shell command begins to read the rest of a file,
// as in code blocks of articles. It is 0 if there is none.
func shellBlock(data []byte) int {
	at := heredoc.FindIndex(data)
	if at == nil {
		return 0
	}
	return bytes.Count(data[:at[0]], []byte("\n")) + 1
}

var numbered = regexp.MustCompile(`^[0-9]+-`)

// resourceOf is the resource that a file of [Script] has in its name. An empty list
// does not name the kind of its items.
func resourceOf(file string) string {
	base := path.Base(strings.ReplaceAll(file, `\`, "/"))
	return numbered.ReplaceAllString(strings.TrimSuffix(base, path.Ext(base)), "")
}

// decode reads the documents of a file. It has a decoder for JSON, which is many
// times faster than YAML's.
func decode(data []byte, have *bool) ([]any, error) {
	if trimmed := bytes.TrimSpace(data); len(trimmed) > 0 && trimmed[0] == '{' {
		if v, err := resource.DecodeJSON(inJSON.prune(trimmed, have)); err == nil {
			return []any{v}, nil
		}
	}
	all, err := documents(inYAML.prune(data, have))
	if err != nil { // the line is in the whole file
		return documents(data)
	}
	return all, nil
}

func documents(data []byte) ([]any, error) {
	var all []any
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var v any
		err := decoder.Decode(&v)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, plain(v))
	}
}

// plain converts the types of a YAML decoder to the types that objects have.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			v[key] = plain(value)
		}
	case map[any]any:
		m := make(map[string]any, len(v))
		for key, value := range v {
			m[fmt.Sprint(key)] = plain(value)
		}
		return m
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case int:
		return json.Number(strconv.Itoa(v))
	case int64:
		return json.Number(strconv.FormatInt(v, 10))
	case uint64:
		return json.Number(strconv.FormatUint(v, 10))
	case float64:
		return json.Number(strconv.FormatFloat(v, 'g', -1, 64))
	case fmt.Stringer: // a time; objects have times as strings
		return v.String()
	}
	return v
}

var inLine = regexp.MustCompile(`line (\d+): `)

func failedAt(file string, err error) (finding.Position, string) {
	at, text := finding.Position{File: file, Line: 1, Col: 1}, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := inLine.FindStringSubmatchIndex(text); m != nil {
		at.Line, _ = strconv.Atoi(text[m[2]:m[3]])
		text = text[:m[0]] + text[m[1]:]
	}
	return at, text
}

// add adds an object, or the objects of a list.
func (s *Snapshot) add(v any, file string, findings *finding.Findings) {
	o, ok := v.(map[string]any)
	if !ok {
		return
	}
	if items, ok := o["items"].([]any); ok && strings.HasSuffix(text(o, "kind"), "List") {
		of := strings.TrimSuffix(text(o, "kind"), "List")
		for _, item := range items {
			if i, ok := item.(map[string]any); ok {
				if i["kind"] == nil && of != "" { // a list of one kind has the kind once
					i["kind"], i["apiVersion"] = of, o["apiVersion"]
				}
				s.add(i, file, findings)
			}
		}
		return
	}
	switch text(o, "kind") {
	case "":
		return
	case "Config":
		for _, c := range list(o, "clusters") {
			if server := text(c, "cluster", "server"); server != "" && s.Server == "" {
				s.Server = server
			}
		}
		if len(list(o, "users")) > 0 && hasCredential(list(o, "users")) {
			findings.Add(finding.Position{File: file, Line: 1, Col: 1}, "AD12",
				"delete the file; kubectl config view --minify leaves credentials out", "the kubeconfig holds a credential; init needs the URL "+
					"of the API server only")
		}
		return
	case "Secret":
		if len(object(o, "data"))+len(object(o, "stringData")) > 0 {
			findings.Add(finding.Position{File: file, Line: 1, Col: 1}, "AD12", "delete the file, and do not dump Secrets; init needs none",
				"Secret %s is in the dump with its data", place(o))
		}
		delete(o, "data")
		delete(o, "stringData")
	}
	if name(o) == "" {
		return // every object of a cluster has it
	}
	s.Objects = append(s.Objects, o)
}

// hasCredential tells whether a user of a kubeconfig has a readable credential.
// kubectl config view writes REDACTED and DATA+OMITTED instead.
func hasCredential(users []any) bool {
	for _, u := range users {
		for _, key := range []string{"token", "password", "client-key-data"} {
			if v := text(u, "user", key); v != "" && v != "REDACTED" && v != "DATA+OMITTED" {
				return true
			}
		}
	}
	return false
}
