package observe

import (
	"context"
	"errors"
	"time"

	authentication "k8s.io/api/authentication/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/status"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// link tries the kubeconfig of a remote that Kiali uses. If its address does
// not answer from here, for example because only the hub's pods reach it, link
// tries the token at the address of the context.
func link(ctx context.Context, e status.Expected, c *topology.Cluster, kubeconfig []byte, timeout time.Duration,
	answers func(string) *cluster.Cluster) *status.Link {
	l := &status.Link{Item: kubeconfig != nil}
	if !l.Item {
		return l
	}
	by, err := cluster.FromLink(kubeconfig, c.Name, cluster.Options{Timeout: timeout})
	if errors.Is(err, cluster.ErrExec) {
		l.Exec = true
		return l
	}
	if err != nil {
		l.User.Err = failure(err)
		return l
	}
	l.User.Value, err = whoIs(ctx, by)
	if err != nil && cluster.Status(err) == 0 {
		if remote := answers(c.Name); remote != nil {
			l.Own = failure(err)
			if by, err = atContext(kubeconfig, c.Name, remote); err == nil {
				l.User.Value, err = whoIs(ctx, by)
			}
		}
	}
	if l.User.Err = failure(err); err != nil {
		return l
	}
	l.Missing.Value, err = lacks(ctx, by, kiali.Rights(installation(e, c)))
	l.Missing.Err = failure(err)
	return l
}

func atContext(kubeconfig []byte, name string, remote *cluster.Cluster) (*cluster.Cluster, error) {
	config, err := clientcmd.Load(kubeconfig)
	if err != nil || config.AuthInfos[name] == nil || config.AuthInfos[name].Token == "" {
		return nil, errors.New("the kubeconfig has no token") // the loader's error could contain the kubeconfig
	}
	return remote.As(config.AuthInfos[name].Token, "the token of the link")
}

// whoIs asks an API server for the user of the client.
func whoIs(ctx context.Context, c *cluster.Cluster) (string, error) {
	question := authentication.SelfSubjectReview{}
	question.APIVersion, question.Kind = "authentication.k8s.io/v1", "SelfSubjectReview"
	var answer authentication.SelfSubjectReview
	err := c.Review(ctx, cluster.Path{"apis", "authentication.k8s.io", "v1", "selfsubjectreviews"}, question, &answer)
	return answer.Status.UserInfo.Username, err
}
