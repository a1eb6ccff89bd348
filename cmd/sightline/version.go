package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"

	"github.com/spf13/cobra"
)

// What a release build is. tools/release sets them with the linker's -X; in any
// other build they are empty, and what Go itself has recorded is used.
var (
	releaseVersion string // v0.1.0
	releaseCommit  string // the full hash
	releaseDate    string // of the commit, RFC 3339, UTC
)

// build describes the program that is running. Its JSON is the output of
// "sightline version --output json".
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"` // "" where it was not built from a Git checkout
	Date     string `json:"date,omitempty"`   // of the commit, RFC 3339
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// thisBuild reads what the linker or Go has recorded.
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
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &hinted{fmt.Errorf("version takes no arguments, got %q", args[0]), ""}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printVersion(cmd.OutOrStdout(), output)
		},
	}
	cmd.Flags().StringVar(&output, "output", "text", "how to print it: text or json")
	return cmd
}

func printVersion(out io.Writer, output string) error {
	if !slices.Contains([]string{"text", "json"}, output) {
		return &hinted{fmt.Errorf("unknown output %q", output), "the outputs are text and json"}
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
