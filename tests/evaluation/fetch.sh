#!/usr/bin/env bash
# Fetches what fingerprints are evaluated on into a folder outside the repository: photographs,
# drawings, music and texts that Debian's packages ship, after `apt-get update`. Nothing is installed.
#
#   tests/evaluation/fetch.sh FOLDER
set -euo pipefail

folder=${1:?where to?}
photographs=(libvigraimpex-doc lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 mate-backgrounds opencv-doc
    palapeli-data plasma-workspace-wallpapers python3-skimage python3-sklearn tuxpaint-stamps-default)
drawings=(games-thumbnails openclipart-png oxygen-icon-theme wesnoth-1.16-data)
music=(asc-music asterisk-moh-opsound-wav extremetuxracer-data hyperrogue-music lincity-ng-data
    singularity-music titanion-data warzone2100-music wesnoth-1.16-music)
texts=(debian-policy debian-reference-en developers-reference fortunes git-doc postgresql-doc-15
    python3.11-doc)

fetch() {
    local kind=$1 package
    shift
    mkdir -p "$folder/packages" "$folder/$kind"
    for package in "$@"; do
        [ -d "$folder/$kind/$package" ] && continue
        [ -e "$folder/packages/$package"_*.deb ] || (cd "$folder/packages" && apt-get download "$package")
        dpkg-deb -x "$folder/packages/${package}"_*.deb "$folder/$kind/$package"
    done
}

fetch photographs "${photographs[@]}"
fetch drawings "${drawings[@]}"
fetch music "${music[@]}"
fetch texts "${texts[@]}"
