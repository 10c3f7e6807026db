#!/usr/bin/env bash
# Runs the decoders of pictures on damaged ones with libFuzzer and the address sanitizer, leaks included.
# Usage: Scripts/fuzz.sh RUNS [seconds at most]. A crash leaves its input in .build/fuzz/crashes.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${1:-1000000}
seconds=${2:-0}
build=.build/fuzz
echo "fuzz: building"
APUS_FUZZ=1 swift build -c release --disable-default-traits --scratch-path "$build" --product DecoderFuzzer \
    --sanitize fuzzer --sanitize address -Xswiftc -use-ld=lld --quiet

# Seeds: every kind of picture that the tests have, if small. What the fuzzer finds is kept for the next run.
mkdir -p "$build/corpus" "$build/crashes"
find Tests/Fixtures/formats Tests/Fixtures/images -type f -size -32k ! -name '*.json' -exec cp -n {} "$build/corpus/" \;

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "fuzz: $runs inputs, from $(find "$build/corpus" -type f | wc -l) pictures"
# No input may take 10 s, no single allocation 64 MB: the decoders' own limit is 1 megapixel here.
if ! "$build/release/DecoderFuzzer" -runs="$runs" -max_total_time="$seconds" -max_len=32768 -timeout=10 \
    -malloc_limit_mb=64 -rss_limit_mb=4096 -print_final_stats=1 -artifact_prefix="$build/crashes/" \
    "$build/corpus" >"$log" 2>&1; then
    grep -vE '^#[0-9]+.*(NEW|REDUCE|pulse)' "$log" | tail -n 60 >&2
    exit 1
fi
grep -E 'stat::(number_of_executed_units|average_exec_per_sec|peak_rss_mb)|^Done' "$log"
