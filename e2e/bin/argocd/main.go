// Command argocd is the controllers of Argo CD in one program, chosen by the
// first argument, without its API server, its UI and its login.
//
// Its cache is miniredis, as in `argocd admin dashboard`: what Argo CD keeps
// there it can compute again.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/alicebob/miniredis/v2"
	applicationcontroller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	applicationsetcontroller "github.com/argoproj/argo-cd/v3/cmd/argocd-applicationset-controller/commands"
	cmpserver "github.com/argoproj/argo-cd/v3/cmd/argocd-cmp-server/commands"
	reposerver "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
	"github.com/argoproj/argo-cd/v3/util/log"
	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
)

func main() {
	klog.SetLogger(log.NewLogrusLogger(log.NewWithCurrentConfig()))
	commands := map[string]func() *cobra.Command{
		"application-controller":    applicationcontroller.NewCommand,
		"applicationset-controller": applicationsetcontroller.NewCommand,
		"repo-server":               reposerver.NewCommand,
		"cmp-server":                cmpserver.NewCommand,
		"cache":                     cache,
	}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "argocd: the first argument is application-controller, applicationset-controller, repo-server, cmp-server or "+
			"cache")
		os.Exit(2)
	}
	command := commands[os.Args[1]]()
	command.SetArgs(os.Args[2:])
	if err := command.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "argocd:", err)
		os.Exit(1)
	}
}

func cache() *cobra.Command {
	return &cobra.Command{
		Use:  "cache ADDRESS",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			server := miniredis.NewMiniRedis()
			if err := server.StartAddr(args[0]); err != nil {
				return err
			}
			// Its clock stands still by itself, so that nothing would ever expire.
			for range time.Tick(time.Second) {
				server.FastForward(time.Second)
			}
			return nil
		},
	}
}
