package check

import "github.com/sightline-mesh/sightline/internal/topology"

// textRules are about the form of a topology: YAML, fields and types.
func textRules() []Rule {
	return []Rule{
		{
			ID: topology.RuleSyntax, FoundBy: byReader,
			Title:  "the file is one YAML document",
			What:   "The file is UTF-8, has at most 64 MiB, and is one YAML document.",
			Why:    "Sightline cannot render a file that it cannot read. The position is the line where the YAML becomes invalid.",
			Fix:    "Correct the line, or the indentation, quotes and brackets just above it.",
			Source: "YAML 1.2",
		},
		{
			ID: topology.RuleKind, FoundBy: byReader,
			Title: "the document is a topology",
			What: "The document has apiVersion: sightline.dev/v1alpha1 and kind: Topology. A directory has one Topology and any number of " +
				"documents of kind Cluster.",
			Why:    "If you name a Kubernetes manifest by mistake, you get one message instead of twenty.",
			Fix:    "Name the right file, or add the two lines.",
			Source: "the format, v1alpha1",
		},
		{
			ID: topology.RuleUnknown, FoundBy: byReader,
			Title:  "every field exists",
			What:   "Sightline knows every field of the topology.",
			Why:    "A mistyped field would have no effect, without a message.",
			Fix:    "Write the field from the hint. `sightline explain` lists all fields.",
			Source: "the format, v1alpha1",
		},
		{
			ID: topology.RuleDuplicate, FoundBy: byReader,
			Title:  "nothing is written twice",
			What:   "No object has the same key twice. No list of names has the same entry twice.",
			Why:    "YAML readers silently keep one of two equal keys, and not all readers keep the same one.",
			Fix:    "Keep one of the two.",
			Source: "YAML 1.2, section 3.2.1.3",
		},
		{
			ID: topology.RuleType, FoundBy: byReader,
			Title: "every value has the right type",
			What:  "A string is a string, a list is a list, and a boolean is true or false.",
			Why: "YAML readers disagree on values such as 1e3, on and 2026-11-22: some read a number, a boolean or a date instead of a " +
				"string.",
			Fix:    "Put the string in quotes, or write the type from the message.",
			Source: "YAML 1.1 and 1.2 differ on these",
		},
		{
			ID: topology.RuleValue, FoundBy: byReader, mesh: contradicted,
			Title:  "every value is allowed and has an effect",
			What:   "Its field accepts the value, and the value fits the other values.",
			Why:    "Otherwise the API server, the operator or Kiali would refuse or ignore the value later.",
			Fix:    "Choose a value from the message. `sightline explain FIELD` says what each value means.",
			Source: "the format, v1alpha1",
		},
		{
			ID: topology.RuleMissing, FoundBy: byReader,
			Title:  "every required field is set",
			What:   "Every required field is set. Some fields are required only with another choice.",
			Why:    "No default would be right.",
			Fix:    "Add the field. The hint has an example.",
			Source: "the format, v1alpha1",
		},
		{
			ID: topology.RuleAlias, FoundBy: byReader,
			Title:  "every value is written out",
			What:   "The topology has no anchors, aliases or merge keys.",
			Why:    "With an alias, a reviewer must look elsewhere for a value. Ten lines of aliases can expand to a billion values.",
			Fix:    "Write the value out.",
			Source: "the format, v1alpha1",
		},
	}
}

// overlayRules are about overlays themselves. All other rules check the objects
// after the overlays.
func overlayRules() []Rule {
	return []Rule{
		{
			ID: "OV01", FoundBy: byOverlay,
			Title:  "a kustomize overlay only changes objects",
			What:   "The kustomization has patches, labels, annotations and images. It has no field that adds, removes or renames objects.",
			Why:    "The topology decides which objects a cluster has. If an overlay renamed an object, references to it would break.",
			Fix:    "Keep the fields that change objects. Put additional objects next to the tree.",
			Source: "the format, v1alpha1",
		},
		{
			ID: "OV02", FoundBy: byOverlay,
			Title:  "an overlay keeps all objects",
			What:   "After the overlay, the objects and their names are the same.",
			Why:    "Resources on several clusters refer to each other by name.",
			Fix:    "Change the content of an object, not its kind, namespace or name.",
			Source: "the format, v1alpha1",
		},
		{
			ID: "OV03", FoundBy: byOverlay,
			Title:  "each patch has a target",
			What:   "Each patch matches an object on the clusters that the overlay matches.",
			Why:    "If a patch matches nothing, somebody believes in a change that does not exist.",
			Fix:    "Compare the target with what `render -o - --cluster NAME` prints.",
			Source: "the format, v1alpha1",
		},
		{
			ID: "OV04", FoundBy: byOverlay,
			Title:  "a patch can be applied",
			What:   "kustomize accepts the patch.",
			Why:    "Otherwise kustomize cannot build the tree.",
			Fix:    "Correct the patch. The message comes from kustomize.",
			Source: "sigs.k8s.io/kustomize",
		},
		{
			ID: "OV05", FoundBy: byOverlay,
			Title:  "a Jsonnet overlay returns a resource",
			What:   "For every resource of the matched clusters, the function evaluates and returns an object.",
			Why:    "Otherwise Sightline has nothing to write.",
			Fix:    "Correct the function. The message comes from Jsonnet.",
			Source: "the format, v1alpha1",
		},
	}
}
