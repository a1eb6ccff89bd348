package check

import "github.com/sightline-mesh/sightline/internal/topology"

// textRules are about the text of a topology, before it means anything.
func textRules() []Rule {
	return []Rule{
		{
			ID: topology.RuleSyntax, FoundBy: byReader,
			Title:  "the file is one YAML document",
			What:   "The file is UTF-8, at most 64 MiB, and one document of YAML.",
			Why:    "What cannot be read cannot be rendered. The position is that of the line where the text stops being YAML.",
			Fix:    "Correct the line, or the indentation, quotes and brackets right above it.",
			Source: "YAML 1.2",
		},
		{
			ID: topology.RuleKind, FoundBy: byReader,
			Title: "the document is a topology",
			What: "The document has apiVersion: sightline.dev/v1alpha1 and kind: Topology. A directory has one such document, and any number of " +
				"kind Cluster.",
			Why:    "A Kubernetes manifest that is named by mistake should give one message, not twenty.",
			Fix:    "Name the right file, or add the two lines.",
			Source: "the format, v1alpha1",
		},
		{
			ID: topology.RuleUnknown, FoundBy: byReader,
			Title:  "every key exists",
			What:   "Every key of the topology is one that Sightline knows.",
			Why:    "A mistyped key would have no effect, and nobody would be told.",
			Fix:    "Write the key that the hint names; `sightline explain` lists them all.",
			Source: "the format, v1alpha1",
		},
		{
			ID: topology.RuleDuplicate, FoundBy: byReader,
			Title:  "nothing stands twice",
			What:   "No key stands twice in an object, and no entry twice in a list of names.",
			Why:    "YAML readers silently keep one of the two, and not all keep the same.",
			Fix:    "Keep one of the two.",
			Source: "YAML 1.2, section 3.2.1.3",
		},
		{
			ID: topology.RuleType, FoundBy: byReader,
			Title:  "every value has its type",
			What:   "A string is a string, a list a list, and true or false is written as such.",
			Why:    "YAML takes 1e3, on and 2026-11-22 for something else than a string, each reader in its own way.",
			Fix:    "Put the string in quotes, or write what the message asks for.",
			Source: "YAML 1.1 and 1.2 differ on these",
		},
		{
			ID: topology.RuleValue, FoundBy: byReader,
			Title:  "every value is allowed, and has an effect",
			What:   "A value is one of those that its field takes, and goes together with the others.",
			Why:    "The API server, the operator or Kiali itself would refuse it later, or ignore it.",
			Fix:    "Choose one of the values that the message names; `sightline explain FIELD` tells what each means.",
			Source: "the format, v1alpha1",
		},
		{
			ID: topology.RuleMissing, FoundBy: byReader,
			Title:  "what is needed is there",
			What:   "Every required key is given, among them those that another choice makes required.",
			Why:    "There is no default that could be right.",
			Fix:    "Add the key; the hint has an example.",
			Source: "the format, v1alpha1",
		},
		{
			ID: topology.RuleAlias, FoundBy: byReader,
			Title:  "values stand where they are used",
			What:   "The topology has no anchors, aliases or merge keys.",
			Why:    "A reviewer would have to look elsewhere for a value, and ten lines of aliases can stand for a billion values.",
			Fix:    "Write the value out.",
			Source: "the format, v1alpha1",
		},
	}
}

// overlayRules are about overlays themselves; what they make of the objects is
// the matter of all other rules.
func overlayRules() []Rule {
	return []Rule{
		{
			ID: "OV01", FoundBy: byOverlay,
			Title:  "a kustomize overlay has what an overlay may have",
			What:   "The kustomization has patches, labels, annotations and images, and nothing that makes other objects.",
			Why:    "What there is on a cluster is the topology's to say; otherwise names would part from what refers to them.",
			Fix:    "Keep what changes objects, and put the rest beside the tree.",
			Source: "the format, v1alpha1",
		},
		{
			ID: "OV02", FoundBy: byOverlay,
			Title:  "an overlay keeps the objects that there are",
			What:   "After the overlay there are the same objects, under the same names.",
			Why:    "The resources of several clusters find each other by names.",
			Fix:    "Change what an object says, not which it is.",
			Source: "the format, v1alpha1",
		},
		{
			ID: "OV03", FoundBy: byOverlay,
			Title:  "a patch reaches what it is meant for",
			What:   "Each patch has a target on the clusters that the overlay matches.",
			Why:    "A patch that reaches nothing is a change that somebody believes to be in place.",
			Fix:    "Compare the target with what `render -o - --cluster NAME` prints.",
			Source: "the format, v1alpha1",
		},
		{
			ID: "OV04", FoundBy: byOverlay,
			Title:  "a patch can be applied",
			What:   "kustomize takes the patch.",
			Why:    "The tree would not build.",
			Fix:    "Correct the patch; the message is that of kustomize.",
			Source: "sigs.k8s.io/kustomize",
		},
		{
			ID: "OV05", FoundBy: byOverlay,
			Title:  "a Jsonnet overlay returns a resource",
			What:   "The function evaluates for every resource of the clusters that it matches, and returns an object.",
			Why:    "There would be nothing to write.",
			Fix:    "Correct the function; the message is that of Jsonnet.",
			Source: "the format, v1alpha1",
		},
	}
}
