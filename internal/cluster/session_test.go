package cluster_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/cluster"
)

// TestForm logs in once, with the token of the context or another one. Then it sends the
// cookies of the session instead of the token.
func TestForm(t *testing.T) {
	t.Parallel()
	var logins atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/kiali/api/authenticate" {
			if r.Method != http.MethodPost || r.PostFormValue("token") != token {
				w.WriteHeader(http.StatusUnauthorized)
				fmt.Fprintf(w, `{"error": "token is not valid or is expired: %s"}`, r.PostFormValue("token"))
				return
			}
			logins.Add(1)
			for name, value := range map[string]string{"kiali-token-east": "the-first-half", "kiali-token-east-1": "the-other-half"} {
				http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/kiali", HttpOnly: true, Secure: true})
			}
			fmt.Fprint(w, `{"username": "reader"}`)
			return
		}
		first, _ := r.Cookie("kiali-token-east")
		other, _ := r.Cookie("kiali-token-east-1")
		if first == nil || other == nil || r.Header.Get("Authorization") != "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"message": "%s %s"}`, first.Value, other.Value)
	}))
	t.Cleanup(server.Close)
	c, _ := open(t, answers(nil), user(token), cluster.Options{})
	form := &cluster.Form{Path: cluster.Path{"kiali", "api", "authenticate"}, Field: "token"}
	for _, login := range []cluster.Login{{Context: true, Form: form}, {Token: token, Form: form}} {
		logins.Store(0)
		kiali, err := c.At("Kiali", server.URL, login, nil)
		require.NoError(t, err)
		for range 3 {
			var answer struct{ Message string }
			require.NoError(t, kiali.JSON(t.Context(), cluster.Path{"kiali", "api", "status"}, nil, &answer))
			assert.Equal(t, "the-first-half the-other-half", answer.Message)
		}
		assert.Equal(t, int32(1), logins.Load())
	}
	kiali, err := c.At("Kiali", server.URL, cluster.Login{Token: "another-token", Form: form}, nil)
	require.NoError(t, err)
	_, err = kiali.Get(t.Context(), cluster.Path{"kiali", "api", "status"}, nil)
	assert.Equal(t, http.StatusUnauthorized, cluster.Status(err))
	assert.ErrorContains(t, err, "Kiali answers Unauthorized: token is not valid or is expired")
	assert.NotContains(t, err.Error(), "another-token")

	// A context without a token is an error.
	c, _ = open(t, answers(nil), "{username: admin, password: secret}", cluster.Options{})
	_, err = c.At("Kiali", server.URL, cluster.Login{Context: true, Form: form}, nil)
	assert.ErrorIs(t, err, cluster.ErrNoToken)

	// An answer without a session is an error.
	none := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }))
	t.Cleanup(none.Close)
	kiali, err = c.At("Kiali", none.URL, cluster.Login{Token: token, Form: form}, nil)
	require.NoError(t, err)
	_, err = kiali.Get(t.Context(), cluster.Path{"kiali", "api", "status"}, nil)
	assert.ErrorContains(t, err, "accepts the token, but starts no session")
}
