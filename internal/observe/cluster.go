package observe

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/cluster"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/openshift"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/seal"
	"github.com/sightline-mesh/sightline/internal/status"
)

func (r *reader) namespaces(ctx context.Context) (map[string]map[string]string, error) {
	all, err := r.List(ctx, "v1", "Namespace", "", "")
	labels := map[string]map[string]string{}
	for _, o := range all {
		var ns corev1.Namespace
		if err := into(o, &ns); err != nil {
			return nil, err
		}
		labels[ns.Name] = ns.Labels
	}
	return labels, err
}

// into converts an object to a Go type.
func into(o resource.Object, v any) error {
	data, err := json.Marshal(o)
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		return fmt.Errorf("%s has an unexpected form", resource.IDOf(o))
	}
	return nil
}

// istio reads the control plane.
func (r *reader) istio(ctx context.Context) {
	ns := r.on.ControlPlane.Namespace
	r.got.Istiods = ask(r, func() ([]status.Istiod, error) { return r.istiods(ctx, ns) })
	r.got.Network = status.Answer[string]{Value: r.got.Namespaces.Value[ns][labels.Network], Err: r.got.Namespaces.Err}
	r.got.Tags = ask(r, func() (map[string]string, error) {
		hooks, err := r.List(ctx, "admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "", labels.RevisionTag)
		tags := map[string]string{}
		for _, h := range hooks {
			var hook corev1.ConfigMap // only its metadata is read
			if into(h, &hook) == nil {
				tags[hook.Labels[labels.RevisionTag]] = hook.Labels[labels.Revision]
			}
		}
		return tags, err
	})
}

func (r *reader) istiods(ctx context.Context, ns string) ([]status.Istiod, error) {
	deployments, err := r.List(ctx, "apps/v1", "Deployment", ns, labels.Istiod)
	if err != nil {
		return nil, err
	}
	var istiods []status.Istiod
	for _, o := range deployments {
		var d appsv1.Deployment
		if err := into(o, &d); err != nil {
			return nil, err
		}
		i := status.Istiod{Name: d.Name, Revision: d.Labels[labels.Revision]}
		for _, container := range d.Spec.Template.Spec.Containers[:min(1, len(d.Spec.Template.Spec.Containers))] {
			for _, env := range container.Env {
				if env.Name == "CLUSTER_ID" {
					i.ClusterID = env.Value
				}
			}
		}
		suffix := ""
		if i.Revision != "" && i.Revision != "default" {
			suffix = "-" + i.Revision
		}
		r.meshConfig(ctx, ns, suffix, &i)
		istiods = append(istiods, i)
	}
	return istiods, nil
}

// meshConfig reads the mesh id, the network and the tracing settings from
// Istio's configuration: the proxy defaults in the mesh config, and the values
// of the installation in the injector's ConfigMap (istio
// manifests/charts/istio-control).
func (r *reader) meshConfig(ctx context.Context, ns, suffix string, i *status.Istiod) {
	var config corev1.ConfigMap
	if err := r.Read(ctx, cluster.Core(ns, "configmaps", "istio"+suffix), &config); err == nil {
		var mesh struct {
			DefaultConfig struct {
				MeshID string `json:"meshId"`
			} `json:"defaultConfig"`
			EnableTracing      *bool `json:"enableTracing"`
			ExtensionProviders []struct {
				Name          string                   `json:"name"`
				OpenTelemetry struct{ Service string } `json:"opentelemetry"`
			} `json:"extensionProviders"`
		}
		if yaml.Unmarshal([]byte(config.Data["mesh"]), &mesh) == nil {
			i.MeshID = mesh.DefaultConfig.MeshID
			i.Config = &status.MeshConfig{NoTracing: mesh.EnableTracing != nil && !*mesh.EnableTracing, Providers: map[string]string{}}
			for _, p := range mesh.ExtensionProviders {
				i.Config.Providers[p.Name] = p.OpenTelemetry.Service
			}
		}
	}
	var injector corev1.ConfigMap
	if err := r.Read(ctx, cluster.Core(ns, "configmaps", "istio-sidecar-injector"+suffix), &injector); err == nil {
		var values struct {
			Global struct{ MeshID, Network string }
		}
		if json.Unmarshal([]byte(injector.Data["values"]), &values) == nil {
			i.MeshID, i.Networks = cmp.Or(i.MeshID, values.Global.MeshID), values.Global.Network
		}
	}
}

// telemetries reads the Telemetries that apply to the whole namespace of the
// rendered Telemetry. It returns none if no Telemetry is rendered.
func (r *reader) telemetries(ctx context.Context) ([]status.Telemetry, error) {
	var all []status.Telemetry
	for _, o := range r.e.Objects[r.on.Name] {
		ours := resource.IDOf(o)
		if ours.Kind != "Telemetry" {
			continue
		}
		live, err := r.List(ctx, ours.APIVersion, ours.Kind, ours.Namespace, "")
		if err != nil {
			return nil, err
		}
		for _, o := range live {
			var t struct {
				Metadata metav1.ObjectMeta `json:"metadata"`
				Spec     struct {
					Selector   map[string]any   `json:"selector"`
					TargetRefs []map[string]any `json:"targetRefs"`
					TargetRef  map[string]any   `json:"targetRef"`
				} `json:"spec"`
			}
			if err := into(o, &t); err != nil {
				return nil, err
			}
			if len(t.Spec.Selector) == 0 && len(t.Spec.TargetRefs) == 0 && len(t.Spec.TargetRef) == 0 {
				all = append(all, status.Telemetry{Name: t.Metadata.Name, Created: t.Metadata.CreationTimestamp.Time})
			}
		}
	}
	return all, nil
}

var versionIn = regexp.MustCompile(`v?(\d+\.\d+\.\d+)`)

// operator finds Kiali's operator by its Subscription, or else by its
// Deployment.
func (r *reader) operator(ctx context.Context) (status.Operator, error) {
	for _, o := range r.e.Objects[r.on.Name] {
		id := resource.IDOf(o)
		if id.Kind != "Subscription" {
			continue
		}
		live, err := r.Find(ctx, id)
		if missing(err) {
			return status.Operator{Problem: "there is no Subscription " + id.Namespace + "/" + id.Name}, nil
		}
		if err != nil {
			return status.Operator{}, err
		}
		var s struct {
			Status struct {
				InstalledCSV string `json:"installedCSV"`
				State        string `json:"state"`
				Conditions   []struct{ Type, Status, Message string }
			}
		}
		if err := into(live, &s); err != nil {
			return status.Operator{}, err
		}
		operator := status.Operator{Found: s.Status.InstalledCSV != ""}
		if m := versionIn.FindStringSubmatch(s.Status.InstalledCSV); m != nil {
			operator.Version = m[1]
		}
		if !operator.Found {
			operator.Problem = "the Subscription " + id.Namespace + "/" + id.Name + " has installed nothing"
			for _, c := range s.Status.Conditions {
				if c.Status == "True" && c.Message != "" {
					operator.Problem += ": " + c.Message
				}
			}
		}
		return operator, nil
	}
	deployments, err := r.List(ctx, "apps/v1", "Deployment", "", labels.KialiOperator)
	if err != nil || len(deployments) == 0 {
		return status.Operator{}, err
	}
	var d appsv1.Deployment
	if err := into(deployments[0], &d); err != nil {
		return status.Operator{}, err
	}
	operator := status.Operator{Found: true}
	for _, text := range []string{d.Labels["app.kubernetes.io/version"], imageTag(d)} {
		if m := versionIn.FindStringSubmatch(text); m != nil && operator.Version == "" {
			operator.Version = m[1]
		}
	}
	return operator, nil
}

func imageTag(d appsv1.Deployment) string {
	for _, container := range d.Spec.Template.Spec.Containers {
		if _, tag, ok := strings.Cut(container.Image[strings.LastIndex(container.Image, "/")+1:], ":"); ok {
			return tag
		}
	}
	return ""
}

// tokens reads what a remote provides for the hub. It keeps no part of a token.
func (r *reader) tokens(ctx context.Context) {
	t := r.e.Topology
	ns := t.Spec.Kiali.Namespace
	r.got.Account = ask(r, func() (string, error) {
		var account corev1.ServiceAccount
		err := r.Read(ctx, cluster.Core(ns, "serviceaccounts", t.Account()), &account)
		return string(account.UID), err
	})
	r.got.Token = map[string]status.Answer[status.TokenSecret]{}
	name := t.TokenSecret(seal.Generation(r.e.Links[r.on.Name]))
	r.got.Token[name] = ask(r, func() (status.TokenSecret, error) {
		var s corev1.Secret
		err := r.Read(ctx, cluster.Core(ns, "secrets", name), &s)
		return status.TokenSecret{
			Type: string(s.Type), Account: s.Annotations[corev1.ServiceAccountNameKey], AccountUID: s.Annotations[corev1.ServiceAccountUIDKey],
			Filled: len(s.Data["token"]) > 0,
		}, err
	})
}

// hub reads the links and the pods of Kiali.
func (r *reader) hub(ctx context.Context) {
	ns := r.e.Topology.Spec.Kiali.Namespace
	r.got.LinkSecrets = ask(r, func() ([]status.LinkSecret, error) { return r.linkSecrets(ctx, ns) })
	r.got.Pods = ask(r, func() ([]status.Pod, error) { return r.pods(ctx, ns) })
}

func (r *reader) linkSecrets(ctx context.Context, ns string) ([]status.LinkSecret, error) {
	all, err := r.List(ctx, "v1", "Secret", ns, kiali.RemoteSecretLabel+"=true")
	if err != nil {
		return nil, err
	}
	single, err := r.Find(ctx, resource.ID{APIVersion: "v1", Kind: "Secret", Namespace: ns, Name: kiali.SingleSecret})
	if err == nil {
		all = append(slices.DeleteFunc(all, func(o resource.Object) bool { return resource.IDOf(o).Name == kiali.SingleSecret }), single)
	} else if !missing(err) {
		return nil, err
	}
	r.kubeconfigs = map[string][]byte{}
	var secrets []status.LinkSecret
	for _, o := range all {
		var s corev1.Secret
		if err := into(o, &s); err != nil {
			return nil, err
		}
		found := status.LinkSecret{Name: s.Name, Changed: changed(&s)}
		for key, kubeconfig := range s.Data {
			item := status.LinkItem{Key: key}
			item.Sealed, item.Known = seal.Holds(r.e.Links[key], kubeconfig)
			item.Server, item.Wrong = seal.Inspect(kubeconfig, key)
			found.Items = append(found.Items, item)
			if r.kubeconfigs[key] == nil || s.Name == kiali.SingleSecret { // Kiali reads this one first
				r.kubeconfigs[key] = kubeconfig
			}
		}
		secrets = append(secrets, found)
	}
	return secrets, nil
}

// changed returns when the data of a Secret last changed, according to the API
// server.
func changed(s *corev1.Secret) time.Time {
	last := s.CreationTimestamp.Time
	for _, m := range s.ManagedFields {
		if m.Time != nil && m.FieldsV1 != nil && strings.Contains(m.FieldsV1.GetRawString(), `"f:data"`) && m.Time.After(last) {
			last = m.Time.Time
		}
	}
	return last
}

func (r *reader) pods(ctx context.Context, ns string) ([]status.Pod, error) {
	all, err := r.List(ctx, "v1", "Pod", ns, "app.kubernetes.io/name=kiali,app.kubernetes.io/instance="+r.e.Topology.Spec.Kiali.InstanceName)
	if err != nil {
		return nil, err
	}
	var pods []status.Pod
	for _, o := range all {
		var p corev1.Pod
		if err := into(o, &p); err != nil {
			return nil, err
		}
		if p.DeletionTimestamp != nil {
			continue
		}
		pod := status.Pod{Name: p.Name, Ready: cluster.Ready(&p)}
		for _, c := range p.Status.ContainerStatuses {
			pod.Restarts = int(c.RestartCount)
			if c.State.Running != nil {
				pod.Started = c.State.Running.StartedAt.Time
			}
			if c.State.Waiting != nil {
				pod.Waiting = c.State.Waiting.Reason
			}
		}
		if !pod.Ready && pod.Restarts > 0 {
			pod.Fatal = ask(r, func() (string, error) { return r.lastFatal(ctx, ns, p.Name) })
		}
		pods = append(pods, pod)
	}
	return pods, nil
}

// lastFatal returns the last line of level FTL in a pod's log before its last
// crash.
func (r *reader) lastFatal(ctx context.Context, ns, pod string) (string, error) {
	log, err := r.Get(ctx, cluster.Core(ns, "pods", pod, "log"), url.Values{"previous": {"true"}, "tailLines": {"200"}})
	last := ""
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, " FTL ") || strings.Contains(line, `"level":"fatal"`) {
			last = strings.TrimSpace(line)
		}
	}
	return seal.Redact(last), err
}

