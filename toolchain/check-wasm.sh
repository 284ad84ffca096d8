#!/usr/bin/env bash
# Checks that the interface crate compiles for `wasm32-unknown-unknown`, as browser clients need it.
#
# usage: toolchain/check-wasm.sh
#
# With the target installed (`rustup target add wasm32-unknown-unknown`) this is a plain
# `cargo check`. Without it, std is compiled from the source that install.sh unpacks.
set -euo pipefail

toolchain=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$toolchain")
# shellcheck source=pins.sh
source "$toolchain/pins.sh"

cd "$root"
target=wasm32-unknown-unknown
check=(cargo check --release --locked -p motif-interface --features ed25519,serde --target "$target")
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}/wasm
if [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ]; then
  exec "${check[@]}"
fi
[ -d "$(std_source)" ] || { echo "check-wasm.sh: no source of std; run toolchain/install.sh" >&2; exit 1; }
# Unstable switches of a stable compiler, which std's and Cargo's own tests use.
export RUSTC_BOOTSTRAP=1 __CARGO_TESTS_ONLY_SRC_ROOT
__CARGO_TESTS_ONLY_SRC_ROOT=$(std_source)
exec "${check[@]}" -Zbuild-std=std,panic_abort
