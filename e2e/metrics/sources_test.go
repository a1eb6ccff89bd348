package metrics

import (
	"github.com/sightline-mesh/sightline/render"
	"github.com/sightline-mesh/sightline/templates"
)

func sources() render.Sources { return render.Sources{Templates: render.NewTemplates(templates.FS)} }
