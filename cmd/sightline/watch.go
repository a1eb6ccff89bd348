package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"

	"github.com/sightline-mesh/sightline/internal/overlay"
)

// What one evaluation of a Jsonnet overlay may take. Jsonnet has no limits of
// its own but for the depth of calls, and an evaluation cannot be stopped from
// outside: the run ends instead.
const (
	longestEvaluation = time.Minute
	largestEvaluation = 2 << 30
)

// watch knows the evaluations that are under way.
type watch struct {
	longest time.Duration
	largest uint64
	stderr  io.Writer

	mu       sync.Mutex
	running  map[*evaluation]bool
	promise  string // what holds until the command ends in good order by itself; may be empty
	takeover bool   // it does
	ended    bool   // the run is over
}

type evaluation struct {
	overlay string
	began   time.Time
}

func (w *watch) begin(overlay string) (done func()) {
	e := &evaluation{overlay, time.Now()}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running[e] = true
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.running, e)
	}
}

// exceeded is the error of an evaluation that takes too much, or nil.
func (w *watch) exceeded() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for e := range w.running {
		if time.Since(e.began) > w.longest {
			return &hinted{fmt.Errorf("overlay %q: one evaluation takes longer than %v", e.overlay, w.longest), "look for a loop without an end, or for one over too much"}
		}
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
		metrics.Read(sample)
		if sample[0].Value.Uint64()+sample[1].Value.Uint64() > w.largest {
			return &hinted{fmt.Errorf("overlay %q: the evaluation takes more than %d MiB of memory", e.overlay, w.largest>>20), "look for a list or a string that grows without an end"}
		}
	}
	return nil
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

// interrupted is the error of a run that ends here because its context has
// ended, or nil if the command does that itself.
func (w *watch) interrupted() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.takeover {
		return nil
	}
	w.ended = true
	if w.promise != "" {
		return errors.New("interrupted; " + w.promise)
	}
	return errors.New("interrupted")
}

// watched runs a command, and returns before its end if it is interrupted and
// has nothing to put back, or if an evaluation takes too much: the process is to
// end then, and what is under way with it.
func watched(ctx context.Context, stderr io.Writer, longest time.Duration, command func(context.Context) error) error {
	w := &watch{longest: longest, largest: largestEvaluation, stderr: stderr, running: map[*evaluation]bool{}}
	ended := make(chan error, 1)
	go func() { ended <- command(context.WithValue(ctx, watchKey{}, w)) }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
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
		case <-tick.C:
			if err := w.exceeded(); err != nil {
				return err
			}
		}
	}
}

// host is what surrounds the overlays of a command.
func host(ctx context.Context) overlay.Host {
	w, ok := ctx.Value(watchKey{}).(*watch)
	if !ok {
		return overlay.Host{}
	}
	return overlay.Host{Trace: w.stderr, Watch: func(overlay string) func() {
		debug.SetTraceback("none") // what is left to say where a single value takes all memory there is
		return w.begin(overlay)
	}}
}
