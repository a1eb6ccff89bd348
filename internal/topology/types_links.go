package topology

// Links says how the hub reaches the remotes.
type Links struct {
	// How many Secrets hold the kubeconfigs of the remotes: one for all (kiali-multi-cluster-secret), or one for each. With perCluster the
	// name of a remote is that of a volume too, and has to look like one. Default: single, and perCluster with the versions v1.73 and
	// v2.4, which do not know the single Secret. Changes: the SealedSecrets with the kubeconfigs; with perCluster the hub's Kiali resource
	// too, which has to change when a link does; the ExternalSecrets.
	Format string `yaml:"format" enum:"single|perCluster"`
	// Where these Secrets come from: sealed by Sightline for the controller of sealed-secrets; encrypted by it in the format of SOPS, which
	// Flux decrypts; carried through a store of secrets by the External Secrets Operator, with ExternalSecrets on the hub and PushSecrets on
	// the remotes; or made by something else. Changes: whether there are SealedSecrets or encrypted Secrets with the kubeconfigs, the token
	// Secrets that a rotation adds, with perCluster the annotation of the hub's Kiali resource, and with Flux the delivery objects, by
	// whether there is a link phase and what decrypts it.
	Source string `yaml:"source" default:"sealed" enum:"sealed|sops|externalSecrets|external"`
	// Who can decrypt the links, with source: sops. Changes: the delivery objects of Flux.
	SOPS SOPS `yaml:"sops"`
	// The store of secrets, with source: externalSecrets. Changes: the ExternalSecrets and the PushSecrets.
	ExternalSecrets ExternalSecrets `yaml:"externalSecrets"`
}

// ByFile tells whether the kubeconfigs come from files beside the topology, which
// seal has left there.
func (l *Links) ByFile() bool { return l.Source == "sealed" || l.Source == "sops" }

// SOPS says who can decrypt links that are encrypted in the format of SOPS.
type SOPS struct {
	// The age recipients (public keys) that seal encrypts for, such as that of Flux and one that you keep in a safe. Whoever has the key of
	// one of them can read the tokens. Default: what seal is given by --sops. Changes: nothing; the links are to be sealed again.
	Age []string `yaml:"age" format:"ageRecipient"`
	// The Secret with the age keys that Flux decrypts with, under keys that end in .agekey, in the namespace of Flux. Changes: the
	// delivery objects of Flux.
	SecretRef string `yaml:"secretRef" default:"sops-age" format:"name"`
}

// ExternalSecrets says by which store of secrets the tokens of the remotes come to the hub. The External Secrets Operator runs on all of
// these clusters.
type ExternalSecrets struct {
	// The store, which has the same name on every cluster. Each cluster has its own login there.
	Store SecretStore `yaml:"store"`
	// Under which key a remote's token is in the store; {cluster} stands for the remote's name.
	Key string `yaml:"key" default:"mesh/{cluster}" format:"storeKey"`
	// The time between two looks: of a remote at its Secret, and of the hub at the store.
	RefreshInterval string `yaml:"refreshInterval" default:"10m" format:"duration"`
}

// SecretStore names a store of the External Secrets Operator.
type SecretStore struct {
	// Whether the store is for the whole cluster, or for Kiali's namespace alone.
	Kind string `yaml:"kind" default:"ClusterSecretStore" enum:"ClusterSecretStore|SecretStore"`
	// Its name. Required with source: externalSecrets.
	Name string `yaml:"name" format:"name"`
}
