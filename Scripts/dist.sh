#!/usr/bin/env bash
# Creates dist/apus-VERSION-linux-x86_64.tar.gz: unpack it anywhere and run bin/apus. Usage: Scripts/dist.sh [path of apus]
set -euo pipefail
cd "$(dirname "$0")/.."
apus=${1:-.build/release/apus}
version=$("$apus" --version | awk 'NR == 1 {print $2}')
name=apus-$version-linux-x86_64
rm -rf "dist/$name"
mkdir -p dist
Scripts/stage.sh "dist/$name" "$apus"
tar -C dist -czf "dist/$name.tar.gz" --owner=0 --group=0 "$name"
rm -rf "dist/$name"
echo "dist: dist/$name.tar.gz, $(du -h "dist/$name.tar.gz" | cut -f1)"
