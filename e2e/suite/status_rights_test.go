package suite

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

const readerRole = "sightline-status"

// eachIsNeeded removes one rule after the other from the roles that --rights has printed.
// Without the rule, some check is left out, and nothing is called bad.
func (w *watched) eachIsNeeded(t *testing.T) {
	t.Helper()
	rules := 0
	defer func() { t.Logf("%d rules, each of which is needed", rules) }()
	for _, c := range []*rig.Cluster{w.east, w.west} {
		rbac := c.Client.RbacV1()
		all, err := rbac.ClusterRoles().Get(t.Context(), readerRole, metav1.GetOptions{})
		require.NoError(t, err)
		rules += w.without(t, c, "the cluster", all.Rules, func(ctx context.Context, rules []rbacv1.PolicyRule) error {
			live, err := rbac.ClusterRoles().Get(ctx, readerRole, metav1.GetOptions{})
			if err == nil {
				live.Rules = rules
				_, err = rbac.ClusterRoles().Update(ctx, live, metav1.UpdateOptions{})
			}
			return err
		})
		roles, err := rbac.Roles("").List(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=" + readerRole})
		require.NoError(t, err)
		for _, role := range roles.Items {
			rules += w.without(t, c, role.Namespace, role.Rules, func(ctx context.Context, rules []rbacv1.PolicyRule) error {
				live, err := rbac.Roles(role.Namespace).Get(ctx, readerRole, metav1.GetOptions{})
				if err == nil {
					live.Rules = rules
					_, err = rbac.Roles(role.Namespace).Update(ctx, live, metav1.UpdateOptions{})
				}
				return err
			})
		}
	}
}

// without returns the number of removed rules.
func (w *watched) without(t *testing.T, c *rig.Cluster, in string, rules []rbacv1.PolicyRule,
	update func(context.Context, []rbacv1.PolicyRule) error) (taken int) {
	t.Helper()
	for i, rule := range rules {
		// The store is not there, and only the log of a pod that crashes is read.
		if in == "monitoring" || slices.Contains(rule.Resources, "pods/log") {
			continue
		}
		var left []rbacv1.PolicyRule
		left = append(append(left, rules[:i]...), rules[i+1:]...)
		require.NoError(t, update(t.Context(), left))
		rig.Wait(t, 15*time.Second, fmt.Sprintf("something not to be checked on %s without %v in %s", c.Name, rule, in), func() error {
			_, not, found := w.status()
			for _, result := range not {
				if strings.HasSuffix(result, " bad") {
					t.Errorf("without %v in %s of %s: %s: %s", rule, in, c.Name, result, found)
				}
			}
			if len(not) == 0 {
				return fmt.Errorf("all is good")
			}
			return nil
		})
		require.NoError(t, update(t.Context(), rules))
		rig.Wait(t, 15*time.Second, "all to be good again", func() error {
			if _, not, found := w.status(); len(not) > 0 {
				return fmt.Errorf("%v %s", not, found)
			}
			return nil
		})
		taken++
	}
	return taken
}
