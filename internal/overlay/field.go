package overlay

// Field returns the hint for an overlay that would remove, rename or move an
// object of a kind. It names the field of the topology that decides this.
func Field(kind string) string {
	switch kind {
	case "PodMonitor", "ServiceMonitor":
		return "metrics.monitors in the topology decides whether there are monitors (manage: false), and the name of the PodMonitors (name)"
	case "Telemetry":
		return "telemetry in the topology decides whether there is a Telemetry (manage: false), its name and its content"
	case "Subscription":
		return "kiali.operator in the topology decides how the operator is installed (install: none)"
	}
	return "the topology decides which objects exist, and their names"
}
