package check

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/sightline-mesh/sightline/internal/delivery"
	"github.com/sightline-mesh/sightline/internal/finding"
)

// sizeRules are about objects that grow with the fleet until an API server or
// an engine refuses them.
func sizeRules() []Rule {
	return []Rule{
		{
			ID: "DL04", Severity: finding.Warning,
			Title: "kubectl apply works without --server-side",
			What: "kubectl apply stores the object as JSON in an annotation of the object. With the other annotations, this takes less than " +
				"four fifths of 262144 bytes. With delivery, the rule checks only delivery objects, because the rendered Applications and " +
				"Kustomizations use server-side apply for their objects. Without delivery, it checks all objects.",
			Why: "The API server limits the annotations of an object to 262144 bytes. Above it, kubectl apply fails, and so does an engine " +
				"that applies in the same way.",
			Fix: "Write generator: git in delivery.argocd, or format: perCluster in kiali.links. Or apply the object with kubectl apply " +
				"--server-side, and suppress the rule.",
			Source: "k8s.io/apimachinery pkg/api/validation/objectmeta.go, TotalAnnotationSizeLimitB; k8s.io/kubectl pkg/util/apply.go",
			mesh:   appliedAnnotation,
		},
		{
			ID: "DL05", Also: finding.Warning,
			Title: "no object is too large for the API server",
			What: "The values of a Secret or a ConfigMap take at most 1048576 bytes. Any object as JSON takes at most 1572864 bytes; an " +
				"ApplicationSet includes the status that Argo CD writes into it. From four fifths of a limit on, it is a warning. RS17 checks " +
				"the Secrets that come from SealedSecrets.",
			Why: "Nothing can apply the object.",
			Fix: "Write format: perCluster in kiali.links, or generator: git in delivery.argocd. For other objects, put less into the " +
				"object.",
			Source: "k8s.io/api core/v1, MaxSecretSize; etcd --max-request-bytes; argo-cd applicationset/status/resource_status.go",
			mesh:   tooLarge,
		},
		{
			ID: "DL06", Severity: finding.Warning,
			Title: "no Application has too many objects",
			What:  "With delivery.argocd, no cluster has more than 2400 objects.",
			Why: "Argo CD keeps the state of every object in the Application. With about 3000 objects, the Application no longer fits into " +
				"etcd, and the sync never ends.",
			Fix:    "Name fewer namespaces for the cluster. Namespaces without proxies need no PodMonitor.",
			Source: "argoproj/argo-cd issue 14486",
			mesh:   objectsOfApplication,
		},
	}
}

// near tells whether a number is over four fifths of its limit.
func near(n, limit int) bool { return 5*n > 4*limit }

func appliedAnnotation(m *mesh, f *found) {
	objects := m.delivered
	if m.argoCD() == nil && m.flux() == nil {
		objects = m.objects
	}
	for _, o := range objects {
		n := m.size(o).Annotations
		if message, _ := tooMuch(m, o); message != "" || !near(n, delivery.AnnotationLimit) {
			continue // the other rule has said it
		}
		hint := "apply it with kubectl apply --server-side, and suppress DL04"
		if way := smaller(o); way != "" {
			hint = way + "; or " + hint
		}
		f.object(o, nil, hint, "with the annotation that kubectl apply adds, the %s has %d bytes of annotations%s, %s",
			o, n, m.growth(o), against(n, delivery.AnnotationLimit, "that the API server accepts"))
	}
}

func tooLarge(m *mesh, f *found) {
	for _, o := range slices.Concat(m.ofClusters(), m.delivered) {
		message, grave := tooMuch(m, o)
		if message == "" {
			continue
		}
		to := f
		if !grave {
			to = f.softer(finding.Warning)
		}
		to.object(o, nil, cmp.Or(smaller(o), "put less into it"), "%s", message)
	}
}

// tooMuch says which limit of the API server an object exceeds or almost
// reaches. grave is true if the object exceeds it.
func tooMuch(m *mesh, o *object) (message string, grave bool) {
	s := m.size(o)
	switch {
	case o.ID.Kind == "SealedSecret":
		return "", false // the Secret in it reaches the limit first
	case near(s.Data, delivery.DataLimit):
		message = fmt.Sprintf("the values of the %s have %d bytes, %s", o, s.Data, against(s.Data, delivery.DataLimit, "that it may have"))
	case near(s.Object, delivery.ObjectLimit):
		with := ""
		if o.ID.Kind == "ApplicationSet" {
			with = " with its status"
		}
		message = fmt.Sprintf("the %s has %d bytes%s%s, %s", o, s.Object, with, m.growth(o),
			against(s.Object, delivery.ObjectLimit, "that an API server accepts"))
	}
	return message, s.Data > delivery.DataLimit || s.Object > delivery.ObjectLimit
}

// against compares a number with its limit in words.
func against(n, limit int, what string) string {
	if n > limit {
		return fmt.Sprintf("more than the %d %s", limit, what)
	}
	return fmt.Sprintf("%d%% of the %d %s", 100*n/limit, limit, what)
}

// smaller says which setting makes an object smaller, if there is one.
func smaller(o *object) string {
	switch o.ID.Kind {
	case "ApplicationSet":
		return "write generator: git in delivery.argocd; then the object does not grow with the fleet"
	case "SealedSecret":
		return "write format: perCluster in kiali.links; then each remote has its own Secret"
	}
	return ""
}

// size measures an object, including what the engine writes into it.
func (m *mesh) size(o *object) delivery.Size {
	if s, ok := m.sizes[o]; ok {
		return s
	}
	s := delivery.SizeOf(o.content)
	if o.ID.Kind == "ApplicationSet" {
		// Argo CD lists the Applications in the status, by default at most this
		// many.
		const most = 5000
		for i := range m.Spec.Clusters[:min(most, len(m.Spec.Clusters))] {
			s.Object += delivery.StatusSize(o.ID.Namespace, m.Application(&m.Spec.Clusters[i]))
		}
	}
	m.sizes[o] = s
	return s
}

// growth says how much each cluster adds to an object that lists the clusters.
func (m *mesh) growth(o *object) string {
	list := spec("destinations") // of an AppProject
	if o.ID.Kind == "ApplicationSet" {
		list = spec("generators").below(0, "list", "elements")
	}
	clusters, _ := o.value(list).([]any)
	if o.cluster >= 0 || len(clusters) == 0 {
		return ""
	}
	text, err := json.Marshal(clusters)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(", about %d for each of %d clusters", len(text)/len(clusters), len(clusters))
}

func objectsOfApplication(m *mesh, f *found) {
	if m.argoCD() == nil {
		return
	}
	// The limit comes from a report. No documentation states it.
	const limit = 3000
	for i := range m.clusters {
		c, n := &m.clusters[i], 0
		for _, r := range c.Resources {
			for range c.Each(r) {
				n++
			}
		}
		if near(n, limit) {
			f.cluster(m, i, m.At("spec", "clusters", i, "namespaces"), "name fewer namespaces; namespaces without proxies need no PodMonitor",
				"its Application has %d objects; with about %d objects, the Application is too large for an API server", n, limit)
		}
	}
}
