#!/usr/bin/env bash
# Builds packages of the `motif` binary. The same binary, sources and tools give the same bytes.
#
# usage: package/build.sh [--output FOLDER] [deb|wheel|npm|sbom|image]...
#
# Without kinds, builds all but the image. MOTIF_BINARY names a binary to package; without it, `cargo build --profile dist`
# makes one. SOURCE_DATE_EPOCH is the time that packages carry; without it, that of the last commit.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

output=dist
if [ "${1:-}" = --output ]; then
  output=$2
  shift 2
fi
kinds=("$@")
[ ${#kinds[@]} -gt 0 ] || kinds=(sbom deb wheel npm)

export LC_ALL=C.UTF-8 TZ=UTC
umask 022
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

if [ -z "${MOTIF_BINARY:-}" ]; then
  cargo build --profile dist --locked --package motif-cli
  MOTIF_BINARY=${CARGO_TARGET_DIR:-target}/dist/motif
fi
work=$(mktemp --directory)
trap 'rm -rf "$work"' EXIT
install -m 755 "$MOTIF_BINARY" "$work/motif"
strip "$work/motif"
# Version of the binary, and newest glibc symbol that it needs: older systems cannot run it.
version=$("$work/motif" --version | cut --delimiter ' ' --fields 2)
glibc=$(objdump --dynamic-syms "$work/motif" | grep --only-matching 'GLIBC_[0-9.]*' | sort --version-sort --unique | tail -n 1)
glibc=${glibc#GLIBC_}
mkdir -p "$output"
output=$(cd "$output" && pwd)

# Licenses of the code in the binary, in every package.
cargo xtask licenses > "$work/third-party-licenses.txt"

build_sbom() {
  cargo xtask sbom "$work/motif" > "$output/motif-$version.cdx.json"
}

build_deb() {
  local tree=$work/deb
  mkdir "$tree"
  cp -r package/debian "$tree/debian"
  cp -r package/monitoring "$tree/monitoring"
  cp "$work/motif" "$work/third-party-licenses.txt" "$tree"
  # A source package for dpkg's tools: its changelog names version and time.
  cat > "$tree/debian/changelog" <<CHANGELOG
motif-gateway ($version) stable; urgency=medium

  * See CHANGELOG.md in the sources.

 -- Motif <motif@example.org>  $(date --utc --rfc-email --date "@$SOURCE_DATE_EPOCH")
CHANGELOG
  (cd "$tree" && dpkg-buildpackage --build=binary --no-sign > "$work/deb.log" 2>&1) || {
    cat "$work/deb.log" >&2
    return 1
  }
  cp "$work"/*.deb "$output"
}

build_wheel() {
  local tree=$work/wheel/motif_bin-$version
  mkdir -p "$tree.data/scripts" "$tree.dist-info/licenses"
  cp "$work/motif" "$tree.data/scripts/motif"
  cp LICENSE "$work/third-party-licenses.txt" "$tree.dist-info/licenses"
  sed "s/@VERSION@/$version/" package/python/METADATA > "$tree.dist-info/METADATA"
  cat > "$tree.dist-info/WHEEL" <<WHEEL
Wheel-Version: 1.0
Generator: package/build.sh
Root-Is-Purelib: false
Tag: py3-none-manylinux_${glibc/./_}_$(uname -m)
WHEEL
  python3 -m wheel pack --dest-dir "$output" "$work/wheel"
}

build_npm() {
  local tree=$work/npm
  mkdir -p "$tree/bin"
  cp "$work/motif" "$tree/bin/motif"
  cp LICENSE package/npm/README.md "$work/third-party-licenses.txt" "$tree"
  sed "s/@VERSION@/$version/" package/npm/package.json > "$tree/package.json"
  npm pack --silent --ignore-scripts --pack-destination "$output" "$tree"
}

build_image() {
  package/image.sh "$work/motif" "$work/third-party-licenses.txt" "$output/motif-$version.oci.tar"
}

for kind in "${kinds[@]}"; do
  printf 'building %s\n' "$kind" >&2
  "build_$kind"
done
(cd "$output" && find . -maxdepth 1 -type f ! -name SHA256SUMS -printf '%f\n' | sort | xargs sha256sum > SHA256SUMS)
