package cluster

import (
	"context"
	"net/http"
	"time"
)

// Patiently repeats a request a few times if the API server answers that it has too much
// to do. It does so for a moment after a kind has been defined.
func Patiently(ctx context.Context, ask func() error) error {
	for range 5 {
		if err := ask(); Status(err) != http.StatusTooManyRequests {
			return err
		}
		pause, ended := context.WithTimeout(ctx, time.Second)
		<-pause.Done()
		ended()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return ask()
}
