package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sightline-mesh/sightline/internal/check"
	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/observe"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/status"
	"github.com/sightline-mesh/sightline/internal/topology"
)

const statusDoc = `Ask the clusters of a topology, Kiali and the store of the metrics whether the
mesh works. Print what is wrong and what to do. Nothing is changed.

status asks each cluster by the context with its name, or by the one of --context.
It reaches Kiali by a port-forward to its Service on the hub, or at --kiali-url, as
the user of the hub's context. It reaches the store of the metrics at the address
in the topology.

A check that cannot be made is "not checked". This is a failure only with --strict.
"sightline status TOPOLOGY --rights" prints the roles that the checks need.
"sightline explain ST03" tells more about a check.

Exit codes: 0 all is good; 1 something is wrong; 2 no cluster could be reached, or
wrong usage; 3 the topology is invalid.`

// usualWait is how long status --wait waits by default.
const usualWait = 10 * time.Minute

type statusOptions struct {
	reach liveFlags

	kialiURL, kialiTokenFile string
	storeURL, storeTokenFile string
	caFile                   string

	only    []string
	wait    bool
	timeout time.Duration
	strict  bool
	rights  bool
	output  string

	contextOf map[string]string
	reached   bool // a cluster has answered
}

func newStatusCommand() *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:        "status TOPOLOGY",
		SuggestFor: []string{"doctor", "health", "wait"},
		Short:      "Check whether the mesh works",
		Long:       statusDoc,
		Example: `  sightline status mesh.yaml --hub-context hub --context west=admin@west
  sightline status mesh.yaml --wait --timeout 15m --strict
  sightline status mesh.yaml --only names --cluster west
  sightline status mesh.yaml --rights`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), args, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.reach.kubeconfig, "kubeconfig", "", "kubeconfig with the contexts; default: as for kubectl")
	f.StringVar(&o.reach.hubContext, "hub-context", "", "context of the hub; default: the hub's name")
	f.StringArrayVar(&o.reach.contexts, "context", nil, "context of a cluster, CLUSTER=NAME (repeatable); default: the cluster's name")
	f.StringVar(&o.reach.acmContext, "acm-context", "", "context of an ACM hub that is no cluster of the topology")
	f.StringVar(&o.kialiURL, "kiali-url", "", "URL of Kiali; default: its Service on the hub, by a port-forward")
	f.StringVar(&o.kialiTokenFile, "kiali-token-file", "",
		`file with a token for Kiali, or "-" for standard input; default: the one of the hub's context`)
	f.StringVar(&o.storeURL, "prometheus-url", "", "URL of the store of the metrics; default: the address in the topology")
	f.StringVar(&o.storeTokenFile, "prometheus-token-file", "", `file with a token for the store, or "-" for standard input`)
	f.StringVar(&o.caFile, "ca-file", "", "file with the CA of --kiali-url and --prometheus-url (PEM)")
	f.StringArrayVar(&o.only, "only", nil, "make only this check, such as ST03, or the checks of this group (repeatable)")
	f.StringArrayVar(&o.reach.only, "cluster", nil, "ask only this cluster, the hub and the ACM hub (repeatable)")
	f.BoolVar(&o.wait, "wait", false, "repeat the checks until all is good")
	f.DurationVar(&o.timeout, "timeout", usualWait, "how long to wait with --wait")
	f.BoolVar(&o.strict, "strict", false, "fail also for warnings and for checks that could not be made")
	f.BoolVar(&o.rights, "rights", false, "print the roles that the checks need, and ask no cluster")
	f.StringVar(&o.output, "output", "text", "how to print: text or json")
	return cmd
}

func (o *statusOptions) run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if err := o.check(args); err != nil {
		return err
	}
	e, err := o.expected(ctx, args, stdin)
	if err != nil {
		return err
	}
	if o.contextOf, err = o.reach.contextsOf(e.Topology); err != nil {
		return err
	}
	switch acm := o.reach.acmContext; {
	case acm != "" && e.Outside == nil:
		return noACMHub
	case acm != "":
		o.contextOf[e.Outside.Name] = acm
	}
	if _, err := o.reach.chosen(e.Topology); err != nil {
		return err
	}
	if o.rights {
		return printRights(stdout, e)
	}
	ask, err := o.asked(stdin)
	if err != nil {
		return err
	}
	if err := endsItself(ctx); err != nil {
		return err
	}
	results, err := o.observe(ctx, e, ask, stderr)
	if err != nil {
		return err
	}
	if err := o.print(stdout, e, results); err != nil {
		return err
	}
	if !o.reached {
		return &hinted{errors.New("no cluster could be reached"), "name their contexts with --hub-context and --context"}
	}
	if o.fails(results) {
		return errFound
	}
	return nil
}

