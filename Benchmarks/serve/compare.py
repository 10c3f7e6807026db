"""apus serve compared with the FastAPI service: a one-megapixel image, the demo model, the same machine, interleaved.

Usage: compare.py APUS MODEL IMAGE [ROUNDS]   (with fastapi, uvicorn, torch, torchvision, pillow, onnxruntime-openvino)"""
import http.client
import io
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from PIL import Image

apus, model, path = sys.argv[1:4]
rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 200
here = os.path.dirname(os.path.abspath(__file__))
with Image.open(path) as picture:
    with io.BytesIO() as output:
        picture.convert("RGB").resize((1152, 864), Image.BICUBIC).save(output, "JPEG", quality=90)
        jpeg = output.getvalue()
boundary = "apus-benchmark"
body = (f"--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n"
        "Content-Type: image/jpeg\r\n\r\n").encode() + jpeg + f"\r\n--{boundary}--\r\n".encode()
headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def ask(connection):
    """Milliseconds of the request and of the inference, and the detections."""
    start = time.perf_counter()
    connection.request("POST", "/predict", body, headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    assert response.status == 200, answer
    return (time.perf_counter() - start) * 1e3, answer["inference_time"] * 1e3, answer["results"]


def connect(port): return http.client.HTTPConnection("127.0.0.1", port, timeout=60)


def start_apus():
    log = tempfile.NamedTemporaryFile("r", suffix=".log")
    begun = time.perf_counter()
    process = subprocess.Popen([apus, "serve", "--port", "0", "--device", "cpu", "--precision", "f32", "--model", f"demo={model}"],
                               stderr=open(log.name, "w"))
    while True:
        match = re.search(r"listening address=.*:(\d+)", open(log.name).read())
        if match: break
        time.sleep(0.005)
    return process, first_answer(int(match[1]), begun), int(match[1])


def start_fastapi():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "uvicorn", "--port", str(port), "--log-level", "error", "fastapi_service:app"],
                               cwd=here, env={**os.environ, "MODEL": os.path.abspath(model)})
    return process, first_answer(port, begun), port


def first_answer(port, begun):
    """Seconds from process start to the first response."""
    while True:
        try:
            ask(connect(port))
            return time.perf_counter() - begun
        except (OSError, AssertionError, http.client.HTTPException, KeyError):
            time.sleep(0.005)


def memory(process):
    with open(f"/proc/{process.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


starts = {"apus": [], "fastapi": []}
for _ in range(5):
    for name, start in [("apus", start_apus), ("fastapi", start_fastapi)]:
        process, seconds, _ = start()
        starts[name].append(seconds)
        process.terminate()
        process.wait()
(ours, _, our_port), (theirs, _, their_port) = start_apus(), start_fastapi()
try:
    pair = {"apus": connect(our_port), "fastapi": connect(their_port)}
    samples = {name: [] for name in pair}
    for name, connection in pair.items():
        for _ in range(20): ask(connection)
    for _ in range(rounds):
        for name, connection in pair.items(): samples[name].append(ask(connection))
    a, b = samples["apus"][0][2], samples["fastapi"][0][2]
    assert [found["category"] for found in a] == [found["category"] for found in b], (a, b)
    assert all(abs(u - v) < 1 for one, other in zip(a, b) for u, v in zip(one["boxes"], other["boxes"])), (a, b)
    median = statistics.median
    total = {name: median(each[0] for each in samples[name]) for name in samples}
    inference = {name: median(each[1] for each in samples[name]) for name in samples}
    outside = {name: median(each[0] - each[1] for each in samples[name]) for name in samples}
    print(f"{rounds} requests each, interleaved; medians; {len(jpeg) / 1e3:.0f} kB JPEG of 1152x864; both find the same {len(a)} objects\n")
    print(f"{'':34}{'apus':>11}{'fastapi':>11}{'ratio':>8}")
    for text, values, unit in [
        ("request", total, "ms"), ("  inference", inference, "ms"), ("  everything else", outside, "ms"),
        ("first response after start", {name: 1e3 * median(starts[name]) for name in starts}, "ms"),
        ("resident memory", {"apus": memory(ours), "fastapi": memory(theirs)}, "MB"),
    ]:
        print(f"{text:34}{values['apus']:8.1f} {unit}{values['fastapi']:8.1f} {unit}{values['apus'] / values['fastapi']:7.2f}x")
finally:
    for process in (ours, theirs): process.terminate()
