#!/usr/bin/env bash
# Generates the committed interface descriptions: idl/licensing.json, idl/payments.json.
#
# usage: toolchain/generate-idl.sh [--check]
#   --check   writes nothing; fails when the programs no longer match what is committed
#
# The files are what `anchor build` writes, byte for byte, but neither the Anchor CLI nor rustup is
# needed, and no network once Cargo has the dependencies. Both complete the IDL of Anchor's builder by
# complete_idl.py, which says how; `anchor build` calls it as a hook of Anchor.toml.
set -euo pipefail

toolchain=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$toolchain")
# Apart from target/debug: the builder's compiler flags would only evict what is there.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}/idl-build

case ${1:-} in
  '') into=$root/idl ;;
  --check) into=$(mktemp -d); trap 'rm -rf "$into"' EXIT ;;
  *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac

# From the root, so that rust-toolchain.toml decides; see the generator about RUSTUP_TOOLCHAIN.
cd "$root"
unset RUSTUP_TOOLCHAIN RUST_BACKTRACE
cargo build --quiet --locked --manifest-path "$toolchain/idl/Cargo.toml"
stale=()
for program in licensing payments; do
  "$CARGO_TARGET_DIR/debug/generate-idl" "$root/programs/$program" "$into/$program.json"
  python3 "$toolchain/complete_idl.py" "$into/$program.json"
  if ! cmp -s "$into/$program.json" "$root/idl/$program.json"; then
    stale+=("$program")
    diff -u "$root/idl/$program.json" "$into/$program.json" | head -n 40 || true
  fi
done
if [ ${#stale[@]} -gt 0 ]; then
  echo "generate-idl.sh: the IDL of ${stale[*]} is not what is committed; run toolchain/generate-idl.sh" >&2
  exit 1
fi
