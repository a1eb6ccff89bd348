package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// token checks the Secret with the token of Kiali's account on a remote.
func (j *judge) token(got *Cluster) {
	if j.on.Access.Exec != nil || j.Topology.LinksOnACM() {
		return
	}
	t := j.Topology
	ns, account := t.Spec.Kiali.Namespace, t.Account()
	name := t.TokenSecret(seal.Generation(j.Links[j.on.Name]))
	answer, ok := got.Token[name]
	if !ok {
		return
	}
	apply := "apply the phase link of the cluster once the account is there: " + j.in(ns, "get serviceaccount,secret")
	if answer.Err.Missing() {
		j.bad("ST12", apply, "there is no Secret %s/%s; a cluster deletes a token Secret that comes before its account", ns, name)
		return
	}
	if !j.asked("ST12", answer.Err) {
		return
	}
	s := answer.Value
	switch {
	case s.Type != "kubernetes.io/service-account-token" || s.Account != account:
		j.bad("ST12", "apply the rendered phase link of the cluster",
			"the Secret %s/%s has the type %q and the account %q, expected a token of %q", ns, name, s.Type, s.Account, account)
	case got.Account.Err.Missing():
		j.bad("ST12", apply, "there is no service account %s/%s, so its token is not valid", ns, account)
	case got.Account.Err != nil:
		j.asked("ST12", got.Account.Err)
	case s.AccountUID != "" && s.AccountUID != got.Account.Value:
		j.bad("ST12", apply, "the token in %s/%s is from an account %s that was deleted and created again", ns, name, account)
	case !s.Filled:
		j.bad("ST12", apply, "the Secret %s/%s has no token yet", ns, name)
	default:
		j.good("ST12")
	}
}

// links checks the hub's access to each remote, from the Secret on the hub to
// the remote's API server.
func (j *judge) links() {
	t := j.Topology
	got := j.hub()
	if got == nil || len(t.Spec.Clusters) < 2 {
		return
	}
	if got.LinkSecrets.Err != nil {
		j.asked("ST13", got.LinkSecrets.Err)
		j.stops("ST14", "ST15", "ST16", "ST17", "ST18")
		return
	}
	j.twice(got)
	for _, c := range t.Remotes() {
		j.on = c
		if secret, item := j.itemOf(got, c); item != nil {
			j.link(got, c, secret, item)
		}
	}
	j.restarted(got)
}

// itemOf finds the kubeconfig of a remote in the expected Secret.
func (j *judge) itemOf(hub *Cluster, c *topology.Cluster) (*LinkSecret, *LinkItem) {
	at := j.Topology.SealedFor(c)
	external := j.Topology.Spec.Kiali.Links.Source == "external"
	for i := range hub.LinkSecrets.Value {
		s := &hub.LinkSecrets.Value[i]
		for k := range s.Items {
			if s.Items[k].Key == c.Name && (s.Name == at.Name || external) {
				return s, &s.Items[k]
			}
		}
	}
	next := j.again(c)
	if j.Links[c.Name] != nil {
		next = "see what the controller says: " + j.maker(hub, j.Links[c.Name], at.Name)
	}
	j.bad("ST13", next, "the hub has no key %s in the Secret %s/%s, so Kiali does not know the cluster", at.Key, at.Namespace, at.Name)
	j.stops("ST15", "ST16", "ST17")
	return nil, nil
}

// again returns what to do if the link of a remote is wrong.
func (j *judge) again(c *topology.Cluster) string {
	at := j.Topology.SealedFor(c)
	switch source := j.Topology.Spec.Kiali.Links.Source; source {
	case "sealed", "sops":
		return j.seal(c)
	case "externalSecrets":
		remote := c.Name
		if got := j.facts.Clusters[c.Name]; got != nil && got.Context != "" {
			remote = got.Context
		}
		return command.ExternalSecrets(
			j.facts.Clusters[j.Topology.Spec.Kiali.Hub].Context, remote, at.Namespace, at.Name, j.Topology.Account())
	case "acm":
		hub := j.facts.Clusters[j.Topology.Spec.Kiali.Hub].Context
		account := j.Topology.LinkAccount()
		return "read what ACM reports: " + command.Kubectl(hub, j.Topology.Spec.Metrics.ACM.PolicyNamespace, "get policy "+account+" -o yaml") +
			"; " + command.Kubectl(hub, c.ManagedCluster, "get managedserviceaccount,clusterpermission "+account+" -o yaml")
	default:
		return "look at the tool that fills it: links.source is " + source
	}
}

