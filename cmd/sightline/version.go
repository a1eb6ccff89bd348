package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// The data of a release build. tools/release sets them with the linker's -X. In any
// other build they are empty, and thisBuild uses what Go has recorded.
var (
	releaseVersion string // v0.1.0
	releaseCommit  string // the full hash
	releaseDate    string // of the commit, RFC 3339, UTC
)

// build describes the program that is running. Its JSON is the output of
// "sightline version --output json".
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"` // "" if it was not built from a Git checkout
	Date     string `json:"date,omitempty"`   // of the commit, RFC 3339
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// thisBuild returns what the linker or Go has recorded about this program.
func thisBuild() build {
	b := build{Version: releaseVersion, Commit: releaseCommit, Date: releaseDate, Go: runtime.Version(), Platform: runtime.GOOS + "/" +
		runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if b.Version != "" || !ok {
		return b
	}
	if b.Version = info.Main.Version; b.Version == "" {
		b.Version = "unknown"
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Date = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// String is one line: sightline v0.1.0 (0123456789ab, 2026-11-27T10:00:00Z) go1.26.8 linux/amd64.
func (b build) String() string {
	from := ""
	if b.Commit != "" {
		from = fmt.Sprintf(" (%.12s, %s)", b.Commit, b.Date)
	}
	return fmt.Sprintf("sightline %s%s %s %s", b.Version, from, b.Go, b.Platform)
}

func newVersionCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long:  "Print the version, the commit that it was built from, and the commit's date.",
		Example: `  sightline version
  sightline version --output json
  sightline --version`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printVersion(cmd.OutOrStdout(), output)
		},
	}
	cmd.Flags().StringVar(&output, "output", "text", "how to print it: text or json")
	return cmd
}

func printVersion(out io.Writer, output string) error {
	if err := unknownOutput(output, []string{outputText, outputJSON}); err != nil {
		return err
	}
	b := thisBuild()
	if output == "json" {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(b)
	}
	_, err := fmt.Fprintln(out, b)
	return err
}
