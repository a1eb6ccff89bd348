package main

import (
	"encoding/json"

	"github.com/sightline-mesh/sightline/internal/resource"
)

// objectsOf are the objects that are rendered for each cluster, by its name, with
// the types that objects have once they are read from an API server.
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

// plain is an object as it is read from JSON: values have the types of Go.
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
