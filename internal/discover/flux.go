package discover

import (
	"cmp"
	"path"
	"strings"

	"github.com/sightline-mesh/sightline/internal/labels"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// flux writes delivery.flux from the rendered top Kustomization.
func (d *Draft) flux(c *cluster, root resource.Object, spec *node) {
	from := "Kustomization " + place(root) + " of " + c.name.value
	source := d.fluxSource(c, root)
	spec.put("repoURL", text(source, "spec", "url"), from+", sourceRef")
	for _, by := range []string{"branch", "tag", "commit", "name"} {
		if revision := text(source, "spec", "ref", by); revision != "" {
			spec.put("revision", revision, "")
		}
	}
	flux := spec.child("flux")
	flux.note = from
	at := text(root, "spec", "path")
	if strings.HasSuffix(at, "/phases") {
		flux.put("mode", "standalone", "each cluster has its own top Kustomization")
		at = path.Dir(at)
	} else if c != d.mesh.hub {
		flux.put("cluster", c.name.value, "the Kustomization is there")
	}
	spec.put("path", path.Dir(path.Dir(path.Clean(at))), "")
	flux.put("namespace", namespace(root), "")
	flux.put("interval", text(root, "spec", "interval"), "")
	flux.put("timeout", text(root, "spec", "timeout"), "")
	if secret := text(source, "spec", "secretRef", "name"); secret != "" {
		flux.put("secretRef", secret, "")
	}
	d.fluxPhases(c, name(root), flux)
	d.fluxChart(c)
}

// fluxSource is the source of a Kustomization.
func (d *Draft) fluxSource(c *cluster, of resource.Object) resource.Object {
	ref := object(of, "spec", "sourceRef")
	return c.named(text(ref, "kind"), cmp.Or(text(ref, "namespace"), namespace(of)), text(ref, "name"))
}

// fluxPhases writes the settings that the objects of all phases have.
func (d *Draft) fluxPhases(c *cluster, topologyName string, flux *node) {
	for _, o := range c.of("Kustomization") {
		if !delivers(o) || name(o) == topologyName || label(o, labels.PartOf) != topologyName {
			continue
		}
		for _, field := range []string{"prune", "wait", "deletionPolicy"} {
			if v := at(o, "spec", field); v != nil {
				flux.put(field, v, "")
			}
		}
		if secret := text(o, "spec", "kubeConfig", "secretRef", "name"); secret != "" {
			of := text(o, "spec", "path")
			cluster := path.Base(path.Dir(of))
			if acmPath.MatchString(of) {
				cluster = "" // the ACM hub outside
			}
			d.secrets[cluster] = secret
		}
	}
	for _, o := range c.of("HelmRelease") {
		files := list(o, "spec", "chart", "spec", "valuesFiles")
		if !delivers(o) || len(files) != 2 {
			continue
		}
		if off, _ := at(o, "spec", "install", "disableWait").(bool); off {
			flux.put("wait", false, "")
		}
		if secret := text(o, "spec", "kubeConfig", "secretRef", "name"); secret != "" {
			file, _ := files[1].(string)
			d.secrets[strings.TrimSuffix(path.Base(file), ".yaml")] = secret
		}
	}
}

// fluxChart notes the operator's chart.
func (d *Draft) fluxChart(c *cluster) {
	for _, o := range c.of("HelmRelease") {
		chart := object(o, "spec", "chart", "spec")
		if !delivers(o) || text(chart, "chart") != "kiali-operator" {
			continue
		}
		repository := c.named("HelmRepository", namespace(o), text(chart, "sourceRef", "name"))
		from := "HelmRelease " + place(o) + " of " + c.name.value
		d.operatorChart(text(repository, "spec", "url"), text(chart, "version"), text(o, "spec", "targetNamespace"), object(o, "spec",
			"values"), from)
		if secret := text(repository, "spec", "secretRef", "name"); secret != "" {
			d.chart["secretRef"] = said{secret, from}
		}
		return
	}
}

// reachedByFlux writes the kubeconfig with which Flux reaches a cluster, if it does
// not follow from the cluster's name.
func (d *Draft) reachedByFlux(c *cluster, n *node) {
	if secret := d.secrets[c.name.value]; secret != "" && secret != topology.ObjectName(c.name.value)+"-kubeconfig" {
		n.put("flux.kubeConfigSecret", secret, "Flux' objects for the cluster")
	}
}
