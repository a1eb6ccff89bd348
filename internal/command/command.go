// Package command writes the command lines that messages give their readers to
// copy. No other room knows the flags of a program.
package command

import (
	"regexp"
	"strings"
)

// Word writes a text as one word of a shell.
func Word(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,=-]+$`)

// Step is a flag by which seal does something else than to seal what has changed.
type Step string

// The steps of seal.
const (
	Again  Step = ""
	Force  Step = "--force"
	Rekey  Step = "--rekey"
	Rotate Step = "--rotate"
	Revoke Step = "--revoke"
	Finish Step = "--finish"
	Plain  Step = "--plain"
)

// All stands for every remote in place of the name of one.
const All = "--all"

// Seal is "sightline seal" for a remote, or for All, of the topology in a file,
// which is "" where it is in none. What else is given is appended: flags of this
// package, and steps.
func Seal(which, topology string, more ...string) string {
	if topology == "" {
		topology = "FILE"
	} else {
		topology = Word(topology)
	}
	return joined(append([]string{"sightline seal", which, "--topology", topology}, more...))
}

// HubContext is the flag that names the context of the hub.
func HubContext(context string) string { return "--hub-context " + Word(context) }

// Kubectl is kubectl at a context in a namespace, with what it is to do there.
func Kubectl(context, namespace, do string) string {
	return joined([]string{"kubectl --context", Word(context), "-n", namespace, do})
}

// Annotate sets an annotation of a namespace.
func Annotate(context, namespace, key, value string) string {
	return joined([]string{"kubectl --context", Word(context), "annotate namespace", namespace, key + "=" + Word(value)})
}

// Remove takes a file out of a repository.
func Remove(file string) string { return "git rm " + Word(file) }

// joined leaves out what is empty, such as the step Again.
func joined(words []string) string {
	var said []string
	for _, w := range words {
		if w != "" {
			said = append(said, w)
		}
	}
	return strings.Join(said, " ")
}
