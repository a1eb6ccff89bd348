package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/delivery"
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/render"
)

// printPlain prints the Secrets with the kubeconfigs of remotes, in the clear, for a
// program that applies them to the hub. It prints all of them or nothing, because an
// apply removes the keys that are no longer there.
func (o *sealRun) printPlain(ctx context.Context, t *topology.Topology, remotes []*topology.Cluster, links string, stdin io.Reader,
	stdout, stderr io.Writer) error {
	apply := o.applyCommand(t, remotes)
	if err := o.mayBePlain(t, remotes, links); err != nil {
		return err
	}
	if err := forPipe(stdout, o.plainCommand(remotes)+" | "+apply); err != nil {
		return err
	}
	texts := make([][]byte, len(remotes))
	var failed several
	for i, err := range together(remotes, stderr, func(c *topology.Cluster, out, progress io.Writer) error {
		text, err := o.plainOne(ctx, o.remote(t, c), stdin, out, progress)
		texts[slices.Index(remotes, c)] = text
		return err
	}) {
		if err != nil {
			failed = append(failed, &aboutCluster{remotes[i].Name, err})
		}
	}
	if len(failed) > 0 {
		return append(failed, errors.New("nothing is printed: a Secret without these remotes would remove their links from the hub")).err()
	}
	secrets, err := render.LinkSecrets(t, shipped(ctx), remotes)
	if err != nil {
		return err
	}
	var printed []byte
	var names []string
	for _, secret := range secrets {
		data, size := map[string]any{}, 0
		for _, c := range secret.Remotes {
			text := texts[slices.Index(remotes, c)]
			data[c.Name] = base64.StdEncoding.EncodeToString(text)
			size += len(text)
		}
		name := resource.IDOf(secret.Object).Name
		if size > delivery.DataLimit {
			return &finding.Refusal{
				Message: fmt.Sprintf("the kubeconfigs in the Secret %s have %d KiB, but a Secret has at most %d KiB", name, (size+1023)>>10,
					delivery.DataLimit>>10),
				Hint: "write links: {format: perCluster}",
			}
		}
		secret.Object["data"] = data
		printed = resource.Encode(append(printed, "---\n"...), secret.Object)
		names = append(names, name)
	}
	if _, err := stdout.Write(printed); err != nil {
		return err
	}
	fmt.Fprintf(stderr, "%s: printed %s for %s, with tokens in the clear\nhint: apply it with: %s\n",
		t.Metadata.Name, finding.List(names, listed), finding.List(clusterNames(remotes), listed), apply)
	if t.Spec.Kiali.Links.Format == "perCluster" {
		fmt.Fprintf(stderr, "hint: Kiali does not notice a new Secret by itself: %s, and then rollout restart deployment/%s\n",
			command.Reconcile(o.hub(t), t.Spec.Kiali.Namespace, t.Spec.Kiali.InstanceName), t.Spec.Kiali.InstanceName)
	}
	return nil
}

// plainOne returns the kubeconfig of one remote.
func (o *sealRun) plainOne(ctx context.Context, c seal.Remote, stdin io.Reader, out, progress io.Writer) ([]byte, error) {
	r := seal.Request{Remote: c, Now: time.Now()}
	warnings, err := o.credential(ctx, &r, stdin, progress)
	if err != nil {
		return nil, err
	}
	if err := o.tryCA(ctx, &r); err != nil {
		return nil, err
	}
	text, more, err := seal.Plain(r)
	for _, w := range append(warnings, more...) {
		fmt.Fprintf(out, "%s: warning: %s\n", c.Cluster.Name, w)
	}
	return text, err
}

// mayBePlain refuses to print a Secret that a sealed link makes too.
func (o *sealRun) mayBePlain(t *topology.Topology, remotes []*topology.Cluster, links string) error {
	if !t.Spec.Kiali.Links.ByFile() {
		return nil
	}
	var there []string
	for _, c := range remotes {
		l, findings, err := readLink(filepath.Join(links, c.Name+".yaml"))
		if err != nil {
			return err
		}
		if l != nil || len(findings) > 0 {
			there = append(there, c.Name)
		}
	}
	if len(there) == 0 {
		return nil
	}
	return finding.Refuse("seal it without --plain; or write links: {source: external}, so that no sealed link is rendered",
		"%s has a sealed link below %s, and its controller writes the same Secret", finding.List(there, listed), links)
}

// forPipe refuses a standard output that is not a pipe. instead is the hint.
func forPipe(stdout io.Writer, instead string) error {
	if v, ok := stdout.(*visible); ok {
		stdout = v.out
	}
	file, ok := stdout.(*os.File)
	if !ok {
		return nil // a reader inside this program
	}
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	is := "a device"
	switch mode := info.Mode(); {
	case mode&(fs.ModeNamedPipe|fs.ModeSocket) != 0:
		return nil
	case mode.IsRegular():
		is = "a file, which would keep the tokens"
	case mode&fs.ModeCharDevice != 0:
		is = "a terminal or another device, which would show the tokens"
	}
	return finding.Refuse(instead, "standard output is %s; expected a pipe", is)
}

// plainCommand returns the command that prints the same Secrets.
func (o *sealOptions) plainCommand(remotes []*topology.Cluster) string {
	which := command.All
	if !o.all {
		which = remotes[0].Name
	}
	return command.Seal(which, o.topology, string(command.Plain))
}

// applyCommand returns the command that applies the Secrets to the hub. The apply is
// server-side, because a client-side apply keeps the whole Secret in an annotation. An
// apply removes the keys that the same field manager applied before. So a remote that
// is printed alone has another field manager.
func (o *sealOptions) applyCommand(t *topology.Topology, remotes []*topology.Cluster) string {
	manager := "sightline"
	if !o.all {
		manager += "-" + remotes[0].Name
	}
	return command.Apply(o.hub(t), manager)
}

// hub returns the context of the hub: --hub-context, or the name of the hub.
func (o *sealOptions) hub(t *topology.Topology) string { return cmp.Or(o.hubContext, t.Spec.Kiali.Hub) }

func clusterNames(clusters []*topology.Cluster) []string {
	names := make([]string, len(clusters))
	for i, c := range clusters {
		names[i] = c.Name
	}
	return names
}
