package compare

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/openshift"
)

// namespaces finds namespaces in which scraping of proxies begins or ends, on
// clusters that stay.
func (e *effects) namespaces() {
	type change struct {
		op        Op
		namespace string
	}
	var all on[change]
	monitors := map[string]map[Op]bool{} // by cluster and namespace: a renamed monitor neither joins nor leaves
	for _, c := range e.of("PodMonitor") {
		k := c.Cluster + "\x00" + c.ID.Namespace
		if monitors[k] == nil {
			monitors[k] = map[Op]bool{}
		}
		monitors[k][c.Op] = true
	}
	for _, c := range e.of("PodMonitor") {
		if ops := monitors[c.Cluster+"\x00"+c.ID.Namespace]; c.Op != Changed && len(ops) == 1 {
			all.add(change{c.Op, c.ID.Namespace}, c.Cluster)
		}
	}
	// Namespaces with the same clusters are reported together.
	var together on[string]
	said := map[string]change{}
	all.each(func(k change, clusters []string) {
		same := string(k.op) + strings.Join(clusters, ",")
		together.add(same, k.namespace)
		said[same] = change{op: k.op, namespace: k.namespace}
	})
	together.each(func(same string, namespaces []string) {
		k := said[same]
		clusters := slices.Sorted(maps.Keys(all.clusters[k]))
		if k.op == Added {
			e.add(finding.Info, clusters,
				"%s on %s %s the graph: Prometheus scrapes the proxies there",
				namesText(namespaces, "namespace"), clustersText(clusters), verb(namespaces, "joins", "join"))
			return
		}
		end := "no engine deletes it, so Prometheus scrapes the proxies there until somebody deletes it"
		if e.Prunes {
			end = "the engine deletes it, and then Prometheus no longer scrapes the proxies there"
		}
		e.add(finding.Warning, clusters, "%s on %s %s the graph: the PodMonitor is no longer rendered; %s",
			namesText(namespaces, "namespace"), clustersText(clusters), verb(namespaces, "leaves", "leave"), end)
	})
}

// clusters finds clusters that join or leave.
func (e *effects) clusters() {
	if added := e.diff.AddedClusters; len(added) > 0 {
		e.add(finding.Info, added, "%s %s", clustersHead(added), verb(added, "joins", "join"))
	}
	if removed := e.diff.RemovedClusters; len(removed) > 0 {
		its, it := verb(removed, "its", "their"), verb(removed, "it", "them")
		what := its + " objects stay on " + it + " until somebody removes them"
		switch {
		case e.Engine == ArgoCD && e.Deletes:
			what = "Argo CD deletes " + its + verb(removed, " Application", " Applications") + "; the objects stay on " + it +
				" until somebody removes them (" + finding.Pages + "argocd.md)"
		case e.Engine == ArgoCD:
			what = its + verb(removed, " Application and its", " Applications and their") +
				" objects stay until somebody removes them (" + finding.Pages + "argocd.md)"
		case e.Engine == Flux && e.Alone:
			what = its + " own Flux no longer finds " + its + " folder, and the objects stay (" + finding.Pages + "flux.md)"
		case e.Engine == Flux && e.Deletes:
			what = "Flux deletes " + its + " Kustomizations and their objects (" + finding.Pages + "flux.md)"
		case e.Engine == Flux:
			what = "Flux deletes " + its + " Kustomizations, and their objects stay (" + finding.Pages + "flux.md)"
		}
		e.add(finding.Warning, removed, "%s %s: %s", clustersHead(removed), verb(removed, "leaves", "leave"), what)
	}
}

var duration = regexp.MustCompile(`([0-9]+)(ms|[smhd])`)

// seconds reads a duration in Prometheus' form. It returns 0 for other text.
func seconds(v any) float64 {
	text, _ := v.(string)
	total := 0.0
	for _, m := range duration.FindAllStringSubmatch(text, -1) {
		n, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return 0
		}
		total += n * map[string]float64{"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}[m[2]]
	}
	return total
}

