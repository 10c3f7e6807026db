#!/usr/bin/env bash
# Builds the library's documentation with DocC. Warnings, such as broken links, are errors.
# Usage: Scripts/docs.sh [folder] (default: .build/docs); serve it with any web server.
set -euo pipefail
cd "$(dirname "$0")/.."

output=${1:-.build/docs}
work=.build/documentation
graphs=$work/symbol-graphs
rm -rf "$output"
mkdir -p "$graphs"
rm -f "$graphs"/*

# From a lean build: the server has no public API.
APUS_LEAN=1 swift build --scratch-path "$work/build" --target ApusWorkflows
APUS_LEAN=1 swift build --scratch-path "$work/build" --target ApusDrawing
modules=$(APUS_LEAN=1 swift build --scratch-path "$work/build" --show-bin-path)
maps=()
for map in Sources/C*/include/module.modulemap Sources/C*/module.modulemap "$modules"/C*.build/module.modulemap; do
    if [ -f "$map" ]; then maps+=(-Xcc "-fmodule-map-file=$map"); fi
done
for folder in $(pkg-config --cflags-only-I cairo libcrypto); do maps+=(-Xcc "$folder"); done

for module in Apus ApusDrawing ApusWorkflows; do
    swift symbolgraph-extract -module-name "$module" -minimum-access-level public -I "$modules/Modules" "${maps[@]}" \
        -target "$(swiftc -print-target-info | sed -n 's/.*"triple": "\([^"]*\)".*/\1/p' | head -1)" \
        -output-dir "$graphs" -skip-synthesized-members
done
# Symbols that the other two add to Apus's types appear on the pages of those types.
rm -f "$graphs"/*@Foundation*.json
docc convert Sources/Apus/Apus.docc --additional-symbol-graph-dir "$graphs" --output-path "$output" \
    --fallback-display-name Apus --fallback-bundle-identifier apus --warnings-as-errors
echo "docs: $output/documentation/apus"
