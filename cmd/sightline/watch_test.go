package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestWatchedInterrupted shows that an interrupt ends a run at once until the run says
// that it ends by itself. A run that is over never begins to write.
func TestWatchedInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	came, late := make(chan struct{}), make(chan error)
	err := watched(ctx, func(ctx context.Context) error {
		untilEndsItself(ctx, "nothing was written")
		cancel()
		<-came
		late <- endsItself(ctx)
		return nil
	})
	require.EqualError(t, err, "interrupted; nothing was written")
	close(came)
	require.ErrorIs(t, <-late, context.Canceled)

	ctx, cancel = context.WithCancel(t.Context())
	require.EqualError(t, watched(ctx, func(ctx context.Context) error {
		untilEndsItself(ctx, "nothing was written")
		require.NoError(t, endsItself(ctx))
		cancel()
		time.Sleep(60 * time.Millisecond)
		return errors.New("put back")
	}), "put back")
}