// scrapes compares the scrape intervals. The number of targets is unknown here.
func (e *effects) scrapes() {
	type change struct{ kind, old, new string }
	var all on[change]
	for _, c := range e.of("PodMonitor", "ServiceMonitor") {
		for _, f := range c.Fields {
			if old, new := seconds(f.Old), seconds(f.New); f.Path[len(f.Path)-1].Key == "interval" && old > 0 && new > 0 {
				all.add(change{c.ID.Kind, perMinute(old), perMinute(new)}, c.Cluster)
			}
		}
	}
	all.each(func(k change, clusters []string) {
		target := "each proxy"
		if k.kind == "ServiceMonitor" {
			target = "each istiod"
		}
		e.add(finding.Info, clusters, "%s of %s is scraped %s a minute instead of %s", target, clustersText(clusters), k.new, k.old)
	})
}

func perMinute(seconds float64) string {
	n := strconv.FormatFloat(60/seconds, 'g', 3, 64)
	if n == "1" {
		return "once"
	}
	return n + " times"
}

// keeps tells whether an annotation keeps an object that is no longer rendered.
func (e *effects) keeps(c *Content) bool {
	switch e.Engine {
	case ArgoCD:
		return strings.Contains(annotation(c, "argocd.argoproj.io/sync-options"), "Prune=false")
	case Flux:
		return annotation(c, "kustomize.toolkit.fluxcd.io/prune") == "disabled"
	}
	return false
}

// prune finds the objects that an engine deletes, and the objects that an engine
// without pruning leaves behind, on clusters that stay.
func (e *effects) prune() {
	deleted, left, refused := on[string]{}, on[string]{}, on[string]{}
	count := map[bool]int{}
	permitted := e.permitted()
	for i := range e.diff.Changes {
		c := &e.diff.Changes[i]
		if c.Op != Removed || c.Cluster == "" || !e.stays(c) {
			continue
		}
		goes := e.Prunes && !e.keeps(c.Old)
		if goes && permitted != nil && c.ID.Namespace != "" && !permitted[c.ID.Namespace] && !permitted["*"] {
			refused.add(c.ID.Namespace, c.Cluster)
			continue
		}
		count[goes]++
		if goes {
			deleted.add("", c.Cluster)
		} else {
			left.add("", c.Cluster)
		}
	}
	deleted.each(func(_ string, clusters []string) {
		e.add(finding.Warning, clusters,
			"the engine deletes %s on %s", thousands(count[true])+" "+plural(count[true], "object"), clustersText(clusters))
	})
	refused.each(func(namespace string, clusters []string) {
		e.add(finding.Warning, clusters,
			"Argo CD cannot delete the objects in %s on %s, because its project no longer permits the namespace; add the namespace to "+
				"delivery.argocd.permit.namespaces for this commit",
			namespace, clustersText(clusters))
	})
	left.each(func(_ string, clusters []string) {
		e.add(finding.Info, clusters,
			"%s no longer rendered on %s, but no engine deletes %s there", are(count[false], "object"), clustersText(clusters),
			pronoun(count[false]))
	})
}

// permitted are the namespaces of Argo CD's project, or nil if they do not change or
// if there is no project.
func (e *effects) permitted() map[string]bool {
	var namespaces map[string]bool
	for _, c := range e.kinds["AppProject"] {
		if c.New == nil {
			continue
		}
		namespaces = map[string]bool{}
		spec, _ := c.New.Object["spec"].(map[string]any)
		destinations, _ := spec["destinations"].([]any)
		for _, d := range destinations {
			to, _ := d.(map[string]any)
			namespace, _ := to["namespace"].(string)
			namespaces[namespace] = true
		}
	}
	return namespaces
}

// delivery finds delivery objects that appear, disappear or get another name.
func (e *effects) delivery() {
	e.named("Application", e.Was, e.Is)
	for _, kind := range []string{"Kustomization", "HelmRelease"} {
		var was, is []Application
		for _, c := range e.kinds[kind] {
			switch {
			case c.Cluster != "" || !strings.Contains(c.ID.APIVersion, ".fluxcd.io/"):
			case c.Op == Added:
				is = append(is, Application{c.For, c.ID.Name})
			case c.Op == Removed:
				was = append(was, Application{c.For, c.ID.Name})
			}
		}
		e.named(kind, was, is)
	}
}

