package kiali

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestRights shows on what the rights of Kiali's account depend.
func TestRights(t *testing.T) {
	t.Parallel()
	text := func(i Installation) []string {
		var all []string
		for _, r := range Rights(i) {
			all = append(all, strings.TrimSuffix(fmt.Sprintf("%s %s/%s %s", strings.Join(r.Verbs, ","), r.Group, r.Resource, r.Name), " "))
		}
		return all
	}
	base := Installation{Line: Default, Strategy: "openid", Logs: true}
	assert.Contains(t, text(base), "get,list,watch networking.istio.io/virtualservices")
	for _, c := range []struct {
		what   string
		change func(*Installation)
		adds   []string
		takes  []string
	}{
		{"an older line", func(i *Installation) { i.Line = V2_27 }, []string{"get,list,watch /endpoints"}, nil},
		{"a line without inference pools", func(i *Installation) { i.Line = V2_11 }, []string{"get,list,watch /endpoints"},
			[]string{"get,list,watch inference.networking.k8s.io/inferencepools"}},
		{"no logs", func(i *Installation) { i.Logs = false }, nil, []string{"get,list,watch /pods/log"}},
		{"OpenShift", func(i *Installation) { i.OpenShift, i.Strategy, i.Client = true, "openshift", "kiali-istio-system" },
			[]string{"get,list,watch apps.openshift.io/deploymentconfigs", "get route.openshift.io/routes",
				"get oauth.openshift.io/oauthclients kiali-istio-system"}, nil},
		{"nobody logs in, and may only look", func(i *Installation) { i.Strategy, i.ViewOnly = "anonymous", true }, nil, nil},
	} {
		t.Run(c.what, func(t *testing.T) {
			i := base
			c.change(&i)
			before, after := text(base), text(i)
			assert.ElementsMatch(t, c.adds, slices.DeleteFunc(slices.Clone(after), func(s string) bool { return slices.Contains(before, s) }))
			assert.ElementsMatch(t, c.takes, slices.DeleteFunc(slices.Clone(before), func(s string) bool { return slices.Contains(after, s) }))
		})
	}
	anonymous := text(Installation{Line: Default, Strategy: "anonymous", Logs: true})
	assert.Contains(t, anonymous, "get,list,watch,create,delete,patch networking.istio.io/virtualservices")
	assert.Contains(t, anonymous, "get,list,watch,patch apps/deployments")
	assert.Contains(t, anonymous, "get,list,watch /configmaps")
}
