#!/usr/bin/env bash
# Builds packages of MOTIF_BINARY (default: target/release/motif) and tests them. A kind whose tools are missing is left out.
# MOTIF_QUICK=1 leaves out the second build and the trials of alerts, which take minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
MOTIF_BINARY=$(realpath "${MOTIF_BINARY:-target/release/motif}")
MOTIF_DIST=$(mktemp --directory)
export MOTIF_BINARY MOTIF_DIST
trap 'rm -rf "$MOTIF_DIST"' EXIT

kinds=()
# Adds a kind if its tools are there.
offer() {
  local kind=$1
  shift
  if "$@" > /dev/null 2>&1; then
    kinds+=("$kind")
  else
    echo "$kind is not built: $* fails"
  fi
}
if [ ! -d app/studio/node_modules ]; then
  echo 'packages are not built: app/studio/node_modules is missing, whose licenses they contain'
  exit
fi
offer sbom true
offer deb sh -c 'command -v dh && command -v help2man'
offer wheel python3 -m wheel version
offer npm npm --version
offer image buildah version
package/build.sh --output "$MOTIF_DIST" "${kinds[@]}"
python3 -B -m unittest discover --start-directory package/tests --verbose