func (e *effects) named(kind string, was, is []Application) {
	names := func(of []Application) map[string]string {
		byName := map[string]string{}
		for _, a := range of {
			byName[a.Name] = a.Cluster
		}
		return byName
	}
	old, new := names(was), names(is)
	var gone, come []string
	for name := range old {
		if _, ok := new[name]; !ok {
			gone = append(gone, name)
		}
	}
	for name := range new {
		if _, ok := old[name]; !ok {
			come = append(come, name)
		}
	}
	slices.Sort(gone)
	slices.Sort(come)
	// If a cluster has one of each before and after, the object got another name.
	var renamed []string
	var clusters []string
	for _, name := range slices.Clone(gone) {
		cluster := old[name]
		i := slices.IndexFunc(come, func(n string) bool { return new[n] == cluster })
		others := slices.ContainsFunc(gone, func(n string) bool { return n != name && old[n] == cluster })
		if cluster == "" || i < 0 || others {
			continue
		}
		renamed = append(renamed, name+" to "+come[i])
		clusters = append(clusters, cluster)
		gone = slices.DeleteFunc(gone, func(n string) bool { return n == name })
		come = slices.Delete(come, i, i+1)
	}
	if len(come) > 0 {
		e.add(finding.Info, clustersOf(come, new), "%s new in %s: %s", are(len(come), kind), e.engine(), finding.List(come, most))
	}
	if len(gone) > 0 {
		e.add(finding.Warning, clustersOf(gone, old), "%s no longer made: %s", are(len(gone), kind), finding.List(gone, most))
	}
	if len(renamed) > 0 {
		slices.Sort(clusters)
		e.add(finding.Warning, clusters,
			"%s renamed: %s; the new one takes over all objects or creates them again, and the old one stays if nothing removes it",
			are(len(renamed), kind), finding.List(renamed, most))
	}
}

// verb is the form of a verb for one name or for several names.
func verb(names []string, one, several string) string {
	if len(names) == 1 {
		return one
	}
	return several
}

func pronoun(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

func are(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " is"
	}
	return fmt.Sprintf("%s %ss are", thousands(n), noun)
}

func clustersOf(names []string, clusters map[string]string) []string {
	of := map[string]bool{}
	for _, name := range names {
		if clusters[name] != "" {
			of[clusters[name]] = true
		}
	}
	return slices.Sorted(maps.Keys(of))
}

func (e *effects) engine() string {
	if e.Engine == Flux {
		return "Flux"
	}
	return "Argo CD"
}

const userWorkload = "enableUserWorkload"

// monitoring finds changes of the configuration of OpenShift's monitoring.
func (e *effects) monitoring() {
	var restarts, off, on_ on[string]
	platform, workloads := openshift.Configs()
	restarted := map[string]string{platform.Name: "of the platform", workloads.Name: "for user workloads"}
	for _, c := range e.of("ConfigMap") {
		what, ours := restarted[c.ID.Name]
		if !ours {
			continue
		}
		was, is := enabled(c.Old), enabled(c.New)
		switch {
		case c.Op == Removed:
			// No engine removes it.
		case was && !is && c.ID.Name == platform.Name:
			off.add("", c.Cluster)
		case !was && is && c.Old != nil:
			on_.add("", c.Cluster)
		}
		if c.Op == Changed && changes(c, "data") {
			restarts.add(what, c.Cluster)
		}
	}
	off.each(func(_ string, clusters []string) {
		e.add(finding.Warning, clusters,
			"user workload monitoring on %s is turned off: Prometheus scrapes no proxy there", clustersText(clusters))
	})
	on_.each(func(_ string, clusters []string) {
		e.add(finding.Info, clusters, "user workload monitoring on %s is turned on", clustersText(clusters))
	})
	restarts.each(func(what string, clusters []string) {
		e.add(finding.Info, clusters,
			"the monitoring operator of %s applies a new configuration, and restarts the Prometheus %s if its configuration differs",
			clustersText(clusters), what)
	})
}

// enabled tells whether a ConfigMap turns user workload monitoring on.
func enabled(c *Content) bool {
	config, _ := document(textAt(c, "data", "config.yaml"))
	return config[userWorkload] == true
}

// lost finds live settings that applying would remove, if the clusters were asked.
func (e *effects) lost() {
	var all on[string]
	for i := range e.diff.Changes {
		c := &e.diff.Changes[i]
		for _, f := range c.Fields {
			if f.Lost {
				all.add(called(c.ID)+": "+f.Path.String(), c.Cluster)
			}
		}
	}
	var together on[string]
	all.each(func(what string, clusters []string) { together.add(strings.Join(clusters, ","), what) })
	together.each(func(same string, what []string) {
		clusters := strings.Split(same, ",")
		e.add(finding.Warning, clusters,
			"applying removes settings that are on %s but not rendered: %s", clustersText(clusters), finding.List(what, most))
	})
}
