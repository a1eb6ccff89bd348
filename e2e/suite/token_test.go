package suite

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/sightline-mesh/sightline/e2e/suite/rig"
)

// kialiAccount is the user of the hub's Kiali on a remote.
const kialiAccount = "system:serviceaccount:istio-system:kiali-service-account"

// TestTokenAfterAccount uses our order: the Secret gets a token, and it is one of the
// account.
func TestTokenAfterAccount(t *testing.T) {
	withToken(t)
}

// TestTokenBeforeAccount shows why the order of the phases is needed. The apply succeeds,
// the cluster deletes the Secret, and an account that is created later does not bring it
// back.
func TestTokenBeforeAccount(t *testing.T) {
	west := rig.Up(t).West
	token := tokenSecret(t)
	account := serviceAccount(token)
	t.Cleanup(func() { west.Delete(t, account, token) })
	west.Apply(t, token)
	awaitDeletion(t, west, token)
	west.Apply(t, account)
	time.Sleep(time.Second) // a token is filled in within a third of that
	_, err := west.Live(t.Context(), token)
	require.True(t, apierrors.IsNotFound(err), "%v", err)
}

// TestTokenInOneGo makes the same mistake like a user: all objects of the remote are
// applied at once, in the right order, without waiting for the operator.
func TestTokenInOneGo(t *testing.T) {
	rig.NeedDefinitions(t, "that the phases have to be waited for")
	west := rig.Up(t).West
	west.StartOperator(t)
	objects := rig.Objects(t, []byte(rig.Run(t, rig.Sightline(), "render", "--example", "--cluster", "cluster2", "-o", "-")))
	t.Cleanup(func() { west.Delete(t, objects...) })
	west.Apply(t, objects...)
	awaitDeletion(t, west, tokenSecret(t))
}

// TestAccountMadeAnew shows why an operator that replaces its installation breaks the link:
// a token of the old account is not valid for the new one.
func TestAccountMadeAnew(t *testing.T) {
	west, token, account, config := withToken(t)
	west.Delete(t, account)
	west.Apply(t, account)
	awaitDeletion(t, west, token)
	awaitRefusal(t, west, config)
}

// withToken applies an account and the Secret for its token. It returns a config with the
// token.
func withToken(t *testing.T) (west *rig.Cluster, token, account *unstructured.Unstructured, config *rest.Config) {
	t.Helper()
	west = rig.Up(t).West
	token = tokenSecret(t)
	account = serviceAccount(token)
	t.Cleanup(func() { west.Delete(t, account, token) })
	west.Apply(t, account, token)
	config = rest.AnonymousClientConfig(west.Config)
	config.BearerToken = awaitToken(t, west, token)
	require.Equal(t, kialiAccount, whoIs(t, config))
	return west, token, account, config
}

// tokenSecret returns the rendered token Secret of the example's remote.
func tokenSecret(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	for _, object := range rig.Objects(t, []byte(rig.Run(t, rig.Sightline(), "render", "--example", "--cluster", "cluster2", "-o", "-"))) {
		if isToken(object) {
			return object
		}
	}
	t.Fatal("cluster2 has no token")
	return nil
}

// serviceAccount returns the account of a token Secret.
func serviceAccount(token *unstructured.Unstructured) *unstructured.Unstructured {
	account := &unstructured.Unstructured{}
	account.SetAPIVersion("v1")
	account.SetKind("ServiceAccount")
	account.SetNamespace(token.GetNamespace())
	account.SetName(token.GetAnnotations()["kubernetes.io/service-account.name"])
	return account
}

func awaitDeletion(t *testing.T, on *rig.Cluster, object *unstructured.Unstructured) {
	t.Helper()
	rig.Wait(t, 10*time.Second, "the cluster to delete "+rig.Title(object), func() error {
		_, err := on.Live(t.Context(), object)
		if err == nil {
			return errors.New("it is still there")
		}
		if !apierrors.IsNotFound(err) {
			return err
		}
		return nil
	}, on.APIServer, on.Manager)
}

// awaitRefusal waits until the cluster refuses the credentials. It remembers valid ones for
// some seconds.
func awaitRefusal(t *testing.T, on *rig.Cluster, config *rest.Config) {
	t.Helper()
	rig.Wait(t, 30*time.Second, "the token to be refused by "+on.Name, func() error {
		_, err := review(t.Context(), config)
		if err == nil {
			return errors.New("it is still taken")
		}
		var status apierrors.APIStatus
		if errors.As(err, &status) && status.Status().Code == http.StatusUnauthorized {
			return nil
		}
		return err
	}, on.APIServer)
}

// whoIs returns the user of the credentials.
func whoIs(t *testing.T, config *rest.Config) string {
	t.Helper()
	user, err := review(t.Context(), config)
	require.NoError(t, err)
	return user
}

func review(ctx context.Context, config *rest.Config) (string, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return "", err
	}
	got, err := client.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	return got.Status.UserInfo.Username, nil
}
