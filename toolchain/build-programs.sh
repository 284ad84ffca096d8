#!/usr/bin/env bash
# Rebuilds the committed bytecode and its manifest: programs/artifacts/.
#
# usage: toolchain/build-programs.sh [--token-metadata | --all]
#   without arguments   licensing and payments, which change with their sources
#   --token-metadata    only Metaplex Token Metadata, which changes with its pins
#   --all               all three
set -euo pipefail

toolchain=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$toolchain")
# shellcheck source=pins.sh
source "$toolchain/pins.sh"

case ${1:-} in
  '') programs=(licensing payments) ;;
  --token-metadata) programs=(token_metadata) ;;
  --all) programs=(licensing payments token_metadata) ;;
  *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac

artifacts=$root/programs/artifacts
build() { "$toolchain/bin/cargo-build-sbf" --sbf-out-dir "$deploy" --locked --manifest-path "$1/Cargo.toml"; }
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}
deploy=$CARGO_TARGET_DIR/sbf/artifacts
mkdir -p "$artifacts"

"$toolchain/install.sh"
for program in "${programs[@]}"; do
  case $program in
    token_metadata)
      # An old and large program: one function that is never called exceeds the stack, and
      # inlining has to be held back for the others not to.
      SBF_RUSTFLAGS='-Clink-arg=--fatal-errors=false -Clink-arg=--llvm-args=--disable-gotol' \
        SBF_INLINE_THRESHOLD=40 SBF_INLINE_HINT_THRESHOLD=325 build "$toolchain/token-metadata" ;;
    *) build "$root/programs/$program" ;;
  esac
done

# Only now that all were built: bytecode and manifest change together.
for program in "${programs[@]}"; do cp "$deploy/$program.so" "$artifacts/$program.so"; done
CARGO_TARGET_DIR=$CARGO_TARGET_DIR/sbf/manifest cargo run --quiet --release --locked \
  --manifest-path "$toolchain/manifest/Cargo.toml" -- "$root" record "$(describe_compiler)" "${programs[@]}"
