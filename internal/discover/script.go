package discover

import (
	"fmt"
	"strings"
)

// Script is a shell script that dumps one cluster for [Dump] with kubectl: everything
// that [Kinds] lists. Of Secrets, it has the names that kubectl prints in a table,
// because the API server makes tables without data. It leaves out the Secrets of
// tokens, because a table has no annotations.
func Script() []byte {
	var b strings.Builder
	b.WriteString(`#!/bin/sh
# Dumps a cluster for sightline init --from. It reads, and no data of a Secret leaves
# the cluster.
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

# Secrets with a label, by name: a table has no data in it.
secrets() {
  number=$((number + 1))
  table=$(kubectl --context "$context" get secrets -A -l "$1" --no-headers) || return 0
  printf '%s\n' "$table" | while read -r namespace name rest; do
    [ -z "$name" ] || printf '%s\n' --- 'apiVersion: v1' 'kind: Secret' \
      "metadata: {namespace: \"$namespace\", name: \"$name\", labels: {\"$2\": \"$3\"}}"
  done > "$folder/$number-secrets.yaml"
}

`)
	for _, k := range Kinds() {
		switch key, value, ok := strings.Cut(k.Labels, "="); {
		case k.Kind != "Secret":
			fmt.Fprintf(&b, "%s # %s\n", k.Command(), k.For)
		case k.Labels != "":
			if !ok {
				value = "true"
			}
			fmt.Fprintf(&b, "secrets %s %s %s # %s\n", k.Labels, key, value, k.For)
		}
	}
	b.WriteString("\n# The URL of the API server, without credentials.\n" +
		`kubectl --context "$context" config view --minify -o json > "$folder/kubeconfig.json"` + "\n")
	return []byte(b.String())
}
