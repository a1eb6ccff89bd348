package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kustomize"
	"github.com/sightline-mesh/sightline/internal/manifests"
	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/internal/tree"
	"github.com/sightline-mesh/sightline/render"
)

const pluginDoc = `Render inside Argo CD, as a config management plugin. Argo CD's repo-server runs
Sightline for each Application, so you commit no rendered files.

"plugin config" prints the configuration of the plugin. "plugin sidecar" prints a
patch for the repo-server. docs/argocd.md explains how to install them. With
delivery.argocd.source: plugin in the topology, the ApplicationSet uses the plugin.`

const generateDoc = `Print the objects of one cluster, in the order in which to apply them. If there is
an error, nothing is printed. Findings go to standard error.

Argo CD runs this command in the folder of the Application's source. It passes the
parameters of the Application in the variable ARGOCD_APP_PARAMETERS:

  topology   file or directory of the topology (default: topology.yaml)
  cluster    the cluster to print
  objects    cluster, or delivery for Argo CD's own objects (default: cluster)

Without Argo CD, use the flags with the same names. A parameter overrides a flag.`

func newPluginCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plugin",
		Short: "Render inside Argo CD, as its config management plugin",
		Long:  pluginDoc,
		Example: `  sightline plugin config > plugin.yaml
  sightline plugin sidecar > sidecar.yaml
  sightline plugin generate --topology mesh.yaml --cluster west`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newGenerateCommand(),
		newPrintCommand("config", "Print the configuration of the plugin", `  sightline plugin config
  sightline plugin config > plugin.yaml
  sightline plugin config | kubectl -n argocd create configmap sightline-plugin --from-file=plugin.yaml=/dev/stdin`, pluginConfig),
		newPrintCommand("sidecar", "Print a patch that adds the plugin to Argo CD's repo-server", `  sightline plugin sidecar
  sightline plugin sidecar > sidecar.yaml
  sightline plugin sidecar | kubectl -n argocd patch deployment argocd-repo-server --patch-file /dev/stdin`, pluginSidecar),
	)
	return cmd
}

// pluginOptions are the parameters of an Application.
type pluginOptions struct{ topology, cluster, objects string }

// The values of pluginOptions.objects.
const (
	objectsOfCluster  = "cluster"
	objectsOfDelivery = "delivery"
)

