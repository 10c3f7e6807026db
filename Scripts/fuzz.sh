#!/usr/bin/env bash
# Fuzzes the parsers of untrusted files with libFuzzer and the address sanitizer, including leak detection.
# Usage: Scripts/fuzz.sh RUNS [target …]; targets: pictures zip legacy safetensors pickle onnx library form, all of them by default.
# Saves findings to .build/fuzz/crashes: a crash, or an input that costs more than 50 times the median CPU time per byte
# (Fuzz/Support/CPUBudget.swift).
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${1:-1000000}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(pictures zip legacy safetensors pickle onnx library form)
build=.build/fuzz
fixtures=Tests/Fixtures
mkdir -p "$build/crashes"

fuzzer() { # target
    case $1 in
    pictures) echo PictureFuzzer ;;
    zip | legacy | safetensors) echo CheckpointFuzzer ;;
    pickle) echo PickleFuzzer ;;
    onnx) echo ModelFuzzer ;;
    library) echo LibraryFuzzer ;;
    form) echo FormFuzzer ;;
    *) echo "fuzz: there is no target $1" >&2 && exit 1 ;;
    esac
}

seeds() { # target, folder: small test files. The fuzzer's corpus is kept beside them for the next run.
    case $1 in
    pictures)
        for folder in formats images cuts costly; do
            # shellcheck disable=SC2044 # none of these names has spaces
            for file in $(find "$fixtures/$folder" -type f -size -32k ! -name '*.json'); do
                cp -n "$file" "$2/$folder-${file##*/}"
            done
        done
        ;;
    zip) cp -n $fixtures/readers/{zip,zip64,protocol4,bare,system,bomb,expanded}.pth $fixtures/readers/script.pt "$2/" ;;
    legacy) cp -n $fixtures/readers/{legacy,system-legacy}.pth "$2/" ;;
    safetensors) cp -n $fixtures/readers/plain.safetensors "$2/" ;;
    pickle)
        python3 - "$2" $fixtures/readers/*.pth <<'PYTHON'
import os, sys, zipfile
for path in sys.argv[2:]:
    if not zipfile.is_zipfile(path): continue
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith("data.pkl"): open(os.path.join(sys.argv[1], os.path.basename(path) + ".pkl"), "wb").write(archive.read(name))
PYTHON
        ;;
    onnx) find $fixtures/conversion $fixtures/models -name '*.onnx' -size -16k -exec cp -n {} "$2/" \; ;;
    # Small ones present in every Debian; the smallest is below the fuzzer's limit.
    library) find -L /lib/x86_64-linux-gnu -maxdepth 1 -name 'lib*.so.*' -size -32k -exec cp -n {} "$2/" \; ;;
    form)
        printf 'multipart/form-data; boundary=b\n--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\nJPEG\r\n--b\r\nContent-Disposition: form-data; name=k\r\n\r\nv\r\n--b--\r\n' >"$2/form"
        printf 'multipart/form-data; charset=utf-8; boundary="a;b"\n--a;b--' >"$2/empty"
        ;;
    esac
}

echo "fuzz: building"
for product in $(for target in "${targets[@]}"; do fuzzer "$target"; done | sort -u); do
    # Swift uses only the last -sanitize, so one option has both; --sanitize is for C and the linker.
    APUS_FUZZ=1 swift build -c release --scratch-path "$build" --product "$product" \
        --sanitize fuzzer --sanitize address -Xswiftc -sanitize=fuzzer,address -Xswiftc -use-ld=lld --quiet
done

log=$(mktemp)
trap 'rm -f "$log"' EXIT
for target in "${targets[@]}"; do
    corpus=$build/corpus-$target
    mkdir -p "$corpus"
    seeds "$target" "$corpus"
    echo "fuzz: $target, $runs inputs, from $(find "$corpus" -type f | wc -l) files"
    # Limits: a minute per input, which only a hang reaches (CPUBudget.swift limits work); 64 MB per allocation, 2 GB in total.
    if ! SWIFT_BACKTRACE=enable=no "$build/release/$(fuzzer "$target")" -runs="$runs" -max_len=32768 -timeout=60 -malloc_limit_mb=64 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$build/crashes/" "$corpus" >"$log" 2>&1; then
        grep -vE '^#[0-9]+.*(NEW|REDUCE|pulse)' "$log" | tail -n 60 >&2
        exit 1
    fi
    if grep -q 'Is the code instrumented' "$log"; then echo "fuzz: $target was built without coverage" >&2 && exit 1; fi
    grep -E 'stat::(number_of_executed_units|average_exec_per_sec|peak_rss_mb)|^Done' "$log"
done
