#!/usr/bin/env bash
# Writes an OCI image of a binary, without a daemon: the C library, certificates and the binary.
# usage: image.sh BINARY LICENSES ARCHIVE
set -euo pipefail
binary=$1 licenses=$2 archive=$3
work=$(mktemp --directory)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root" "$work/packages"

# Debian's packages are unpacked and not configured: nothing else is in the image. Scanners find them in status.d.
install -d "$root/var/lib/dpkg/status.d"
(cd "$work/packages" && apt-get -o APT::Sandbox::User=root download --quiet=2 libc6 libgcc-s1 ca-certificates)
for package in "$work"/packages/*.deb; do
  dpkg-deb --extract "$package" "$root"
  dpkg-deb --field "$package" > "$root/var/lib/dpkg/status.d/$(dpkg-deb --field "$package" Package)"
done
find "$root/usr/share" -mindepth 1 -maxdepth 1 ! -name doc ! -name ca-certificates -exec rm -r {} +
find "$root/usr/share/doc" -type f ! -name copyright -delete
rm -r "$root/usr/sbin" "$root/usr/lib/x86_64-linux-gnu/gconv" "$root/usr/lib/x86_64-linux-gnu/audit" 2> /dev/null || true
install -d "$root/etc/ssl/certs"
cat "$root"/usr/share/ca-certificates/mozilla/*.crt > "$root/etc/ssl/certs/ca-certificates.crt"
install -D "$binary" "$root/usr/bin/motif"
install -D -m 644 "$licenses" "$root/usr/share/doc/motif/third-party-licenses.txt"
install -D -m 644 LICENSE "$root/usr/share/doc/motif/LICENSE"
printf 'root:x:0:0:root:/:/sbin/nologin\nmotif:x:65532:65532:Motif:/var/lib/motif:/sbin/nologin\n' > "$root/etc/passwd"
printf 'root:x:0:\nmotif:x:65532:\n' > "$root/etc/group"
install -d -m 1777 "$root/tmp"
install -d -m 700 -o 65532 -g 65532 "$root/var/lib/motif"

version=$("$binary" --version | cut --delimiter ' ' --fields 2)
buildah() { command buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"; }
container=$(buildah from scratch)
buildah copy --quiet "$container" "$root" / > /dev/null
buildah config --user 65532:65532 --workingdir /var/lib/motif --volume /var/lib/motif --port 8787 --stop-signal SIGTERM \
  --env PATH=/usr/bin --env HOME=/var/lib/motif \
  --entrypoint '["motif"]' --cmd 'gateway serve --listen 0.0.0.0:8787' \
  --label org.opencontainers.image.title=motif --label "org.opencontainers.image.version=$version" \
  --label org.opencontainers.image.licenses=Apache-2.0 "$container"
buildah commit --quiet --rm --disable-compression=false --timestamp "$SOURCE_DATE_EPOCH" "$container" "oci:$work/image:localhost/motif:$version" > /dev/null
tar --create --file "$archive" --directory "$work/image" --sort name --mtime "@$SOURCE_DATE_EPOCH" --owner 0 --group 0 --numeric-owner .
