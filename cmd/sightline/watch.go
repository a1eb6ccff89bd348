package main

import (
	"cmp"
	"context"
	"errors"
	"sync"
)

// watch knows what is to be done when a run is interrupted.
type watch struct {
	mu       sync.Mutex
	promise  string // what holds until the command ends in good order by itself; may be empty
	takeover bool   // it does
	ended    bool   // the run is over
	last     []func()
}

type watchKey struct{}

// untilEndsItself has a command end at once when it is interrupted, with a
// promise of what holds then, until it calls endsItself.
func untilEndsItself(ctx context.Context, promise string) {
	if w, ok := ctx.Value(watchKey{}).(*watch); ok {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.promise = promise
	}
}

// endsItself says that from here on a command looks at its context, and ends in
// good order when that ends. It returns an error if the run is over already.
func endsItself(ctx context.Context) error {
	w, ok := ctx.Value(watchKey{}).(*watch)
	if !ok {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return ctx.Err()
	}
	w.takeover = true
	return nil
}

// atEnd has something done when the run is interrupted, before the process ends. It
// returns an error if the run is over already; then it has been done.
func atEnd(ctx context.Context, do func()) error {
	w, ok := ctx.Value(watchKey{}).(*watch)
	if !ok {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		do()
		return ctx.Err()
	}
	w.last = append(w.last, do)
	return nil
}

// interrupted is the error of a run that ends here because its context has
// ended, or nil if the command does that itself.
func (w *watch) interrupted() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.takeover {
		return nil
	}
	w.ended = true
	for _, do := range w.last {
		do()
	}
	if w.promise != "" {
		return errors.New("interrupted; " + w.promise)
	}
	return errors.New("interrupted")
}

// watched runs a command, and returns before its end if it is interrupted and
// has nothing to put back: the process is to end then, and what is under way with
// it.
func watched(ctx context.Context, command func(context.Context) error) error {
	w := &watch{}
	ended := make(chan error, 1)
	go func() { ended <- command(context.WithValue(ctx, watchKey{}, w)) }()
	stop := ctx.Done()
	for {
		select {
		case err := <-ended:
			if err != nil && ctx.Err() != nil {
				return cmp.Or(w.interrupted(), err) // a program that it ran may have ended by the same signal
			}
			return err
		case <-stop:
			if err := w.interrupted(); err != nil {
				return err
			}
			stop = nil
		}
	}
}
