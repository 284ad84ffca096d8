#!/usr/bin/env bash
# Fetches what fingerprints are evaluated on into a folder outside the repository: photographs,
# drawings, music and texts that Debian's packages ship, after `apt-get update`. Nothing is installed.
#
#   tools/evaluation/corpus/fetch.sh FOLDER [KIND...]
#
# Kinds: photographs, drawings, music, texts; all by default.
set -euo pipefail

folder=${1:?where to?}
shift
kinds=${*:-photographs drawings music texts}
photographs=(gcompris-qt-data libvigraimpex-doc lomiri-wallpapers-16.04 lomiri-wallpapers-20.04
    mate-backgrounds opencv-doc palapeli-data plasma-workspace-wallpapers python3-skimage
    python3-sklearn tuxpaint-data tuxpaint-stamps-default)
drawings=(games-thumbnails openclipart-png oxygen-icon-theme supertux-data wesnoth-1.16-data)
music=(ardentryst asc-music asterisk-moh-opsound-wav btanks-data caveexpress-data
    colobot-common-sounds drascula-music enigma-data extremetuxracer-data fillets-ng-data flare-game
    freecol freedroidrpg-data freeorion-data frozen-bubble-data hedgewars-data hyperrogue-music
    lincity-ng-data lordsawar-data lugaru-data marsshooter-data megaglest-data openclonk-data
    pax-britannica-data planetblupi-music-ogg plee-the-bear-data pushover-data raincat-data
    singularity-music starfighter-data supertux-data titanion-data trackballs-data unknown-horizons
    warmux-data warzone2100-music wesnoth-1.16-music zaz-data)
texts=(debian-policy debian-reference-en developers-reference exim4-doc-html fortunes git-doc
    postfix-doc postgresql-doc-15 python-django-doc python3.11-doc sphinx-doc sqlite3-doc valgrind
    zsh-doc)
# Those of the resources in gcompris-qt-data that have photographs in them.
resources=(erase explore_farm_animals explore_monuments explore_world_animals)

fetch() {
    local kind=$1 package
    shift
    [[ " $kinds " = *" $kind "* ]] || return 0
    mkdir -p "$folder/packages" "$folder/$kind"
    for package in "$@"; do
        [ -d "$folder/$kind/$package" ] && continue
        [ -e "$folder/packages/$package"_*.deb ] || (cd "$folder/packages" && apt-get download "$package")
        dpkg-deb -x "$folder/packages/${package}"_*.deb "$folder/$kind/$package"
        # Games are large, and in some of them only what is heard is wanted.
        [ "$kind" != music ] || find "$folder/$kind/$package" -type f -regextype egrep \
            ! -iregex '.*[.](flac|mp3|ogg|opus|wav)' -delete
    done
}

fetch photographs "${photographs[@]}"
fetch drawings "${drawings[@]}"
fetch music "${music[@]}"
fetch texts "${texts[@]}"

[[ " $kinds " = *" photographs "* ]] || exit 0
unpacked=$folder/photographs/gcompris-qt-data
for resource in "${resources[@]}"; do
    [ -d "$unpacked/$resource" ] ||
        "$(dirname "$0")/unpack_resources.py" "$unpacked/usr/share/gcompris-qt/rcc/$resource.rcc" "$unpacked/$resource"
done
