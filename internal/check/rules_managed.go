package check

import (
	"github.com/sightline-mesh/sightline/internal/finding"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// managedRules are about the links that a Policy of ACM makes.
func managedRules() []Rule {
	return []Rule{
		{
			ID:    "RS27",
			Title: "ACM makes links on its own cluster",
			What: "With links.source: acm, Kiali's hub is an OpenShift cluster, and links.format is single. With the store acm, Kiali's hub is " +
				"also metrics.acm.hub.",
			Why: "The Policy reads the tokens on the ACM hub and writes the Secret there. For another cluster, a kubeconfig would have to " +
				"contain a token that is decrypted there. The tokens change by themselves, and the operator restarts Kiali only for the single " +
				"Secret.",
			Fix:    "Run Kiali on the ACM hub, or choose another links.source.",
			Source: "stolostron/go-template-utils pkg/templates; kiali-operator watches-os.yaml",
			mesh:   kialiOnACM,
		},
		{
			ID:    "RS28",
			Title: "ACM can make an account on each remote",
			What: "With links.source: acm, each remote has a different ManagedCluster (clusters[].managedCluster). Its name is a valid name of " +
				"a namespace, and it is not ACM's own cluster. The remote has no access.exec.",
			Why: "ACM makes the account of a remote in the namespace with the name of the ManagedCluster. A program in access.exec uses no " +
				"token of an account.",
			Fix:    "Write the name of the ManagedCluster as clusters[].managedCluster, and leave out access.exec.",
			Source: "open-cluster-management.io/managed-serviceaccount pkg/addon/agent",
			mesh:   managedAccounts,
		},
		{
			ID: "RS29", Also: finding.Warning,
			Title: "a token of ACM lives long enough",
			What:  "links.acm.validity is at least 10 minutes. Less than a day is a warning.",
			Why: "The API server refuses tokens of less than 10 minutes. ACM renews a token after four fifths of its lifetime, and Kiali " +
				"restarts after each renewal.",
			Fix:    "Write at least some days, such as validity: 720h.",
			Source: "kubernetes pkg/apis/authentication/validation/validation.go; open-cluster-management.io/managed-serviceaccount pkg/addon/agent",
			mesh:   tokenValidity,
		},
	}
}

func kialiOnACM(m *mesh, f *found) {
	if !m.LinksOnACM() {
		return
	}
	at, links := m.At("spec", "kiali", "links", "source"), &m.Spec.Kiali.Links
	switch acm := m.Spec.Metrics.ACM.Hub; {
	case m.Spec.Clusters[m.hub].Platform != "openshift":
		f.on(m, at, "choose another links.source", "ACM runs on OpenShift, but Kiali's hub is %s", m.Spec.Clusters[m.hub].Platform)
	case m.OnACM() && acm != m.Spec.Kiali.Hub:
		where := "a cluster outside the topology"
		if acm != "" {
			where = finding.Shorten(acm)
		}
		f.on(m, at, "run Kiali on the ACM hub, or choose another links.source", "ACM runs on %s and Kiali on %s; the Policy "+
			"that makes the links must be on the same cluster as the tokens", where, finding.Shorten(m.Spec.Kiali.Hub))
	}
	if links.Format == "perCluster" {
		f.on(m, at, "leave out links.format; or, with v2.4, use a later line, which knows the single Secret",
			"links.format is perCluster, so nothing would restart Kiali when ACM renews a token")
	}
}

func managedAccounts(m *mesh, f *found) {
	if !m.LinksOnACM() {
		return
	}
	of := map[string]int{}
	for i := range m.Spec.Clusters {
		c := &m.Spec.Clusters[i]
		at := m.At("spec", "clusters", i, "managedCluster")
		if !m.Has("spec", "clusters", i, "managedCluster") {
			at = m.At("spec", "clusters", i, "name")
		}
		const hint = "write the name of its ManagedCluster: managedCluster: NAME"
		first, twice := of[c.ManagedCluster]
		switch problem := topology.LabelProblem(c.ManagedCluster); {
		case i == m.hub:
		case c.Access.Exec != nil:
			f.cluster(m, i, m.At("spec", "clusters", i, "access", "exec"), "leave it out, or choose another links.source",
				"access.exec gets the credential from a program, but ACM makes a token")
		case problem != "":
			f.cluster(m, i, at, hint, "the account is made in the namespace %q of the ACM hub, which %s", finding.Shorten(c.ManagedCluster), problem)
		case c.ManagedCluster == topology.LocalCluster:
			f.cluster(m, i, at, hint, "the ManagedCluster %s is ACM's own cluster, but this is a remote", topology.LocalCluster)
		case twice:
			f.cluster(m, i, at, hint, "it has the same ManagedCluster %q as %q", finding.Shorten(c.ManagedCluster),
				finding.Shorten(m.Spec.Clusters[first].Name))
		default:
			of[c.ManagedCluster] = i
		}
	}
}

func tokenValidity(m *mesh, f *found) {
	if !m.LinksOnACM() {
		return
	}
	const least, short = 10 * 60, 24 * 60 * 60
	at, validity := m.At("spec", "kiali", "links", "acm", "validity"), m.Spec.Kiali.Links.ACM.Validity
	switch seconds := topology.Seconds(validity); {
	case seconds < least:
		f.on(m, at, "write some days, such as 720h", "validity %s is below the 10 minutes that an API server allows", validity)
	case seconds < short:
		f.softer(finding.Warning).on(m, at, "write some days, such as 720h",
			"with validity %s ACM renews the token of each remote every %d minutes, and Kiali restarts each time", validity, seconds*4/5/60)
	}
}
