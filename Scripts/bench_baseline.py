"""A Python equivalent of `apus detect`, and the comparison of both. See bench-detect.sh.

usage: bench_baseline.py RUNS APUS IMAGE MODEL     compare
       bench_baseline.py detect IMAGE MODEL        the Python equivalent alone: detections as JSON
"""
import json, os, platform, statistics, subprocess, sys, time


def detect(picture, path):
    import numpy as np, onnxruntime as ort
    from PIL import Image, ImageOps
    session = ort.InferenceSession(path, providers=[("OpenVINOExecutionProvider", {
        "device_type": "CPU", "load_config": '{"CPU":{"INFERENCE_PRECISION_HINT":"f32"}}'})])
    meta = session.get_modelmeta().custom_metadata_map
    image = ImageOps.exif_transpose(Image.open(picture)).convert("RGB")
    shortest, longest = int(meta["shortest"]), int(meta["longest"])
    low, high, side = min(image.size), max(image.size), shortest
    if high / low * side > longest: side = round(longest * low / high)
    w, h = image.size
    size = image.size if low == side else (side, int(side * h / w)) if w < h else (int(side * w / h), side)
    x = np.asarray(image.resize(size, Image.BILINEAR), np.float32) / 255
    x = ((x - np.float32([.485, .456, .406])) / np.float32([.229, .224, .225])).transpose(2, 0, 1)[None]
    sizes = np.array([x.shape[2:]], np.int64)
    logits, boxes = session.run(None, {"inputs": np.ascontiguousarray(x), "valid_sizes": sizes})
    p = np.exp(logits[0] - logits[0].max(-1, keepdims=True))
    p = (p / p.sum(-1, keepdims=True))[:, :-1]
    names = {int(k): v for k, v in json.loads(meta["labels"]).items()}
    found = []
    for q in np.argsort(-p.max(-1)):
        if p[q].max() > 0.9:
            cx, cy, bw, bh = boxes[0][q] * [w, h, w, h]
            found.append(dict(score=float(p[q].max()), category=names[int(p[q].argmax())], boxes=[float(v) for v in (cx - bw / 2, cy - bh / 2, cx + bw / 2, cy + bh / 2)]))
    print(json.dumps(found))


def measure(command):
    """A run's wall-clock milliseconds to the first output and to exit, peak megabytes, and output."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    first = os.read(process.stdout.fileno(), 1 << 20)
    answered = (time.perf_counter() - start) * 1e3
    output = first + process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = (time.perf_counter() - start) * 1e3
    assert os.waitstatus_to_exitcode(status) == 0, command
    return wall, usage.ru_maxrss / 1024, json.loads(output), answered


def compare(runs, apus, picture, model):
    ours = [apus, "detect", picture, "--device", "cpu", "--format", "json"]
    theirs = [sys.executable, __file__, "detect", picture, model]
    for command in (ours, theirs): measure(command)   # files into the page cache
    samples = {"apus": [], "python": []}
    for _ in range(runs):   # interleaved, so that both see the same noise
        samples["apus"].append(measure(ours))
        samples["python"].append(measure(theirs))
    a, b = samples["apus"][0][2][0]["results"], samples["python"][0][2]
    assert [r["category"] for r in a] == [r["category"] for r in b], "the two find different objects"
    assert all(abs(u - v) < .5 for r, s in zip(a, b) for u, v in zip(r["boxes"], s["boxes"])), "the boxes differ"
    median = statistics.median
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.processor())
    print(f"{runs} runs each, interleaved; medians; {os.cpu_count()} cores, {cpu}; both find the same {len(a)} objects\n")
    print(f"{'':28}{'apus':>10}{'python':>10}{'ratio':>8}")
    for name, index, unit in (("whole process", 0, "ms"), ("peak memory", 1, "MB")):
        u, v = (median(s[index] for s in samples[k]) for k in ("apus", "python"))
        print(f"{name:28}{u:8.1f} {unit}{v:7.1f} {unit}{u / v:7.2f}x")
    reports = [(wall, answered, out[0]["load_ms"], out[0]["timings_ms"]) for wall, _, out, answered in samples["apus"]]
    part = lambda f: median(f(*r) for r in reports)
    runtimes = lambda load, time: load["runtime"] + load["device"] + load["model"] + time["inference"]
    rows = [("load ONNX Runtime", lambda w, a, l, t: l["runtime"], ""), ("list OpenVINO devices", lambda w, a, l, t: l["device"], ""),
            ("load and compile the model", lambda w, a, l, t: l["model"], ""), ("inference (first run)", lambda w, a, l, t: t["inference"], ""),
            ("decode", lambda w, a, l, t: t["decode"], "own"), ("preprocess", lambda w, a, l, t: t["preprocess"], "own"), ("postprocess", lambda w, a, l, t: t["postprocess"], "own"),
            ("start, options, JSON", lambda w, a, l, t: a - runtimes(l, t) - t["decode"] - t["preprocess"] - t["postprocess"], "own"),
            ("from output to exit", lambda w, a, l, t: w - a, "the system reclaims memory: the command calls _exit"),
            ("own, total", lambda w, a, l, t: a - runtimes(l, t), "including process creation by Python")]
    print("\nbreakdown for apus")
    for name, f, what in rows: print(f"  {name:26}{part(f):8.1f} ms   {what}".rstrip())


if sys.argv[1] == "detect": detect(*sys.argv[2:])
else: compare(int(sys.argv[1]), *sys.argv[2:])
