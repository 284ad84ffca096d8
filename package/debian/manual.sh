#!/bin/bash
# Writes a manual page for each command of a binary: usage: manual.sh BINARY FOLDER
set -euo pipefail
binary=$(realpath "$1") folder=$2
mkdir -p "$folder"
scripts=$(mktemp --directory)
trap 'rm -rf "$scripts"' EXIT
version=$("$binary" --version | cut --delimiter ' ' --fields 2)

# Writes the pages of a command and of its subcommands.
write_pages() {
  local name=motif help summary
  [ $# -eq 0 ] || name=$(IFS=-; echo "motif-$*")
  help=$("$binary" "$@" --help)
  summary=$(head -n 1 <<< "$help")
  # help2man names a page after the program that it runs.
  printf '#!/bin/sh\nexec %s "$@"\n' "$binary $*" > "$scripts/$name"
  chmod +x "$scripts/$name"
  help2man --no-info --section 1 --version-string "$version" --name "$summary" --source "motif $version" \
    --output "$folder/$name.1" "$scripts/$name"
  local commands
  commands=$(awk '/^Commands:/ { on = 1; next } /^[^ ]/ { on = 0 } on && /^  [a-z]/ && $1 != "help" { print $1 }' <<< "$help")
  for command in $commands; do
    write_pages "$@" "$command"
  done
}
write_pages
