#!/usr/bin/env bash
# Fetches what fingerprints are evaluated on into a folder outside the repository: photographs,
# drawings, music and texts that Debian's packages ship. Nothing is installed.
#
#   tests/evaluation/fetch.sh FOLDER
set -euo pipefail

folder=${1:?where to?}
photographs=(gnome-backgrounds mate-backgrounds plasma-workspace-wallpapers ukui-wallpapers
    lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 lxqt-themes tuxpaint-stamps-default)
drawings=(openclipart-png wesnoth-1.16-data)
music=(wesnoth-1.16-music singularity-music warzone2100-music asc-music)
texts=(manpages manpages-dev fortunes doc-debian debian-reference-en developers-reference)

fetch() {
    local kind=$1 package
    shift
    mkdir -p "$folder/packages" "$folder/$kind"
    for package in "$@"; do
        [ -d "$folder/$kind/$package" ] && continue
        (cd "$folder/packages" && apt-get download "$package")
        dpkg-deb -x "$folder/packages/${package}"_*.deb "$folder/$kind/$package"
    done
}

fetch photographs "${photographs[@]}"
fetch drawings "${drawings[@]}"
fetch music "${music[@]}"
fetch texts "${texts[@]}"