func (o *statusOptions) check(args []string) error {
	switch {
	case len(args) == 0:
		return &hinted{errors.New("no topology"), "name it: sightline status mesh.yaml"}
	case unknownOutput(o.output, []string{outputText, outputJSON}) != nil:
		return unknownOutput(o.output, []string{outputText, outputJSON})
	case o.timeout <= 0:
		return &hinted{fmt.Errorf("--timeout is %s, expected more than 0", o.timeout), "write it like 10m"}
	case o.timeout != usualWait && !o.wait:
		return &hinted{errors.New("--timeout is for --wait"), "add --wait, or leave out --timeout"}
	case o.kialiTokenFile == "-" && o.storeTokenFile == "-":
		return &hinted{errors.New("standard input is named twice"), "it can be read once"}
	case args[0] == "-" && (o.kialiTokenFile == "-" || o.storeTokenFile == "-"):
		return &hinted{errors.New("standard input is named twice"), "name the topology by its file"}
	case o.storeTokenFile != "" && o.storeURL == "":
		return &hinted{errors.New("--prometheus-token-file is for the store at --prometheus-url"), "add --prometheus-url"}
	case o.caFile != "" && o.kialiURL == "" && o.storeURL == "":
		return &hinted{errors.New("--ca-file is for --kiali-url and --prometheus-url"),
			"leave it out: the CA of an API server is in the kubeconfig"}
	}
	for _, name := range o.only {
		if err := status.Known(name); err != nil {
			return &hinted{errors.New(seal.Redact(err.Error())), "sightline explain rules lists the checks, ST01 and on"}
		}
	}
	return nil
}

// expected reads the topology, and renders the objects that its clusters must have.
func (o *statusOptions) expected(ctx context.Context, args []string, stdin io.Reader) (status.Expected, error) {
	in, err := readInput(args[0], stdin)
	if err != nil {
		return status.Expected{}, err
	}
	closed, err := openAll(ctx, in)
	if err != nil {
		return status.Expected{}, err
	}
	defer closed()
	clusters, err := in.rendering.Clusters()
	if err != nil {
		return status.Expected{}, err
	}
	objects, err := objectsOf(clusters)
	if err != nil {
		return status.Expected{}, err
	}
	e := status.Expected{Topology: in.topology, Arg: args[0], Objects: objects, Links: in.links}
	if in.topology.ACMOutside() {
		e.Outside = topology.OutsideACMHub()
		e.Objects[e.Outside.Name], err = outsideObjects(in.rendering)
	}
	return e, err
}

// asked returns how to reach the clusters, Kiali and the store of the metrics.
func (o *statusOptions) asked(stdin io.Reader) (observe.Options, error) {
	contexts, err := cluster.ReadContexts(o.reach.kubeconfig)
	if err != nil {
		return observe.Options{}, err
	}
	ask := observe.Options{
		Clusters: o.reach.only,
		Wanted:   func(check string) bool { return status.Selected(check, o.only) },
		Kiali:    observe.Kiali{URL: o.kialiURL},
		Metrics:  observe.Metrics{URL: o.storeURL},
		Timeout:  requestTimeout,
	}
	// A context that a flag names must exist. It may be mistyped.
	for name, context := range o.contextOf {
		if name != context && !contexts.Has(context) {
			flag := "--context CLUSTER=NAME"
			if context == o.reach.acmContext {
				flag = "--acm-context NAME"
			}
			_, err := openContext(contexts, flag, context)
			return ask, err
		}
	}
	ask.Open = func(c *topology.Cluster) (*cluster.Cluster, error) {
		if o.contextOf[c.Name] == "" {
			return nil, errors.New("the ACM hub is no cluster of the topology, and --acm-context is not given")
		}
		return contexts.Open(o.contextOf[c.Name], cluster.Options{Timeout: requestTimeout})
	}
	if ask.Kiali.Token, err = o.token("--kiali-token-file", o.kialiTokenFile, stdin); err != nil {
		return ask, err
	}
	if ask.Metrics.Token, err = o.token("--prometheus-token-file", o.storeTokenFile, stdin); err != nil {
		return ask, err
	}
	if o.caFile != "" {
		ca, err := readFile(o.caFile)
		if err != nil {
			return ask, fmt.Errorf("--ca-file: %w", err)
		}
		ask.Kiali.CA, ask.Metrics.CA = ca, ca
	}
	return ask, nil
}

