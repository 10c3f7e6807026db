#!/usr/bin/env bash
# Compares apus serve with an equivalent FastAPI service (Benchmarks/serve). Usage: Scripts/bench-serve.sh [rounds]
set -euo pipefail
cd "$(dirname "$0")/.."
venv=.build/bench-serve
if [ ! -e $venv/.complete-1 ]; then
    echo "bench-serve: installing the baseline's Python packages (several hundred megabytes)"
    rm -rf $venv
    python3 -m venv $venv
    $venv/bin/python -m pip install --quiet --disable-pip-version-check fastapi uvicorn python-multipart Pillow \
        onnxruntime-openvino==1.24.1 torch torchvision
    touch $venv/.complete-1
fi
exec $venv/bin/python Benchmarks/serve/compare.py .build/release/apus Sources/CDemoModel/demo.onnx Examples/pictures/farm.jpg "${1:-200}"
