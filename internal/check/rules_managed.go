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
			What: "With links.source acm the hub of Kiali is an OpenShift cluster, with the store acm the one in metrics.acm.hub, and " +
				"links.format is single.",
			Why: "The Policy reads the tokens on the ACM hub and writes the Secret there. On another cluster they would have to be " +
				"decrypted inside a kubeconfig. The operator restarts Kiali for the one Secret alone, and these tokens change by themselves.",
			Fix:    "Run Kiali on the ACM hub, or choose another links.source.",
			Source: "stolostron/go-template-utils pkg/templates; kiali-operator watches-os.yaml",
			mesh:   kialiOnACM,
		},
		{
			ID:    "RS28",
			Title: "ACM can make an account on each remote",
			What: "With links.source acm each remote has a ManagedCluster of its own (clusters[].managedCluster) whose name is one of a " +
				"namespace, it is not the one of ACM itself, and it has no access.exec.",
			Why: "The account of a remote is made in the namespace that has the name of its ManagedCluster. A program gets no token of " +
				"an account.",
			Fix:    "Write the name of the ManagedCluster as clusters[].managedCluster; leave out access.exec.",
			Source: "open-cluster-management.io/managed-serviceaccount pkg/addon/agent",
			mesh:   managedAccounts,
		},
		{
			ID: "RS29", Also: finding.Warning,
			Title: "a token of ACM lives long enough",
			What:  "links.acm.validity is 10 minutes or more; below a day it is a warning.",
			Why: "The API server refuses tokens of less than 10 minutes. ACM renews a token after four fifths of its time, and Kiali restarts " +
				"for each renewal.",
			Fix:    "Write some days, such as validity: 720h.",
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
		f.on(m, at, "choose another links.source", "ACM runs on OpenShift, and the hub of Kiali is %s", m.Spec.Clusters[m.hub].Platform)
	case m.OnACM() && acm != m.Spec.Kiali.Hub:
		where := "a cluster outside the topology"
		if acm != "" {
			where = finding.Shorten(acm)
		}
		f.on(m, at, "run Kiali on the ACM hub, or choose another links.source", "ACM runs on %s and Kiali on %s; the Policy "+
			"that makes the links has to be where the tokens are", where, finding.Shorten(m.Spec.Kiali.Hub))
	}
	if links.Format == "perCluster" {
		f.on(m, at, "leave out links.format, or use a later line than v2.4, which knows the one Secret",
			"links.format is perCluster, and nobody would restart Kiali when ACM renews a token")
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
				"access.exec has the credential, and ACM makes a token")
		case problem != "":
			f.cluster(m, i, at, hint, "the account is made in the namespace %q of the ACM hub, which %s", finding.Shorten(c.ManagedCluster), problem)
		case c.ManagedCluster == topology.LocalCluster:
			f.cluster(m, i, at, hint, "the ManagedCluster %s is the one of ACM itself, and this is a remote", topology.LocalCluster)
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
