#!/usr/bin/env bash
# Counts the allocations of operations, and fails if they exceed Benchmarks/Thresholds/allocations.json.
# Usage: Scripts/bench-allocations.sh [--update]
set -euo pipefail
cd "$(dirname "$0")/.."
swift build -c release --package-path Benchmarks --scratch-path .build/benchmarks --product Benchmarks -Xswiftc -use-ld=lld --quiet
.build/benchmarks/release/Benchmarks Benchmarks/Thresholds/allocations.json "$@"
