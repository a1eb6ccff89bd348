package main

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite what the scripts in testdata/script compare with")

// whole tells whether the tests TestWhole… try all, as tier 1 does (docs/testing.md).
// Else they try a sample.
func whole() bool { return os.Getenv("SIGHTLINE_WHOLE") != "" }

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"sightline": main})
}

// scriptEnvironment has the variables of the environment that scripts set.
var scriptEnvironment = []string{"HOME", "TMPDIR", "KUBECONFIG", parametersVariable}

func TestScripts(t *testing.T) {
	runScripts(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"files": files, "token": tokenFile},
	})
}

// runScripts runs scripts with the commands that all scripts have. The command exec
// of testscript starts the program. run and exits call it in this process, which
// takes a tenth of the time. Use exec for streams, signals and limits.
func runScripts(t *testing.T, params testscript.Params) {
	// The working directory changes while the scripts run.
	dir, err := filepath.Abs(params.Dir)
	require.NoError(t, err)
	for _, name := range scriptEnvironment {
		t.Setenv(name, "")
	}
	params.Dir, params.UpdateScripts, params.RequireExplicitExec, params.RequireUniqueNames = dir, *update, true, true
	p := &program{}
	params.Cmds["exits"], params.Cmds["run"] = p.exits, p.run
	testscript.Run(t, params)
}

// program calls the program in this process, for one script at a time, because a
// process has one working directory and one environment.
type program struct{ mu sync.Mutex }

// run calls the program: run sightline [ARG...].
func (p *program) run(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 || args[0] != "sightline" {
		ts.Fatalf("usage: run sightline [arg...]")
	}
	if code := p.call(ts, args[1:]); (code != exitOK) != neg {
		ts.Fatalf("the exit code is %d", code)
	}
}

// exits calls the program, or starts another one, and compares the exit code:
// exits CODE sightline [ARG...], exits CODE exec PROGRAM [ARG...].
func (p *program) exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || args[1] != "sightline" && (args[1] != "exec" || len(args) < 3) {
		ts.Fatalf("usage: exits code sightline [arg...], exits code exec program [arg...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if args[1] == "sightline" {
		got = p.call(ts, args[2:])
	} else if err := ts.Exec(args[2], args[3:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("the exit code is %d, expected %d", got, want)
	}
}

// call runs the program in the directory and the environment of the script, with
// nothing on its standard input, and returns the exit code.
func (p *program) call(ts *testscript.TestScript, args []string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, err := os.Getwd()
	ts.Check(err)
	ts.Check(os.Chdir(ts.MkAbs(".")))
	defer func() { ts.Check(os.Chdir(before)) }()
	for _, name := range scriptEnvironment {
		ts.Check(os.Setenv(name, ts.Getenv(name)))
	}
	return run(shared(context.Background()), args, strings.NewReader(""), ts.Stdout(), ts.Stderr())
}

// files writes the paths of all files below a directory to a file: files DIR FILE.
func files(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: files dir file")
	}
	var paths strings.Builder
	dir := ts.MkAbs(args[0])
	ts.Check(filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		paths.WriteString(filepath.ToSlash(rel) + "\n")
		return err
	}))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(paths.String()), 0o644))
}
