package topology

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sightline-mesh/sightline/internal/finding"
)

// format is the form of a string. problem returns what is wrong with a string,
// in the form "must …", or "". It also returns a hint if it has a better one
// than the hint of the format.
type format struct {
	rule    string
	hint    string
	problem func(string) (problem, hint string)
	secret  bool   // a wrong value may be a credential, so no message repeats it
	number  string // integer or number: a number of this type is accepted too, without quotes
	limits  [2]int // of the number

	// For the JSON Schema: a valid string matches every pattern. If there are
	// examples, an invalid string may match the patterns too.
	patterns []string
	most     int // characters
	examples []string
}

// repository matches the path of a repository.
const repository = `([^\s@?#*[\]{}\\]|\{\{[^\s{}]*\}\}|\$\{[^\s{}]*\})+`

// hostAndPort is roughly what a URL has before its path.
const hostAndPort = `(\[[^\]/?#@]+\]|[A-Za-z0-9][-._A-Za-z0-9]*)(:[0-9]+)?`

const hostLabel = `[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?`

// formats are the values of the struct tag format.
var formats = map[string]format{
	"label": matching(`[a-z0-9]([-a-z0-9]*[a-z0-9])?`, 63, "",
		"must be lower-case letters, digits and '-', at most 63, starting and ending with a letter or digit"),
	"name": matching(`[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*`, 253, "",
		"must be lower-case letters, digits, '-' and single '.', at most 253, starting and ending with a letter or digit"),
	"instanceName": matching(`[a-z]([-a-z0-9]*[a-z0-9])?`, 40, "write it like kiali, or kiali-mesh", // the operator's own limit
		"must be lower-case letters, digits and '-', at most 40, starting with a letter and ending with a letter or digit").as("KC11"),
	"meshID": matching(`[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?`, 63, "use the id that Istio has for the mesh (values.global.meshID)",
		"must be letters, digits, '-', '_' and '.', at most 63, starting and ending with a letter or digit"),
	"host": matching(hostLabel+`(\.`+hostLabel+`)+`, 253, "write it like apps.east.example.com",
		"must be a host name in lower case, without scheme, port or path"),
	"labelKey": matching(`([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?`, 317, "",
		"must be the key of a label, such as env or example.com/env"),
	"labelName": matching(`[a-zA-Z_][a-zA-Z0-9_]*`, 253, "write it like cluster_name",
		"must be letters, digits and '_', not starting with a digit"),
	"labelValue": matching(`([A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?)?`, 63, "",
		"must be letters, digits, '-', '_' and '.', at most 63, starting and ending with a letter or digit"),
	"namespacedName": matching(`[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z0-9]([-.a-z0-9]*[a-z0-9])?`, 317,
		"write it like open-cluster-management-global-set/global",
		"must be a namespace and a name with a '/' between them"),
	// The durations of Prometheus that MultiClusterObservability accepts.
	"retention": matching(`[1-9][0-9]*[hdwy]`, 0, "write it like 14d or 24h",
		"must be a number of hours, days, weeks or years, such as 14d"),
	"webRoot": matching(`/|(/[-._~A-Za-z0-9]+)+`, 253, "write it like /kiali",
		"must be a path that starts with / and does not end with one"),
	// In the repositories of an AppProject, Argo CD reads *, [ and { as
	// patterns. {{…}} and ${…} are left to the rules DL01 and DL02.
	"repoURL": matching(`(https?://|ssh://|oci://)[^\s@:*[\]{}\\]*@?`+repository+`|[-._A-Za-z0-9]+@[-.A-Za-z0-9]+:`+repository, 2048,
		"write it like https://git.example.com/platform/mesh.git, git@git.example.com:platform/mesh.git or oci://registry.example.com/mesh",
		"must be the URL of a Git repository or of an OCI artifact, without a password or a wildcard"),
	"chartURL": matching(`(https?|oci)://[^\s@?#*[\]{}\\]+`, 2048,
		"write it like https://kiali.org/helm-charts or oci://registry.example.com/charts",
		"must be the URL of a repository of charts, without a login"),
	"repoPath": matching(`\.|[-_A-Za-z0-9][-._A-Za-z0-9]*(/[-_A-Za-z0-9][-._A-Za-z0-9]*)*`, 1024,
		"write it like rendered/east-west, relative to the top of the repository",
		"must be a path of letters, digits, '-', '_' and '.', without a '/' at either end"),
	// In the destinations of an AppProject, * matches every cluster.
	"argoName": matching(`[A-Za-z0-9]([-._:/@A-Za-z0-9]*[A-Za-z0-9])?`, 253, "write the name that argocd cluster list prints",
		"must be letters, digits, '-', '_', '.', ':', '/' and '@', starting and ending with a letter or digit"),
	"revision": matching(`[A-Za-z0-9]([-._/+A-Za-z0-9]*[A-Za-z0-9])?`, 255, "",
		"must be the name of a branch or tag, or a commit"),
	"maxUpdate": matching(`[1-9][0-9]{0,5}|(100|[1-9][0-9]?)%`, 0, "",
		"must be a number or a percentage, such as 1 or 25%").orNumber("integer", 1, 999999),
	"percent": matching(`100|[1-9]?[0-9](\.[0-9]+)?(e-[0-9]{1,2})?`, 0, "1 is usual; 100 traces every request",
		"must be a percentage from 0 to 100, such as 1 or 0.5").orNumber("number", 0, 100).as("TR05"),
	"quantity": matching(`[1-9][0-9]*(Mi|Gi|Ti)`, 0, "",
		"must be a size such as 10Gi"),
	"uuid": matching(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`, 0, "uuidgen prints one",
		"must be a UUID in lower case"),
	"chartVersion": matching(`v?[0-9]+\.[0-9]+\.[0-9]+([-+][-.+0-9A-Za-z]+)?`, 0, "write it like 2.27.0",
		"must be one exact version"),
	"storeKey": matching(`[A-Za-z0-9_]([-._/A-Za-z0-9]|\{cluster\})*|\{cluster\}([-._/A-Za-z0-9]|\{cluster\})*`, 200,
		"write it like mesh/{cluster}",
		"must be letters, digits, '-', '_', '.' and '/', with {cluster} for the name of the remote"),
	// In UTC, to the second, so that a string sorts after another if its time
	// is later.
	"instant": matching(`[0-9]{4}-(0[1-9]|1[0-2])-([0-2][0-9]|3[01])T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z`, 0,
		"write it like \"2036-01-01T00:00:00Z\"",
		"must be a time in UTC, to the second"),
	// These two are in sealed links. Nobody writes them by hand.
	"linkDigest": matching(`[0-9a-f]{32}:[0-9a-f]{64}`, 97, sealAgainHint,
		"must be a salt and a SHA-256 in hexadecimal, as written by seal").unrepeated(),
	"fingerprint": matching(`[0-9a-f]{64}`, 64, sealAgainHint, "must be a SHA-256 in hexadecimal, as written by seal").unrepeated(),
	"pem": {
		rule:     RuleValue,
		hint:     "paste the certificates below ca: |, beginning with -----BEGIN CERTIFICATE-----; never put a private key here",
		problem:  certificatesProblem,
		secret:   true,
		patterns: []string{`^\s*-----BEGIN CERTIFICATE-----`},
		examples: []string{exampleCA},
	},
	"certificates": {
		rule: RuleValue,
		hint: "name a file next to the topology, such as ca.pem, or paste the certificates below ca: |, beginning with -----BEGIN " +
			"CERTIFICATE-----; never put a private key here",
		problem:  authoritiesProblem,
		secret:   true,
		patterns: []string{`^\s*-----BEGIN CERTIFICATE-----|\.(pem|crt|cer)$`},
		examples: []string{exampleCA}, // an example with a file would lack the file's content
	},
	"ageRecipient": {
		rule:     RuleValue,
		hint:     "write the public key that age-keygen prints, which starts with age1; the private key never belongs here",
		problem:  ageRecipientProblem,
		secret:   true,
		patterns: []string{`^age1(pq1)?[0-9a-z]+$`},
		examples: []string{"age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"},
	},
	"secretRef": {
		rule:     "PM26",
		hint:     "put the credential into a Secret in Kiali's namespace and write secret:<name>:<key>",
		problem:  secretRefProblem,
		secret:   true,
		patterns: []string{secretRef.String()},
	},
	"url": {
		rule:     RuleValue,
		hint:     "write it like http://prometheus.istio-system:9090",
		problem:  urlProblem,
		patterns: []string{`^[Hh][Tt][Tt][Pp][Ss]?://` + hostAndPort + `(/[^?#]*)?$`},
		examples: []string{"http://prometheus.istio-system:9090", "https://thanos.example.com/api"},
	},
	"argoServer": {
		rule:     RuleValue,
		hint:     "write the URL that argocd cluster list prints",
		problem:  argoServerProblem,
		patterns: []string{`^[Hh][Tt][Tt][Pp][Ss]?://` + hostAndPort + `(/[^?#*{}]*)?$`},
		examples: []string{"https://api.west.example.com:6443", "https://kubernetes.default.svc"},
	},
	"duration": {rule: RuleValue, problem: durationProblem, patterns: []string{duration.String(), `[1-9]`}},
	// The name becomes a key of a Secret and a folder. The pattern is Kiali's
	// rule for the key, and excludes everything that could form a path.
	"clusterName": {
		rule:     "ID02",
		hint:     "use the name of the cluster in Istio (values.global.multiCluster.clusterName)",
		problem:  clusterNameProblem,
		patterns: []string{clusterName.String()},
		most:     longestClusterName,
	},
	"server": {
		rule:     "RS02",
		hint:     ServerHint,
		problem:  serverProblem,
		patterns: []string{`^https://` + hostAndPort + `(/[^?#]*)?$`},
		examples: []string{"https://api.west.example.com:6443", "https://10.0.0.1:6443", "https://[2001:db8::1]:6443/clusters/west"},
	},
}

