package topology

import (
	"regexp"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// caFile is the name of a file with certificates, beside the topology or below.
var caFile = regexp.MustCompile(`^[-_A-Za-z0-9]([-_A-Za-z0-9]|[./][-_A-Za-z0-9])*\.(pem|crt|cer)$`)

// CAFile is the path of the file with the CAs that the hub's Kiali trusts, relative
// to the topology's; "" where the topology has the certificates themselves or none, or
// [Topology.Trust] has had the file.
func (t *Topology) CAFile() string {
	if caFile.MatchString(t.Spec.Kiali.CA) {
		return t.Spec.Kiali.CA
	}
	return ""
}

// Trust puts the content of CAFile in its place. What is wrong with it is a finding at
// the line that names the file.
func (t *Topology) Trust(content []byte) finding.Findings {
	var findings finding.Findings
	if problem, hint := certificatesProblem(string(content)); problem != "" {
		if hint == "" {
			hint = "a private key never belongs here; openssl x509 -in FILE -noout -text prints a certificate"
		}
		findings.Add(t.At("spec", "kiali", "ca"), RuleValue, hint, "the file %s of spec.kiali.ca %s", finding.Shorten(t.Spec.Kiali.CA), problem)
		return findings
	}
	t.Spec.Kiali.CA = string(content)
	return nil
}
