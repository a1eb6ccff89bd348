package check

// acmRules are about the store acm: what ACM collects, and how Kiali reads it.
func acmRules() []Rule {
	return []Rule{
		{
			ID:     "PM40",
			Title:  "ACM collects at most every 90 seconds",
			What:   "With the store acm, metrics.acm.interval is 90s or more.",
			Why:    "The collectors send several batches for one collection. Below 90 seconds the store refuses samples as out of order, and rates have gaps.",
			Fix:    "Write interval: 5m, which is ACM's own, or any time from 90s on.",
			Source: "stolostron/multicluster-observability-addon; ACM 2.15, multicluster observability add-on",
		},
		{
			ID:     "PM42",
			Title:  "the hub's Kiali can read ACM's store",
			What:   "With the store acm and access: route, the hub's Kiali is pinned to v2.22 or a later line. With access: internal it runs on the ACM hub.",
			Why:    "The route asks for a client certificate, which earlier lines cannot give to a metrics store. The Service of the store is in no other cluster.",
			Fix:    "Pin kiali.version; or, if Kiali runs on the ACM hub, name it in metrics.acm.hub and write access: internal.",
			Source: "kiali-operator crd-docs/crd (external_services.prometheus.auth.cert_file); multicluster-observability-operator, observatorium.go",
		},
	}
}
