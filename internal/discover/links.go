package discover

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// links finds how the hub reaches the remotes now. It never reads the links
// themselves.
func (d *Draft) links(spec *node) {
	hub := d.mesh.hub
	if len(d.mesh.clusters) < 2 {
		return
	}
	var single, each []string
	for _, s := range hub.of("Secret") {
		switch {
		case name(s) == kiali.SingleSecret || label(s, kiali.SingleSecretLabel) != "":
			single = append(single, place(s))
		case label(s, kiali.RemoteSecretLabel) != "":
			each = append(each, place(s))
			d.linkName(s)
		}
	}
	var sealed, sealedSingle []string
	for _, o := range hub.of("SealedSecret") {
		if kiali.IsLinkSecret(name(o)) {
			sealed = append(sealed, place(o))
		}
		if name(o) == kiali.SingleSecret {
			sealedSingle = append(sealedSingle, place(o))
		}
	}
	line, _ := kiali.ParseLine(cmp.Or(text(hub.kiali, "spec", "version"), "default"))
	usual := "single"
	if line.Before(kiali.V2_11) {
		usual = "perCluster"
	}
	fetched := d.fetched()
	switch {
	case d.encrypted():
		if format := formatOf(single); format != usual && len(single)+len(each) > 0 {
			spec.put("links.format", format, "Secrets of the hub")
		}
		spec.put("links.source", "sops", "the link Secrets were rendered, and Flux decrypts them")
		for _, c := range d.mesh.clusters {
			for _, o := range c.of("Kustomization") {
				if key := text(o, "spec", "decryption", "secretRef", "name"); delivers(o) && key != "" && key != "sops-age" {
					spec.put("links.sops.secretRef", key, "Kustomization "+place(o)+" of "+c.name.value)
				}
			}
		}
		spec.child("links").above = append(spec.child("links").above,
			"NOTE: what SOPS encrypted is in sealed/ beside the topology. Keep that folder, and the recipients below sops: {age: […]}, which no "+
				"cluster tells.")
	case d.managedAccounts(spec):
	case len(fetched) > 0:
		var names []string
		for _, o := range fetched {
			names = append(names, name(o))
		}
		if format := formatOf(slices.DeleteFunc(names, func(n string) bool { return n != kiali.SingleSecret })); format != usual {
			spec.put("links.format", format, "ExternalSecret "+place(fetched[0]))
		}
		d.secretStore(spec, fetched[0])
	case len(single)+len(each)+len(sealed) == 0:
		if hub.Dumped && !hub.asked["secrets"] {
			spec.child("links").above = append(spec.child("links").above,
				"NOTE: the dump has no Secrets. If the hub reaches its remotes already, write links: {source: external}, or have sightline seal make "+
					"the links.")
		}
	case len(sealed) > 0:
		if format := formatOf(sealedSingle); format != usual {
			spec.put("links.format", format, "SealedSecrets of the hub")
		}
		spec.child("links").above = append(spec.child("links").above,
			"NOTE: the sealed links are in sealed/ beside the topology that they were sealed for. Keep that folder.")
	default:
		if format := formatOf(single); format != usual {
			spec.put("links.format", format, "Secret "+finding.List(append(single, each...), 3))
		}
		spec.put("links.source", "external", "Secret "+finding.List(append(single, each...),
			3)+", which nothing has sealed; they stay as they are")
		spec.child("links").above = append(spec.child("links").above,
			"NOTE: to have Sightline seal them, remove source: external and run sightline seal --all; see "+finding.Pages+"seal.md.")
	}
}

func formatOf(single []string) string {
	if len(single) > 0 {
		return "single"
	}
	return "perCluster"
}

// linkName names the place of a Secret for a cluster that the topology does not have.
func (d *Draft) linkName(s resource.Object) {
	to := annotation(s, kiali.RemoteSecretCluster)
	if to == "" || slices.ContainsFunc(d.mesh.clusters, func(c *cluster) bool { return c.name.value == to }) {
		return
	}
	d.mesh.add(finding.Warning, "AD06", d.mesh.path(d.mesh.hub, "name"),
		"run kiali-prepare-remote-cluster.sh with --remote-cluster-name and Istio's name of the cluster, or seal a link in its place and "+
			"delete the Secret",
		"Secret %s on the hub is the link to a cluster %q, which is none of this topology", place(s), finding.Shorten(to))
}

// managedAccounts writes that a Policy of ACM makes the links, if accounts for them
// were rendered on the ACM hub. It tells whether there are any.
func (d *Draft) managedAccounts(spec *node) bool {
	for _, c := range d.mesh.clusters {
		for _, o := range c.of("ManagedServiceAccount") {
			if !isOurs(o) {
				continue
			}
			from := "ManagedServiceAccount " + place(o) + " of " + c.name.value
			spec.put("links.source", "acm", from)
			if seconds := topology.Seconds(text(o, "spec", "rotation", "validity")); seconds > 0 && seconds != topology.Seconds("720h") {
				spec.put("links.acm.validity", hours(seconds), from)
			}
			return true
		}
	}
	return false
}

