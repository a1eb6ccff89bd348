// Command sightline renders everything that Git needs so that Kiali sees a
// service mesh that spans clusters.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/overlay"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/render"
	"github.com/sightline-mesh/sightline/templates"
)

// The exit codes; they mean the same for every command.
const (
	exitOK      = 0
	exitFound   = 1 // something was found, or differs: warnings that count as errors, links to seal, a diff
	exitFailure = 2 // wrong usage, or a file that cannot be read or written
	exitInvalid = 3 // the topology, or a template, is wrong
	exitRefused = 4 // a guard refused
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == evaluateArgument {
		serveEvaluations(os.Stdin, os.Stdout)
		return
	}
	ctx, _ := signal.NotifyContext(context.Background(), endings()...) // for as long as the process is there
	tuneMemory()
	os.Exit(run(withTemplates(ctx, render.NewTemplates(templates.FS)), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// endings are the signals that end a run in good order. A run that was told not to
// mind a closed terminal (nohup) does not.
func endings() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// run is the whole command: what it is told and the streams in, an exit code
// out. Data goes to stdout, words to stderr.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	read := &standardInput{Reader: stdin}
	words := &visible{out: stderr, read: read}
	data := &visible{out: stdout, read: read}
	defer words.Close()
	defer data.Close()
	cmd := newCommand()
	cmd.SetArgs(args)
	cmd.SetIn(read)
	cmd.SetOut(data)
	cmd.SetErr(words)
	// Cobra helps with whatever it does not know, and says that all went well.
	cmd.InitDefaultHelpCmd()
	cmd.InitDefaultCompletionCmd(args...)
	if about, rest, err := cmd.Find(args); err == nil && about == cmd && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") &&
		!strings.HasPrefix(rest[0], "__") {
		return report(words, noSuchCommand(cmd, rest))
	}
	ctx, closed := withEvaluator(ctx, words)
	defer closed()
	return report(words, watched(ctx, cmd.ExecuteContext))
}

func newCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "sightline",
		Short:         "Render what a multi-cluster mesh needs for Kiali to see all of it",
		Long:          rootDoc,
		Args:          noSuchCommand,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version, _ := cmd.Flags().GetBool("version"); version {
				return printVersion(cmd.OutOrStdout(), "text")
			}
			return cmd.Help()
		},
	}
	cmd.Flags().Bool("version", false, "print the version")
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return &hinted{err, flagHint(cmd, err)} })
	cmd.SetHelpCommand(&cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err == nil && about == cmd.Root() {
				err = noSuchCommand(about, rest)
			}
			if err != nil {
				return err
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	})
	cmd.AddCommand(
		newRenderCommand(),
		newVerifyCommand(),
		newInitCommand(),
		newDiffCommand(),
		newSealCommand(),
		newStatusCommand(),
		newGraphCommand(),
		newExampleCommand(),
		newExplainCommand(),
		newSchemaCommand(),
		newPluginCommand(),
		newFnCommand(),
		newVersionCommand(),
	)
	addCompletion(cmd)
	return cmd
}

func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := "sightline --help lists the commands"
	cmd.SuggestionsMinimumDistance = 2
	near := cmd.SuggestionsFor(args[0])
	for _, c := range cmd.Commands() { // what others call it comes before what is spelt like it
		if slices.Contains(c.SuggestFor, strings.ToLower(args[0])) {
			near = []string{c.Name()}
		}
	}
	if len(near) > 0 {
		hint = finding.Meant(strconv.Quote(near[0]))
	} else if slices.Contains([]string{"apply", "install", "upgrade", "deploy", "sync", "delete", "uninstall"}, strings.ToLower(args[0])) {
		hint = "sightline changes no cluster: render a tree, and have Argo CD, Flux or kubectl apply -k apply it"
	} else if strings.ContainsAny(args[0], "./") {
		hint = finding.Meant(strconv.Quote("render " + args[0]))
	}
	return &hinted{fmt.Errorf("unknown command %q", args[0]), hint}
}

