package seal

// Plain writes the kubeconfig of a remote in the clear, with what is odd about
// it; Certificate, Before, Force and Rekey of the request are of no use. Whoever
// gets the text has the token. Its errors are of type *Refusal.
func Plain(r Request) (text []byte, warnings []string, err error) {
	k, err := newKubeconfig(r)
	if err != nil {
		return nil, nil, err
	}
	return k.text, k.warnings, nil
}
