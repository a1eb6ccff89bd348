package topology

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/credential"
	"github.com/sightline-mesh/sightline/internal/finding"
)

// The rules about credentials in what is read. For what is rendered they hold
// too, which is the matter of check.
const (
	RuleCredential = "RS05" // a text that is a credential by its form
	RuleReference  = "PM26" // a field for a credential that has no reference
)

// removed stands where a credential was.
const removed = "[removed]"

// credentials finds the credentials in a document, and takes them out of it
// before it is decoded, so that no other finding repeats them.
func (d *decoder) credentials(root *yaml.Node) {
	credential.Scan(credential.Node(root), func(f credential.Found) {
		key, value := credential.NodeOf(f.Part)
		where := "the " + d.want.what
		if len(f.Path) > 0 {
			where = Dotted(f.Path)
		}
		at := d.at(value)
		switch {
		case f.InComment:
			if key != nil && key.Kind == yaml.ScalarNode {
				at = d.at(key)
			}
			d.secrets.Add(at, RuleCredential, CredentialHint, "a comment beside %s has %s in it, which would stand in Git", where, f.What)
			return
		case f.What == "":
			if key != nil {
				d.keys[at] = d.at(key)
			}
			d.secrets.Add(at, RuleReference, referenceHint(f.Path), "%s must be a reference to a Secret, so that no credential stands in Git", where)
		default:
			d.secrets.Add(at, RuleCredential, hintFor(f.What), "%s has %s in it, which would stand in Git", where, f.What)
		}
		d.taken[at] = true
		value.Value = removed
		if key != nil && key.Kind == yaml.ScalarNode && credential.FindSetting(key.Value) != "" {
			d.taken[d.at(key)] = true
			key.Value = removed
		}
	})
}

func hintFor(what string) string {
	if strings.HasPrefix(what, "a URL with ") {
		return "leave out what is before the @, and make a new one"
	}
	return CredentialHint
}

// CredentialHint says what to do about a credential in Git.
const CredentialHint = "take it out, make a new one, and refer to a Secret: secret:<name>:<key>"

// referenceHint says where a credential belongs, by the path of its field.
func referenceHint(path []any) string {
	in := func(key string) bool { return slices.Contains(path, any(key)) }
	switch {
	case in("remoteWrite"):
		return "put it into a Secret in openshift-user-workload-monitoring and name that, such as {name: thanos-writer, key: token}"
	case in("exec"):
		return "mount a Secret into Kiali's pod (deployment.custom_secrets), and have the program read it there"
	case in("kiali"), in("auth"):
		return formats["secretRef"].hint
	}
	return "put it into a Secret, and name that"
}

// all are the findings with those about credentials, one for each place. A field
// that takes references only says best what to do; a key that does not exist is
// enough of a finding; and what is said of a value that was taken out means
// nothing.
func (d *decoder) all(findings finding.Findings) finding.Findings {
	if len(d.secrets) == 0 {
		return findings.Sorted()
	}
	said := map[finding.Position]bool{}
	for _, f := range findings {
		said[f.Position] = said[f.Position] || f.Rule == RuleReference || f.Rule == RuleUnknown
	}
	findings = slices.DeleteFunc(findings, func(f finding.Finding) bool { return d.taken[f.Position] && f.Rule != RuleReference })
	for _, f := range d.secrets {
		at, named := d.keys[f.Position]
		if !said[f.Position] && !(named && said[at]) {
			findings = append(findings, f)
		}
	}
	return findings.Sorted()
}
