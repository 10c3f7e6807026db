"""The Python way of `apus detect`, and the comparison of both. See bench-detect.sh.

usage: bench_baseline.py RUNS APUS PICTURE MODEL     compare
       bench_baseline.py detect PICTURE MODEL        the Python way alone: detections as JSON
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
    logits, boxes = session.run(None, {"inputs": np.ascontiguousarray(x)})
    p = np.exp(logits[0] - logits[0].max(-1, keepdims=True))
    p = (p / p.sum(-1, keepdims=True))[:, :-1]
    names = {int(k): v for k, v in json.loads(meta["labels"]).items()}
    found = []
    for q in np.argsort(-p.max(-1)):
        if p[q].max() > 0.9:
            cx, cy, bw, bh = boxes[0][q] * [w, h, w, h]
            found.append(dict(score=float(p[q].max()), category=names[int(p[q].argmax())], boxes=[float(v) for v in (cx - bw / 2, cy - bh / 2, cx + bw / 2, cy + bh / 2)]))
    print(json.dumps(found))


def measure(command, status_wanted=0):
    """Wall milliseconds, peak megabytes and output of a run."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = (time.perf_counter() - start) * 1e3
    assert os.waitstatus_to_exitcode(status) == status_wanted, command
    return wall, usage.ru_maxrss / 1024, json.loads(output) if output else None


def compare(runs, apus, picture, model):
    ours = [apus, "detect", picture, "--device", "cpu", "--format", "json"]
    theirs = [sys.executable, __file__, "detect", picture, model]
    for command in (ours, theirs): measure(command)   # files into the page cache
    samples, bare = {"apus": [], "python": []}, []
    for _ in range(runs):   # in turns, so that all meet the same noise
        samples["apus"].append(measure(ours))
        samples["python"].append(measure(theirs))
        bare.append(measure([apus, "detect", "/no/such/*.jpg", "--device", "cpu"], 1)[0])
    a, b = samples["apus"][0][2][0]["results"], samples["python"][0][2]
    assert [r["category"] for r in a] == [r["category"] for r in b], "the two find different objects"
    assert all(abs(u - v) < .5 for r, s in zip(a, b) for u, v in zip(r["boxes"], s["boxes"])), "the boxes differ"
    median = statistics.median
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.processor())
    print(f"{runs} runs each, in turns; medians; {os.cpu_count()} cores, {cpu}; both find the same {len(a)} objects\n")
    print(f"{'':28}{'apus':>10}{'python':>10}{'ratio':>8}")
    for name, index, unit in (("whole process", 0, "ms"), ("peak memory", 1, "MB")):
        u, v = (median(s[index] for s in samples[k]) for k in ("apus", "python"))
        print(f"{name:28}{u:8.1f} {unit}{v:7.1f} {unit}{u / v:7.2f}x")
    reports = [(wall, out[0]) for wall, _, out in samples["apus"]]
    part = lambda f: median(f(r) for _, r in reports)
    print("\nof it, in apus")
    rows = [("load ONNX Runtime", part(lambda r: r["load_ms"]["runtime"])), ("ask OpenVINO for devices", part(lambda r: r["load_ms"]["device"])),
            ("load and compile the model", part(lambda r: r["load_ms"]["model"])), ("inference (first run)", part(lambda r: r["timings_ms"]["inference"]))]
    for name, value in rows: print(f"  {name:26}{value:8.1f} ms")
    own = [("decode", part(lambda r: r["timings_ms"]["decode"])), ("preprocess", part(lambda r: r["timings_ms"]["preprocess"])), ("postprocess", part(lambda r: r["timings_ms"]["postprocess"])),
           ("start, read options, exit", median(bare))]   # as with a pattern that matches nothing, which loads no runtime
    rest = median(w - sum(r["load_ms"].values()) - sum(r["timings_ms"].values()) for w, r in reports) - median(bare)
    for name, value in own: print(f"  {name:26}{value:8.1f} ms   own")
    print(f"  {'rest':26}{rest:8.1f} ms   mostly the system, taking back the runtime's memory")
    print(f"  {'own, together':26}{sum(v for _, v in own):8.1f} ms")


if sys.argv[1] == "detect": detect(*sys.argv[2:])
else: compare(int(sys.argv[1]), *sys.argv[2:])