// maker returns the command that shows the maker of a sealed link's Secret: the
// SealedSecret, or Flux's status of the phase in which Flux decrypts the
// Secret.
func (j *judge) maker(hub *Cluster, l *topology.SealedLink, secret string) string {
	t := j.Topology
	switch d := t.Spec.Delivery; {
	case l.Spec.SOPS == nil:
		return command.Kubectl(hub.Context, t.Spec.Kiali.Namespace, "get sealedsecret "+secret+" -o yaml")
	case d != nil && d.Flux != nil:
		return command.Kubectl("", d.Flux.Namespace, "get kustomization "+t.FluxName(t.Hub(), string(resource.Link))+" -o yaml") +
			", on the cluster of Flux"
	}
	return "sops --decrypt the Secret of the phase link, and apply it to the hub"
}

// seal returns the command that makes the link of a remote again.
func (j *judge) seal(c *topology.Cluster) string {
	if j.Topology.Spec.Kiali.Links.Source == "sops" {
		which := c.Name
		if j.Topology.SealedTogether() {
			which = command.All
		}
		return command.Seal(which, j.Arg) + ", commit, and apply the phase link of the hub"
	}
	return command.Seal(c.Name, j.Arg, command.HubContext(j.facts.Clusters[j.Topology.Spec.Kiali.Hub].Context)) +
		", commit, and apply the phase link of the hub"
}

// link checks the kubeconfig of a remote: its content, its address, its user and
// the user's rights.
func (j *judge) link(hub *Cluster, c *topology.Cluster, s *LinkSecret, item *LinkItem) {
	ns := j.Topology.Spec.Kiali.Namespace
	again := j.again(c)
	sealed := j.Links[c.Name] != nil && j.Topology.Spec.Kiali.Links.ByFile()
	switch {
	case sealed && item.Known && !item.Sealed:
		j.bad("ST13", j.maker(hub, j.Links[c.Name], s.Name)+"; or seal again: "+again,
			"the key %s of the Secret %s/%s differs from sealed/: it is older, or somebody changed it", item.Key, ns, s.Name)
	case sealed && !item.Known:
		j.unchecked("ST13", "", "the sealed link has no digest to compare with")
	default:
		j.good("ST13")
	}
	switch {
	case item.Wrong != "":
		j.bad("ST15", again, "Kiali cannot use the kubeconfig in %s/%s: %s", ns, s.Name, item.Wrong)
		j.stops("ST16", "ST17")
		return
	case item.Server != c.Server:
		j.bad("ST15", again, "the kubeconfig of %s leads to %s, the topology says %s", c.Name, item.Server, c.Server)
	default:
		j.good("ST15")
	}
	if l := j.facts.Links[c.Name]; l != nil && l.Item {
		if j.user(c, item, l, again) {
			j.may(c, l)
		} else {
			j.stops("ST17")
		}
	}
}

// user checks the user of a link on the remote. It returns false if the user's
// rights are unknown or do not matter.
func (j *judge) user(c *topology.Cluster, item *LinkItem, l *Link, again string) bool {
	switch {
	case l.Exec:
		j.unchecked("ST16", "", "the credential comes from a program in Kiali's image, which is not run here")
	case l.User.Err != nil && l.User.Err.Status == 401:
		j.bad("ST16", again, "the API server of %s refuses the token in the link: the token is no longer valid", c.Name)
	case l.User.Err != nil:
		j.unchecked("ST16", "see ST01 of the cluster, and ST22 for what Kiali finds", "%s", l.User.Err.Text)
	case item.Server == c.Server && !j.expected(l.User.Value):
		j.bad("ST16", again, "the token in the link belongs to %q, expected %s", l.User.Value, j.whose())
	case l.Own != nil: // for example, an address that only the hub's pods reach
		j.add("ST16", Good, "", "asked at the address in the context, because the address in the link does not answer from here: %s",
			l.Own.Text)
		return true
	default:
		j.good("ST16")
		return true
	}
	return false
}

