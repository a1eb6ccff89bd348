package compare_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightline-mesh/sightline/internal/compare"
	"github.com/sightline-mesh/sightline/internal/resource"
)

// seeds is the number of random pairs for each property.
const seeds = 2000

func TestEqualObjectsDoNotDiffer(t *testing.T) {
	for seed := range seeds {
		assert.Empty(t, compare.Objects(object(seed), object(seed)), "seed %d", seed)
	}
}

// TestFieldsLeadFromOneToTheOther shows that the fields are the whole difference:
// applied to the old object, they give the new one.
func TestFieldsLeadFromOneToTheOther(t *testing.T) {
	for seed := range seeds {
		old, new := object(seed), changed(seed)
		fields := compare.Objects(old, new)
		if !assert.Equal(t, new, apply(old, fields), "seed %d", seed) {
			return
		}
	}
}

func TestFieldsOfTheReverse(t *testing.T) {
	for seed := range seeds {
		there, back := compare.Objects(object(seed), changed(seed)), compare.Objects(changed(seed), object(seed))
		for i, f := range there {
			there[i].Old, there[i].New = f.New, f.Old
			switch f.Op {
			case compare.Added:
				there[i].Op = compare.Removed
			case compare.Removed:
				there[i].Op = compare.Added
			}
		}
		assert.ElementsMatch(t, there, back, "seed %d", seed)
	}
}

// TestPaths shows the text of differences in lists.
func TestPaths(t *testing.T) {
	for _, c := range []struct{ name, old, new, fields string }{
		{"by name", `{"ports":[{"name":"a","port":1},{"name":"b","port":2}]}`, `{"ports":[{"name":"b","port":3},{"name":"c","port":4}]}`,
			"- ports[name=a]\n~ ports[name=b].port\n+ ports[name=c]\n"},
		{"by containerPort", `{"ports":[{"containerPort":1,"x":1}]}`, `{"ports":[{"containerPort":1,"x":2}]}`, "~ ports[containerPort=1].x\n"},
		{"strings", `{"l":["a","b","c","d"]}`, `{"l":["b","d","e"]}`, "- l[0]\n- l[2]\n+ l[2]\n"},
		{"a string in place of another", `{"l":["a","b"]}`, `{"l":["a","c"]}`, "~ l[1]\n"},
		{"order", `{"l":["a","b"]}`, `{"l":["b","a"]}`, "> l\n"},
		{"a rule more, by position", `{"relabelings":[{"a":1},{"a":2}]}`, `{"relabelings":[{"a":1},{"a":9},{"a":2}]}`, "+ relabelings[1]\n"},
		{"a rule changed, by position", `{"relabelings":[{"a":1},{"a":2}]}`, `{"relabelings":[{"a":1},{"a":3}]}`, "~ relabelings[1].a\n"},
		{"a name twice", `{"l":[{"name":"a","v":1},{"name":"a","v":2}]}`, `{"l":[{"name":"a","v":1},{"name":"a","v":3}]}`, "~ l[1].v\n"},
		{"another type", `{"a":{"b":1}}`, `{"a":[1]}`, "~ a\n"},
		{"numbers", `{"a":1,"b":1.0}`, `{"a":1.0,"b":1e0}`, ""},
		{"a key with dots", `{"data":{"config.yaml":"a"}}`, `{"data":{"config.yaml":"b"}}`, "~ data[config.yaml]\n"},
	} {
		var text string
		for _, f := range compare.Objects(decoded(t, c.old), decoded(t, c.new)) {
			text += fmt.Sprintf("%c %s\n", f.Op, f.Path)
		}
		assert.Equal(t, c.fields, text, c.name)
	}
}

func TestFleets(t *testing.T) {
	for seed := range 200 {
		old, new := fleet(seed, 0), fleet(seed, 1)

		none, err := compare.Fleets(old, fleet(seed, 0))
		require.NoError(t, err)
		assert.True(t, none.Empty())
		assert.Empty(t, none.Groups())

		d, err := compare.Fleets(old, new)
		require.NoError(t, err)
		assert.Equal(t, objectsOf(new), applied(old, d), "seed %d", seed)

		// Each change is in one group, and the group says where the change is.
		var grouped []*compare.Change
		for _, g := range d.Groups() {
			grouped = append(grouped, g.Changes...)
			for _, c := range g.Changes {
				assert.Equal(t, g.Op, c.Op)
				assert.True(t, c.Cluster == "" || slices.Contains(g.Clusters, c.Cluster))
				assert.True(t, c.ID.Namespace == "" || slices.Contains(g.Namespaces, c.ID.Namespace))
			}
		}
		var all []*compare.Change
		for i := range d.Changes {
			all = append(all, &d.Changes[i])
		}
		assert.ElementsMatch(t, all, grouped)

		// The reverse has the same changes with opposite signs.
		back, err := compare.Fleets(new, old)
		require.NoError(t, err)
		assert.Equal(t, d.AddedClusters, back.RemovedClusters)
		assert.Equal(t, d.RemovedClusters, back.AddedClusters)
		require.Len(t, back.Changes, len(d.Changes))
		for i, c := range d.Changes {
			other := back.Changes[i].ID
			c.ID.APIVersion, other.APIVersion = "", "" // which may change
			assert.Equal(t, c.ID, other)
			assert.Same(t, c.Old, back.Changes[i].New)
			assert.Same(t, c.New, back.Changes[i].Old)
		}
		assert.Equal(t, d.Count(compare.Added), back.Count(compare.Removed))

		// The order of clusters and objects has no effect.
		again, err := compare.Fleets(shuffled(seed, old), shuffled(seed, new))
		require.NoError(t, err)
		assert.Equal(t, d.Groups(), again.Groups())
	}
}

