"""Changed models that are damaged or crash the runtime: the server survives, and the older model stays in service.

Usage: reload.py APUS IMAGE MODEL [CASES] [SEED]. MODEL is an ONNX file that APUS serves.
"""
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

apus, path, model = sys.argv[1:4]
cases, seed = [int(text) for text in (sys.argv[4:] + ["30", "1"][len(sys.argv) - 4:])]
with open(path, "rb") as file:
    image = file.read()
with open(model, "rb") as file:
    good = file.read()
chosen = random.Random(seed)
folder = tempfile.TemporaryDirectory()
served = os.path.join(folder.name, "m.onnx")
log = tempfile.NamedTemporaryFile("r", suffix=".log")


def install(content):
    with open(served + ".new", "wb") as file:
        file.write(content)
    os.rename(served + ".new", served)


def damaged():
    """A few changes, mostly in the graph rather than the weights."""
    content = bytearray(good)
    for _ in range(chosen.choice([1, 1, 2, 8, 64])):
        place = chosen.randrange(min(len(content), 4096)) if chosen.random() < 0.3 else chosen.randrange(len(content))
        match chosen.randrange(5):
            case 0: content[place] ^= 1 << chosen.randrange(8)
            case 1: content[place] = chosen.choice([0, 1, 0x7f, 0x80, 0xff])
            case 2: del content[place:place + chosen.randrange(1, 9)]
            case 3: content[place:place] = chosen.randbytes(chosen.randrange(1, 9))
            case 4: content[place:place + 40] = content[chosen.randrange(len(content)):][:40]
    return bytes(content[:chosen.randrange(len(content))] if chosen.random() < 0.05 else content)


def request(path, body=None):
    try:
        with urllib.request.urlopen(
                urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body, method="POST"), timeout=600) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def child_processes():
    found = []
    for task in os.listdir(f"/proc/{server.pid}/task"):
        try:
            found += open(f"/proc/{server.pid}/task/{task}/children").read().split()
        except FileNotFoundError:
            pass  # an ended thread
    return found


install(good)
server = subprocess.Popen(
    [apus, "serve", "--port", "0", "--device", "cpu", "--model", f"m={served}", "--reload-interval", "off"],
    stderr=open(log.name, "w"))
try:
    deadline = time.monotonic() + 600
    while "model ready" not in open(log.name).read():
        assert server.poll() is None and time.monotonic() < deadline, open(log.name).read()
        time.sleep(0.1)
    port = int(re.search(r"listening address=.*?(\d+)\n", open(log.name).read())[1])
    expected = request("/predict", image)
    assert expected[0] == 200 and b"sheep" in expected[1], expected

    # A process that loads a changed model and crashes, as the runtime may on some files. If it ends before it can be killed,
    # try again.
    for attempt in range(20):
        install(good)
        loading = subprocess.Popen(
            [sys.executable, "-c", f"import urllib.request as r; r.urlopen(r.Request('http://127.0.0.1:{port}"
             "/v2/repository/models/m/load', data=b'', method='POST'))"], stderr=subprocess.DEVNULL)
        children = []
        while not children and loading.poll() is None:
            children = child_processes()
        try:
            if children: os.kill(int(children[0]), signal.SIGSEGV)
        except ProcessLookupError:
            pass
        if loading.wait(600) != 0: break
    else:
        raise AssertionError("the model was not loaded in a separate process")
    assert "the runtime crashes on it: Segmentation fault" in open(log.name).read(), open(log.name).read()[-2000:]
    assert request("/predict", image)[0] == 200

    loaded = refused = 0
    for case in range(cases):
        install(damaged())
        status, _ = request("/v2/repository/models/m/load")
        assert status in (200, 500, 503), (case, status)
        assert server.poll() is None, (case, open(log.name).read()[-3000:])
        if status == 200:
            loaded += 1
            # Its results may be anything now, but there must be some, or a model error.
            assert request("/predict", image)[0] in (200, 500), case
            install(good)
            assert request("/v2/repository/models/m/load")[0] == 200, case
        else:
            refused += 1
        status, found = request("/predict", image)
        assert status == 200 and b"sheep" in found, (case, status, found)
finally:
    server.terminate()
    code = server.wait(600)
assert code == 0, code
print(f"reload: the older model stays in service after a crash on a changed model, and after damaged models: "
      f"{refused} rejected, {loaded} harmless, of {cases} (seed {seed})")
