package main

import (
	"encoding/json"
	"fmt"

	"sigs.k8s.io/yaml"

	"github.com/sightline-mesh/sightline/internal/resource"
	"github.com/sightline-mesh/sightline/render"
)

// objectsOf returns the rendered objects of each cluster, by the cluster's name. Their
// values have the types of objects that were read from an API server.
func objectsOf(clusters []resource.Cluster) (map[string][]resource.Object, error) {
	all := map[string][]resource.Object{}
	for i := range clusters {
		c := &clusters[i]
		for _, r := range c.Resources {
			for values := range c.Each(r) {
				object, err := r.Body.Fill(values)
				if err == nil {
					object, err = plain(object)
				}
				if err != nil {
					return nil, err
				}
				all[c.Name] = append(all[c.Name], object)
			}
		}
	}
	return all, nil
}

// plain returns an object with the Go types that encoding/json gives.
func plain(o resource.Object) (resource.Object, error) {
	data, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	v, err := resource.DecodeJSON(data)
	if err != nil {
		return nil, err
	}
	return v.(map[string]any), nil
}

// outsideObjects returns the objects of an ACM hub that is no cluster of the topology.
func outsideObjects(r *render.Rendering) ([]resource.Object, error) {
	files, err := r.ACMObjects()
	var objects []resource.Object
	for _, file := range files {
		text, err := yaml.YAMLToJSON(file.Content)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.Path, err)
		}
		o, err := resource.DecodeJSON(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.Path, err)
		}
		objects = append(objects, o.(map[string]any))
	}
	return objects, err
}
