#!/usr/bin/env bash
# Runs libFuzzer on every decoder, or on the named ones, for a number of seconds each. Needs cargo only,
# and builds the same as `cargo fuzz -s none`.
#
#   fuzz/run.sh [SECONDS [TARGET...]]
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-60}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(png jpeg gif webp wav mp3 flac aac vorbis opus text features)

host=$(rustc -vV | sed -n 's/^host: //p') # named, so that build scripts are not fuzzed
cargo build --release --target "$host" --bins

for target in "${targets[@]}"; do
    mkdir -p "corpus/$target" "artifacts/$target"
    "target/$host/release/$target" "corpus/$target" "seeds/$target" -artifact_prefix="artifacts/$target/" \
        -max_total_time="$seconds" -max_len=65536 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1
done
