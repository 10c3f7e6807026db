#!/usr/bin/env bash
# Times the whole command, process start to exit, on one 640x480 JPEG with the demo model on the CPU, against an equivalent
# Python program with the same runtime (Scripts/bench_baseline.py). Usage: Scripts/bench-detect.sh [runs]
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${1:-21}
apus=.build/release/apus
venv=.build/python
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import onnxruntime, PIL, numpy' 2>/dev/null; then
    echo "bench: installing the baseline's Python packages into $venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check onnxruntime-openvino==1.24.1 Pillow==11.3.0 'numpy<2.4'
fi
exec "$venv/bin/python" Scripts/bench_baseline.py "$runs" "$apus" Examples/pictures/farm.jpg Sources/CDemoModel/demo.onnx