// matching returns a format for strings that match a pattern and have at most
// the given number of characters. With most 0, the length has no limit.
func matching(pattern string, most int, hint, problem string) format {
	re := regexp.MustCompile(`^(?:` + pattern + `)$`)
	return format{
		rule: RuleValue,
		hint: hint,
		problem: func(s string) (string, string) {
			if most > 0 && len(s) > most || !re.MatchString(s) {
				return problem, ""
			}
			return "", ""
		},
		patterns: []string{re.String()},
		most:     most,
	}
}

// as is the format with another rule.
func (f format) as(rule string) format {
	f.rule = rule
	return f
}

// unrepeated is the format with messages that do not repeat a wrong value.
func (f format) unrepeated() format {
	f.secret = true
	return f
}

// orNumber is the format that also accepts numbers.
func (f format) orNumber(number string, least, most int) format {
	f.number, f.limits = number, [2]int{least, most}
	return f
}

// duration matches what both Prometheus and Kiali accept as a duration.
var duration = regexp.MustCompile(`^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$`)

func durationProblem(s string) (string, string) {
	const problem = "must be hours, minutes and seconds, such as 30s or 1m30s"
	switch {
	case s != "" && strings.Trim(s, "0123456789") == "":
		return problem, fmt.Sprintf("add a unit: %ss", finding.Shorten(s))
	case s == "" || !duration.MatchString(s):
		return problem, ""
	case !strings.ContainsAny(s, "123456789"):
		return "must be more than zero", ""
	}
	return "", ""
}

