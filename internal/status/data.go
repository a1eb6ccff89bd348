package status

import (
	"maps"
	"slices"
	"time"

	"github.com/sightline-mesh/sightline/internal/command"
	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// data checks the series from which Kiali draws the graph. If the hub's store
// has only the series of the hub, each cluster has a store, and all of them are
// asked.
func (j *judge) data() {
	t := j.Topology
	if len(j.facts.Stores) == 0 {
		return
	}
	if s := j.facts.Stores[""]; s != nil {
		var all []*topology.Cluster
		for i := range t.Spec.Clusters {
			if t.Spec.Clusters[i].InMesh() {
				all = append(all, &t.Spec.Clusters[i])
			}
		}
		if j.store(s, t.Hub(), all) {
			j.across(s.Series.Value, len(all))
		}
		return
	}
	j.each()
}

// each checks the store of every cluster. A store has the series that the
// proxies of its cluster report. Both ends report a request between two
// clusters.
func (j *judge) each() {
	var series []Series
	var silent []string
	clusters := 0
	chosen := false // only some of the clusters were asked
	for i := range j.Topology.Spec.Clusters {
		c := &j.Topology.Spec.Clusters[i]
		if !c.InMesh() {
			continue
		}
		clusters++
		s := j.facts.Stores[c.Name]
		switch {
		case s == nil && j.facts.Clusters[c.Name] == nil:
			chosen = true
		case s == nil || !j.store(s, c, []*topology.Cluster{c}):
			silent = append(silent, c.Name)
		default:
			series = append(series, s.Series.Value...)
		}
	}
	j.on = j.Topology.Hub()
	switch seen := between(series); {
	case silent != nil && !seen:
		j.unchecked("ST32", "", "no request between clusters was seen, and the store of %s did not answer", first(silent))
	case !chosen || seen:
		j.across(series, clusters)
	}
}

// store checks the series of the given clusters in one store. Results about the
// store itself name the cluster at. It returns false if the store does not
// answer.
func (j *judge) store(s *Store, at *topology.Cluster, clusters []*topology.Cluster) bool {
	j.on = at
	if !j.told(s) {
		j.stops("data")
		return false
	}
	for _, c := range clusters {
		j.on = c
		j.fresh(s)
		j.meshID(s)
		j.spaces(s, len(clusters) == 1)
	}
	j.on = at
	j.known(s, clusters)
	j.once(s)
	j.down(s)
	return true
}

// told tells whether the store answers.
func (j *judge) told(s *Store) bool {
	switch {
	case s.NoAccess != "":
		j.unchecked("ST25", "give the store's address with --prometheus-url, and a token for it with --prometheus-token-file", "%s", s.NoAccess)
	case s.Series.Err == nil:
		return true
	case s.Series.Err.Status == 403 || s.Series.Err.Status == 401:
		next := "give a token that the store takes: --prometheus-url with --prometheus-token-file"
		if j.Topology.Spec.Metrics.Store == "thanosQuerier" {
			next = "the user needs the role cluster-monitoring-view for thanos-querier, and the rights that " + command.Rights(j.Arg) + " prints"
		}
		j.unchecked("ST25", next, "%s", s.Series.Err.Text)
	default:
		j.bad("ST25", "see that the store runs: sightline explain ST25", "the store of the metrics does not answer: %s", s.Series.Err.Text)
	}
	return false
}

// stale returns the maximum age of the newest series: two intervals and a
// minute.
func (j *judge) stale() time.Duration {
	interval, err := time.ParseDuration(j.Topology.StoreInterval())
	if err != nil {
		interval = time.Minute
	}
	return 2*interval + time.Minute
}

func (j *judge) fresh(s *Store) {
	var newest time.Time
	for _, series := range s.Series.Value {
		if series.From() == j.on.Name && series.Newest.After(newest) {
			newest = series.Newest
		}
	}
	if !newest.IsZero() {
		if age := j.Now.Sub(newest); age > j.stale() {
			j.bad("ST25", j.scraping(), "the newest series of %s is %s old, expected at most %s", j.on.Name, age.Round(time.Second), j.stale())
			return
		}
		j.good("ST25")
		return
	}
	for _, series := range s.Seen.Value {
		if series.From() == j.on.Name && series.Newest.After(newest) {
			newest = series.Newest
		}
	}
	if !newest.IsZero() {
		j.bad("ST25", j.scraping(), "the store has no more series of %s; the last one is from %s", j.on.Name, moment(newest))
		j.stops("ST26", "ST27")
		return
	}
	j.bad("ST25", j.scraping(),
		"the store has no istio_requests_total of %s: nothing scrapes the cluster, its series do not arrive, or there was no request yet",
		j.on.Name)
	j.stops("ST26", "ST27")
}

func (j *judge) scraping() string {
	return "see the results of the groups names and monitoring for " + j.on.Name + "; then send a request through the mesh"
}

func (j *judge) meshID(s *Store) {
	if !j.scoped() {
		return
	}
	want := j.Topology.Spec.Mesh.ID
	wrong := map[string]bool{}
	found := false
	for _, series := range s.Series.Value {
		if series.From() != j.on.Name {
			continue
		}
		found = true
		if series.MeshID != want {
			wrong[series.MeshID] = true
		}
	}
	names := slices.Sorted(maps.Keys(wrong))
	switch {
	case !found:
	case wrong[""]:
		j.bad("ST27", "see which other monitor scrapes the mesh: sightline explain ST27",
			"series of %s have no %s, but Kiali asks only for %q", j.on.Name, kiali.MeshID, want)
	case len(names) > 0:
		j.bad("ST27", "use one mesh id in the monitors and in query_scope of the hub's Kiali resource",
			"series of %s have the %s %s, but Kiali asks for %q", j.on.Name, kiali.MeshID, first(names), want)
	default:
		j.good("ST27")
	}
}

// scoped tells whether Kiali selects series by the mesh id.
func (j *judge) scoped() bool { return j.Topology.Spec.Metrics.Scope.Word() == "meshID" }

// spaces checks that each namespace of the mesh has series. If the store also
// has the targets, and can tell the clusters of targets apart, spaces
// distinguishes a namespace without traffic from a namespace that nobody
// scrapes.
func (j *judge) spaces(s *Store, alone bool) {
	if s.Spaces.Err != nil {
		j.asked("ST26", s.Spaces.Err)
		return
	}
	have, scraped := map[string]bool{}, map[string]bool{}
	for _, x := range s.Spaces.Value {
		if x.Cluster == j.on.Name {
			have[x.Namespace] = true
		}
	}
	anywhere := map[string]bool{}
	for _, x := range s.Proxies.Value {
		anywhere[x.Namespace] = true
		if alone || x.Cluster == j.on.Name {
			scraped[x.Namespace] = true
		}
	}
	label := ClusterLabel(j.Topology)
	var silent, none, unknown []string
	for _, ns := range j.namespaces() {
		switch {
		case have[ns]:
		case scraped[ns]:
			silent = append(silent, ns)
		case len(s.Proxies.Value) > 0 && (alone || label != "" || !anywhere[ns]):
			none = append(none, ns)
		default:
			unknown = append(unknown, ns)
		}
	}
	if len(have) == 0 {
		return // ST25 reports it
	}
	switch {
	case none != nil:
		j.bad("ST26", j.in(none[0], "get podmonitor,pods"), "no proxy is scraped in the namespace %s of %s", first(none), j.on.Name)
	case unknown != nil:
		j.warn("ST26", "send a request to each, and look again; then see the targets: "+j.in(unknown[0], "get podmonitor,pods"),
			"the store has no series from the namespace %s of %s: no traffic, or no proxy is scraped", first(unknown), j.on.Name)
	case silent != nil:
		j.warn("ST26", "send a request to each, and look again", "proxies in the namespace %s of %s are scraped, but have seen no request",
			first(silent), j.on.Name)
	default:
		j.good("ST26")
	}
}

// ClusterLabel returns the label that names the cluster of a target in the
// store of all clusters: the external label of remote write. It returns "" if
// targets have no such label.
func ClusterLabel(t *topology.Topology) string {
	if m := &t.Spec.Metrics; m.Store == "thanos" && m.Thanos.RemoteWrite != nil {
		return m.Thanos.RemoteWrite.ClusterLabel
	}
	return ""
}

// known compares the cluster names in series with the topology.
func (j *judge) known(s *Store, clusters []*topology.Cluster) {
	t := j.Topology
	strange := map[string]bool{}
	for _, series := range s.Series.Value {
		if j.scoped() && series.MeshID != t.Spec.Mesh.ID {
			continue // another mesh
		}
		for _, name := range []string{series.Source, series.Destination} {
			if name != "" && name != "unknown" && !slices.ContainsFunc(t.Spec.Clusters, func(c topology.Cluster) bool { return c.Name == name }) {
				strange[name] = true
			}
		}
	}
	if len(strange) > 0 {
		j.bad("ST28", "give each cluster one name everywhere: sightline explain ST03",
			"series name the cluster %s, but the topology does not have it: Kiali says that the cluster is not found or not accessible",
			first(slices.Sorted(maps.Keys(strange))))
		return
	}
	if len(s.Series.Value) > 0 {
		j.good("ST28")
	}
}

func (j *judge) once(s *Store) {
	// A store answers in any order.
	replicas := slices.DeleteFunc(slices.Sorted(slices.Values(s.Replicas.Value)), func(r string) bool { return r == "" })
	switch {
	case s.Replicas.Err != nil:
		j.asked("ST30", s.Replicas.Err)
	case len(replicas) > 1:
		j.bad("ST30", "make the store deduplicate: --query.replica-label=prometheus_replica",
			"the store shows each series once for each of the replicas %s, so every number is multiplied", first(replicas))
	case len(s.Series.Value) > 0:
		j.good("ST30")
	}
	switch {
	case s.Doubled.Err != nil:
		j.asked("ST29", s.Doubled.Err)
	case len(s.Doubled.Value) > 0 && len(replicas) < 2:
		j.bad("ST29", "see which monitors select the same pods: "+command.Kubectl("", "", "get podmonitors,servicemonitors -A"),
			"the same series come from several targets: %s", first(places(s.Doubled.Value)))
	case len(s.Series.Value) > 0 && len(replicas) < 2:
		j.good("ST29")
	}
}

func places(samples []Sample) []string {
	var names []string
	for _, x := range samples {
		name := "namespace " + x.Namespace
		if x.Pod != "" {
			name = "pod " + x.Namespace + "/" + x.Pod
		}
		if x.Cluster != "" {
			name += " of " + x.Cluster
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (j *judge) down(s *Store) {
	switch {
	case s.Down.Err != nil:
		j.asked("ST31", s.Down.Err)
	case len(s.Down.Value) > 0:
		j.bad("ST31", "see why: the page Targets of the Prometheus, or up == 0 in its console", "targets of the mesh are down: %s",
			first(places(s.Down.Value)))
	case len(s.Proxies.Value) == 0:
		j.unchecked("ST31", "", "the store has no series up for the mesh's targets, for example because it gets only the series that "+
			"Kiali needs")
	default:
		j.good("ST31")
	}
}

// across looks for a request between two of the given number of clusters.
func (j *judge) across(series []Series, clusters int) {
	switch {
	case clusters < 2:
	case between(series):
		j.good("ST32")
	default:
		j.warn("ST32", "send a request from one cluster to a service of another, and look again",
			"no request between clusters was seen in the last minutes")
	}
}

// between tells whether one of the series belongs to a request between two
// clusters.
func between(series []Series) bool {
	return slices.ContainsFunc(series, func(s Series) bool {
		return s.Source != s.Destination && !slices.Contains([]string{"", "unknown"}, s.Source) &&
			!slices.Contains([]string{"", "unknown"}, s.Destination)
	})
}

// Silent lists the clusters without a series in a store. The caller then asks
// when the store last had one.
func Silent(t *topology.Topology, series []Series) []string {
	var names []string
	for i := range t.Spec.Clusters {
		c := &t.Spec.Clusters[i]
		if c.InMesh() && !slices.ContainsFunc(series, func(s Series) bool { return s.From() == c.Name }) {
			names = append(names, c.Name)
		}
	}
	return names
}
