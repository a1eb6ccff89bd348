package topology

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// format is what a text must look like. problem returns what is wrong with a
// text in the form "must …", or "".
type format struct {
	rule    string
	hint    string
	problem func(string) string
}

// formats are the values of the struct tag format.
var formats = map[string]format{
	"label": matching(RuleValue, `[a-z0-9]([-a-z0-9]*[a-z0-9])?`, 63,
		"must be lower-case letters, digits and '-', at most 63, starting and ending with a letter or digit"),
	"name": matching(RuleValue, `[a-z0-9]([-.a-z0-9]*[a-z0-9])?`, 253,
		"must be lower-case letters, digits, '-' and '.', starting and ending with a letter or digit"),
	"instanceName": matching(RuleValue, `[a-z]([-a-z0-9]*[a-z0-9])?`, 40, // the operator's own limit
		"must be lower-case letters, digits and '-', at most 40, starting with a letter"),
	"meshID": matching(RuleValue, `[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?`, 63,
		"must be letters, digits, '-', '_' and '.', at most 63, starting and ending with a letter or digit"),
	"duration": {rule: RuleValue, problem: func(s string) string {
		if s == "" || !duration.MatchString(s) || !strings.ContainsAny(s, "123456789") {
			return `must be a duration such as "30s" or "1m30s"`
		}
		return ""
	}},
	"host": matching(RuleValue, `[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+`, 253,
		"must be a host name in lower case, without scheme, port or path"),
	// The name becomes a key of a Secret and a folder: Kiali's own rule for
	// the key, and nothing that a path could be made of.
	"clusterName": {
		rule:    "ID02",
		hint:    "use the name that Istio has for the cluster (values.global.multiCluster.clusterName)",
		problem: clusterNameProblem,
	},
	"server": {
		rule:    "RS02",
		hint:    "give the URL of the API server as the hub's pods reach it, such as https://api.west.example.com:6443",
		problem: serverProblem,
	},
}

func matching(rule, pattern string, most int, problem string) format {
	re := regexp.MustCompile(`^(?:` + pattern + `)$`)
	return format{rule: rule, problem: func(s string) string {
		if s == "" || len(s) > most || !re.MatchString(s) {
			return problem
		}
		return ""
	}}
}

// duration is what both Prometheus and Kiali read as one.
var duration = regexp.MustCompile(`^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$`)

var clusterName = regexp.MustCompile(`^[A-Za-z0-9][-._A-Za-z0-9]*$`)

func clusterNameProblem(s string) string {
	if !clusterName.MatchString(s) || strings.Contains(s, "..") || strings.HasSuffix(s, ".") || len(s) > 253 {
		return "must be letters, digits, '-', '_' and '.', starting with a letter or digit, without '..' and no '.' at the end"
	}
	return ""
}

// serverProblem tells what keeps a pod on the hub from reaching an API server
// at this URL.
func serverProblem(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return "must be a URL such as https://api.west.example.com:6443"
	}
	if u.Scheme != "https" {
		return "must start with https://"
	}
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return "must have no user, query or fragment"
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return "must have a port between 1 and 65535"
		}
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return "must not be the loopback host"
	}
	if host == "kubernetes" || host == "kubernetes.default" || strings.HasPrefix(host, "kubernetes.default.svc") {
		return fmt.Sprintf("must not be %s, which is the hub itself when a pod on the hub asks", host)
	}
	if ip, err := netip.ParseAddr(host); err == nil && (ip.Unmap().IsLoopback() || ip.IsUnspecified()) {
		return "must not be a loopback address"
	}
	return ""
}