// token reads a file that contains only a token.
func (o *statusOptions) token(flag, file string, stdin io.Reader) (string, error) {
	if file == "" {
		return "", nil
	}
	data, err := readToken(flag, file, stdin)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(data))
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("the file of %s must contain a token and nothing else", flag)
	}
	return token, nil
}

// requestTimeout is the longest time of a request. A cluster that hangs costs this
// time once.
const requestTimeout = 10 * time.Second

// pause is the time between two rounds with --wait.
const pause = 5 * time.Second

// observe makes all checks. With --wait it repeats them until all are good.
func (o *statusOptions) observe(ctx context.Context, e status.Expected, ask observe.Options, stderr io.Writer) ([]status.Result, error) {
	start := time.Now()
	say := newProgress(stderr, len(e.Clusters()))
	ask.Done = say.done
	last := ""
	for {
		say.begin()
		facts := observe.Everything(ctx, e, ask)
		e.Now = time.Now()
		o.reached = facts.Reached()
		say.end()
		if ctx.Err() != nil {
			return nil, &hinted{errors.New("interrupted"), ""}
		}
		always := []string{e.Topology.Spec.Kiali.Hub}
		if acm := e.ACMHub(); acm != nil {
			always = append(always, acm.Name)
		}
		results := slices.DeleteFunc(status.Chosen(status.Judge(e, facts), o.only), func(r status.Result) bool {
			return len(o.reach.only) > 0 && !slices.Contains(always, r.Cluster) && !slices.Contains(o.reach.only, r.Cluster)
		})
		left := o.timeout - time.Since(start)
		if !o.wait || !o.fails(results) || left <= 0 {
			return results, nil
		}
		if now := failing(results); now != last {
			fmt.Fprintf(stderr, "waiting, %s of %s: %s\n", time.Since(start).Round(time.Second), o.timeout, now)
			last = now
		}
		select {
		case <-ctx.Done():
			return nil, &hinted{errors.New("interrupted"), ""}
		case <-time.After(min(pause, left)):
		}
	}
}

// failing names the checks that are not good yet.
func failing(results []status.Result) string {
	var names []string
	for _, r := range results {
		if r.Mark == status.Bad {
			names = append(names, strings.TrimSpace(r.Check+" "+r.Cluster))
		}
	}
	if len(names) == 0 {
		return "warnings, or checks that could not be made"
	}
	return finding.List(names, listed)
}

func (o *statusOptions) fails(results []status.Result) bool {
	count := status.Summary(results)
	return count[status.Bad] > 0 || o.strict && count[status.Warning]+count[status.Unchecked] > 0
}

// printRights prints the roles that clusters need. Clusters with the same roles share
// one output.
func printRights(stdout io.Writer, e status.Expected) error {
	var text []byte
	printed := map[string][]string{}
	var order []string
	for _, c := range e.Clusters() {
		var objects []byte
		for _, o := range status.Rights(e, c) {
			objects = append(objects, "---\n"...)
			objects = resource.Encode(objects, o)
		}
		if printed[string(objects)] == nil {
			order = append(order, string(objects))
		}
		printed[string(objects)] = append(printed[string(objects)], c.Name)
	}
	for _, objects := range order {
		text = fmt.Appendf(text, "# What sightline status may read on %s, for the users of the group %s.\n", finding.List(printed[objects],
			listed), status.Readers)
		text = append(text, objects...)
	}
	_, err := stdout.Write(text)
	return err
}

// title returns the title of a check: what is true if the check is good.
func title(id string) string {
	if rule, _ := check.Lookup(id); rule != nil {
		return rule.Title
	}
	return id
}
