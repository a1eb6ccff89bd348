package observe

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	authorization "k8s.io/api/authorization/v1"

	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/status"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// installation describes the rendered Kiali of a cluster.
func installation(e status.Expected, c *topology.Cluster) kiali.Installation {
	spec := status.KialiSpec(e, c)
	i := kiali.Installation{
		Line: c.Kiali.Version, OpenShift: c.Platform == "openshift", Logs: true,
		Client: kiali.OAuthClient(e.Topology.Spec.Kiali.InstanceName, e.Topology.Spec.Kiali.Namespace),
	}
	i.Strategy, _ = status.In(spec, "auth", "strategy").(string)
	i.ViewOnly, _ = status.In(spec, "deployment", "view_only_mode").(bool)
	if disabled, ok := status.In(spec, "kiali_feature_flags", "disabled_features").([]any); ok {
		i.Logs = !slices.Contains(disabled, any("logs-tab"))
	}
	return i
}

// lacks lists the rights that a user does not have on the whole cluster, such
// as "read pods" for get, list and watch. One question returns all rights. The
// answer may be incomplete if another authorizer than RBAC decides, so lacks
// asks for each right that is not in the answer.
func lacks(ctx context.Context, c *cluster.Cluster, rights []kiali.Right) ([]string, error) {
	rules, err := rulesFor(ctx, c)
	if err != nil && cluster.Status(err) != http.StatusForbidden {
		return nil, err
	}
	type question struct {
		right, verb int
	}
	var open []question
	for i, r := range rights {
		for k, verb := range r.Verbs {
			if !slices.ContainsFunc(rules, func(rule authorization.ResourceRule) bool { return allows(rule, r, verb) }) {
				open = append(open, question{i, k})
			}
		}
	}
	allowed := make([]bool, len(open))
	var group errgroup.Group
	group.SetLimit(8)
	for n, q := range open {
		group.Go(func() (err error) {
			allowed[n], err = may(ctx, c, rights[q.right], rights[q.right].Verbs[q.verb])
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var missing []string
	for i, r := range rights {
		var verbs []string
		for n, q := range open {
			if q.right == i && !allowed[n] {
				verbs = append(verbs, r.Verbs[q.verb])
			}
		}
		if verbs != nil {
			missing = append(missing, named(r, verbs))
		}
	}
	return missing, nil
}

func named(r kiali.Right, verbs []string) string {
	text := strings.Join(verbs, "/")
	if rest, ok := strings.CutPrefix(text, "get/list/watch"); ok {
		text = "read" + rest
	}
	text += " " + r.Resource
	if r.Group == "gateway.networking.k8s.io" { // Istio also has gateways
		text += "." + r.Group
	}
	if r.Name != "" {
		text += " " + r.Name
	}
	return text
}

// nowhere is a namespace that does not exist. In it, a user has exactly the
// rights on the whole cluster, because no RoleBinding adds any.
const nowhere = "sightline-asks-for-no-namespace"

// rulesFor asks an API server for the rights that its user has on the whole
// cluster.
func rulesFor(ctx context.Context, c *cluster.Cluster) ([]authorization.ResourceRule, error) {
	question := authorization.SelfSubjectRulesReview{}
	question.APIVersion, question.Kind = "authorization.k8s.io/v1", "SelfSubjectRulesReview"
	question.Spec.Namespace = nowhere
	var answer authorization.SelfSubjectRulesReview
	err := c.Review(ctx, cluster.Path{"apis", "authorization.k8s.io", "v1", "selfsubjectrulesreviews"}, question, &answer)
	return answer.Status.ResourceRules, err
}

// allows tells whether a rule grants a right (k8s.io/kubernetes
// plugin/pkg/auth/authorizer/rbac).
func allows(rule authorization.ResourceRule, r kiali.Right, verb string) bool {
	has := func(list []string, texts ...string) bool {
		return slices.ContainsFunc(list, func(s string) bool { return s == "*" || slices.Contains(texts, s) })
	}
	resource := []string{r.Resource}
	if _, sub, ok := strings.Cut(r.Resource, "/"); ok {
		resource = append(resource, "*/"+sub)
	}
	return has(rule.Verbs, verb) && has(rule.APIGroups, r.Group) && has(rule.Resources, resource...) &&
		(len(rule.ResourceNames) == 0 || r.Name != "" && slices.Contains(rule.ResourceNames, r.Name))
}

func may(ctx context.Context, c *cluster.Cluster, r kiali.Right, verb string) (bool, error) {
	question := authorization.SelfSubjectAccessReview{}
	question.APIVersion, question.Kind = "authorization.k8s.io/v1", "SelfSubjectAccessReview"
	resource, sub, _ := strings.Cut(r.Resource, "/")
	question.Spec.ResourceAttributes = &authorization.ResourceAttributes{Group: r.Group, Resource: resource, Subresource: sub, Name: r.Name,
		Verb: verb}
	var answer authorization.SelfSubjectAccessReview
	err := c.Review(ctx, cluster.Path{"apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"}, question, &answer)
	return answer.Status.Allowed, err
}
