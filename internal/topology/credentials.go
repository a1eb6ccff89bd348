package topology

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sightline-mesh/sightline/internal/credential"
	"github.com/sightline-mesh/sightline/internal/finding"
)

// The rules about credentials in files that are read. Package check applies the
// same rules to rendered objects.
const (
	RuleCredential = "RS05" // a string that looks like a credential
	RuleReference  = "PM26" // a field for a credential without a reference
)

// removed replaces a credential.
const removed = "[removed]"

// credentials finds the credentials in a document and removes them before the
// document is decoded, so that no other finding repeats them.
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
			d.secrets.Add(at, RuleCredential, CredentialHint, "a comment next to %s holds %s, which would be in Git", where, f.What)
			return
		case f.What == "":
			if key != nil {
				d.keys[at] = d.at(key)
			}
			d.secrets.Add(at, RuleReference, referenceHint(f.Path), "%s must be a reference to a Secret, so that no credential is in Git", where)
		default:
			d.secrets.Add(at, RuleCredential, hintFor(f.What), "%s holds %s, which would be in Git", where, f.What)
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
		return "remove everything before the @, and create a new credential"
	}
	return CredentialHint
}

// CredentialHint says what to do about a credential in Git.
const CredentialHint = "remove it, create a new credential, and refer to a Secret: secret:<name>:<key>"

// referenceHint says where the credential of a field belongs.
func referenceHint(path []any) string {
	in := func(key string) bool { return slices.Contains(path, any(key)) }
	switch {
	case in("remoteWrite"):
		return "put the credential into a Secret in openshift-user-workload-monitoring and name the Secret, such as {name: " +
			"thanos-writer, key: token}"
	case in("exec"):
		return "mount a Secret into Kiali's pod (deployment.custom_secrets), and let the program read it there"
	case in("kiali"), in("auth"):
		return formats["secretRef"].hint
	}
	return "put the credential into a Secret, and name the Secret"
}

// all returns the findings together with those about credentials, one for each
// position. A finding about a missing reference or an unknown key replaces the
// finding about the credential, because its hint is better. Other findings about
// a removed value are dropped, because they are about the replacement.
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
