package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Process is a program that runs during the tests.
type Process struct {
	Name string
	Log  string // the file with its output
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// Start starts a program, by its name in Programs or its path. dir is a directory
// below Dir for <name>.log and <name>.pid. env has the form of os.Environ, and
// replaces variables of the test's environment.
func Start(dir, name string, env []string, program string, args ...string) (*Process, error) {
	dir = filepath.Join(Dir(), dir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if path := built(program); path != "" {
		program = path
	}
	p := &Process{Name: name, Log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has its own
	p.cmd = exec.Command(program, args...)
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // the log says how it ended, or the test ended it
		close(p.done)
	}()
	return p, os.WriteFile(filepath.Join(dir, name+".pid"), []byte(strconv.Itoa(p.cmd.Process.Pid)), 0o644)
}

// built returns the path of one of Programs. Main has set it.
func built(name string) string { return os.Getenv(envProgram + name) }

func (p *Process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Stop asks the process to end, and kills it after ten seconds.
func (p *Process) Stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		p.Kill()
	}
}

// Kill ends the process without a warning.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Pause stops the process until Resume. It does not even refuse connections.
func (p *Process) Pause() { _ = p.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume ends a Pause.
func (p *Process) Resume() { _ = p.cmd.Process.Signal(syscall.SIGCONT) }

// Tail returns the end of the log, for messages.
func (p *Process) Tail() string {
	const lines = 15
	data, err := os.ReadFile(p.Log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(data)), "\n")
	return fmt.Sprintf("the last lines of %s:\n%s", p.Log, strings.Join(all[max(0, len(all)-lines):], "\n"))
}

// Result has the output and the exit code of a program.
type Result struct {
	Code           int
	Stdout, Stderr string
}

// The variables with the programs of users.
const (
	envSightline = "SIGHTLINE"
	envKustomize = "SIGHTLINE_KUSTOMIZE"
	envHelm3     = "SIGHTLINE_HELM3"
	envHelm4     = "SIGHTLINE_HELM4"
)

// Sightline returns the path of the product.
func Sightline() string { return os.Getenv(envSightline) }

// Kustomize returns the path of kustomize.
func Kustomize() string { return os.Getenv(envKustomize) }

// Helm3 returns the path of Helm 3.
func Helm3() string { return os.Getenv(envHelm3) }

// Helm4 returns the path of Helm 4.
func Helm4() string { return os.Getenv(envHelm4) }

// Kubectl returns the path of kubectl, which only tier 3 has.
func Kubectl() string { return built("kubectl") }

// Run runs a program to its end, for two minutes at most. If the program fails, the
// test fails.
func Run(t testing.TB, program string, args ...string) string {
	t.Helper()
	result := Try(t, program, args...)
	if result.Code != 0 {
		t.Fatalf("%s %s: exit code %d\n%s%s", filepath.Base(program), strings.Join(args, " "), result.Code, result.Stdout, result.Stderr)
	}
	return result.Stdout
}

// Try is Run, but returns a failure as a Result.
func Try(t testing.TB, program string, args ...string) Result {
	t.Helper()
	const limit = 2 * time.Minute
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), limit) // cleanups also run programs
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("waited %v for the end of %s %s\n%s%s", limit, filepath.Base(program), strings.Join(args, " "), &stdout, &stderr)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return Result{Code: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
}
