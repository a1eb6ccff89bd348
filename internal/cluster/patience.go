package cluster

import (
	"context"
	"net/http"
	"time"
)

// Patiently asks again, a few times, where an API server has too much to do, as
// it says for a moment after a kind has been defined.
func Patiently(ctx context.Context, ask func() error) error {
	for range 5 {
		if err := ask(); Status(err) != http.StatusTooManyRequests {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
	return ask()
}
