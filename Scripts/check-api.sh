#!/usr/bin/env bash
# Compares the library's public API with the last tag's, and fails on breaking changes. List intended ones in
# Scripts/api-breakages.txt, one message per line, verbatim; the file is emptied with each release.
# Usage: Scripts/check-api.sh [tag or commit]. Exits with 77 if there is nothing to compare with.
#
# Not `swift package diagnose-api-breaking-changes`, which treats `package` as public, and builds the server twice.
set -euo pipefail
cd "$(dirname "$0")/.."

baseline=${1:-$(git describe --tags --abbrev=0 2>/dev/null || true)}
if [ -z "$baseline" ]; then
    echo "check-api: NOT CHECKED: there is no tag to compare with (if there should be one: git fetch --tags)"
    exit 77
fi
tools=$(dirname "$(realpath "$(command -v swift)")")
[ -x "$tools/swift-api-digester" ] || { echo "check-api: this toolchain has no swift-api-digester" >&2 && exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"; git worktree prune' EXIT

dump() { # folder of the package, scratch path, name: the public API as $work/name.json
    local modules=$2/x86_64-unknown-linux-gnu/debug
    swift build --package-path "$1" --scratch-path "$2" --disable-default-traits --target Apus --quiet
    local options=(-target x86_64-unknown-linux-gnu -I "$modules/Modules")
    for map in "$modules"/C*.build/module.modulemap "$1"/Sources/*/module.modulemap "$1"/Sources/*/include/module.modulemap; do
        [ ! -e "$map" ] || options+=(-Xcc "-fmodule-map-file=$(realpath "$map")")
    done
    "$tools/swift-api-digester" -dump-sdk -module Apus "${options[@]}" -avoid-location -avoid-tool-args -o "$work/all.json"
    mkdir "$work/$3"
    "$tools/swift-symbolgraph-extract" -module-name Apus "${options[@]}" -minimum-access-level public -output-dir "$work/$3"
    python3 - "$work/all.json" "$work/$3.json" "$work/$3"/*.symbols.json <<'PYTHON'
import json, sys
# The digester treats `package` as public; the symbol graph does not. Nodes without a symbol (imports, used types, accessors)
# are part of one that has a symbol.
everything, target, *graphs = sys.argv[1:]
public = {symbol["identifier"]["precise"] for graph in graphs for symbol in json.load(open(graph))["symbols"]}
assert public, "there is no public API"
def kept(node):
    ours = node.get("moduleName") == "Apus" and node.get("declKind") not in (None, "Import", "Accessor")
    return not ours or node.get("usr") in public
def prune(node):
    node["children"] = [prune(child) for child in node.get("children", []) if kept(child)]
    return node
sdk = json.load(open(everything))
prune(sdk["ABIRoot"])
json.dump(sdk, open(target, "w"))
print(f"check-api: {len(public)} public symbols")
PYTHON
}

git worktree add --quiet --detach "$work/tree" "$baseline"
dump "$work/tree" .build/api/baseline before
dump "$PWD" .build/api/current after
touch "$work/allowed"
[ ! -e Scripts/api-breakages.txt ] || cp Scripts/api-breakages.txt "$work/allowed"
"$tools/swift-api-digester" -diagnose-sdk -input-paths "$work/before.json" -input-paths "$work/after.json" \
    -compiler-style-diags -breakage-allowlist-path "$work/allowed" >"$work/found" 2>&1
if grep 'API breakage' "$work/found"; then
    echo "check-api: breaking changes since $baseline; list intended ones in Scripts/api-breakages.txt"
    exit 1
fi
echo "check-api: no breaking changes since $baseline"
