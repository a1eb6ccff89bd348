package render

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/sightline-mesh/sightline/internal/kiali"
	"github.com/sightline-mesh/sightline/internal/topology"
)

// values has every value, in the order of the chart's values.yaml. Templates
// can use no other value, and use each of these.
var values = append([]value{
	{hole: "cluster.name", chart: "cluster.name", from: "spec.clusters[].name",
		doc: "The name of the cluster, the same in Istio and Kiali.",
		of:  func(s site) any { return s.cluster.Name }},
	{hole: "topology.name", chart: "topology.name", from: "metadata.name",
		doc: "The name of the topology, which every object has as a label.",
		of:  func(s site) any { return s.Metadata.Name }},
	{hole: "topology.mesh.id", chart: "mesh.id", from: "spec.mesh.id",
		doc: "The mesh id. All series have it, and Kiali asks only for these.",
		of:  func(s site) any { return s.Spec.Mesh.ID }},
	{hole: "topology.mesh.controlPlaneNamespace", from: "spec.mesh.controlPlaneNamespace",
		of: func(s site) any { return s.Spec.Mesh.ControlPlaneNamespace }},
	{hole: "cluster.controlPlaneNamespace", chart: "mesh.controlPlaneNamespace",
		from:      "spec.clusters[].controlPlane.namespace spec.mesh.controlPlaneNamespace",
		doc:       "The namespace of istiod.",
		of:        func(s site) any { return s.cluster.ControlPlane.Namespace },
		otherwise: func(t *topology.Topology) any { return t.Spec.Mesh.ControlPlaneNamespace }},

	{hole: "topology.kiali.instanceName", chart: "kiali.instanceName", from: "spec.kiali.instanceName",
		doc: "The name of the Kiali resource. It is the same on every cluster, because the hub looks for it.",
		of:  func(s site) any { return s.Spec.Kiali.InstanceName }},
	{hole: "topology.kiali.namespace", chart: "kiali.namespace", from: "spec.kiali.namespace",
		doc: "The namespace of the Kiali resource, the same on every cluster.",
		of:  func(s site) any { return s.Spec.Kiali.Namespace }},
	{hole: "topology.kiali.serviceAccount", chart: "kiali.serviceAccount", from: "spec.kiali.instanceName",
		doc: "The service account that the operator makes: the instance name with -service-account.",
		of:  func(s site) any { return s.Account() }},
	{hole: "topology.kiali.oauthClient", chart: "kiali.oauthClient", from: "spec.kiali.operator.remotes",
		doc: "The name of the OAuthClient on a remote without an operator.",
		of: func(s site) any {
			return whereNoOperator(s, kiali.OAuthClient(s.Spec.Kiali.InstanceName, s.Spec.Kiali.Namespace))
		}},
	{hole: "topology.kiali.monitoringView", chart: "kiali.monitoringView", from: "spec.kiali.instanceName",
		doc: "The name of the ClusterRoleBinding that lets the server read the cluster's metrics.",
		of:  func(s site) any { return s.Spec.Kiali.InstanceName + "-" + s.Spec.Kiali.Namespace + "-monitoring-view" }},
	{hole: "topology.kiali.ca", chart: "kiali.ca", from: "spec.kiali.ca",
		doc: "Further CAs that the hub's Kiali trusts, in PEM.",
		of:  func(s site) any { return given(s.Spec.Kiali.CA) }},
	{hole: "topology.kiali.caData", chart: "kiali.caData", from: "spec.kiali.ca",
		doc: "The same in base64, for release lines that read the CAs from a Secret.",
		of:  func(s site) any { return given(base64.StdEncoding.EncodeToString([]byte(s.Spec.Kiali.CA))) }},
	{hole: "topology.kiali.caSecret", chart: "kiali.caSecret", from: "spec.kiali.version",
		doc: "The Secret with the CAs, for a release line that mounts no ConfigMap for them.",
		of: func(s site) any {
			if s.Spec.Kiali.CA == "" {
				return nil
			}
			return given(s.Hub().Kiali.Version.CASecret(s.Spec.Kiali.InstanceName, s.Hub().Platform))
		}},
	{hole: "topology.kiali.hubAccess", chart: "kiali.hubAccess", from: "spec.kiali.instanceName",
		doc: "The name of the ClusterRoleBinding for the program that gives the hub its credential.",
		of:  func(s site) any { return s.Spec.Kiali.InstanceName + "-" + s.Spec.Kiali.Namespace + "-hub" }},
	{hole: "topology.kiali.role", chart: "kiali.role", from: "spec.kiali.viewOnly",
		doc: "The ClusterRole of Kiali's account. The operator makes it, or Sightline on a remote without an operator.",
		of: func(s site) any {
			return kiali.AccountRole(s.Spec.Kiali.InstanceName, s.EditsMesh())
		}},
	{hole: "cluster.loginRole", chart: "kiali.loginRole", from: "spec.clusters[].kiali.version",
		doc: "The ClusterRole that lets Kiali's account read the OAuthClient of a remote.",
		of: func(s site) any {
			if s.onHub() || !s.withSubject() && !s.WithoutOperator(s.cluster) {
				return nil
			}
			return s.cluster.Kiali.Version.LoginRole(s.Spec.Kiali.InstanceName, s.Spec.Kiali.Namespace)
		}},
	{hole: "cluster.subject.kind", chart: "kiali.subject.kind", from: "spec.clusters[].access.exec.subject",
		doc: "The kind of the program's subject on the cluster: User or Group.",
		of:  ofSubject(func(subject *topology.Subject) any { return subject.Kind })},
	{hole: "cluster.subject.name", chart: "kiali.subject.name", from: "spec.clusters[].access.exec.subject",
		doc: "Its name.",
		of:  ofSubject(func(subject *topology.Subject) any { return subject.Name })},
	{hole: "topology.kiali.impersonation.users", chart: "kiali.impersonation.users", from: "spec.kiali.auth.impersonation.users",
		doc: "The users that Kiali may act as.",
		of:  func(s site) any { return allowed(s, s.Spec.Kiali.Auth.Impersonation.Users) }},
	{hole: "topology.kiali.impersonation.groups", chart: "kiali.impersonation.groups", from: "spec.kiali.auth.impersonation.groups",
		doc: "The groups that Kiali may act as.",
		of:  func(s site) any { return allowed(s, s.Spec.Kiali.Auth.Impersonation.Groups) }},
	{hole: "topology.kiali.caBundle", chart: "kiali.caBundle", from: "spec.kiali.version",
		doc: "The ConfigMap in which the hub's Kiali looks for CAs.",
		of: func(s site) any {
			hub := s.Hub()
			if s.Spec.Kiali.CA == "" {
				return nil
			}
			return given(hub.Kiali.Version.CABundle(s.Spec.Kiali.InstanceName, hub.Platform))
		}},
	{hole: "cluster.version", chart: "kiali.version", from: "spec.clusters[].kiali.version spec.kiali.version",
		doc:       "The release line of the Kiali server that the operator installs.",
		of:        func(s site) any { return s.cluster.Kiali.Version.String() },
		otherwise: func(t *topology.Topology) any { return t.Spec.Kiali.Version.String() }},
	{hole: "cluster.host", chart: "kiali.host", from: "spec.clusters[].kiali.host spec.clusters[].domain",
		doc: "The host of the hub's Kiali.",
		of: func(s site) any {
			if !s.onHub() {
				return nil
			}
			return s.HubHost()
		}},
	{hole: "cluster.port", chart: "kiali.port", from: "spec.clusters[].kiali.host spec.clusters[].kiali.spec",
		doc: "The port of the hub's Kiali, to which its Route leads.",
		of: func(s site) any {
			if !s.onHub() || s.cluster.Platform != "openshift" || s.cluster.Kiali.Host == "" {
				return nil // we render no Route
			}
			if server, ok := kialiSpec(s.Topology, s.cluster)["server"].(map[string]any); ok && server["port"] != nil {
				return server["port"]
			}
			return defaultPort
		},
		otherwise: func(*topology.Topology) any { return defaultPort }},
	{hole: "cluster.webRoot", chart: "kiali.webRoot", from: "spec.clusters[].kiali.webRoot",
		doc: "The path of the hub's Kiali, if it is not the platform's default.",
		of: func(s site) any {
			if c := s.cluster; s.onHub() && c.Kiali.WebRoot != topology.DefaultWebRoot(c.Platform) {
				return c.Kiali.WebRoot
			}
			return nil
		}},
	{hole: "cluster.callback", chart: "kiali.callback", from: "spec.clusters[hub].kiali.host spec.clusters[hub].domain",
		doc: "The URL to which a login on this cluster returns: the hub's Kiali, with this cluster in its path.",
		of: func(s site) any {
			if s.onHub() {
				return s.home
			}
			// Kiali's server takes the first redirect URI of a remote's
			// OAuthClient, and routes the callback by its last part.
			return s.home + "/" + s.cluster.Name
		}},
	{hole: "cluster.accountRules", chart: "kiali.accountRules", from: "spec.kiali.operator.remotes",
		doc: "The rules of the ClusterRole of Kiali's account, on a remote without an operator.",
		of: func(s site) any {
			if !s.WithoutOperator(s.cluster) {
				return nil
			}
			return accountRules(s.Topology, s.cluster)
		},
		otherwise: func(*topology.Topology) any { return []any{} }},
	{hole: "cluster.kialiSpec", chart: "kiali.spec", from: "spec.clusters[].kiali.spec",
		doc: "Merged over the spec of the Kiali resource: maps merge, all else is replaced. Null is Helm's word for removing a value, so it " +
			"cannot be set.",
		of: func(s site) any {
			if spec := kialiSpec(s.Topology, s.cluster); len(spec) > 0 {
				return spec
			}
			return nil
		},
		otherwise: func(*topology.Topology) any { return map[string]any{} }},

	{hole: "topology.operator.channel", chart: "operator.channel", from: "spec.kiali.operator.channel",
		doc: "The channel of the operator's Subscription.",
		of:  func(s site) any { return s.Spec.Kiali.Operator.Channel }},
	{hole: "topology.operator.approval", chart: "operator.approval", from: "spec.kiali.operator.approval",
		doc: "Whether OLM updates the operator without asking: Automatic or Manual.",
		of:  func(s site) any { return s.Spec.Kiali.Operator.Approval }},
	{hole: "topology.operator.startingCSV", chart: "operator.startingCSV", from: "spec.kiali.operator.startingCSV",
		doc: "The version of the operator that OLM installs first, if it is set.",
		of:  func(s site) any { return given(s.Spec.Kiali.Operator.StartingCSV) }},
	{hole: "topology.operator.openshift.package", chart: "operator.openshift.package", from: "spec.kiali.operator.source",
		doc: "The operator's name in the catalog on OpenShift.",
		of:  func(s site) any { return operatorPackage(s.Topology, "openshift") }},
	{hole: "topology.operator.openshift.source", chart: "operator.openshift.source", from: "spec.kiali.operator.source",
		doc: "The catalog of the operator on OpenShift.",
		of:  func(s site) any { return catalog(s.Topology, "openshift") }},
	{hole: "topology.operator.openshift.sourceNamespace", chart: "operator.openshift.sourceNamespace",
		from: "spec.kiali.operator.sourceNamespace",
		doc:  "The namespace of that catalog.",
		of:   func(s site) any { return cmp.Or(s.Spec.Kiali.Operator.SourceNamespace, "openshift-marketplace") }},
	{hole: "topology.operator.kubernetes.package", chart: "operator.kubernetes.package", from: "spec.kiali.operator.source",
		doc: "The operator's name in the catalog on other platforms.",
		of:  func(s site) any { return operatorPackage(s.Topology, "kubernetes") }},
	{hole: "topology.operator.kubernetes.source", chart: "operator.kubernetes.source", from: "spec.kiali.operator.source",
		doc: "The catalog of the operator on other platforms.",
		of:  func(s site) any { return catalog(s.Topology, "kubernetes") }},
	{hole: "topology.operator.kubernetes.sourceNamespace", chart: "operator.kubernetes.sourceNamespace",
		from: "spec.kiali.operator.sourceNamespace",
		doc:  "The namespace of that catalog.",
		of:   func(s site) any { return cmp.Or(s.Spec.Kiali.Operator.SourceNamespace, "olm") }},

	{hole: "topology.store.url", chart: "store.url", from: "spec.metrics.store spec.metrics",
		doc: "The metrics store that the hub's Kiali asks.",
		of:  func(s site) any { return given(storeURL(s.Topology)) }},
	{hole: "topology.store.username", chart: "store.username", from: "spec.metrics.store spec.metrics",
		doc: "A reference secret:NAME:KEY, never the user name itself.",
		of:  func(s site) any { return ofType("basic", s, storeAuth(s.Topology).Username) }},
	{hole: "topology.store.password", chart: "store.password", from: "spec.metrics.store spec.metrics",
		doc: "A reference secret:NAME:KEY, never the password itself.",
		of:  func(s site) any { return ofType("basic", s, storeAuth(s.Topology).Password) }},
	{hole: "topology.store.token", chart: "store.token", from: "spec.metrics.store spec.metrics",
		doc: "A reference secret:NAME:KEY, never the token itself.",
		of:  func(s site) any { return ofType("bearer", s, storeAuth(s.Topology).Token) }},
	{hole: "topology.store.interval", chart: "store.interval", from: "spec.metrics.interval",
		doc: "The longest scrape interval of the clusters. Kiali asks for rates over at least two intervals.",
		of:  func(s site) any { return s.StoreInterval() }},
	{hole: "topology.store.retention", chart: "store.retention", from: "spec.metrics.retention",
		doc: "How long the store keeps series. Kiali offers this period.",
		of: func(s site) any {
			if s.Spec.Metrics.Store == "acm" {
				return given(s.Spec.Metrics.ACM.Retention)
			}
			return given(s.Spec.Metrics.Retention)
		}},
	{hole: "topology.store.scope", chart: "store.scope", from: "spec.metrics.scope",
		doc: "The labels of the series that the hub's Kiali asks for.",
		of: func(s site) any {
			if s.Spec.Metrics.Scope.Word() != "" {
				return nil
			}
			return map[string]string(s.Spec.Metrics.Scope)
		}},

	{hole: "topology.acm.interval", chart: "acm.interval", from: "spec.metrics.acm.interval",
		doc: "The time between two collections.",
		of:  func(s site) any { return ofACM(mcoa(s.Topology), s.Spec.Metrics.ACM.Interval) }},
	{hole: "topology.acm.federation", chart: "acm.federation", from: "metadata.name",
		doc: "The name of the ScrapeConfig for the series of the mesh.",
		of:  func(s site) any { return ofACM(mcoa(s.Topology), acmName(s.Topology, "federation")) }},
	{hole: "topology.acm.containers", chart: "acm.containers", from: "metadata.name",
		doc: "The name of the ScrapeConfig for the series of containers.",
		of:  func(s site) any { return ofACM(mcoa(s.Topology), acmName(s.Topology, "containers")) }},
	{hole: "topology.acm.matches", chart: "acm.matches", from: "spec.metrics.scope",
		doc: "The series of the mesh that are collected from each cluster.",
		of:  func(s site) any { return ofACM(mcoa(s.Topology), acmMatches(s.Topology)) }},
	{hole: "topology.acm.containerMatches", chart: "acm.containerMatches", from: "spec.mesh.controlPlaneNamespace",
		doc: "The series of containers that are collected from each cluster.",
		of:  func(s site) any { return ofACM(mcoa(s.Topology), acmContainers(s.Topology)) }},
	{hole: "topology.acm.aggregation", chart: "acm.aggregation", from: "metadata.name",
		doc: "The name of the PrometheusRule.",
		of:  func(s site) any { return ofACM(aggregated(s.Topology), acmName(s.Topology, "aggregation")) }},
	{hole: "topology.acm.rules", chart: "acm.rules", from: "spec.metrics.scope",
		doc: "The rules that add up the series of a workload's pods.",
		of:  func(s site) any { return ofACM(aggregated(s.Topology), acmRules(s.Topology)) }},
	{hole: "topology.acm.rulesNamespace", chart: "acm.rulesNamespace", from: "spec.metrics.acm.rules.namespace",
		doc: "The namespace on each cluster whose rules see all namespaces.",
		of: func(s site) any {
			return ofACM(aggregated(s.Topology) && s.Spec.Metrics.ACM.Rules.Namespace != "", s.Spec.Metrics.ACM.Rules.Namespace)
		}},
	{hole: "topology.acm.workloadConfig", chart: "acm.workloadConfig", from: "spec.metrics.acm.rules.config",
		doc: "The whole content of user-workload-monitoring-config.",
		of:  func(s site) any { return exemptConfig(s.Topology) }},
	{hole: "topology.acm.placement", chart: "acm.placement", from: "spec.metrics.acm.placement",
		doc: "The add-on's Placement, as namespace/name.",
		of: func(s site) any {
			return ofACM(mcoa(s.Topology) && !registered(s.Topology), s.Spec.Metrics.ACM.Placement)
		}},
	{hole: "topology.acm.placementNamespace", chart: "acm.placementNamespace", from: "spec.metrics.acm.placement",
		doc: "The namespace of the add-on's Placement.",
		of: func(s site) any {
			namespace, _, _ := strings.Cut(s.Spec.Metrics.ACM.Placement, "/")
			return ofACM(registered(s.Topology), namespace)
		}},
	{hole: "topology.acm.placementName", chart: "acm.placementName", from: "spec.metrics.acm.placement",
		doc: "The name of the add-on's Placement.",
		of: func(s site) any {
			_, name, _ := strings.Cut(s.Spec.Metrics.ACM.Placement, "/")
			return ofACM(registered(s.Topology), name)
		}},
	{hole: "topology.acm.configs", chart: "acm.configs", from: "metadata.name",
		doc: "The ScrapeConfigs and PrometheusRules that the add-on uses.",
		of:  func(s site) any { return ofACM(registered(s.Topology), acmConfigs(s.Topology)) }},
	{hole: "topology.acm.allowList", chart: "acm.allowList", from: "spec.metrics.acm.allowList",
		doc: "The two lists of the classic collector.",
		of: func(s site) any {
			acm := &s.Spec.Metrics.ACM
			return ofACM(s.OnACM() && acm.Collector == "classic" && acm.AllowList.In == "hub", acmAllowList(s.Topology))
		}},
	{hole: "topology.acm.namespaceList", chart: "acm.namespaceList", from: "spec.metrics.acm.allowList",
		doc: "The list of the classic collector for one namespace.",
		of: func(s site) any {
			acm := &s.Spec.Metrics.ACM
			workloads, _ := acmAllowed(s.Topology)
			return ofACM(s.OnACM() && acm.Collector == "classic" && acm.AllowList.In == "namespaces", configText(workloads))
		}},
	{hole: "topology.acm.policyNamespace", chart: "acm.policyNamespace", from: "spec.metrics.acm.policyNamespace",
		doc: "The namespace of the Policies.",
		of: func(s site) any {
			return ofACM(registered(s.Topology) || byRoute(s.Topology) || s.LinksOnACM(), s.Spec.Metrics.ACM.PolicyNamespace)
		}},
	{hole: "topology.acm.registrationPolicy", chart: "acm.registrationPolicy", from: "metadata.name",
		doc: "The name of the Policy that registers the collected metrics.",
		of:  func(s site) any { return ofACM(registered(s.Topology), s.ACMPolicy("collection")) }},
	{hole: "topology.acm.certificatePolicy", chart: "acm.certificatePolicy", from: "metadata.name",
		doc: "The name of the Policy that gives Kiali its certificate.",
		of:  func(s site) any { return ofACM(byRoute(s.Topology), s.ACMPolicy("certificate")) }},
	{hole: "topology.acm.kialiCluster", chart: "acm.kialiCluster", from: "spec.clusters[].managedCluster",
		doc: "The ManagedCluster of the hub's Kiali.",
		of:  func(s site) any { return ofACM(byRoute(s.Topology) && !s.KialiOnACM(), s.Hub().ManagedCluster) }},
	{hole: "topology.acm.caBundle", chart: "acm.caBundle", from: "spec.kiali.instanceName",
		doc: "The ConfigMap in which the hub's Kiali looks for the CA of the store.",
		of: func(s site) any {
			hub := s.Hub()
			return ofACM(byRoute(s.Topology), hub.Kiali.Version.CABundle(s.Spec.Kiali.InstanceName, hub.Platform))
		}},
	{hole: "topology.kiali.encodedCA", chart: "kiali.encodedCA", from: "spec.kiali.ca",
		doc: "Further CAs that the hub's Kiali trusts, besides the CA of the store, in base64.",
		of: func(s site) any {
			if !byRoute(s.Topology) {
				return nil
			}
			return encodedCA(s.Topology)
		}},

	{hole: "topology.metrics.interval", from: "spec.metrics.interval",
		of: func(s site) any { return s.Spec.Metrics.Interval }},
	{hole: "cluster.interval", chart: "metrics.interval", from: "spec.clusters[].metrics.interval spec.metrics.interval",
		doc:       "The time between two scrapes.",
		of:        func(s site) any { return s.cluster.Metrics.Interval },
		otherwise: func(t *topology.Topology) any { return t.Spec.Metrics.Interval }},
	{hole: "topology.metrics.labels", chart: "metrics.labels", from: "spec.metrics.labels",
		doc: "Further labels on the monitors, for a Prometheus that selects monitors by labels.",
		of: func(s site) any {
			if len(s.Spec.Metrics.Labels) == 0 {
				return nil
			}
			return s.Spec.Metrics.Labels
		},
		otherwise: func(t *topology.Topology) any {
			if len(t.Spec.Metrics.Labels) == 0 {
				return map[string]string{}
			}
			return t.Spec.Metrics.Labels
		}},
	{hole: "topology.monitors.name", chart: "metrics.podMonitor", from: "spec.metrics.monitors.name",
		doc: "The name of every PodMonitor.",
		of:  func(s site) any { return s.Spec.Metrics.Monitors.Name }},
	{hole: "topology.telemetry.name", chart: "telemetry.name", from: "spec.telemetry.name",
		doc: "The name of the mesh-wide Telemetry.",
		of:  func(s site) any { return s.Spec.Telemetry.Name }},
	{hole: "topology.telemetry.spec", chart: "telemetry.spec", from: "spec.telemetry.spec",
		doc: "Merged over the spec of the mesh-wide Telemetry.",
		of: func(s site) any {
			if len(s.Spec.Telemetry.Spec) == 0 {
				return nil
			}
			return s.Spec.Telemetry.Spec
		}},

	{hole: "topology.monitoringConfig", from: "spec.metrics.userWorkloadMonitoring.config",
		of: func(s site) any { return managed(&s.Spec.Metrics.UserWorkloadMonitoring) }},
	{hole: "cluster.monitoringConfig", chart: "monitoring.clusterConfig",
		from:      "spec.clusters[].userWorkloadMonitoring.config spec.metrics.userWorkloadMonitoring.config",
		doc:       "The whole content of cluster-monitoring-config.",
		of:        func(s site) any { return managed(s.cluster.UserWorkloadMonitoring) },
		otherwise: func(t *topology.Topology) any { return managed(&t.Spec.Metrics.UserWorkloadMonitoring) }},
	{hole: "cluster.workloadConfig", chart: "monitoring.workloadConfig", from: "spec.metrics.thanos.remoteWrite",
		doc: "The whole content of user-workload-monitoring-config.",
		of: func(s site) any {
			if !remoteWrites(s.Topology, s.cluster) {
				return nil
			}
			return configText(workloadConfig(s.Spec.Metrics.Thanos.RemoteWrite, s.cluster.Name))
		}},

	{hole: "cluster.podAnnotations", chart: "kiali.podAnnotations", from: "spec.kiali.links.format",
		doc: "Annotations of the hub's Kiali pods: the operator's defaults, and one that changes with the links and so restarts Kiali.",
		of: func(s site) any {
			remotes := s.links.sealed(s.Topology)
			if !s.onHub() || len(remotes) == 0 || s.Spec.Kiali.Links.Format == "single" {
				return nil
			}
			return podAnnotations(s.Hub(), s.links.digest(remotes))
		},
		otherwise: func(*topology.Topology) any { return map[string]string{} }},
	{hole: "topology.externalSecrets.store", chart: "links.store", from: "spec.kiali.links.externalSecrets.store",
		doc: "The secret store for the tokens of the remotes: kind and name.",
		of: func(s site) any {
			if store := s.Spec.Kiali.Links.ExternalSecrets.Store; s.Spec.Kiali.Links.Source == "externalSecrets" {
				return map[string]string{"kind": store.Kind, "name": store.Name}
			}
			return nil
		},
		otherwise: func(t *topology.Topology) any {
			store := t.Spec.Kiali.Links.ExternalSecrets.Store
			return map[string]string{"kind": store.Kind, "name": store.Name}
		}},
	{hole: "topology.externalSecrets.interval", chart: "links.refreshInterval", from: "spec.kiali.links.externalSecrets.refreshInterval",
		doc: "The time between two reads of the store.",
		of: func(s site) any {
			if s.Spec.Kiali.Links.Source != "externalSecrets" {
				return nil
			}
			return refreshInterval(s.Topology)
		}},
	{hole: "cluster.storeKey", chart: "links.key", from: "spec.kiali.links.externalSecrets.key",
		doc: "The key in the store for the remote's token.",
		of: func(s site) any {
			if !pushes(s.Topology, s.cluster) {
				return nil
			}
			return s.StoreKey(s.cluster)
		},
		otherwise: func(*topology.Topology) any { return "" }},
	{hole: "cluster.fetched", chart: "links.kubeconfigs", from: "spec.kiali.links.source",
		doc: "The kubeconfigs of the remotes, on the hub, as templates of the External Secrets Operator.",
		of: func(s site) any {
			if !s.onHub() || len(fetched(s.Topology)) == 0 || s.Spec.Kiali.Links.Format != "single" {
				return nil
			}
			return fetchedTemplates(s.Topology)
		},
		otherwise: func(*topology.Topology) any { return map[string]string{} }},
	{hole: "cluster.fetchedFrom", chart: "links.remoteRefs", from: "spec.kiali.links.externalSecrets.key",
		doc: "The entries of the store that these templates need.",
		of: func(s site) any {
			if !s.onHub() || len(fetched(s.Topology)) == 0 || s.Spec.Kiali.Links.Format != "single" {
				return nil
			}
			return fetchedRefs(s.Topology)
		},
		otherwise: func(*topology.Topology) any { return []any{} }},
	{hole: "cluster.links", chart: "links.encryptedData", from: "spec.kiali.links.format",
		doc: "The sealed kubeconfig of each remote, on the hub.",
		of: func(s site) any {
			if remotes := s.links.sealed(s.Topology); s.onHub() && len(remotes) > 0 && s.Spec.Kiali.Links.Format == "single" {
				return s.links.items(remotes)
			}
			return nil
		},
		otherwise: func(*topology.Topology) any { return map[string]string{} }},
	{hole: "cluster.encryption", chart: "links.sops", from: "spec.kiali.links.sops",
		doc: "The metadata of SOPS for these kubeconfigs.",
		of: func(s site) any {
			remotes := s.links.sealed(s.Topology)
			if !s.onHub() || len(remotes) == 0 || s.Spec.Kiali.Links.Source != "sops" || s.Spec.Kiali.Links.Format != "single" {
				return nil
			}
			return encryption(s.links[remotes[0].Name])
		},
		otherwise: func(*topology.Topology) any { return map[string]any{} }},
}, slices.Concat(managedValues, tracingValues)...)