// clusterName allows no two dots in a row and no dot at the end.
var clusterName = regexp.MustCompile(`^[A-Za-z0-9](\.?[-_A-Za-z0-9])*$`)

// longestClusterName leaves room for .yaml in the names of files, which file
// systems limit to 255 bytes.
const longestClusterName = 250

func clusterNameProblem(s string) (string, string) {
	switch {
	case len(s) > longestClusterName:
		return fmt.Sprintf("must have at most %d characters and has %d", longestClusterName, utf8.RuneCountInString(s)), ""
	case !clusterName.MatchString(s):
		return "must be letters, digits, '-', '_' and '.', starting with a letter or digit, without '..' and no '.' at the end", ""
	}
	return "", ""
}

var (
	serverHost = regexp.MustCompile(`^[A-Za-z0-9]([-_A-Za-z0-9]*[A-Za-z0-9])?(\.[A-Za-z0-9]([-_A-Za-z0-9]*[A-Za-z0-9])?)*\.?$`)
	digitsLast = regexp.MustCompile(`(^|\.)(0[xX][0-9A-Fa-f]*|[0-9]+)\.?$`)
)

// exampleCA is a CA that has signed nothing. Nobody has its key.
const exampleCA = `-----BEGIN CERTIFICATE-----
MIIBSDCB+6ADAgECAhR56DFSFHlpShfTIVEm+G2vLV+ksjAFBgMrZXAwGTEXMBUG
A1UEAwwOY2EuZXhhbXBsZS5jb20wIBcNMjYxMTI3MjMwMDI4WhgPMjEyNjExMDMy
MzAwMjhaMBkxFzAVBgNVBAMMDmNhLmV4YW1wbGUuY29tMCowBQYDK2VwAyEA9JhD
ERzaBGXc6sC6bqNVm4B3FiNsAI1M5zN0wCCld4mjUzBRMB0GA1UdDgQWBBT0YeCZ
tuG4+OXsz6BMi3OWBYoFazAfBgNVHSMEGDAWgBT0YeCZtuG4+OXsz6BMi3OWBYoF
azAPBgNVHRMBAf8EBTADAQH/MAUGAytlcANBAALXGD4YRV0e8YRc9F8ED2ZnuO9M
n1/CHmlkl3l6fllVWfuMqh7tol7s5xTjf+cLEREP5D6IlxuXvNpLePJdTgA=
-----END CERTIFICATE-----
`