func TestObjectTwice(t *testing.T) {
	o := compare.Object{ID: resource.ID{Kind: "A", Name: "a"}, Content: &compare.Content{}}
	_, err := compare.Fleets(compare.Fleet{}, compare.Fleet{Clusters: []compare.Cluster{{Name: "c", Objects: []compare.Object{o, o}}}})
	assert.ErrorContains(t, err, "there twice")
	_, err = compare.Fleets(compare.Fleet{Clusters: []compare.Cluster{{Name: "c"}, {Name: "c"}}}, compare.Fleet{})
	assert.ErrorContains(t, err, "there twice")
}

// TestGroups shows which changes are grouped.
func TestGroups(t *testing.T) {
	of := func(cluster, namespace, kind, name, content string) compare.Object {
		return compare.Object{ID: resource.ID{APIVersion: "v1", Kind: kind, Namespace: namespace, Name: name}, Content: &compare.Content{Object: decoded(t, content)}}
	}
	sides := func(content func(cluster string, n int) string) compare.Fleet {
		var f compare.Fleet
		for n, cluster := range []string{"east", "west", "north"} {
			f.Clusters = append(f.Clusters, compare.Cluster{Name: cluster, Objects: []compare.Object{
				of(cluster, "a", "M", "m", content(cluster, n)), of(cluster, "b", "M", "m", content(cluster, n)),
			}})
		}
		return f
	}
	for _, c := range []struct {
		name     string
		old, new func(cluster string, n int) string
		groups   int
		values   int
	}{
		{"the same change", func(string, int) string { return `{"i":"30s"}` }, func(string, int) string { return `{"i":"15s"}` }, 1, 1},
		{"the name of the cluster", func(c string, _ int) string { return `{"u":"https://` + c + `.example.com"}` },
			func(c string, _ int) string { return `{"u":"https://k.` + c + `.example.com"}` }, 1, 1},
		{"several values", func(string, int) string { return `{"i":0}` }, func(_ string, n int) string { return `{"i":` + strconv.Itoa(n+1) + `}` }, 1, 3},
		{"two values", func(string, int) string { return `{"i":0}` }, func(_ string, n int) string { return `{"i":` + strconv.Itoa(1+n/2) + `}` }, 2, 1},
		{"other fields", func(string, int) string { return `{"i":0,"j":0}` }, func(_ string, n int) string {
			return []string{`{"i":1,"j":0}`, `{"i":0,"j":1}`, `{"i":1,"j":1}`}[n]
		}, 3, 1},
	} {
		d, err := compare.Fleets(sides(c.old), sides(c.new))
		require.NoError(t, err)
		groups := d.Groups()
		if assert.Len(t, groups, c.groups, c.name) {
			assert.Equal(t, c.values, groups[0].Values, c.name)
			assert.Equal(t, []string{"a", "b"}, groups[0].Namespaces, c.name)
		}
	}
}

func decoded(t *testing.T, text string) map[string]any {
	t.Helper()
	v, err := resource.DecodeJSON([]byte(text))
	require.NoError(t, err)
	return v.(map[string]any)
}

// fleet is a random fleet. Another version of the same seed shares most of its
// objects.
func fleet(seed, version int) compare.Fleet {
	contents := map[string]*compare.Content{}
	content := func(seed, version int) *compare.Content {
		k := fmt.Sprint(seed, version)
		if contents[k] == nil {
			o := object(seed)
			if version > 0 {
				o = changed(seed)
			}
			contents[k] = &compare.Content{Object: o}
		}
		return contents[k]
	}
	r := rand.New(rand.NewPCG(uint64(seed), uint64(version)))
	objects := func() (all []compare.Object) {
		for i := range 8 {
			if r.IntN(4) == 0 {
				continue
			}
			id := resource.ID{APIVersion: "g/v" + strconv.Itoa(r.IntN(2)), Kind: "K" + strconv.Itoa(i%2), Namespace: "n" + strconv.Itoa(i/2%2), Name: "o" + strconv.Itoa(i/4)}
			all = append(all, compare.Object{ID: id, Content: content(i%3, r.IntN(version+1))})
		}
		return all
	}
	f := compare.Fleet{Delivery: objects()}
	for i := range 6 {
		if r.IntN(4) > 0 {
			f.Clusters = append(f.Clusters, compare.Cluster{Name: "c" + strconv.Itoa(i), Objects: objects()})
		}
	}
	return f
}

func shuffled(seed int, f compare.Fleet) compare.Fleet {
	r := rand.New(rand.NewPCG(uint64(seed), 7))
	shuffle := func(objects []compare.Object) []compare.Object {
		objects = slices.Clone(objects)
		r.Shuffle(len(objects), func(i, j int) { objects[i], objects[j] = objects[j], objects[i] })
		return objects
	}
	clusters := slices.Clone(f.Clusters)
	for i := range clusters {
		clusters[i].Objects = shuffle(clusters[i].Objects)
	}
	r.Shuffle(len(clusters), func(i, j int) { clusters[i], clusters[j] = clusters[j], clusters[i] })
	return compare.Fleet{Clusters: clusters, Delivery: shuffle(f.Delivery)}
}

type place struct {
	cluster string
	id      resource.ID
}

func objectsOf(f compare.Fleet) map[place]resource.Object {
	all := map[place]resource.Object{}
	for _, c := range append(f.Clusters, compare.Cluster{Objects: f.Delivery}) {
		for _, o := range c.Objects {
			o.ID.APIVersion = ""
			all[place{c.Name, o.ID}] = o.Content.Object
		}
	}
	return all
}

func applied(f compare.Fleet, d *compare.Diff) map[place]resource.Object {
	all := objectsOf(f)
	for _, c := range d.Changes {
		c.ID.APIVersion = ""
		at := place{c.Cluster, c.ID}
		switch c.Op {
		case compare.Removed:
			delete(all, at)
		case compare.Added:
			all[at] = c.New.Object
		default:
			all[at] = apply(all[at], c.Fields)
		}
	}
	return all
}

// object is a random object.
func object(seed int) map[string]any {
	return someObject(rand.New(rand.NewPCG(uint64(seed), 1)), 4)
}

// changed is the same object with random changes.
func changed(seed int) map[string]any {
	r := rand.New(rand.NewPCG(uint64(seed), 2))
	return mutate(r, object(seed), 4).(map[string]any)
}

func someObject(r *rand.Rand, depth int) map[string]any {
	m := map[string]any{}
	for range r.IntN(5) {
		m[string(rune('a'+r.IntN(6)))] = some(r, depth-1)
	}
	return m
}

func some(r *rand.Rand, depth int) any {
	kinds := 3
	if depth > 0 {
		kinds = 7
	}
	switch r.IntN(kinds) {
	case 0:
		return strconv.Itoa(r.IntN(4))
	case 1:
		return json.Number(strconv.Itoa(r.IntN(4)))
	case 2:
		return r.IntN(2) == 0
	case 3:
		return someObject(r, depth)
	case 4: // items with names
		list := []any{}
		for _, i := range r.Perm(4)[:r.IntN(4)] {
			item := someObject(r, depth-1)
			item["name"] = strconv.Itoa(i)
			list = append(list, item)
		}
		return list
	case 5: // strings
		list := []any{}
		for _, i := range r.Perm(6)[:r.IntN(5)] {
			list = append(list, strconv.Itoa(i))
		}
		return list
	default: // anything
		list := []any{}
		for range r.IntN(4) {
			list = append(list, some(r, depth-1))
		}
		return list
	}
}

func mutate(r *rand.Rand, v any, depth int) any {
	if r.IntN(8) == 0 && depth < 4 {
		return some(r, depth)
	}
	switch v := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if r.IntN(6) > 0 {
				m[k] = mutate(r, v[k], depth-1)
			}
		}
		if r.IntN(3) == 0 {
			m[string(rune('a'+r.IntN(6)))] = some(r, depth-1)
		}
		if name, ok := v["name"]; ok && r.IntN(5) > 0 {
			m["name"] = name
		}
		return m
	case []any:
		list := []any{}
		for _, item := range v {
			if r.IntN(6) > 0 {
				list = append(list, mutate(r, item, depth-1))
			}
		}
		if r.IntN(3) == 0 {
			list = slices.Insert(list, r.IntN(len(list)+1), some(r, depth-1))
		}
		if r.IntN(4) == 0 {
			r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		}
		return list
	}
	return v
}