// flagHint says which flag may have been meant.
func flagHint(cmd *cobra.Command, err error) string {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		typed := unknown.GetSpecifiedName()
		if typed == "o" { // as kubectl and many others have it
			if cmd.Flags().Lookup("output") != nil {
				return "--output chooses the form; to write a file, redirect standard output: > FILE"
			}
			return "to write a file, redirect standard output: > FILE"
		}
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
		if meant := map[string]string{"output": "--out", "out": "--output", "dir": "--out", "directory": "--out",
			"file": "--topology"}[typed]; slices.Contains(names, meant) {
			return finding.Meant(meant)
		}
		if near := finding.Nearest("--"+typed, names); near != "" && len(typed) > 1 {
			return finding.Meant(near)
		}
	}
	return cmd.CommandPath() + " --help lists the flags"
}

const rootDoc = `Sightline turns one topology (clusters, namespaces, mesh id, Kiali hub) into
per-cluster trees with the monitors, the Kiali resources, their access rights
and their operator, and the hub's sealed access to the remotes, to be committed
and applied by Argo CD, Flux or by hand.

Exit codes: 0 done; 1 something was found or differs; 2 wrong usage, or a file or
a cluster cannot be read or written; 3 the topology is invalid; 4 a guard refused.`

// listed is how many names stand in a message.
const listed = 10

// invalid is the error of a topology with findings.
type invalid struct {
	findings finding.Findings
	count    string // of all that were found, where findings are not all
	after    string // what follows from them; may be empty

	meanings [][]*input // to be looked at nevertheless, and by no means written; see check.Meanings
	unlooked []string   // topologies of which nobody can tell what was meant, so that nothing rendered of them was looked at
}

func (e *invalid) Error() string { return fmt.Sprintf("%d findings", len(e.findings)) }

// hinted is an error with a line that says what to do.
type hinted struct {
	error
	hint string
}

// several is the error of a command that went on after the first one.
type several []error

func (e several) Error() string { return errors.Join(e...).Error() }

func (e several) err() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

// aboutCluster is an error with the name of the cluster that it is about.
type aboutCluster struct {
	cluster string
	err     error
}

func (e *aboutCluster) Error() string { return e.cluster + ": " + e.err.Error() }
func (e *aboutCluster) Unwrap() error { return e.err }

// asLines keeps the lines of a message that are indented, as our own lists are.
// Any other end of a line is in the name of a file, or in what another program
// has said, and could pass for a line of ours.
func asLines(message string) string {
	lines := strings.Split(message, "\n")
	text := lines[0]
	for _, line := range lines[1:] {
		if strings.HasPrefix(line, "  ") {
			text += "\n" + line
			continue
		}
		text += `\n` + line
	}
	return text
}

// report is the one place that turns an error into words and an exit code.
func report(stderr io.Writer, err error) int {
	var (
		many  several
		about *aboutCluster
		whose string
	)
	if errors.As(err, &many) {
		worst := exitOK
		for _, err := range many {
			worst = max(worst, report(stderr, err))
		}
		return worst
	}
	if errors.As(err, &about) {
		whose = about.cluster + ": "
	}
	say := func(err error, hint string) {
		// Whatever was given by mistake is not repeated if it is a credential.
		fmt.Fprintf(stderr, "sightline: %s%s\n", whose, asLines(seal.Redact(err.Error())))
		if hint != "" {
			fmt.Fprintf(stderr, "hint: %s\n", asLines(seal.Redact(hint)))
		}
	}
	var (
		findings *invalid
		template *render.TemplateError
		refusal  *finding.Refusal
		ended    *overlay.EndError
		usage    *hinted
	)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFound):
		return exitFound
	case errors.Is(err, errInvalid):
		return exitInvalid
	case errors.As(err, &findings):
		_ = printFindings(stderr, findings.findings)
		if findings.after != "" {
			fmt.Fprintln(stderr, findings.after)
		}
		return exitInvalid
	case errors.As(err, &template):
		fmt.Fprintln(stderr, template)
		return exitInvalid
	case errors.As(err, &refusal) && refusal.Position != (finding.Position{}):
		fmt.Fprintf(stderr, "%v\nhint: %s\n", refusal, refusal.Hint)
		return exitRefused
	case errors.As(err, &refusal):
		say(refusal, refusal.Hint)
		return exitRefused
	case errors.As(err, &ended):
		say(ended, ended.Hint)
		return exitFailure
	case errors.As(err, &usage):
		say(usage, usage.hint)
		return exitFailure
	case errors.Is(err, syscall.EPIPE):
		return exitFailure // whoever read our output has had enough
	}
	if about != nil {
		err = about.err
	}
	say(err, "")
	return exitFailure
}