func (r *reader) userWorkload(ctx context.Context) (status.Monitoring, error) {
	var m status.Monitoring
	var config corev1.ConfigMap
	platform, workloads := openshift.Configs()
	err := r.Read(ctx, cluster.Core(platform.Namespace, "configmaps", platform.Name), &config)
	if err != nil && !missing(err) {
		return m, err
	}
	var content struct{ EnableUserWorkload bool }
	_ = yaml.Unmarshal([]byte(config.Data["config.yaml"]), &content)
	m.On = content.EnableUserWorkload
	pods, err := r.List(ctx, "v1", "Pod", workloads.Namespace, "app.kubernetes.io/name=prometheus")
	for _, o := range pods {
		var p corev1.Pod
		if into(o, &p) == nil && cluster.Ready(&p) {
			m.Ready++
		}
	}
	return m, err
}

func (r *reader) prometheuses(ctx context.Context) ([]status.Prometheus, error) {
	all, err := r.List(ctx, "monitoring.coreos.com/v1", "Prometheus", "", "")
	if missing(err) {
		return nil, nil
	}
	var found []status.Prometheus
	for _, o := range all {
		var p struct {
			Metadata struct{ Namespace string }
			Spec     struct {
				PodMonitorSelector, PodMonitorNamespaceSelector         status.Selector
				ServiceMonitorSelector, ServiceMonitorNamespaceSelector status.Selector
			}
		}
		if err := into(o, &p); err != nil {
			return nil, err
		}
		found = append(found, status.Prometheus{
			Namespace:       p.Metadata.Namespace,
			PodMonitors:     status.Selection{Labels: p.Spec.PodMonitorSelector, Namespaces: p.Spec.PodMonitorNamespaceSelector},
			ServiceMonitors: status.Selection{Labels: p.Spec.ServiceMonitorSelector, Namespaces: p.Spec.ServiceMonitorNamespaceSelector},
		})
	}
	return found, err
}
