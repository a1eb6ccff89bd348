package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/status"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/render"
	"github.com/sightline-mesh/sightline/topologies"
)

// completes returns what a shell offers for the value of a flag, by the name of the
// flag. A name means the same in every command. The values of other flags are files.
func completes() map[string]cobra.CompletionFunc {
	return map[string]cobra.CompletionFunc{
		"acm-context":  hubContexts,
		"allow-remove": completeClusters,
		"cluster":      completeClusters,
		"context":      completeContexts,
		"dir":          directories,
		"example":      words(topologies.Names()...),
		"format":       formats,
		"from":         directories,
		"hub":          hubContexts,
		"hub-context":  hubContexts,
		"objects":      words("cluster", "delivery"),
		"only":         checks,
		"output":       outputs,
		"suppress":     softRules,
		"crds":         directories,

		// Values that a shell cannot know and that are no files.
		"accept-cert": words(), "against": words(), "controller-name": words(), "controller-namespace": words(), "kiali-url": words(),
		"max-clusters": words(), "max-removed": words(), "name": words(), "prometheus-url": words(), "sops": words(), "timeout": words(),
	}
}

// addCompletion adds completion to the flags of a command and of its subcommands.
func addCompletion(cmd *cobra.Command) {
	known := completes()
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if complete := known[f.Name]; complete != nil {
			_ = cmd.RegisterFlagCompletionFunc(f.Name, complete) // fails for a flag that has one already
		}
	})
	for _, sub := range cmd.Commands() {
		addCompletion(sub)
	}
}

// words offers fixed words.
func words(all ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return fitting(all, begun), cobra.ShellCompDirectiveNoFileComp
	}
}

// fitting returns the words that begin with the typed text.
func fitting(all []string, begun string) []cobra.Completion {
	var fit []cobra.Completion
	for _, word := range all {
		if strings.HasPrefix(word, begun) {
			fit = append(fit, word)
		}
	}
	return fit
}

func directories(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

func formats(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var all []string
	for _, f := range render.Formats() {
		all = append(all, string(f))
	}
	return fitting(all, begun), cobra.ShellCompDirectiveNoFileComp
}

// outputs offers the outputs that the help of the command's flag names, up to a ";".
func outputs(cmd *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	_, list, _ := strings.Cut(cmd.Flags().Lookup("output").Usage, ": ")
	list, _, _ = strings.Cut(list, ";")
	all := strings.Split(strings.ReplaceAll(list, " or ", ", "), ", ")
	return fitting(all, begun), cobra.ShellCompDirectiveNoFileComp
}

// softRules offers the rules that can be suppressed, with their titles.
func softRules(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return ruleIDs(begun, func(r *check.Rule) bool { return r.Softens() }), cobra.ShellCompDirectiveNoFileComp
}

func ruleIDs(begun string, take func(r *check.Rule) bool) []cobra.Completion {
	rules := check.Rules()
	var all []cobra.Completion
	for i := range rules {
		if take(&rules[i]) && strings.HasPrefix(rules[i].ID, strings.ToUpper(begun)) {
			all = append(all, cobra.CompletionWithDesc(rules[i].ID, rules[i].Title))
		}
	}
	return all
}

// checks offers the groups and the checks of status.
func checks(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var groups, ids []string
	for _, g := range status.Groups() {
		groups, ids = append(groups, g.Name), append(ids, g.Checks...)
	}
	return append(fitting(groups, begun), ruleIDs(begun,
		func(r *check.Rule) bool { return slices.Contains(ids, r.ID) })...), cobra.ShellCompDirectiveNoFileComp
}

// completeContexts offers the contexts of the kubeconfig. In a command with a
// topology, it offers the clusters too, as CLUSTER=.
func completeContexts(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const none = cobra.ShellCompDirectiveNoFileComp
	contexts := contextsGiven(cmd)
	before, after, ok := strings.Cut(begun, "=")
	if ok && !slices.Contains(contexts, begun) {
		var all []cobra.Completion
		for _, context := range fitting(contexts, after) {
			all = append(all, before+"="+context)
		}
		return all, none
	}
	all := fitting(contexts, begun)
	directive := none
	if cmd.Flags().Lookup("hub-context") != nil { // a command with a topology
		for _, name := range clustersGiven(cmd, args) {
			if strings.HasPrefix(name, begun) {
				all, directive = append(all, name+"="), none|cobra.ShellCompDirectiveNoSpace
			}
		}
	}
	return all, directive
}

// hubContexts offers the contexts of the kubeconfig.
func hubContexts(cmd *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return fitting(contextsGiven(cmd), begun), cobra.ShellCompDirectiveNoFileComp
}

// contextsGiven returns the contexts of the kubeconfig in the command line, or of the
// kubeconfig that kubectl uses.
func contextsGiven(cmd *cobra.Command) []string {
	file := ""
	if f := cmd.Flags().Lookup("kubeconfig"); f != nil {
		file = f.Value.String()
	}
	contexts, err := cluster.ReadContexts(file)
	if err != nil {
		return nil
	}
	return contexts.Names()
}

// completeClusters offers the clusters of the topologies in the command line.
func completeClusters(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return fitting(clustersGiven(cmd, args), begun), cobra.ShellCompDirectiveNoFileComp
}

// clustersGiven returns the clusters of the topologies in the command line. It skips a
// topology that cannot be read, because completion shows no errors.
func clustersGiven(cmd *cobra.Command, args []string) []string {
	if f := cmd.Flags().Lookup("topology"); f != nil {
		args = []string{f.Value.String()}
	}
	var names []string
	add := func(t *topology.Topology) {
		for i := range t.Spec.Clusters {
			names = append(names, t.Spec.Clusters[i].Name)
		}
	}
	for _, arg := range args {
		if arg == "" || arg == "-" {
			continue
		}
		if t, _, err := readTopology(arg, nil); err == nil && t != nil {
			add(t)
		}
	}
	if f := cmd.Flags().Lookup("example"); f != nil && f.Value.String() != "" {
		if text, file, ok := topologies.Example(f.Value.String()); ok {
			if t, _ := check.Parse(file, text); t != nil {
				add(t)
			}
		}
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool { return name == "" })
}

// clusterArgs offers the clusters that are not yet among the arguments.
func clusterArgs(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	names := slices.DeleteFunc(clustersGiven(cmd, nil), func(name string) bool { return slices.Contains(args, name) })
	return fitting(names, begun), cobra.ShellCompDirectiveNoFileComp
}
