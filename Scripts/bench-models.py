"""Times apus export and apus convert against the Python tools, on a full DETR R50 with random weights, in one run.

Usage: bench-models.py [--apus PATH] [--rounds N] [--folder DIR]. Needs: torch, onnx, onnxscript, onnxconverter-common,
onnxruntime-openvino, numpy. Interleaves the runs of both, and prints medians and ratios. Each row measures:
export: the whole process from checkpoint to ONNX file. convert: for Python, only conversion and writing (without startup and
imports); for apus, the whole process. Inference: OpenVINO on the CPU, one 800x1066 image.
"""
import argparse, os, resource, statistics, subprocess, sys, tempfile, time

here = os.path.dirname(os.path.abspath(__file__))
options = argparse.ArgumentParser()
options.add_argument("--apus", default=os.path.join(here, "../.build/release/apus"))
options.add_argument("--rounds", type=int, default=5)
options.add_argument("--folder")
options = options.parse_args()
folder = options.folder or tempfile.mkdtemp()
path = lambda name: os.path.join(folder, name)
median = statistics.median


def run(*command):
    """Seconds and peak megabytes of a process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def convert_in_python():
    code = f"""import time, onnx
from onnxconverter_common import float16
start = time.perf_counter()
onnx.save(float16.convert_float_to_float16(onnx.load({path('traced.onnx')!r})), {path('common.onnx')!r})
print(time.perf_counter() - start)"""
    return float(subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True).stdout)


if not os.path.exists(path("r50.pth")):
    run(sys.executable, os.path.join(here, "reference/detr_reference.py"), path("r50.pth"), "--legacy")
times = {name: [] for name in ["traced", "export", "checked", "common", "convert", "convert checked"]}
memory = {}
for _ in range(options.rounds):
    times["traced"].append(run(sys.executable, "-W", "ignore", os.path.join(here, "reference/export_traced.py"), path("r50.pth"), path("traced.onnx"))[0])
    for name, arguments in [
        ("export", ["export", path("r50.pth"), "-o", path("r50.onnx"), "--no-check"]), ("checked", ["export", path("r50.pth"), "-o", path("r50.onnx")]),
        ("convert", ["convert", path("traced.onnx"), "-o", path("half.onnx"), "--no-check"]), ("convert checked", ["convert", path("traced.onnx"), "-o", path("half.onnx")])]:
        seconds, memory[name] = run(options.apus, *arguments)
        times[name].append(seconds)
    times["common"].append(convert_in_python())
print(f"{options.rounds} rounds, interleaved; medians; {os.cpu_count()} cores; DETR R50, {os.path.getsize(path('r50.pth')) / 1e6:.0f} MB checkpoint\n")
for name, text, baseline in [
    ("traced", "torch.onnx.export, whole process", None), ("export", "apus export --no-check", "traced"), ("checked", "apus export, with the check", "traced"),
    ("common", "onnxconverter-common, without imports", None), ("convert", "apus convert --no-check", "common"), ("convert checked", "apus convert, with the check", "common")]:
    value = median(times[name])
    ratio = f"{median(times[baseline]) / value:6.1f}x faster" if baseline else ""
    print(f"{text:40}{value:8.2f} s  {f'{memory[name]:6.0f} MB' if name in memory else '':9}{ratio}")

import numpy as np, onnxruntime
options_of = lambda precision: {"device_type": "CPU", **({"load_config": '{"CPU": {"INFERENCE_PRECISION_HINT": "bf16"}}'} if precision == "bf16" else {"precision": "FP32"})}
quiet = onnxruntime.SessionOptions()
quiet.log_severity_level = 3
sessions = {
    "traced export, f32": onnxruntime.InferenceSession(path("traced.onnx"), quiet, providers=[("OpenVINOExecutionProvider", options_of("f32"))]),
    "apus export, f32": onnxruntime.InferenceSession(path("r50.onnx"), quiet, providers=[("OpenVINOExecutionProvider", options_of("f32"))]),
    "apus export, bf16": onnxruntime.InferenceSession(path("r50.onnx"), quiet, providers=[("OpenVINOExecutionProvider", options_of("bf16"))])}
picture = {"inputs": np.random.default_rng(0).standard_normal((1, 3, 800, 1066), np.float32)}
spent = {name: [] for name in sessions}
for round in range(options.rounds + 2):
    for name, session in sessions.items():
        start = time.perf_counter()
        session.run(None, picture)
        if round >= 2: spent[name].append(time.perf_counter() - start)
print()
for name, values in spent.items():
    print(f"{'OpenVINO CPU, ' + name:40}{median(values):8.3f} s           {median(spent['traced export, f32']) / median(values):6.2f}x as fast")
