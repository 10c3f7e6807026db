#!/usr/bin/env bash
# Makes the model that the program carries from the trained checkpoint, with Apus itself: any size, any batch, padding
# marked by valid_sizes, weights stored as FP16. Usage: Scripts/demo-model/pack.sh CHECKPOINT
set -euo pipefail
cd "$(dirname "$0")/../.."
apus=${APUS:-.build/release/apus}
whole=$(mktemp -u --suffix .onnx)
trap 'rm -f "$whole"' EXIT
"$apus" export "$1" --padding --heads 8 --no-dc5 --shortest 256 --longest 427 \
    --labels Scripts/demo-model/labels.json --output "$whole"
"$apus" convert "$whole" --precision f16-weights --output Sources/CDemoModel/demo.onnx