// authoritiesProblem checks for certificates, or for the name of a file with
// certificates.
func authoritiesProblem(s string) (problem, hint string) {
	if caFile.MatchString(s) {
		return "", ""
	}
	return certificatesProblem(s)
}

// certificatesProblem checks for certificates in PEM, and nothing else.
func certificatesProblem(s string) (problem, hint string) {
	const must = "must be certificates in PEM"
	rest := []byte(s)
	for n := 0; ; n++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			if n == 0 || strings.TrimSpace(string(rest)) != "" {
				return must, ""
			}
			return "", ""
		}
		if block.Type != "CERTIFICATE" {
			return must + ", and nothing else", ""
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return must + ", but one of them cannot be read", ""
		}
	}
}

// serverProblem says why a pod on the hub cannot reach an API server at this
// URL.
func serverProblem(s string) (problem, hint string) {
	u, err := url.Parse(s)
	switch {
	case err != nil && strings.Contains(err.Error(), "invalid port"):
		return portProblem, ""
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		if !strings.Contains(s, "/") {
			if problem, _ := serverProblem("https://" + s); problem == "" {
				hint = "add the scheme: https://" + finding.Shorten(s)
				if u, err := url.Parse("https://" + s); err == nil && u.Port() == "" {
					hint += ", and the port if it is not 443"
				}
			}
		}
		return "must be a URL such as https://api.west.example.com:6443", hint
	case !strings.HasPrefix(s, "https://"):
		return "must start with https://", ""
	case u.User != nil:
		return "must have no user", "remove everything before the @; credentials belong into the link's kubeconfig, never into a topology"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(s, "#"):
		return "must have no query or fragment", ""
	}
	if !hasPort(u) {
		return portProblem, ""
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	ip, err := netip.ParseAddr(host)
	switch {
	case err == nil && ip.Unmap().IsLoopback(), host == "localhost", strings.HasSuffix(host, ".localhost"):
		return fmt.Sprintf("must not be %s, because for a pod on the hub this is the pod itself", finding.Shorten(host)), ""
	case err == nil && ip.Unmap().IsUnspecified():
		return fmt.Sprintf("must not be %s, because nothing can connect to this address", host), ""
	case err == nil:
		return "", ""
	case host == "kubernetes", host == "kubernetes.default", host == "kubernetes.default.svc",
		strings.HasPrefix(host, "kubernetes.default.svc."):
		return fmt.Sprintf("must not be %s, because for a pod on the hub this is the hub itself", finding.Shorten(host)), ""
	case !isHost(host):
		return hostProblem, ""
	}
	return "", ""
}

const (
	portProblem = "must have a port between 1 and 65535"
	hostProblem = "must have a host name or an IP address"
)

// hasPort tells whether a URL has a valid port or none.
func hasPort(u *url.URL) bool {
	port, err := strconv.Atoi(u.Port())
	return !strings.HasSuffix(u.Host, ":") && (u.Port() == "" || err == nil && port >= 1 && port <= 65535)
}

// isHost tells whether a name is a valid host name.
func isHost(name string) bool {
	return len(name) <= 253 && serverHost.MatchString(name) && !digitsLast.MatchString(name)
}

var secretRef = regexp.MustCompile(`^secret:[a-z0-9]([-.a-z0-9]*[a-z0-9])?:[-._a-zA-Z0-9]+$`)

// secretRefProblem refuses everything but a reference, because anything else
// may be the credential itself.
func secretRefProblem(s string) (string, string) {
	if !secretRef.MatchString(s) {
		return "must be a reference to a Secret, so that no credential is in Git", ""
	}
	return "", ""
}

// urlProblem says why s is not the URL of a service.
func urlProblem(s string) (problem, hint string) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return "must be an http or https URL", ""
	case u.User != nil:
		return "must have no user", "remove everything before the @ and use auth"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(s, "#"):
		return "must have no query or fragment", ""
	case !hasPort(u):
		return portProblem, ""
	}
	if _, err = netip.ParseAddr(u.Hostname()); err != nil && !isHost(u.Hostname()) {
		return hostProblem, ""
	}
	return "", ""
}

