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

// evaluateArgument is that of a process of this program that evaluates Jsonnet
// overlays for another one.
const evaluateArgument = "__evaluate"

// What one evaluation of a Jsonnet overlay may take. Legitimate ones take some
// milliseconds and some megabytes; the syntax tree of a file takes a few dozen times
// what the file does.
const (
	longestEvaluation = time.Minute
	largestEvaluation = 128 << 20
	forEachByte       = 64 // more memory, for each byte of what is evaluated
	deepestEvaluation = 32 << 20
)

// With exitMemory the process says that it has too little memory. With exitCrash Go
// ends a program that cannot go on.
const (
	exitMemory = 3
	exitCrash  = 2
)

// serveEvaluations is the whole of such a process. It has no signals of its own:
// it ends when whoever asks does.
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

// evaluator is the process that evaluates the overlays of a run, where there are
// any.
type evaluator struct {
	trace   io.Writer
	longest time.Duration

	mu      sync.Mutex // an interrupted run ends while the process is started
	client  *confined.Client
	process *os.Process
	wait    func() (*os.ProcessState, error) // for its end
	failed  error                            // to start it
	said    head                             // on its stderr
	late    atomic.Bool
}

// start starts the process once.
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
	cmd.Env = []string{"GOTRACEBACK=none", "GOGC=off"} // and none of the tokens that CI has there
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
		_, _ = e.wait() // how it ended has been said
	}
}

// watched evaluates, for a minute at most.
func (e *evaluator) watched(evaluate func() error) error {
	if e.failed != nil {
		return &template.EndError{Message: "the process that evaluates overlays cannot be started: " + e.failed.Error(),
			Hint: "sightline starts itself for it: let it"}
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

// ended says why the process has ended.
func (e *evaluator) ended() error {
	_ = e.process.Kill() // if it has not ended by itself
	state, err := e.wait()
	said := e.said.String()
	switch {
	case e.late.Load():
		return &template.EndError{Message: fmt.Sprintf("one evaluation takes longer than %v", e.longest),
			Hint: "look for a loop without an end, or for one over too much"}
	case strings.Contains(said, "stack exceeds"):
		return &template.EndError{Message: "it is nested deeper than can be evaluated", Hint: topology.NestingHint}
	case state.ExitCode() == exitMemory, strings.Contains(said, "fatal error: "), // Go has several words for it
		state.ExitCode() == exitCrash && !strings.Contains(said, "panic: "): // and none if there is no memory for them
		return &template.EndError{Message: fmt.Sprintf("one evaluation takes more than %d MiB of memory", largestEvaluation>>20),
			Hint: "look for a list or a string that grows without an end"}
	case err == nil:
		err = errors.New("it has ended")
	}
	return &template.EndError{Message: "the process that evaluates overlays: " + err.Error(),
		Hint: "something has ended it: the system may have too little memory"}
}

// confinedVM is an evaluator of one overlay.
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

// head keeps the beginning of what is written to it.
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

// withEvaluator gives the overlays of a run a process, which is started when the
// first of them is read, and ends with closed.
func withEvaluator(ctx context.Context, trace io.Writer) (with context.Context, closed func()) {
	e := &evaluator{trace: trace, longest: longestEvaluation}
	return context.WithValue(ctx, evaluatorKey{}, e), e.close
}

// host is what surrounds the overlays of a command.
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
