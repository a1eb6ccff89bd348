package seal

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// A token is rotated in three steps, each a commit that is synced before the
// next: the remote gets a second token Secret; the link is sealed with its
// token; the first Secret goes. At every moment the link in use has its Secret.

// Rotate begins a rotation: a token Secret of the next generation.
func Rotate(r Remote, before *topology.SealedLink) (Result, error) {
	if err := owns(before, r.Cluster); err != nil {
		return Result{}, err
	}
	switch {
	case before == nil:
		return Result{}, finding.Refuse("seal it first: "+r.again(), "there is no link yet, so there is no token to rotate")
	case r.Cluster.Access.Exec != nil:
		return Result{}, finding.Refuse("rotate the credential where access.exec has it from", "the link has no token that could be rotated")
	case before.Spec.Revoked():
		return Result{}, finding.Refuse(underWay(r, before), "the token in the link, of generation %d, is revoked, and the next one waits for it",
			before.Spec.Generation)
	case len(before.Spec.Tokens) > 1:
		return Result{}, finding.Refuse(underWay(r, before), "a rotation is under way already, with tokens of the generations %s",
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

// Hub is what is known of the Secrets on the hub that have a remote's link.
type Hub struct {
	Asked    bool // whether the hub was asked
	Old, New bool // whether the Secret from before links.format was changed is there, and the present one
}

// Finish ends what is under way: a rotation, after which the token Secrets of the
// earlier generations go; and a change of links.format, after which nobody
// remembers the Secret of before. While that Secret is on the hub Kiali may use it,
// and its token must not end.
func Finish(r Remote, before *topology.SealedLink, hub Hub) (Result, error) {
	if err := owns(before, r.Cluster); err != nil {
		return Result{}, err
	}
	switch {
	case before == nil:
		return Result{}, finding.Refuse("seal it first: "+r.again(), "there is no link yet, so there is no rotation to finish")
	case !Unfinished(before):
		return Result{}, finding.Refuse("to begin one: "+r.does(command.Rotate),
			"there is no rotation to finish: the remote has the token of generation %d alone", Generation(before))
	case before.Spec.Generation != Generation(before):
		return Result{}, finding.Refuse(underWay(r, before), "the link still uses the token of generation %d, which would be dropped",
			before.Spec.Generation)
	case before.Spec.Replaces != "" && hub.Old:
		return Result{}, finding.Refuse(leftover(r, before), "the hub still has the Secret %s from before links.format was changed",
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
		result.Done = fmt.Sprintf("the remote keeps the token Secret %s alone", r.Topology.TokenSecret(before.Spec.Generation))
		result.Next = fmt.Sprintf("commit it, render again and let it sync to %s; an engine that does not prune leaves the earlier Secrets: "+
			"delete them, for their tokens are valid as long as they are there", r.Cluster.Name)
	}
	if before.Spec.Replaces != "" && !hub.Asked {
		result.Warnings = []string{fmt.Sprintf("nobody has asked the hub whether it still has the Secret %s, which Kiali may use; %s %s asks it",
			before.Spec.Replaces, r.does(command.Finish), command.HubContext(r.HubContext))}
	}
	return result, nil
}

// Revoke answers a leaked token: the token Secret of the next generation takes the
// place of all that the remote has, in one step. Deleting a Secret is no answer,
// since it comes back with the same token.
func Revoke(r Remote, before *topology.SealedLink) (Result, error) {
	if err := owns(before, r.Cluster); err != nil {
		return Result{}, err
	}
	switch {
	case before == nil:
		return Result{}, finding.Refuse("seal it first, then revoke: "+r.again(),
			"there is no link yet, which is what remembers that a token is revoked")
	case r.Cluster.Access.Exec != nil:
		return Result{}, finding.Refuse("revoke the credential where access.exec has it from", "the link has no token that could be revoked")
	case before.Spec.Revoked():
		return Result{}, finding.Refuse(underWay(r, before), "the token in the link, of generation %d, is revoked already",
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
		Done: fmt.Sprintf("the remote gets the token Secret %s in place of %s, whose token ends with it", r.Topology.TokenSecret(next),
			strings.Join(gone, " and ")),
		Warnings: []string{fmt.Sprintf("once that is applied the hub is without %s until it is sealed, and a Kiali that restarts meanwhile "+
			"stops at its start", r.Cluster.Name)},
		Next: fmt.Sprintf("commit it, render again and let it sync to %s; where the engine does not prune: %s; then: %s",
			r.Cluster.Name, command.Kubectl(r.Context, r.Topology.Spec.Kiali.Namespace, "delete secret "+secrets), r.again()),
	}, nil
}

// Rotating tells whether a rotation is under way.
func Rotating(l *topology.SealedLink) bool { return len(l.Spec.Tokens) > 1 }

// Unfinished tells whether there is something that Finish ends.
func Unfinished(l *topology.SealedLink) bool { return Rotating(l) || l.Spec.Replaces != "" }

// underWay says what the next step of a rotation is.
func underWay(r Remote, l *topology.SealedLink) string {
	if l.Spec.Generation != Generation(l) {
		return "once the token Secret " + r.Topology.TokenSecret(Generation(l)) + " is on the remote, move the link to it: " + r.again()
	}
	return "once the hub has the new link, drop the earlier token: " + r.does(command.Finish)
}
