// Command sightline renders the files for Git with which Kiali sees a service mesh of
// several clusters.
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

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/overlay"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/render"
	"github.com/sightline-mesh/sightline/templates"
)

// The exit codes. They mean the same in every command.
const (
	exitOK      = 0
	exitFound   = 1 // something was found or differs: warnings that count as errors, links to seal, a diff
	exitFailure = 2 // wrong usage, or a file or cluster that cannot be read or written
	exitInvalid = 3 // the topology or a template is wrong
	exitRefused = 4 // a guard refused
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == evaluateArgument {
		serveEvaluations(os.Stdin, os.Stdout)
		return
	}
	ctx, _ := signal.NotifyContext(context.Background(), endings()...) // until the process ends
	tuneMemory()
	os.Exit(run(withTemplates(ctx, render.NewTemplates(templates.FS)), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// endings returns the signals that end a run in good order. With nohup, a closed
// terminal does not end it.
func endings() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// run runs the command with arguments and streams, and returns the exit code. Data
// goes to stdout, words to stderr.
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
	// For an unknown command, Cobra would print help and exit with 0.
	cmd.InitDefaultHelpCmd()
	cmd.InitDefaultCompletionCmd(args...)
	for _, c := range cmd.Commands() {
		if c.Name() == "completion" && c.HasSubCommands() {
			c.Args, c.RunE = noSuchCommand, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
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
	cmd.SetFlagErrorFunc(flagError)
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
	hint := cmd.CommandPath() + " --help lists the commands"
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	near := finding.Nearest(args[0], names)
	for _, c := range cmd.Commands() { // the name of another program's command comes before a similar spelling
		if slices.Contains(c.SuggestFor, strings.ToLower(args[0])) {
			near = c.Name()
		}
	}
	if near != "" {
		hint = finding.Meant(strconv.Quote(near))
	} else if slices.Contains([]string{"apply", "install", "upgrade", "deploy", "sync", "delete", "uninstall"}, strings.ToLower(args[0])) {
		hint = "sightline changes no cluster: render a tree, and have Argo CD, Flux or kubectl apply -k apply it"
	} else if strings.ContainsAny(args[0], "./") {
		hint = "the command comes first: " + command.Verify(args[0])
	}
	return &hinted{fmt.Errorf("unknown command %q", args[0]), hint}
}

// noArguments refuses the arguments of a command that takes none.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return &hinted{fmt.Errorf("%s takes no arguments, found %q", cmd.CommandPath(), args[0]), cmd.CommandPath() + " --help tells more"}
}

// flagError says what is wrong with a flag, and what to do.
func flagError(cmd *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		bare    *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
	)
	hint := flagHint(cmd, err)
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		err = fmt.Errorf("unknown flag -%s", unknown.GetSpecifiedName())
	case errors.As(err, &unknown):
		err = fmt.Errorf("unknown flag --%s", unknown.GetSpecifiedName())
	case errors.As(err, &bare):
		flag := "--" + bare.GetSpecifiedName()
		if bare.GetSpecifiedShortnames() != "" {
			flag = flag[1:]
		}
		err = fmt.Errorf("%s needs a value", flag)
	case errors.As(err, &invalid):
		form := map[string]string{"int": "a whole number", "duration": "a time such as 30s or 5m", "bool": "true or false"}
		if expected := form[invalid.GetFlag().Value.Type()]; expected != "" {
			err = fmt.Errorf("--%s is %q, expected %s", invalid.GetFlag().Name, invalid.GetValue(), expected)
		}
	}
	return &hinted{err, hint}
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
files for Git: the monitors, the Kiali resources with their access rights and
their operator for each cluster, and the hub's sealed access to the remotes. Argo
CD, Flux or kubectl applies them.

Exit codes: 0 done; 1 something was found or differs; 2 wrong usage, or a file or
a cluster cannot be read or written; 3 the topology is invalid; 4 a guard refused.`

// listed is how many names a message lists at most.
const listed = 10

// invalid is the error of a topology with findings.
type invalid struct {
	findings finding.Findings
	count    string // the count of all findings, if findings has only a part
	after    string // a line to print after the findings; may be empty

	meanings [][]*input // the ways in which the topologies may have been meant, to check but never to write; see check.Meanings
	unlooked []string   // topologies without such a way: the rules did not check what they render to
}

func (e *invalid) Error() string { return fmt.Sprintf("%d findings", len(e.findings)) }

// hinted is an error with a hint that says what to do.
type hinted struct {
	error
	hint string
}

// several has the errors of a command that continued after the first one.
type several []error

func (e several) Error() string { return errors.Join(e...).Error() }

func (e several) err() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

// aboutCluster is an error about one cluster.
type aboutCluster struct {
	cluster string
	err     error
}

func (e *aboutCluster) Error() string { return e.cluster + ": " + e.err.Error() }
func (e *aboutCluster) Unwrap() error { return e.err }

// asLines keeps the ends of lines before indented lines, as in Sightline's own lists.
// Any other end of a line is written as \n. It comes from the name of a file or from
// another program, and the next line would look like a message of Sightline.
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

// report prints an error and returns its exit code. No other function does this.
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
		// A credential that was given by mistake is not repeated.
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
		return exitFailure // the reader of the output has closed it
	}
	if about != nil {
		err = about.err
	}
	say(err, "")
	return exitFailure
}
