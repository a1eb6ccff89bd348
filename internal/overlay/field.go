package overlay

// Field is the hint for an overlay that would remove, rename or move an object
// of a kind: the field of the topology that says so.
func Field(kind string) string {
	switch kind {
	case "PodMonitor", "ServiceMonitor":
		return "metrics.monitors in the topology says whether there are monitors (manage: false) and what the PodMonitors are called (name)"
	case "Telemetry":
		return "telemetry in the topology says whether there is a Telemetry (manage: false), what it is called and what it has"
	case "Subscription":
		return "kiali.operator in the topology says how the operator comes to the clusters (install: none)"
	}
	return "what objects are called, and which there are, is the topology's to say"
}
