package rig

import (
	"fmt"
	"testing"
	"time"
)

// Wait fails the test unless check returns nil within the limit. what completes
// "waited 10s for …". The processes are those without which it cannot happen.
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
