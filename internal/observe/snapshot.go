package observe

import (
	"context"
	"errors"

	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/discover"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// Snapshot reads from a cluster what package discover needs for a topology. It
// only lists and gets, and changes nothing. Of Secrets it asks only for the
// metadata. It returns an error if the cluster does not answer, or does not
// know the user.
func Snapshot(ctx context.Context, c *cluster.Cluster, given string) (*discover.Snapshot, error) {
	s := &discover.Snapshot{Label: c.Context(), Given: given, Server: c.URL()}
	// Anybody may ask for the version. This question needs a known user.
	if _, err := c.Serves(ctx, "v1", "Namespace"); err != nil {
		return nil, err
	}
	for _, kind := range discover.Kinds() {
		var objects []resource.Object
		err := cluster.Patiently(ctx, func() (err error) {
			objects, err = kindOn(ctx, c, &kind)
			return err
		})
		switch {
		case errors.Is(err, errAbsent):
			s.Unread = append(s.Unread, discover.Unread{Kind: kind, Absent: true})
		case err != nil && cluster.Status(err) == 0:
			return nil, err // each further question would cost its deadline
		case err != nil:
			s.Unread = append(s.Unread, discover.Unread{Kind: kind, Reason: err.Error()})
		}
		s.Objects = append(s.Objects, objects...)
	}
	if pod := proxyOn(ctx, c, s); pod != nil {
		s.Objects = append([]resource.Object{pod}, s.Objects...) // before the same pod without its spec
	}
	return s, nil
}

// errAbsent says that a cluster does not know a kind.
var errAbsent = errors.New("not served")

// kindOn reads the objects of a kind, in the first of the kind's versions that
// the cluster serves.
func kindOn(ctx context.Context, c *cluster.Cluster, kind *discover.Kind) ([]resource.Object, error) {
	for _, version := range kind.APIVersions {
		serves, err := c.Serves(ctx, version, kind.Kind)
		if err != nil {
			return nil, err
		}
		if !serves {
			continue
		}
		switch {
		case kind.Metadata:
			return c.Metadata(ctx, version, kind.Kind, kind.Labels, kind.Fields)
		case kind.Name == "":
			return c.List(ctx, version, kind.Kind, "", kind.Labels)
		}
		object, err := c.Find(ctx, resource.ID{APIVersion: version, Kind: kind.Kind, Namespace: kind.Namespace, Name: kind.Name})
		if missing(err) {
			return nil, nil
		}
		return []resource.Object{object}, err
	}
	return nil, errAbsent
}

// proxyOn reads one pod with a proxy in full, because Istio gives the pod the
// names of the cluster, the mesh and the network. It returns nil if there is no
// such pod, or if nobody may read it.
func proxyOn(ctx context.Context, c *cluster.Cluster, s *discover.Snapshot) resource.Object {
	for _, o := range s.Objects {
		if id := resource.IDOf(o); id.Kind == "Pod" && discover.HasProxy(o) {
			pod, err := c.Find(ctx, id)
			if err != nil {
				return nil
			}
			return pod
		}
	}
	return nil
}
