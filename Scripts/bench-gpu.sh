#!/usr/bin/env bash
# Measures startup, cache and stalls of a full DETR R50 with random weights on a simulated GPU: our export with padding, twice,
# and the usual traced export. Checks that results are verified as correct on a CPU, and as wrong on the simulation.
# Needs PyTorch, onnx and onnxscript in $PYTHON. Usage: Scripts/bench-gpu.sh [FOLDER]
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python3}
apus=${APUS:-$project/.build/release/apus}
folder=${1:-$(mktemp -d)}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

[ -e "$folder/r50.pth" ] || "$python" "$project/Scripts/reference/detr_reference.py" "$folder/r50.pth" --legacy
[ -e "$folder/traced.onnx" ] ||
    "$python" -W ignore "$project/Scripts/reference/export_traced.py" "$folder/r50.pth" "$folder/traced.onnx"
"$apus" export "$folder/r50.pth" --padding --no-check --output "$folder/padded.onnx" >/dev/null

cache=$(mktemp -d)
trap 'rm -rf "$cache"' EXIT
for start in first second; do
    printf '\n== our export, padded, %s start\n' "$start"
    "$project/Scripts/simulated-gpu.sh" "$apus" bench --model "$folder/padded.onnx" --device gpu --cache-dir "$cache"
done
printf '\n== traced export, dynamic\n'
"$project/Scripts/simulated-gpu.sh" "$apus" bench --model "$folder/traced.onnx" --device gpu --shapes exact --no-cache

printf '\n== verify on the CPU, each supported precision\n'
for precision in f32 bf16; do "$apus" verify --model "$folder/padded.onnx" --device cpu --precision $precision; done
printf '\n== verify on the simulated GPU, whose results are garbage\n'
if "$project/Scripts/simulated-gpu.sh" "$apus" verify --model "$folder/padded.onnx" --device gpu --precision f16 --no-cache \
    --shapes 1344x800; then
    echo "bench-gpu: garbage passed verification" >&2
    exit 1
fi
