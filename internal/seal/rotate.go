package seal

import (
	"fmt"
	"slices"

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
		return Result{}, refuse("seal it first: "+r.again(), "there is no link yet, so there is no token to rotate")
	case r.Cluster.Access.Exec != nil:
		return Result{}, refuse("rotate the credential where access.exec has it from", "the link has no token that could be rotated")
	case len(before.Spec.Tokens) > 1:
		return Result{}, refuse(underWay(r, before), "a rotation is under way already, with tokens of the generations %s", generations(before.Spec.Tokens))
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

// Finish ends a rotation: the token Secrets of the earlier generations go.
func Finish(r Remote, before *topology.SealedLink) (Result, error) {
	if err := owns(before, r.Cluster); err != nil {
		return Result{}, err
	}
	switch {
	case before == nil:
		return Result{}, refuse("seal it first: "+r.again(), "there is no link yet, so there is no rotation to finish")
	case !Rotating(before):
		return Result{}, refuse("to begin one: "+r.Command+" --rotate", "there is no rotation to finish: the remote has the token of generation %d alone", before.Spec.Generation)
	case before.Spec.Generation != Generation(before):
		return Result{}, refuse(underWay(r, before), "the link still uses the token of generation %d, which would be dropped", before.Spec.Generation)
	}
	link := *before
	link.Spec.Tokens = []int{before.Spec.Generation}
	return Result{
		Link: &link,
		Done: fmt.Sprintf("the remote keeps the token Secret %s alone", r.Topology.TokenSecret(before.Spec.Generation)),
		Next: fmt.Sprintf("commit it, render again and let it sync to %s; an engine that does not prune leaves the earlier Secrets: delete them, for their tokens are valid as long as they are there", r.Cluster.Name),
	}, nil
}

// Rotating tells whether a rotation is under way.
func Rotating(l *topology.SealedLink) bool { return len(l.Spec.Tokens) > 1 }

// underWay says what the next step of a rotation is.
func underWay(r Remote, l *topology.SealedLink) string {
	if l.Spec.Generation != Generation(l) {
		return "once the new token Secret is on the remote, move the link to it: " + r.again()
	}
	return "once the hub has the new link, drop the earlier token: " + r.Command + " --finish"
}
