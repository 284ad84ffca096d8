# What the compiler is made of. Sourced by the scripts here; changing a line changes the bytecode,
# so the manifest of the artifacts covers this file.
# shellcheck shell=bash disable=SC2034

RUST_VERSION=1.95.0
RUST_SRC_DEB='1.95.0+dfsg1-2~bpo13+1'
LINKER_VERSION=0.2.6
# Debian's unstable suite keeps one version only: a newer one is taken, with a note.
LLVM_DEB='1:23.1.4-2'

SBF_HOME=${SBF_HOME:-$HOME/.cache/sbf}

std_source() { echo "$SBF_HOME/src/usr/src/rustc-$RUST_VERSION/library"; }

# Exists once install.sh succeeded with these very pins and patches.
install_stamp() {
  local here recipe
  here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  recipe=$(cat "$here/pins.sh" "$here/patch_std.py" | sha256sum | cut -c 1-16)
  echo "$SBF_HOME/installed-$recipe"
}

# One line on what is installed, for the manifest.
describe_compiler() {
  echo "rustc $RUST_VERSION, sbpf-linker $LINKER_VERSION, $(paste -sd, "$SBF_HOME/packages" | sed 's/,/, /g')"
}
