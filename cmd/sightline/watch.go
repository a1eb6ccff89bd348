package main

import (
	"cmp"
	"context"
	"errors"
	"sync"
)

// watch says what happens when a run is interrupted.
type watch struct {
	mu       sync.Mutex
	promise  string // a sentence for the message of an interrupted run; may be empty
	takeover bool   // the command ends by itself when its context ends
	ended    bool   // the run is over
	last     []func()
}

type watchKey struct{}

// untilEndsItself makes an interrupt end the command at once, with a promise in its
// message, until the command calls endsItself.
func untilEndsItself(ctx context.Context, promise string) {
	if w, ok := ctx.Value(watchKey{}).(*watch); ok {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.promise = promise
	}
}

// endsItself says that from now on the command ends in good order when its context
// ends. It returns an error if the run is already over.
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

// atEnd makes an interrupt call do before the process ends. If the run is already over,
// it calls do and returns an error.
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

// interrupted ends the run and returns its error. It returns nil if the command ends by
// itself.
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

// watched runs a command. If it is interrupted and has nothing to undo, watched returns
// before the command ends. Then the process ends, and the command with it.
func watched(ctx context.Context, command func(context.Context) error) error {
	w := &watch{}
	ended := make(chan error, 1)
	go func() { ended <- command(context.WithValue(ctx, watchKey{}, w)) }()
	stop := ctx.Done()
	for {
		select {
		case err := <-ended:
			if err != nil && ctx.Err() != nil {
				return cmp.Or(w.interrupted(), err) // the same signal may have ended a program that the command ran
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
