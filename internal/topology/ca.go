package topology

import (
	"regexp"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// caFile matches the name of a file with certificates, next to the topology or
// in a folder below.
var caFile = regexp.MustCompile(`^[-_A-Za-z0-9]([-_A-Za-z0-9]|[./][-_A-Za-z0-9])*\.(pem|crt|cer)$`)

// CAFile is the path of the file with the CAs that the hub's Kiali trusts, relative to
// the topology. It is "" if the topology holds the certificates, if there is no CA, or
// after [Topology.Trust].
func (t *Topology) CAFile() string {
	if caFile.MatchString(t.Spec.Kiali.CA) {
		return t.Spec.Kiali.CA
	}
	return ""
}

// Trust replaces CAFile with the content of the file. If the content is wrong, it
// returns a finding at the line that names the file.
func (t *Topology) Trust(content []byte) finding.Findings {
	var findings finding.Findings
	if problem, hint := certificatesProblem(string(content)); problem != "" {
		if hint == "" {
			hint = "never put a private key here; openssl x509 -in FILE -noout -text prints a certificate"
		}
		findings.Add(t.At("spec", "kiali", "ca"), RuleValue, hint, "the file %s of spec.kiali.ca %s", finding.Shorten(t.Spec.Kiali.CA), problem)
		return findings
	}
	t.Spec.Kiali.CA = string(content)
	return nil
}
