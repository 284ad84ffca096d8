#!/usr/bin/env bash
# Installs a compiler for Solana bytecode, from crates.io and Debian's packages alone.
#
# Everything goes to $SBF_HOME (default ~/.cache/sbf); the system's packages and the Rust
# toolchains stay as they are. Three to five minutes on two cores, 90 MB of downloads.
# Safe to run again: it returns at once when this recipe is already installed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=pins.sh
source "$here/pins.sh"

fail() { echo "install.sh: $*" >&2; exit 1; }
say() { echo "==> $*"; }

require_host() {
  [ "$(uname -sm)" = "Linux x86_64" ] || fail "this recipe was only made for x86-64 Linux, this is $(uname -sm)"
  local tool
  for tool in rustc cargo cc apt-get apt-cache dpkg python3; do
    command -v "$tool" >/dev/null || fail "\`$tool\` is missing; on Debian: apt-get install build-essential python3, and Rust $RUST_VERSION"
  done
  # std is compiled from the sources of exactly this compiler, so no other will do.
  local have
  have=$(cd "$here" && rustc --version | cut -d' ' -f2)
  [ "$have" = "$RUST_VERSION" ] || fail "rustc is $have, this recipe needs $RUST_VERSION (see rust-toolchain.toml)"
}

# An apt of its own beside the system's: other suites, same mirror, same signature checks.
prepare_apt() {
  local mirror=${SBF_DEBIAN_MIRROR:-}
  [ -n "$mirror" ] || mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -E '/debian/?$' | head -n 1) || true
  [ -n "$mirror" ] || fail "no Debian mirror among apt's sources; name one in SBF_DEBIAN_MIRROR (and install debian-archive-keyring)"
  mkdir -p "$SBF_HOME"/apt/{lists/partial,archives/partial}
  printf 'deb %s %s main\n' "$mirror" sid "$mirror" trixie-backports > "$SBF_HOME/apt/sources.list"
  apt_options=(
    -qq -o APT::Sandbox::User=root -o Acquire::Check-Valid-Until=false
    -o Dir::Etc::sourcelist="$SBF_HOME/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o Dir::State="$SBF_HOME/apt" -o Dir::State::status=/dev/null -o Dir::Cache="$SBF_HOME/apt"
  )
  apt-get "${apt_options[@]}" update
}

# The versions of package $1 in the index, newest first.
versions() { apt-cache "${apt_options[@]}" madison "$1" | awk '{ print $3 }'; }

# Unpacks the packages $2... under $1; nothing is installed into the system.
unpack() {
  local into=$1 work
  shift
  work=$(mktemp -d "$SBF_HOME/debs.XXXXXX")
  (cd "$work" && apt-get "${apt_options[@]}" download "$@")
  mkdir -p "$into"
  local deb
  for deb in "$work"/*.deb; do dpkg -x "$deb" "$into"; done
  rm -rf "$work"
}

# LLVM 23 is the first whose BPF back end passes more than five arguments. It needs a newer C
# library than the host may have, so it runs with its own.
install_llvm() {
  local index
  index=$(versions libllvm23)
  llvm_version=$(grep -Fx "$LLVM_DEB" <<<"$index" || head -n 1 <<<"$index")
  [ -n "$llvm_version" ] || fail "no libllvm23 in the package index"
  if [ "$llvm_version" != "$LLVM_DEB" ]; then
    say "note: Debian now ships libllvm23 $llvm_version; the committed artifacts were built with $LLVM_DEB and may differ by bytes"
  fi
  rm -rf "$SBF_HOME/root"
  unpack "$SBF_HOME/root" "libllvm23=$llvm_version" libc6/sid libstdc++6/sid libgcc-s1/sid libz3-4/sid libxml2-16/sid \
    libedit2/sid libffi8/sid libzstd1/sid zlib1g/sid libtinfo6/sid libbsd0/sid libmd0/sid
}

install_std_source() {
  local index
  index=$(versions rust-src)
  std_version=$(grep -Fx "$RUST_SRC_DEB" <<<"$index" || grep "^$RUST_VERSION+" <<<"$index" | head -n 1) || true
  [ -n "$std_version" ] || fail "no rust-src $RUST_VERSION in the package index"
  rm -rf "$SBF_HOME/src"
  unpack "$SBF_HOME/src" "rust-src=$std_version"
  python3 "$here/patch_std.py" "$(std_source)"
}

install_linker() {
  (cd "$here" && CARGO_TARGET_DIR="$SBF_HOME/linker-target" \
    cargo install sbpf-linker --version "$LINKER_VERSION" --locked --quiet --root "$SBF_HOME/cargo")
  rm -rf "$SBF_HOME/linker-target"
  cat > "$SBF_HOME/sbpf-linker" <<'LAUNCHER'
#!/bin/sh
# sbpf-linker on LLVM 23 and that library's own libc, beside the host's.
home=$(dirname "$(readlink -f "$0")")
lib=$home/root/usr/lib/x86_64-linux-gnu
exec env LD_LIBRARY_PATH="$lib" "$lib/ld-linux-x86-64.so.2" --library-path "$lib" "$home/cargo/bin/sbpf-linker" "$@"
LAUNCHER
  chmod +x "$SBF_HOME/sbpf-linker"
  "$SBF_HOME/sbpf-linker" --version >/dev/null || fail "the linker does not start; remove $SBF_HOME and try again"
}

require_host
stamp=$(install_stamp)
if [ -e "$stamp" ]; then
  say "already installed in $SBF_HOME"
  exit 0
fi
mkdir -p "$SBF_HOME"
rm -f "$SBF_HOME"/installed-*

say "Debian's package index"
prepare_apt
say "LLVM 23"
install_llvm
say "std's source, Rust $RUST_VERSION"
install_std_source
say "sbpf-linker $LINKER_VERSION"
install_linker

# `describe` in pins.sh reads this back into the manifest of the artifacts.
printf 'libllvm23 %s\nrust-src %s\n' "$llvm_version" "$std_version" > "$SBF_HOME/packages"
touch "$stamp"
say "installed in $SBF_HOME"
