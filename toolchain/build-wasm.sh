#!/usr/bin/env bash
# Builds the WebAssembly modules of the clients in other languages, and their manifest: sdk/core/*.wasm.
#
# usage: toolchain/build-wasm.sh [--check] [MODULE...]
#   MODULE    motif_payer, motif_core or motif_content; default all
#   --check   compares the modules that it builds with the committed ones, and changes nothing
#
# std is compiled from the source that install.sh unpacks, so no target has to be installed. The bytes depend
# on the sources and the compiler only: not on the checkout's path, the target directory or CARGO_HOME.
set -euo pipefail

toolchain=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$toolchain")
# shellcheck source=pins.sh
source "$toolchain/pins.sh"

fail() { echo "build-wasm.sh: $*" >&2; exit 1; }

check='' modules=()
for argument in "$@"; do
  case $argument in
    --check) check=1 ;;
    motif_payer | motif_core | motif_content) modules+=("$argument") ;;
    *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done
[ ${#modules[@]} -gt 0 ] || modules=(motif_payer motif_core motif_content)

cd "$root"
[ -d "$(std_source)" ] || fail "no source of std; run toolchain/install.sh"
have=$(rustc --version | cut -d' ' -f2)
[ "$have" = "$RUST_VERSION" ] || fail "rustc is $have, std's source is $RUST_VERSION"

target=wasm32-unknown-unknown
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}
built=$CARGO_TARGET_DIR/wasm
artifacts=$root/sdk/core

# A profile of their own: the workspace's is the host's.
profile() { printf -- '--config\nprofile.wasm.%s\n' 'inherits="dev"' 'lto="fat"' 'codegen-units=1' \
  'panic="abort"' 'strip="symbols"' 'debug=false' 'debug-assertions=false' 'overflow-checks=true' 'incremental=false' "$@"; }

build() {
  local package=$1 level=$2 settings smaller=()
  mapfile -t settings < <(profile "opt-level=$level")
  (
    # Unstable switches of a stable compiler, which std's and Cargo's own tests use.
    export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$built RUSTC_WRAPPER=$toolchain/bin/rustc-wasm
    export __CARGO_TESTS_ONLY_SRC_ROOT
    __CARGO_TESTS_ONLY_SRC_ROOT=$(std_source)
    unset RUSTC_WORKSPACE_WRAPPER RUSTFLAGS CARGO_BUILD_TARGET
    # A panic traps without a message, whose formatting would be a fifth of a module.
    export CARGO_ENCODED_RUSTFLAGS=$'-Zunstable-options\x1f-Cpanic=immediate-abort\x1f--cfg=getrandom_backend="unsupported"'
    if [ "$package" = motif-payer-calls ]; then # the one that a page loads to buy
      # No message of it has a `{:?}`.
      CARGO_ENCODED_RUSTFLAGS+=$'\x1f-Zfmt-debug=none'
      # Our crates check for overflows; std and dependencies do not, as in their own releases.
      settings+=(--config 'profile.wasm.package."*".overflow-checks=false')
      # Loop strength reduction makes loops longer, and none of them faster here.
      smaller=(-Cllvm-args=-disable-lsr)
    fi
    cargo rustc --locked --lib --crate-type cdylib --package "$package" --target "$target" --profile wasm \
      "${settings[@]}" -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size \
      -- --cfg motif_module "${smaller[@]}" # exports of this crate, and not of those it depends on
  )
}

status=0
for module in "${modules[@]}"; do
  case $module in
    motif_payer) crate=motif_payer_calls level='"z"' ;;
    motif_core) crate=motif_core level='"z"' ;;
    motif_content) crate=motif_content level='"s"' ;;
  esac
  build "${crate//_/-}" "$level"
  made=$built/$target/wasm/$crate.wasm
  if [ -n "$check" ]; then
    cmp "$made" "$artifacts/$module.wasm" || status=1
  else
    install -m 644 "$made" "$artifacts/$module.wasm"
  fi
  echo "$module: $(stat -c %s "$made") bytes" >&2
done
[ -z "$check" ] || exit $status

compiler="rustc $RUST_VERSION, $(grep '^rust-src ' "$SBF_HOME/packages")"
CARGO_TARGET_DIR=$CARGO_TARGET_DIR/sbf/manifest cargo run --quiet --release --locked \
  --manifest-path "$toolchain/manifest/Cargo.toml" -- "$root" record "$compiler" "${modules[@]}"
