package rig

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Wait fails the test unless check returns nil within the limit. what completes
// "waited 10s for …". If one of the processes ends, Wait fails at once.
func Wait(t testing.TB, limit time.Duration, what string, check func() error, processes ...*Process) {
	t.Helper()
	if err := wait(limit, what, check, processes...); err != nil {
		t.Fatal(err)
	}
}

func wait(limit time.Duration, what string, check func() error, processes ...*Process) error {
	start := time.Now()
	for {
		err := check()
		if err == nil {
			return nil
		}
		for _, process := range processes {
			if process.ended() {
				return fmt.Errorf("waited for %s, but %s has ended\n%s", what, process.Name, process.Tail())
			}
		}
		if time.Since(start) > limit {
			err = fmt.Errorf("waited %v for %s: %w", limit, what, err)
			for _, process := range processes {
				err = fmt.Errorf("%w\n%s", err, process.Tail())
			}
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// again calls do every 100 ms until the test ends. It ignores errors, because tests stop API
// servers.
func again(t testing.TB, do func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var group sync.WaitGroup
	group.Go(func() {
		for ctx.Err() == nil {
			_ = do(ctx)
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		group.Wait()
	})
}

// accountToken waits for the token in a Secret of a service account, and returns it.
func (c *Cluster) accountToken(t testing.TB, namespace, secret string) []byte {
	t.Helper()
	var token []byte
	Wait(t, 20*time.Second, "the token in the Secret "+secret+" of "+c.Name, func() error {
		found, err := c.Client.CoreV1().Secrets(namespace).Get(t.Context(), secret, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if token = found.Data["token"]; len(token) == 0 {
			return errors.New("it is empty")
		}
		return nil
	}, c.APIServer, c.Manager)
	return token
}