// may checks the rights of a link's user.
func (j *judge) may(c *topology.Cluster, l *Link) {
	switch {
	case !j.asked("ST17", l.Missing.Err):
	case len(l.Missing.Value) > 0:
		made := "see ST10 of the cluster, because the operator creates the roles; "
		if j.Topology.WithoutOperator(c) {
			made = "see ST07 of the cluster, which has the role; "
		}
		j.bad("ST17", made+j.kubectl("auth can-i --list --as=%s", l.User.Value),
			"%s may not %s on %s", l.User.Value, first(l.Missing.Value), c.Name)
	default:
		j.good("ST17")
	}
}

// expected tells whether the token of a link belongs to the right user.
func (j *judge) expected(user string) bool {
	if j.Topology.LinksOnACM() {
		return user == j.Topology.ACMUser()
	}
	return strings.HasPrefix(user, "system:serviceaccount:"+j.Topology.Spec.Kiali.Namespace+":")
}

// whose describes the user that expected wants.
func (j *judge) whose() string {
	if j.Topology.LinksOnACM() {
		return "ACM's account, " + j.Topology.ACMUser()
	}
	return fmt.Sprintf("the account %s of the namespace %s", j.Topology.Account(), j.Topology.Spec.Kiali.Namespace)
}

// twice finds clusters that are in more than one Secret. Kiali uses the Secret
// whose name is first in alphabetical order, and says so only in its log.
func (j *judge) twice(hub *Cluster) {
	in := map[string][]string{}
	for _, s := range hub.LinkSecrets.Value {
		for _, item := range s.Items {
			in[item.Key] = append(in[item.Key], s.Name)
		}
	}
	ok := true
	for i := range j.Topology.Spec.Clusters {
		c := &j.Topology.Spec.Clusters[i]
		names := slices.Sorted(slices.Values(in[c.Name]))
		delete(in, c.Name)
		if len(names) > 1 {
			ok = false
			wrong := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == j.Topology.SealedFor(c).Name })
			j.bad("ST14", command.Kubectl(hub.Context, j.Topology.Spec.Kiali.Namespace, "delete secret "+wrong[0])+
				", if nobody else needs it; then restart Kiali",
				"%s has %s in %d Secrets: %s; Kiali uses the one in %s", j.on.Name, c.Name, len(names), strings.Join(names, ", "), names[0])
		}
	}
	var strange []string
	for key := range in {
		strange = append(strange, key)
	}
	if slices.Sort(strange); len(strange) > 0 {
		ok = false
		j.bad("ST14", "add the cluster to the topology, or remove the key from the Secret: "+
			command.Kubectl(hub.Context, j.Topology.Spec.Kiali.Namespace, "get secrets"),
			"the hub has a link for %s, but the topology has no such cluster", first(strange))
	}
	if ok {
		j.good("ST14")
	}
}

// restarted compares the start of Kiali with the last change of a link. Kiali
// reads its links only at startup.
func (j *judge) restarted(hub *Cluster) {
	j.on = j.Topology.Hub()
	if hub.Pods.Err != nil {
		j.asked("ST18", hub.Pods.Err)
		return
	}
	var last time.Time
	name := ""
	for _, s := range hub.LinkSecrets.Value {
		if s.Changed.After(last) {
			last, name = s.Changed, s.Name
		}
	}
	for _, p := range hub.Pods.Value {
		if p.Ready && p.Started.Before(last) {
			j.bad("ST18", j.in(j.Topology.Spec.Kiali.Namespace, "rollout restart deployment %s", j.Topology.Spec.Kiali.InstanceName),
				"the pod %s started at %s, but the Secret %s changed at %s: Kiali reads its links at startup, and has not seen the change", p.Name,
				moment(p.Started), name, moment(last))
			return
		}
	}
	if slices.ContainsFunc(hub.Pods.Value, func(p Pod) bool { return p.Ready }) {
		j.good("ST18")
	}
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }
