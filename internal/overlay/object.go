package overlay

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/resource"
)

// Object is an object that scripts are called with, or that they made. Equal
// ones are one, for all scripts of a topology.
type Object struct {
	json []byte         // which takes a tenth of the memory
	body *resource.Body // nil for one that no script has made
}

// Content decodes the object.
func (o *Object) Content() (resource.Object, error) {
	v, err := resource.DecodeJSON(o.json)
	if err != nil {
		return nil, err
	}
	return v.(map[string]any), nil
}

// Body is the literal of an object that a script has made, nil for another.
func (o *Object) Body() *resource.Body { return o.body }

// objects are known by their JSON.
type objects struct {
	known map[[sha256.Size]byte]*Object
	bytes int // of those that scripts have made
	most  int
}

// What scripts may make for a topology: an object is larger than an API server
// takes it long before, and those of a cluster have some ten thousand bytes in all.
const (
	mostMade       = 64 << 20
	mostForCluster = 64 << 10
)

func newObjects(clusters int) *objects {
	return &objects{known: map[[sha256.Size]byte]*Object{}, most: mostMade + clusters*mostForCluster}
}

// given is an object that scripts are called with.
func (o *objects) given(content resource.Object) (*Object, error) {
	data, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	key := sha256.Sum256(data)
	if o.known[key] == nil {
		o.known[key] = &Object{json: data}
	}
	return o.known[key], nil
}

// made is an object that a script has made.
func (o *objects) made(content resource.Object) (*Object, error) {
	body, err := resource.Literal(content)
	if err != nil {
		return nil, err
	}
	data := body.JSON()
	key := sha256.Sum256(data)
	switch known := o.known[key]; {
	case known == nil:
		if o.bytes += len(data); o.bytes > o.most {
			return nil, &ObjectError{fmt.Sprintf("all that overlays make of the topology's objects has more than %d MiB", o.most>>20),
				"make less of each object: no cluster could take this"}
		}
		o.known[key] = &Object{json: data, body: body}
	case known.body == nil: // what another script was called with
		known.body = body
	}
	return o.known[key], nil
}

// Cluster is what scripts are told about a cluster.
type Cluster struct {
	fields map[string]any
	json   map[string]string // of fields that a script has looked at on some cluster
}

// NewCluster takes the fields of a cluster by their names.
func NewCluster(fields map[string]any) *Cluster {
	return &Cluster{fields: fields, json: map[string]string{}}
}

// value is a field as JSON.
func (c *Cluster) value(field string) (string, error) {
	if value, ok := c.json[field]; ok {
		return value, nil
	}
	data, err := json.Marshal(c.fields[field])
	c.json[field] = string(data)
	return c.json[field], err
}

// results are what a script made of one object. Clusters with the same values
// in the fields that the script looked at have the same result.
type results []*resultsBy

type resultsBy struct {
	looked []string // fields, sorted
	known  map[string]*Object
}

func (r results) find(c *Cluster) (*Object, error) {
	for _, by := range r {
		key, err := by.key(c)
		if err != nil {
			return nil, err
		}
		if o := by.known[key]; o != nil {
			return o, nil
		}
	}
	return nil, nil
}

func (r results) with(looked map[string]bool, c *Cluster, o *Object) (results, error) {
	fields := slices.Sorted(maps.Keys(looked))
	i := slices.IndexFunc(r, func(by *resultsBy) bool { return slices.Equal(by.looked, fields) })
	if i < 0 {
		i = len(r)
		r = append(r, &resultsBy{fields, map[string]*Object{}})
	}
	key, err := r[i].key(c)
	r[i].known[key] = o
	return r, err
}

func (r *resultsBy) key(c *Cluster) (string, error) {
	var key strings.Builder
	for _, field := range r.looked {
		value, err := c.value(field)
		if err != nil {
			return "", err
		}
		key.WriteString(value + "\n")
	}
	return key.String(), nil
}