// argoServerProblem refuses a URL that would match more than one cluster in the
// destinations of an AppProject.
func argoServerProblem(s string) (problem, hint string) {
	if problem, hint = urlProblem(s); problem == "" && strings.ContainsAny(s, "*{}") {
		problem = "must not contain *, { or }"
	}
	return problem, hint
}

// ServerHint says what to do about a server that is wrong or missing.
const ServerHint = "write the URL at which the hub's pods reach the API server, such as https://api.west.example.com:6443"

// ServerProblem says why pods on the hub cannot reach an API server at a URL,
// in the form "must …", or returns "".
func ServerProblem(s string) string {
	problem, _ := serverProblem(s)
	return problem
}

// CertificatesProblem says why a string is not certificates in PEM, in the form
// "must …", or returns "".
func CertificatesProblem(s string) string {
	problem, _ := certificatesProblem(s)
	return problem
}

// LabelProblem says why a string cannot be the name of a namespace or a volume,
// in the form "must …", or returns "".
func LabelProblem(s string) string {
	problem, _ := formats["label"].problem(s)
	return problem
}

// LabelValueProblem says why a string cannot be the value of a label, in the
// form "must …", or returns "".
func LabelValueProblem(s string) string {
	problem, _ := formats["labelValue"].problem(s)
	return problem
}
