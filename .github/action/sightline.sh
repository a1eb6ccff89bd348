#!/usr/bin/env bash
# The steps of action.yml. Everything comes by the environment: sightline.sh STEP
set -euo pipefail

fail() {
  echo "::error title=sightline::$1" >&2
  exit 2
}

# install puts the program into a folder of the runner's and on the path of later steps, if its checksum is the release's.
install() {
  local os arch suffix=tar.gz base name dir
  [[ $SIGHTLINE_VERSION =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] ||
    fail "version is \"$SIGHTLINE_VERSION\"; expected one such as v0.1.0"
  case $(uname -s) in
    Linux) os=linux ;;
    Darwin) os=darwin ;;
    *) os=windows suffix=zip ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) arch=amd64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) fail "there is no release for $(uname -m)" ;;
  esac
  base=${SIGHTLINE_DOWNLOADS:-https://github.com/sightline-mesh/sightline/releases/download}/$SIGHTLINE_VERSION
  name=sightline_${SIGHTLINE_VERSION}_${os}_${arch}.$suffix
  dir=$RUNNER_TEMP/sightline-$SIGHTLINE_VERSION
  mkdir -p "$dir"
  cd "$dir"
  curl --fail --silent --show-error --location --retry 3 --remote-name "$base/$name" --remote-name "$base/checksums.txt" ||
    fail "$base/$name cannot be downloaded"
  grep " $name\$" checksums.txt | sha256sum --check --strict --quiet || fail "$name does not have the checksum of the release"
  if [[ $suffix == zip ]]; then unzip -qo "$name"; else tar -xzf "$name"; fi
  echo "$dir" >>"$GITHUB_PATH"
}

verify() {
  local flags=()
  [[ ${SIGHTLINE_REQUIRE_LINKS:-false} == true ]] && flags+=(--require-links)
  sightline verify "$SIGHTLINE_TOPOLOGY" --output github ${flags[@]+"${flags[@]}"}
}

links() {
  sightline seal --check --all --topology "$SIGHTLINE_TOPOLOGY" --output github
}

tree() {
  sightline render --check "$SIGHTLINE_TOPOLOGY" -o "$SIGHTLINE_RENDERED" --output github
}

# comment posts what changes against the branch that the pull request is for; a later run replaces its comment.
comment() {
  local file=$RUNNER_TEMP/sightline-diff.md code=0
  sightline diff "$SIGHTLINE_TOPOLOGY" --against "$SIGHTLINE_BASE" --output markdown >"$file" || code=$?
  ((code <= 1)) || exit "$code"
  gh pr comment "$SIGHTLINE_PULL_REQUEST" --edit-last --create-if-none --body-file "$file"
}

case ${1:-} in
  install | verify | links | tree | comment) "$1" ;;
  *) fail "usage: sightline.sh install|verify|links|tree|comment" ;;
esac
