package topology

// Links says how the hub reaches the remotes.
type Links struct {
	// How many Secrets hold the kubeconfigs of the remotes: one Secret for all (kiali-multi-cluster-secret), or one Secret for
	// each. With perCluster, the name of a remote must also be a valid name of a volume. Default: single; perCluster with v1.73 and
	// v2.4, because these release lines do not know the single Secret. Changes: the SealedSecrets with the kubeconfigs; with
	// perCluster also the hub's Kiali resource, because it must change with each link; the ExternalSecrets.
	Format string `yaml:"format" enum:"single|perCluster"`
	// Where these Secrets come from. sealed: Sightline seals them for the sealed-secrets controller. sops: Sightline encrypts them
	// in the format of SOPS, and Flux decrypts them. externalSecrets: the External Secrets Operator brings them through a secret
	// store, with PushSecrets on the remotes and ExternalSecrets on the hub. acm: a Policy of Red Hat ACM, which runs on
	// the hub of Kiali, makes them. external: something else creates them. Changes:
	// whether there are SealedSecrets or encrypted Secrets with the kubeconfigs, the token Secrets that a rotation adds, with
	// perCluster the annotation of the hub's Kiali resource, and with Flux the delivery objects, because they depend on whether
	// there is a phase link and how it is decrypted; the objects on the ACM hub.
	Source string `yaml:"source" default:"sealed" enum:"sealed|sops|externalSecrets|acm|external"`
	// Who can decrypt the links, with source: sops. Changes: the delivery objects of Flux.
	SOPS SOPS `yaml:"sops"`
	// The secret store, with source: externalSecrets. Changes: the ExternalSecrets and the PushSecrets.
	ExternalSecrets ExternalSecrets `yaml:"externalSecrets"`
	// How ACM makes the links, with source: acm. Changes: the objects on the
	// ACM hub.
	ACM LinksACM `yaml:"acm"`
}

// LinksACM says how ACM makes the accounts of the links.
type LinksACM struct {
	// How long a token of a link is valid. ACM renews it after four fifths of
	// this time, and then Kiali restarts. Changes: the objects on the ACM hub.
	Validity string `yaml:"validity" default:"720h" format:"duration"`
}

// ByFile tells whether the kubeconfigs come from the files of seal next to the
// topology.
func (l *Links) ByFile() bool { return l.Source == "sealed" || l.Source == "sops" }

// SOPS says who can decrypt links that are encrypted in the format of SOPS.
type SOPS struct {
	// The age recipients (public keys) for which seal encrypts, such as the key of Flux and a key that you keep in a safe. Anybody
	// with the private key of one of them can read the tokens. Default: the recipients in --sops of seal. Changes: nothing; seal
	// the links again.
	Age []string `yaml:"age" format:"ageRecipient"`
	// The Secret with the private age keys for Flux, in the namespace of Flux. Its keys end in .agekey. Changes: the delivery
	// objects of Flux.
	SecretRef string `yaml:"secretRef" default:"sops-age" format:"name"`
}

// ExternalSecrets names the secret store through which the tokens of the remotes come to the hub. The External Secrets Operator
// must run on all clusters.
type ExternalSecrets struct {
	// The secret store. It has the same name on every cluster. Each cluster has its own login at
	// the store.
	Store SecretStore `yaml:"store"`
	// The key of a remote's token in the store. {cluster} is replaced with the remote's name.
	Key string `yaml:"key" default:"mesh/{cluster}" format:"storeKey"`
	// The time between two reads: a remote reads its Secret, and the hub reads the store.
	RefreshInterval string `yaml:"refreshInterval" default:"10m" format:"duration"`
}

// SecretStore names a secret store of the External Secrets Operator.
type SecretStore struct {
	// Whether the store is for the whole cluster, or only for Kiali's namespace.
	Kind string `yaml:"kind" default:"ClusterSecretStore" enum:"ClusterSecretStore|SecretStore"`
	// The name of the store. Required with source: externalSecrets.
	Name string `yaml:"name" format:"name"`
}
