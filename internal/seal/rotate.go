package seal

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// The rotation of a token has three steps. Each is a commit, and the next one follows
// after its sync. First, the remote gets a second token Secret. Second, the link is
// sealed with the new token. Third, the first Secret is removed. At every moment, the
// remote has the Secret of the link in use.

// Rotate begins a rotation: it adds a token Secret of the next generation.
func Rotate(r Remote, before *topology.SealedLink) (Result, error) {
	if err := owns(before, r.Cluster); err != nil {
		return Result{}, err
	}
	switch {
	case before == nil:
		return Result{}, finding.Refuse("seal it first: "+r.again(), "there is no link yet, so there is no token to rotate")
	case r.Cluster.Access.Exec != nil:
		return Result{}, finding.Refuse("rotate the credential at the program of access.exec", "the link has no token to rotate")
	case before.Spec.Revoked():
		return Result{}, finding.Refuse(underWay(r, before),
			"the token in the link, of generation %d, is revoked; seal the link with the next one first",
			before.Spec.Generation)
	case len(before.Spec.Tokens) > 1:
		return Result{}, finding.Refuse(underWay(r, before), "a rotation has already begun, with tokens of the generations %s",
			generations(before.Spec.Tokens))
	}
	next := Generation(before) + 1
	link := *before
	link.Spec.Tokens = append(slices.Clone(before.Spec.Tokens), next)
	return Result{
		Link: &link,
		Done: fmt.Sprintf("the remote gets a second token Secret, %s; the link stays as it is", r.Topology.TokenSecret(next)),
		Next: fmt.Sprintf("commit it, render again and let it sync to %s; then: %s", r.Cluster.Name, r.again()),
	}, nil
}

// Hub tells which Secrets with the link of a remote the hub has.
type Hub struct {
	Asked    bool // whether the hub was asked
	Old, New bool // whether the hub has the Secret from before the change of links.format, and the present one
}

// Finish ends a rotation: it drops the token Secrets of earlier generations. It also
// ends a change of links.format: the link forgets the earlier Secret. It refuses while
// the hub has the earlier Secret, because Kiali may use it, and its token must stay valid.
func Finish(r Remote, before *topology.SealedLink, hub Hub) (Result, error) {
	if err := owns(before, r.Cluster); err != nil {
		return Result{}, err
	}
	switch {
	case before == nil:
		return Result{}, finding.Refuse("seal it first: "+r.again(), "there is no link yet, so there is no rotation to finish")
	case !Unfinished(before):
		return Result{}, finding.Refuse("to begin one: "+r.does(command.Rotate),
			"there is no rotation to finish: the remote has only the token of generation %d", Generation(before))
	case before.Spec.Generation != Generation(before):
		return Result{}, finding.Refuse(underWay(r, before), "the link still uses the token of generation %d, which this would drop",
			before.Spec.Generation)
	case before.Spec.Replaces != "" && hub.Old:
		return Result{}, finding.Refuse(leftover(r, before), "the hub still has the Secret %s from before the change of links.format",
			before.Spec.Replaces)
	case before.Spec.Replaces != "" && hub.Asked && !hub.New:
		return Result{}, finding.Refuse("render again and let it sync to the hub", "the hub does not have the Secret %s yet",
			before.Spec.Secret.Name)
	}
	link := *before
	link.Spec.Tokens = []int{before.Spec.Generation}
	link.Spec.Replaces = ""
	result := Result{Link: &link, Done: "the Secret " + before.Spec.Replaces + " is forgotten", Next: "commit it"}
	if Rotating(before) {
		result.Done = fmt.Sprintf("the remote keeps only the token Secret %s", r.Topology.TokenSecret(before.Spec.Generation))
		result.Next = fmt.Sprintf("commit it, render again and let it sync to %s; an engine that does not prune leaves the earlier Secrets: "+
			"delete them, because their tokens are valid until then", r.Cluster.Name)
	}
	if before.Spec.Replaces != "" && !hub.Asked {
		result.Warnings = []string{fmt.Sprintf("the hub may still have the Secret %s, which Kiali may use; this was not checked; %s %s checks it",
			before.Spec.Replaces, r.does(command.Finish), command.HubContext(r.HubContext))}
	}
	return result, nil
}

// Revoke is for a leaked token. In one step, the token Secret of the next generation
// replaces all token Secrets of the remote. A deleted Secret does not help, because it
// comes back with the same token.
func Revoke(r Remote, before *topology.SealedLink) (Result, error) {
	if err := owns(before, r.Cluster); err != nil {
		return Result{}, err
	}
	switch {
	case before == nil:
		return Result{}, finding.Refuse("seal it first, then revoke: "+r.again(),
			"there is no link yet, and only a link can remember that a token is revoked")
	case r.Cluster.Access.Exec != nil:
		return Result{}, finding.Refuse("revoke the credential at the program of access.exec", "the link has no token to revoke")
	case before.Spec.Revoked():
		return Result{}, finding.Refuse(underWay(r, before), "the token in the link, of generation %d, is already revoked",
			before.Spec.Generation)
	}
	next := Generation(before) + 1
	link := *before
	link.Spec.Tokens = []int{next}
	var gone []string
	for _, g := range before.Spec.Tokens {
		gone = append(gone, r.Topology.TokenSecret(g))
	}
	secrets := strings.Join(gone, " ")
	return Result{
		Link: &link,
		Done: fmt.Sprintf("the remote gets the token Secret %s instead of %s, whose token ends then", r.Topology.TokenSecret(next),
			strings.Join(gone, " and ")),
		Warnings: []string{fmt.Sprintf("after the sync, Kiali cannot show %s until it is sealed, and a Kiali that restarts in this time "+
			"does not start", r.Cluster.Name)},
		Next: fmt.Sprintf("commit it, render again and let it sync to %s; if the engine does not prune: %s; then: %s",
			r.Cluster.Name, command.Kubectl(r.Context, r.Topology.Spec.Kiali.Namespace, "delete secret "+secrets), r.again()),
	}, nil
}

// Rotating tells whether a rotation has begun.
func Rotating(l *topology.SealedLink) bool { return len(l.Spec.Tokens) > 1 }

// Unfinished tells whether Finish has something to end.
func Unfinished(l *topology.SealedLink) bool { return Rotating(l) || l.Spec.Replaces != "" }

// underWay returns the next step of a rotation, for a hint.
func underWay(r Remote, l *topology.SealedLink) string {
	if l.Spec.Generation != Generation(l) {
		return "once the token Secret " + r.Topology.TokenSecret(Generation(l)) + " is on the remote, move the link to it: " + r.again()
	}
	return "once the hub has the new link, drop the earlier token: " + r.does(command.Finish)
}
