#!/usr/bin/env bash
# Compares the library's public API with the last tag's, and fails on breaking changes. Those that are meant go, as the message
# words them, one per line into Scripts/api-breakages.txt, which is emptied with each release.
# Usage: Scripts/check-api.sh [tag or commit]. Exits with 77 where there is nothing to compare with.
set -euo pipefail
cd "$(dirname "$0")/.."

baseline=${1:-$(git describe --tags --abbrev=0 2>/dev/null || true)}
if [ -z "$baseline" ]; then
    echo "check-api: NOT CHECKED: there is no tag to compare with (if there should be one: git fetch --tags)"
    exit 77
fi
allowed=Scripts/api-breakages.txt
options=()
[ ! -s "$allowed" ] || options=(--breakage-allowlist-path "$allowed")
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Without the server and the downloads, which the library has no part of.
if swift package --disable-default-traits --scratch-path .build/api diagnose-api-breaking-changes "$baseline" --products Apus \
    "${options[@]}" >"$log" 2>&1; then
    # It is also content where it compared nothing.
    grep -q 'No breaking changes detected in Apus' "$log" || { cat "$log" && echo "check-api: nothing was compared" && exit 1; }
    echo "check-api: no breaking changes in Apus since $baseline"
else
    cat "$log"
    echo "check-api: the API differs from that of $baseline; a change that is meant goes into $allowed"
    exit 1
fi
