#!/usr/bin/env bash
# Counts what operations allocate, and fails where it is more than Benchmarks/Thresholds/allocations.json has.
# Usage: Scripts/bench-allocations.sh [--update]
set -euo pipefail
cd "$(dirname "$0")/.."
swift build -c release --package-path Benchmarks --scratch-path .build/benchmarks --product Benchmarks -Xswiftc -use-ld=lld --quiet
.build/benchmarks/release/Benchmarks Benchmarks/Thresholds/allocations.json "$@"