// hours is a duration in hours, and in seconds for the rest.
func hours(seconds int) string {
	if seconds%3600 == 0 {
		return fmt.Sprintf("%dh", seconds/3600)
	}
	return fmt.Sprintf("%dh%dm%ds", seconds/3600, seconds/60%60, seconds%60)
}

// encrypted tells whether SOPS encrypted the Secrets of the links. If so, the Secrets
// themselves were rendered, with an annotation for engines. The Secrets that a
// SealedSecret or an ExternalSecret makes do not have the rendered annotations.
func (d *Draft) encrypted() bool {
	hub := d.mesh.hub
	if slices.ContainsFunc(hub.of("Secret"), func(s resource.Object) bool {
		return isOurs(s) && (label(s, kiali.SingleSecretLabel) != "" || label(s, kiali.RemoteSecretLabel) != "")
	}) {
		return true
	}
	return slices.ContainsFunc(d.mesh.clusters, func(c *cluster) bool {
		return slices.ContainsFunc(c.of("Kustomization"), func(o resource.Object) bool {
			return delivers(o) && text(o, "spec", "decryption", "provider") == "sops"
		})
	})
}

// fetched lists the rendered ExternalSecrets of the hub that make links.
func (d *Draft) fetched() []resource.Object {
	return slices.DeleteFunc(d.mesh.hub.of("ExternalSecret"), func(o resource.Object) bool { return !isOurs(o) })
}

// secretStore writes where the tokens of the remotes are kept, from an ExternalSecret
// of the hub.
func (d *Draft) secretStore(spec *node, o resource.Object) {
	from := "ExternalSecret " + place(o) + " of " + d.mesh.hub.name.value
	spec.put("links.source", "externalSecrets", from)
	own := spec.at("links.externalSecrets")
	if kind := text(o, "spec", "secretStoreRef", "kind"); kind != "" && kind != "ClusterSecretStore" {
		own.put("store.kind", kind, from)
	}
	own.put("store.name", text(o, "spec", "secretStoreRef", "name"), from)
	for _, ref := range list(o, "spec", "data") {
		key, as := text(ref, "remoteRef", "key"), text(ref, "secretKey")
		cluster := cmp.Or(strings.TrimSuffix(strings.TrimSuffix(as, ".token"), ".ca"), "?")
		if pattern := strings.Replace(key, cluster, "{cluster}", 1); pattern != "mesh/{cluster}" && strings.Contains(pattern, "{cluster}") {
			own.put("key", pattern, from)
			break
		}
	}
	// The operator writes 10m as 10m0s.
	every := text(o, "spec", "refreshInterval")
	if seconds := topology.Seconds(every); seconds != topology.Seconds("10m") && seconds > 0 {
		own.put("refreshInterval", fmt.Sprintf("%ds", seconds), from)
	}
}

// access writes how the hub reaches a remote, if the kubeconfig is readable: then it
// is the template of an ExternalSecret, with placeholders for the token and the CA.
func (d *Draft) access(c *cluster, n *node) {
	for _, o := range d.fetched() {
		config, ok := at(o, "spec", "target", "template", "data", c.name.value).(string)
		if !ok {
			continue
		}
		var v struct {
			Clusters []struct{ Cluster map[string]any }
			Users    []struct{ User map[string]any }
		}
		if yaml.Unmarshal([]byte(config), &v) != nil || len(v.Clusters) != 1 || len(v.Users) != 1 {
			return
		}
		from := "the template of ExternalSecret " + place(o)
		if insecure, _ := v.Clusters[0].Cluster["insecure-skip-tls-verify"].(bool); insecure {
			n.put("access.insecureSkipTLSVerify", true, from)
		}
		if url := text(v.Clusters[0].Cluster, "proxy-url"); url != "" {
			n.put("access.proxyURL", url, from)
		}
		if ca, err := base64.StdEncoding.DecodeString(text(v.Clusters[0].Cluster, "certificate-authority-data")); err == nil && len(ca) > 0 {
			n.put("access.ca", string(ca), from)
		}
		if exec := object(v.Users[0].User, "exec"); exec != nil {
			d.exec(n, exec, from)
		}
		return
	}
}

// exec writes the program that gives a credential.
func (d *Draft) exec(n *node, exec map[string]any, from string) {
	n.put("access.exec.command", text(exec, "command"), from)
	if version := text(exec, "apiVersion"); version != "client.authentication.k8s.io/v1" {
		n.put("access.exec.apiVersion", version, from)
	}
	if args := list(exec, "args"); len(args) > 0 {
		n.put("access.exec.args", args, from)
	}
	env := map[string]any{}
	for _, e := range list(exec, "env") {
		env[text(e, "name")] = text(e, "value")
	}
	if len(env) > 0 {
		n.put("access.exec.env", env, from)
	}
}
