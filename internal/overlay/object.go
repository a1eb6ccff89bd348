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

// Object is an object that a script gets or returns. Equal objects have one
// Object, for all scripts of a topology.
type Object struct {
	json []byte         // a decoded object would take ten times the memory
	body *resource.Body // nil if no script has made the object
}

// Content decodes the object.
func (o *Object) Content() (resource.Object, error) {
	v, err := resource.DecodeJSON(o.json)
	if err != nil {
		return nil, err
	}
	return v.(map[string]any), nil
}

// Body returns the literal of an object that a script has made, or nil for any
// other object.
func (o *Object) Body() *resource.Body { return o.body }

// objects has all objects of the scripts, by the digest of their JSON.
type objects struct {
	known map[[sha256.Size]byte]*Object
	bytes int // the size of the objects that scripts have made
	most  int // the maximum of bytes
}

// The maximum size of all objects that the scripts of a topology make. An API
// server refuses smaller objects, and all objects of a cluster have some ten
// thousand bytes together.
const (
	mostMade       = 64 << 20
	mostForCluster = 64 << 10
)

func newObjects(clusters int) *objects {
	return &objects{known: map[[sha256.Size]byte]*Object{}, most: mostMade + clusters*mostForCluster}
}

// given returns the Object for an argument of a script.
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

// made returns the Object for a result of a script.
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
			return nil, &ObjectError{fmt.Sprintf("the objects that overlays make for this topology have more than %d MiB together", o.most>>20),
				"make smaller objects: no cluster could store these"}
		}
		o.known[key] = &Object{json: data, body: body}
	case known.body == nil: // another script got it as an argument
		known.body = body
	}
	return o.known[key], nil
}

// Cluster has the fields of a cluster that scripts can read.
type Cluster struct {
	fields map[string]any
	json   map[string]string // of the fields that a script has read
}

// NewCluster makes a Cluster from its fields, by their names.
func NewCluster(fields map[string]any) *Cluster {
	return &Cluster{fields: fields, json: map[string]string{}}
}

// value returns a field as JSON.
func (c *Cluster) value(field string) (string, error) {
	if value, ok := c.json[field]; ok {
		return value, nil
	}
	data, err := json.Marshal(c.fields[field])
	c.json[field] = string(data)
	return c.json[field], err
}

// results has the results of a script for one object. Clusters with the same
// values in the fields that the script read have the same result.
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
