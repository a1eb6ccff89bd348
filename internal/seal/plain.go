package seal

// Plain returns the kubeconfig of a remote in the clear, and warnings. It does not use
// Certificate, Before, Force and Rekey of the request. The text contains the token. Its
// errors are of type *finding.Refusal.
func Plain(r Request) (text []byte, warnings []string, err error) {
	k, err := newKubeconfig(r)
	if err != nil {
		return nil, nil, err
	}
	return k.text, k.warnings, nil
}