func newGenerateCommand() *cobra.Command {
	o := pluginOptions{topology: "topology.yaml", objects: objectsOfCluster}
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Print the objects of one cluster",
		Long:  generateDoc,
		Example: `  sightline plugin generate --topology mesh.yaml --cluster west
  sightline plugin generate --topology mesh.yaml --objects delivery
  ARGOCD_APP_PARAMETERS='[{"name": "cluster", "string": "west"}]' sightline plugin generate --topology mesh.yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &hinted{fmt.Errorf("plugin generate takes no arguments, got %q", args[0]), "name the topology with --topology"}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.read(os.Getenv(parametersVariable)); err != nil {
				return err
			}
			return o.generate(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&o.topology, "topology", o.topology, "file or directory of the topology")
	cmd.Flags().StringVar(&o.cluster, "cluster", "", "cluster to print")
	cmd.Flags().StringVar(&o.objects, "objects", o.objects, "objects to print: cluster or delivery")
	return cmd
}

// parametersVariable is the environment variable with the parameters of an
// Application, as JSON
// (https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/).
const parametersVariable = "ARGOCD_APP_PARAMETERS"

// read sets the options that the parameters give.
func (o *pluginOptions) read(parameters string) error {
	if parameters == "" {
		return nil
	}
	var given []struct {
		Name   string
		String *string
	}
	if err := json.Unmarshal([]byte(parameters), &given); err != nil {
		return fmt.Errorf("%s is not the JSON that Argo CD writes: %w", parametersVariable, err)
	}
	known := map[string]*string{"topology": &o.topology, "cluster": &o.cluster, "objects": &o.objects}
	for _, p := range given {
		to := known[p.Name]
		switch {
		case to == nil:
			return &hinted{fmt.Errorf("the Application has an unknown parameter %q", p.Name),
				"the parameters are topology, cluster and objects"}
		case p.String == nil:
			return &hinted{fmt.Errorf("the parameter %q of the Application is not a string", p.Name),
				"write it with string:, not with array: or map:"}
		}
		*to = *p.String
	}
	return nil
}

// generate prints the objects if the rules find no error.
func (o *pluginOptions) generate(ctx context.Context, stdout, stderr io.Writer) error {
	switch {
	case o.objects != objectsOfCluster && o.objects != objectsOfDelivery:
		return &hinted{fmt.Errorf("objects is %q, expected cluster or delivery", o.objects), ""}
	case o.objects == objectsOfCluster && o.cluster == "":
		return &hinted{errors.New("no cluster"), "give the Application a parameter cluster, or name one with --cluster"}
	case o.topology == "-":
		return &hinted{errors.New("the topology cannot be read from standard input"),
			"name a file or directory: sealed links and overlays are beside it"}
	}
	in, err := readInput(o.topology, nil)
	if err != nil {
		return err
	}
	closed, err := openAll(ctx, in)
	if err != nil {
		return err
	}
	defer closed()
	var rules ruleFlags
	warnings, _, err := rules.allow([]*input{in}, render.Manifests)
	if err != nil {
		return err
	}
	var objects []tree.File
	if o.objects == objectsOfDelivery {
		objects, err = deliveryObjects(in)
	} else {
		objects, err = (&renderOptions{clusters: []string{o.cluster}}).objects([]*input{in})
	}
	if err != nil {
		return err
	}
	if err := printFindings(stderr, warnings); err != nil {
		return err
	}
	_, err = stdout.Write(manifests.Stream(nil, objects))
	return err
}

// deliveryObjects returns Argo CD's own objects for a topology.
func deliveryObjects(in *input) ([]tree.File, error) {
	if t := in.topology; t.Spec.Delivery == nil || t.Spec.Delivery.ArgoCD == nil {
		return nil, &invalid{findings: finding.Findings{{
			Position: t.At("spec", "delivery"), Rule: topology.RuleMissing,
			Message: "spec.delivery.argocd is missing, so there are no objects of Argo CD to print", Hint: "add delivery: {repoURL: …, argocd: " +
				"{source: plugin}}",
		}}}
	}
	out, err := in.rendering.Delivery(render.Kustomize)
	if err != nil {
		return nil, err
	}
	var objects []tree.File
	for _, f := range out.Files {
		if dir, name := path.Split(f.Path); dir == "argocd/" && name != kustomize.File {
			objects = append(objects, f)
		}
	}
	return objects, nil
}

// newPrintCommand makes a command that prints a text with the image of this version.
func newPrintCommand(name, short, examples, text string) *cobra.Command {
	return &cobra.Command{
		Use:     name,
		Short:   short,
		Example: examples,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			image := "ghcr.io/sightline-mesh/sightline:" + thisBuild().Version
			if !strings.HasPrefix(thisBuild().Version, "v") {
				image = "ghcr.io/sightline-mesh/sightline:VERSION"
			}
			var out bytes.Buffer
			if err := template.Must(template.New(name).Parse(text)).Execute(&out, map[string]string{"Image": image}); err != nil {
				return err
			}
			_, err := cmd.OutOrStdout().Write(out.Bytes())
			return err
		},
	}
}

// pluginConfig is the configuration of the plugin. It has no discovery: an Application
// names the plugin, so the plugin renders no other Application of the repository.
const pluginConfig = `apiVersion: argoproj.io/v1alpha1
kind: ConfigManagementPlugin
metadata:
  name: sightline
spec:
  generate:
    command: [sightline, plugin, generate]
  parameters:
    static:
      - name: topology
        title: File or directory of the topology, relative to the source's path
        string: topology.yaml
      - name: cluster
        title: Cluster to render
      - name: objects
        title: "What to render: cluster, or delivery for Argo CD's own objects"
        string: cluster
`

// pluginSidecar is a strategic merge patch for the repo-server. The ConfigMap
// sightline-plugin has the configuration under the key plugin.yaml. The container runs
// as the user of the repo-server, because Argo CD requires it.
const pluginSidecar = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: argocd-repo-server
spec:
  template:
    spec:
      containers:
        - name: sightline
          image: {{.Image}}
          command: [/var/run/argocd/argocd-cmp-server]
          securityContext:
            runAsNonRoot: true
            runAsUser: 999
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
            seccompProfile: {type: RuntimeDefault}
          resources:
            requests: {cpu: 100m, memory: 128Mi}
            limits: {memory: 1Gi}
          volumeMounts:
            - {name: var-files, mountPath: /var/run/argocd}
            - {name: plugins, mountPath: /home/argocd/cmp-server/plugins}
            - {name: sightline-plugin, mountPath: /home/argocd/cmp-server/config}
            - {name: sightline-tmp, mountPath: /tmp}
      volumes:
        - name: sightline-plugin
          configMap: {name: sightline-plugin}
        - name: sightline-tmp
          emptyDir: {}
`
