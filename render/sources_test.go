package render

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sightline-mesh/sightline/internal/topology"
	"github.com/sightline-mesh/sightline/templates"
)

// shippedTemplates are the program's templates, shared by all tests, so that
// each shape is evaluated once.
var shippedTemplates = NewTemplates(templates.FS)

// SourcesOf returns the templates, the overlays that a topology names relative
// to its file, and the sealed links beside it.
func SourcesOf(top *topology.Topology) Sources {
	overlays := map[string]fs.FS{}
	for i := range top.Spec.Overlays {
		o := &top.Spec.Overlays[i]
		dir := filepath.Dir(top.At("spec", "overlays", i).File)
		overlays[o.Name] = os.DirFS(filepath.Join(dir, o.Folder()))
	}
	return Sources{Templates: shippedTemplates, Overlays: overlays, Links: linksOf(top)}
}

// linksOf returns the links beside a topology. A synthetic topology has them in
// an annotation.
func linksOf(top *topology.Topology) Links {
	links := Links{}
	add := func(file string, data []byte) {
		link, findings := topology.ParseSealedLink(file, data)
		if len(findings) > 0 {
			panic(findings[0].String())
		}
		links[link.Name()] = link
	}
	dir := filepath.Dir(top.At("metadata").File)
	files, _ := filepath.Glob(filepath.Join(dir, "sealed", top.Metadata.Name, "*.yaml"))
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		add(file, data)
	}
	for _, said := range strings.Fields(top.Metadata.Annotations["links"]) {
		name, tokens, _ := strings.Cut(said, "=")
		add(name+".yaml", sealedFor(top, name, tokens))
	}
	return links
}

// sealedFor returns a link whose sealed data is only a mark.
func sealedFor(top *topology.Topology, name, tokens string) []byte {
	secret := top.SealedFor(&topology.Cluster{Name: name})
	return fmt.Appendf(nil, `apiVersion: sightline.dev/v1alpha1
kind: SealedLink
metadata: {name: %[1]s}
spec:
  server: https://%[1]s.test:6443
  secret: {namespace: %[2]s, name: %[3]s, key: %[1]s}
  generation: %[4]s
  tokens: [%[5]s]
  %[6]s
  encryptedData: %[7]s
`, name, secret.Namespace, secret.Name, strings.Split(tokens, ",")[0], tokens, sealedWith(top),
		base64.StdEncoding.EncodeToString([]byte("sealed "+name+" "+tokens)))
}

// sealedWith returns how the links of a topology are sealed.
func sealedWith(top *topology.Topology) string {
	if top.Spec.Kiali.Links.Source != "sops" {
		return fmt.Sprintf(`certificate: {fingerprint: "%064d", notAfter: "2126-01-01T00:00:00Z"}`, 1)
	}
	return fmt.Sprintf(`sops: {age: [{recipient: %s, enc: "for %s"}], lastModified: "2126-01-01T00:00:00Z", mac: "%s", keys: [own-a]}`,
		top.Spec.Kiali.Links.SOPS.Age[0], top.Metadata.Name, top.Metadata.Name)
}
