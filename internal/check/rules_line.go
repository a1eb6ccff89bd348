package check

import (
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/kiali"
)

func fieldsOfOtherLines(m *mesh, f *found) {
	for _, o := range m.kialis {
		if o == nil {
			continue
		}
		for _, u := range unreadFields(o) {
			if !u.known {
				continue
			}
			hint := "set kiali.version to such a release line, or remove the field"
			if instead, _ := kiali.Replacement(u.name); instead != "" {
				hint = instead
			}
			f.object(o, u.path, hint, "Kiali %s does not read %s; %s", m.of(o).Kiali.Version, u.name, u.field.Known())
		}
	}
}

func deprecatedFields(m *mesh, f *found) {
	for _, o := range m.kialis {
		if o == nil {
			continue
		}
		line := m.of(o).Kiali.Version
		walk(o.content["spec"], fieldPath{"spec"}, func(path fieldPath, v any) {
			if len(path) == 1 {
				return
			}
			field, isKnown := kiali.Fields()[path[1:].String()]
			if !isKnown || field.Section() || !field.In(line) {
				return
			}
			if instead, since := kiali.Replacement(path[1:].String()); since != 0 && !line.Before(since) {
				f.object(o, path, instead, "%s is deprecated", path[1:])
			}
		})
	}
}

func unknownFields(m *mesh, f *found) {
	for _, o := range m.kialis {
		if o == nil {
			continue
		}
		if d := m.definitions.of(o.ID); d != nil { // which knows better
			if content, err := plain(o); err == nil {
				for _, path := range d.dropped(content) {
					at := parsePath(path)
					f.object(o, at, nearHint(at[1:].String()), "the definition of Kiali resources has no field %s; the API server would drop it "+
						"silently", path)
				}
			}
			continue
		}
		for _, u := range unreadFields(o) {
			if !u.known {
				f.object(o, u.path, nearHint(u.name), "no operator knows the field %s; the API server would drop it silently",
					finding.Shorten(u.name))
			}
		}
	}
}

func nearHint(name string) string {
	if near := kiali.NearField(name); near != "" && near != name {
		return finding.Meant(near)
	}
	return "remove it; the fields are listed in the operator's crd-docs"
}

func oneVersion(m *mesh, f *found) {
	if m.hub < 0 {
		return
	}
	hub := m.Spec.Clusters[m.hub].Kiali.Version
	for i := range m.Spec.Clusters {
		if own := m.Spec.Clusters[i].Kiali.Version; own != hub {
			at := m.At("spec", "kiali", "version")
			if m.Has("spec", "clusters", i, "kiali", "version") {
				at = m.At("spec", "clusters", i, "kiali", "version")
			}
			f.cluster(m, i, at, "remove kiali.version here, or update the other clusters soon",
				"its Kiali is %s, but the hub's is %s; the access rights on a remote come from the remote's release line", own, hub)
		}
	}
}

func movingVersion(m *mesh, f *found) {
	const hint = "write the release line that you have tested, such as version: v2.22"
	if m.Spec.Kiali.Version == kiali.Default && m.hub >= 0 {
		f.on(m, m.At("spec", "kiali", "version"), hint,
			"kiali.version is default, so an update of the operator changes Kiali without a commit")
	}
	for i := range m.Spec.Clusters {
		if m.Has("spec", "clusters", i, "kiali", "version") && m.Spec.Clusters[i].Kiali.Version == kiali.Default &&
			m.Spec.Kiali.Version != kiali.Default {
			f.cluster(m, i, m.At("spec", "clusters", i, "kiali", "version"), hint,
				"kiali.version is default, so an update of the operator changes Kiali without a commit")
		}
	}
}
