package discover

import (
	"fmt"
	"strings"
)

// Script is a shell script that dumps one cluster for [Dump], by kubectl: what
// Kinds lists, but for Secrets, because kubectl cannot leave their data out.
func Script() []byte {
	var b strings.Builder
	b.WriteString(`#!/bin/sh
# Dumps a cluster for sightline init --from. It reads, and dumps no Secret.
#   sh dump.sh CONTEXT FOLDER
set -eu
[ $# -eq 2 ] || { echo "usage: sh $0 CONTEXT FOLDER" >&2; exit 2; }
context=$1 folder=$2 number=100
mkdir -p "$folder"

# A kind that the cluster does not know leaves no file.
get() {
  number=$((number + 1))
  kubectl --context "$context" get "$@" -o json > "$folder/$number-$1.json" || rm "$folder/$number-$1.json"
}

`)
	for _, k := range Kinds() {
		if k.Kind != "Secret" {
			fmt.Fprintf(&b, "%s # %s\n", k.Command(), k.For)
		}
	}
	b.WriteString("\n# The URL of the API server, without credentials.\n" +
		`kubectl --context "$context" config view --minify -o json > "$folder/kubeconfig.json"` + "\n")
	return []byte(b.String())
}
