package topology

import (
	"strings"
	"testing"
)

// FuzzServer checks that every URL gets an answer, and that no accepted URL has
// a user or an empty host.
func FuzzServer(f *testing.F) {
	for _, server := range []string{"", "https://a", "//", "https://[::1%25a]:1", "https://u:p@h", "https:a", ":", "%", "\x00", "https:///"} {
		f.Add(server)
	}
	f.Fuzz(func(t *testing.T, server string) {
		problem, _ := serverProblem(server)
		host, ok := strings.CutPrefix(server, "https://")
		host, _, _ = strings.Cut(host, "/")
		if problem == "" && (!ok || host == "" || strings.ContainsAny(host, "@<> ") || strings.ContainsAny(server, "?#")) {
			t.Errorf("%q is taken", server)
		}
	})
}
