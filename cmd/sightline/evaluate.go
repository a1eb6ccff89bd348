package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sightline-mesh/sightline/internal/confined"
	"github.com/sightline-mesh/sightline/internal/overlay"
	"github.com/sightline-mesh/sightline/internal/template"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// evaluateArgument is the argument with which this program starts itself to evaluate
// Jsonnet overlays.
const evaluateArgument = "__evaluate"

// The limits of one evaluation of a Jsonnet overlay. A sensible overlay takes some
// milliseconds and some megabytes. The syntax tree of a file is a few dozen times as
// large as the file.
const (
	longestEvaluation = time.Minute
	largestEvaluation = 128 << 20
	forEachByte       = 64 // additional memory for each byte of input
	deepestEvaluation = 32 << 20
)

// The process exits with exitMemory if it has too little memory. Go ends a program
// that cannot continue with exitCrash.
const (
	exitMemory = 3
	exitCrash  = 2
)

// serveEvaluations is the main function of the process that evaluates overlays. It
// handles no signals. It ends when the process that asks ends.
func serveEvaluations(in io.Reader, out io.Writer) {
	debug.SetMaxStack(deepestEvaluation)
	debug.SetGCPercent(400)
	began := mapped()
	most := &atomic.Int64{}
	given := func(bytes int) {
		most.Store(largestEvaluation + forEachByte*int64(bytes))
		debug.SetMemoryLimit(most.Load() / 4 * 3)
		limitMemory(began + most.Load())
	}
	given(0)
	go func() {
		for range time.Tick(10 * time.Millisecond) {
			sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
			metrics.Read(sample)
			if int64(sample[0].Value.Uint64()+sample[1].Value.Uint64()) > most.Load() {
				os.Exit(exitMemory)
			}
		}
	}()
	confined.Serve(in, out, given, func() { os.Exit(exitOK) })
}

// evaluator is the process that evaluates the overlays of a run. A run without
// overlays starts none.
type evaluator struct {
	trace   io.Writer
	longest time.Duration

	mu      sync.Mutex // an interrupt may end the run while the process starts
	client  *confined.Client
	process *os.Process
	wait    func() (*os.ProcessState, error) // waits for the end of the process
	failed  error                            // why the process could not start
	said    head                             // the beginning of its stderr
	late    atomic.Bool
}

// start starts the process, the first time that it is called.
func (e *evaluator) start() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client == nil && e.failed == nil {
		e.failed = e.run()
	}
}

func (e *evaluator) run() error {
	program, err := os.Executable()
	if err != nil { // without /proc
		if program, err = exec.LookPath(os.Args[0]); err != nil {
			return err
		}
	}
	cmd := exec.Command(program)
	cmd.Args = []string{"sightline", evaluateArgument}
	// Nothing else, because the environment of CI may have tokens. GOGC=off saves the
	// collections of the start; serveEvaluations then sets the percentage.
	cmd.Env = []string{"GOTRACEBACK=none", "GOGC=off"}
	cmd.Stderr = &e.said
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	e.process, e.client = cmd.Process, confined.NewClient(out, in, e.trace)
	e.wait = sync.OnceValues(func() (*os.ProcessState, error) { err := cmd.Wait(); return cmd.ProcessState, err })
	return nil
}

// close ends the process.
func (e *evaluator) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.process != nil {
		_ = e.process.Kill()
		_, _ = e.wait() // the reason of its end has been reported
	}
}

// watched sends one evaluation to the process and waits for it, for a minute at most.
func (e *evaluator) watched(evaluate func() error) error {
	if e.failed != nil {
		return &template.EndError{Message: "the process that evaluates overlays cannot be started: " + e.failed.Error(),
			Hint: "sightline starts itself to evaluate overlays; permit that"}
	}
	timer := time.AfterFunc(e.longest, func() {
		e.late.Store(true)
		_ = e.process.Kill()
	})
	err := evaluate()
	timer.Stop()
	if !errors.Is(err, confined.ErrGone) {
		return err
	}
	return e.ended()
}

// ended returns the error that says why the process has ended.
func (e *evaluator) ended() error {
	_ = e.process.Kill() // if it has not ended by itself
	state, err := e.wait()
	said := e.said.String()
	switch {
	case e.late.Load():
		return &template.EndError{Message: fmt.Sprintf("one evaluation takes longer than %v", e.longest),
			Hint: "look for an endless loop, or for a loop over very many elements"}
	case strings.Contains(said, "stack exceeds"):
		return &template.EndError{Message: "it is nested deeper than can be evaluated", Hint: topology.NestingHint}
	case state.ExitCode() == exitMemory, strings.Contains(said, "fatal error: "), // Go's messages differ
		state.ExitCode() == exitCrash && !strings.Contains(said, "panic: "): // without memory, Go prints none
		return &template.EndError{Message: fmt.Sprintf("one evaluation takes more than %d MiB of memory", largestEvaluation>>20),
			Hint: "look for a list or a string that grows without an end"}
	case err == nil:
		err = errors.New("it has ended")
	}
	return &template.EndError{Message: "the process that evaluates overlays: " + err.Error(),
		Hint: "something has ended the process; the system may have too little memory"}
}

// confinedVM evaluates one overlay in the process.
type confinedVM struct {
	*confined.VM
	*evaluator
}

// Tailstrict implements overlay.Evaluator.
func (v confinedVM) Tailstrict(file string) (place string, err error) {
	err = v.watched(func() (err error) { place, err = v.VM.Tailstrict(file); return })
	return place, err
}

// Type implements overlay.Evaluator.
func (v confinedVM) Type(file string) (kind string, err error) {
	err = v.watched(func() (err error) { kind, err = v.VM.Type(file); return })
	return kind, err
}

// Call implements overlay.Evaluator.
func (v confinedVM) Call(file string, args map[string]any) (out []byte, err error) {
	err = v.watched(func() (err error) { out, err = v.VM.Call(file, args); return })
	return out, err
}

// head is a writer that keeps the beginning of its input.
type head struct {
	mu   sync.Mutex
	text strings.Builder
}

func (t *head) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	const most = 4 << 10
	t.text.Write(p[:min(len(p), max(0, most-t.text.Len()))])
	return len(p), nil
}

func (t *head) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

type evaluatorKey struct{}

// withEvaluator returns a context with the process for the overlays of a run. The
// process starts when the first overlay is read. closed ends it.
func withEvaluator(ctx context.Context, trace io.Writer) (with context.Context, closed func()) {
	e := &evaluator{trace: trace, longest: longestEvaluation}
	return context.WithValue(ctx, evaluatorKey{}, e), e.close
}

// host returns what overlays need from outside: the process of withEvaluator, which
// evaluates them, and the stream for std.trace.
func host(ctx context.Context) overlay.Host {
	e, ok := ctx.Value(evaluatorKey{}).(*evaluator)
	if !ok {
		return overlay.Host{}
	}
	return overlay.Host{Trace: e.trace, Evaluate: func(root fs.FS) overlay.Evaluator {
		e.start()
		if e.failed != nil {
			return confinedVM{evaluator: e}
		}
		return confinedVM{e.client.VM(root), e}
	}}
}
