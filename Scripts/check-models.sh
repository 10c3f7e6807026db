#!/usr/bin/env bash
# Checks the model tools' output with the standard tools: onnx.checker on exported models, and all of the onnx package's test
# models through apus convert and ONNX Runtime. Usage: Scripts/check-models.sh [path of apus].
set -euo pipefail
cd "$(dirname "$0")/.."

apus=${1:-.build/test/debug/apus}
python=.build/python/bin/python3
# Uses the latest versions, to test new operators early. Updates an old installation once a day.
if [ -z "$(find .build/python/.complete-2 -mtime -1 2>/dev/null)" ]; then
    echo "check-models: installing the latest onnx and onnxruntime for Python"
    [ -e .build/python/.complete-2 ] || { rm -rf .build/python && python3 -m venv .build/python; }
    "$python" -m pip install --quiet --disable-pip-version-check --upgrade onnx onnxruntime numpy ||
        { [ -e .build/python/.complete-2 ] && echo "check-models: update failed; using the installed versions"; }
    touch .build/python/.complete-2
fi
"$python" -c 'import onnx, onnxruntime; print(f"check-models: onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}")'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fixtures=Tests/Fixtures
count=0
make_model() { # apus arguments, without the output
    count=$((count + 1))
    "$apus" "$@" --no-check -o "$work/$count.onnx" >/dev/null
}
for checkpoint in "$fixtures"/checkpoints/*.pth "$fixtures"/checkpoints/hf-*/model.safetensors; do
    for precision in f32 f16; do
        make_model export "$checkpoint" --precision $precision
        make_model export "$checkpoint" --precision $precision --padding
        make_model export "$checkpoint" --precision $precision --height 96 --width 128 --batch 1
    done
done
for opset in 13 15 16 18 19 20 21 22; do
    make_model export "$fixtures/checkpoints/tiny-basic.pth" --opset $opset --padding
    make_model export "$fixtures/checkpoints/tiny-basic.pth" --opset $opset --precision f16
done
for precision in f16 f16-weights bf16-safe; do
    for model in "$fixtures"/conversion/{captured,constants,external,function,if,layernorm,loop,mask,scan,sequence,shapes,sine}.onnx \
        "$fixtures/checkpoints/tiny-bottleneck.traced-opset12.onnx" Sources/CDemoModel/demo.onnx; do
        make_model convert "$model" --precision $precision
        make_model convert "$model" --precision $precision --keep-io
    done
done
"$python" - "$work"/*.onnx <<'PYTHON'
import sys, onnx, onnxruntime
quiet = onnxruntime.SessionOptions()
quiet.log_severity_level = 3
for path in sys.argv[1:]:
    onnx.checker.check_model(path, full_check=True)
    onnxruntime.InferenceSession(path, quiet, providers=["CPUExecutionProvider"])
print(f"check-models: {len(sys.argv) - 1} models pass onnx.checker with full_check and load in ONNX Runtime")
PYTHON
"$python" -W ignore Scripts/converter-suite.py --apus "$apus" >"$work/suite.txt" || { cat "$work/suite.txt" && exit 1; }
head -n 11 "$work/suite.txt"
