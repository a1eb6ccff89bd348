package discover

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRights shows that the roles allow reading each kind in each of its versions,
// and allow no change.
func TestRights(t *testing.T) {
	roles, secrets := Rights()
	require.Len(t, roles, 2)
	require.Len(t, secrets, 2)
	rules := append(list(roles[0], "rules"), list(secrets[0], "rules")...)
	allowed := func(group, resource, name, verb string) bool {
		return slices.ContainsFunc(rules, func(r any) bool {
			names := list(r, "resourceNames")
			return slices.Contains(list(r, "apiGroups"), any(group)) && slices.Contains(list(r, "resources"), any(resource)) &&
				slices.Contains(list(r, "verbs"), any(verb)) && (len(names) == 0 || slices.Contains(names, any(name)))
		})
	}
	for _, k := range Kinds() {
		resource, _, _ := strings.Cut(k.Resource, ".")
		for _, version := range k.APIVersions {
			group, _, ok := strings.Cut(version, "/")
			if !ok {
				group = ""
			}
			verb := "list"
			if k.Name != "" {
				verb = "get"
			}
			assert.True(t, allowed(group, resource, k.Name, verb), "%s %s %s", verb, k.Resource, k.Name)
		}
	}
	for _, r := range rules {
		for _, verb := range list(r, "verbs") {
			assert.Contains(t, []any{"get", "list"}, verb)
		}
	}
	for _, r := range list(roles[0], "rules") {
		assert.NotContains(t, list(r, "resources"), "secrets")
	}
}
