"""Writes resampling/: what OpenCV, torchvision, Ultralytics and YOLOX make of images that the tests compute themselves.

Needs: numpy, Pillow, opencv-python-headless, torch, torchvision, ultralytics; and YOLOX's sources (the sdist of yolox 0.3.0).
    python3 make_resampling.py YOLOX_FOLDER [OTHER_PYTHON ...]
The other interpreters are to have other versions of torch; how far their results are from this one's goes to the index.
"""
import hashlib, importlib.util, json, os, platform, subprocess, sys, tempfile, types
import numpy as np
import torch

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, "resampling")

# Image, width and height, target's width and height; a photo is as large as it is.
SIZES = [
    # down
    ("photo", 160, 120, 64, 64), ("photo", 160, 120, 100, 75), ("photo", 160, 120, 97, 41), ("noise", 640, 480, 384, 384),
    ("noise", 641, 479, 320, 240), ("noise", 300, 200, 100, 50), ("noise", 500, 375, 160, 120), ("gradient", 1000, 700, 300, 210),
    ("noise", 720, 405, 240, 135), ("noise", 99, 77, 98, 76),
    # exactly half, and nearly
    ("photo", 160, 120, 80, 60), ("noise", 640, 360, 320, 180), ("noise", 2, 2, 1, 1), ("noise", 14, 6, 7, 3), ("noise", 26, 10, 13, 5),
    ("noise", 200, 100, 100, 100), ("noise", 200, 100, 200, 50), ("noise", 200, 100, 100, 49), ("noise", 201, 101, 100, 50),
    ("noise", 200, 100, 50, 25),
    # up
    ("photo", 160, 120, 320, 240), ("photo", 160, 120, 512, 512), ("photo", 160, 120, 333, 251), ("gradient", 37, 23, 200, 131),
    ("noise", 3, 5, 150, 140), ("noise", 2, 2, 129, 130),
    # one pixel
    ("noise", 1, 1, 5, 7), ("noise", 1, 1, 100, 90), ("noise", 1, 50, 20, 130), ("noise", 50, 1, 130, 20), ("noise", 40, 30, 1, 1),
    ("noise", 40, 300, 1, 150), ("noise", 300, 40, 150, 1),
    # tall, wide, and one side kept
    ("noise", 7, 1500, 64, 128), ("noise", 1500, 7, 128, 64), ("noise", 7, 1500, 3, 640), ("noise", 2000, 3, 640, 5),
    ("noise", 123, 45, 123, 90), ("noise", 123, 45, 246, 45), ("photo", 160, 120, 160, 120),
    # where PyTorch changes its kernel
    ("noise", 50, 60, 64, 64), ("noise", 50, 60, 64, 65), ("noise", 50, 60, 127, 1), ("noise", 50, 60, 1, 128),
]


def noise(width, height):
    x = np.arange(3 * width * height, dtype=np.uint32) * np.uint32(2654435761)
    x ^= x >> np.uint32(15)
    x *= np.uint32(2246822519)
    x ^= x >> np.uint32(13)
    return (x & np.uint32(255)).astype(np.uint8).reshape(height, width, 3)


def gradient(width, height):
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    return np.stack([255 * x // width, 255 * y // height, (x + y) % 256], -1).astype(np.uint8)


def image(kind, width, height):
    if kind == "photo":
        from PIL import Image

        photo = np.array(Image.open(f"{out}/photo.png"))
        assert photo.shape == (height, width, 3)
        return photo
    return noise(width, height) if kind == "noise" else gradient(width, height)


def torch_resized(pixels, width, height):
    """As torchvision.transforms.functional: resize(to_tensor(pixels), [height, width], antialias=False)."""
    tensor = torch.from_numpy(pixels.transpose(2, 0, 1).copy()).to(torch.float32).div(255)
    if tensor.shape[1:] != (height, width):
        tensor = torch.nn.functional.interpolate(
            tensor[None], size=[height, width], mode="bilinear", align_corners=False, antialias=False)[0]
    return np.ascontiguousarray(tensor.numpy().transpose(1, 2, 0))


def all_torch(path):
    np.savez(path, *[torch_resized(image(k, W, H), w, h) for k, W, H, w, h in SIZES])


if sys.argv[1] == "--torch":  # in another interpreter, or with another setting
    torch.set_num_threads(int(sys.argv[3]))
    all_torch(sys.argv[2])
    print(torch.__version__)
    sys.exit()

import cv2, PIL, torchvision, ultralytics
import torchvision.transforms.functional as F
from PIL import Image
from ultralytics.data.augment import LetterBox

torch.set_num_threads(2)
assert torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512"), "the goldens are those of a processor with FMA"
os.makedirs(out, exist_ok=True)
Image.open(f"{here}/../../Examples/pictures/street.jpg").convert("RGB").crop((200, 150, 360, 270)).save(f"{out}/photo.png", optimize=True)


def sha256(array): return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def entry(case, result):
    """Some values (of floats, their bits) beside the digest, for whoever looks for a difference."""
    kind, W, H, w, h = case
    flat = np.ascontiguousarray(result).reshape(-1)
    if flat.dtype == np.float32: flat = flat.view(np.uint32)
    places = sorted({int(p) for p in np.linspace(0, flat.size - 1, 7)})
    return {"image": kind, "from": [W, H], "to": [w, h], "sha256": sha256(result), "places": places, "values": [int(flat[p]) for p in places]}


def sweep(resize, sources, targets):
    """One digest of every source size by every target size, in this order."""
    digest = hashlib.sha256()
    for W in sources:
        for H in sources:
            pixels = noise(W, H)
            for w, h in targets: digest.update(np.ascontiguousarray(resize(pixels, w, h)).tobytes())
    return digest.hexdigest()


def difference(python, threads, **environment):
    """The greatest difference of another PyTorch's results: absolutely, and of values from 1/255 on in units in the last place."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/results.npz"
        version = subprocess.run(
            [python, __file__, "--torch", path, str(threads)], env=os.environ | environment, check=True, capture_output=True, text=True).stdout.strip()
        found = np.load(path)
        ulps, absolute = 0, 0.0
        for index, (k, W, H, w, h) in enumerate(SIZES):
            own, other = torch_resized(image(k, W, H), w, h), found[f"arr_{index}"]
            distance = np.abs(own.view(np.int32).astype(np.int64) - other.view(np.int32))
            ulps = max(ulps, int(distance[own >= 1 / 255].max(initial=0)))
            absolute = max(absolute, float(np.abs(own - other).max()))
    return {"torch": version, "threads": threads, **environment, "ulps": ulps, "absolute": absolute}


def check_torchvision():
    for k, W, H, w, h in SIZES:
        pixels = image(k, W, H)
        theirs = F.resize(F.to_tensor(pixels), [h, w], antialias=False).numpy().transpose(1, 2, 0)
        assert np.array_equal(theirs, torch_resized(pixels, w, h))


def yolox_preproc(folder):
    """The function alone: the package would want all of its requirements."""
    for name in ("yolox", "yolox.utils"): sys.modules[name] = types.ModuleType(name)
    sys.modules["yolox.utils"].xyxy2cxcywh = None
    spec = importlib.util.spec_from_file_location("data_augment", f"{folder}/yolox/data/data_augment.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.preproc


preproc = yolox_preproc(sys.argv[1])


def yolox(pixels, width, height): return preproc(pixels, (height, width), swap=(0, 1, 2))[0].astype(np.uint8)


def ultralytics_letterbox(pixels, width, height): return LetterBox((height, width))(image=pixels)


def geometry(letterbox, W, H, w, h):
    """Image, canvas, and the resized image's size and place: seen where a black image covers the gray canvas."""
    try: canvas = letterbox(np.zeros((H, W, 3), np.uint8), w, h)
    except cv2.error: return None  # a side of 0 pixels
    ys, xs = np.nonzero(canvas[..., 0] == 0)
    return [W, H, w, h, int(xs.max() - xs.min() + 1), int(ys.max() - ys.min() + 1), int(xs.min()), int(ys.min())]


def geometries(letterbox):
    rng = np.random.default_rng(3)
    sizes = [(640, 480), (480, 640), (1920, 1080), (1080, 1920), (500, 333), (333, 500), (1, 1), (1, 7), (640, 640), (641, 640), (99, 100)]
    sizes += [tuple(int(v) for v in rng.integers(1, 1200, 2)) for _ in range(25)]
    canvases = [(640, 640), (416, 416), (384, 640), (321, 193)]
    rows = [geometry(letterbox, *size, *canvas) for size in sizes for canvas in canvases]
    return [row for row in rows if row]


TINY = [(w, h) for w in range(1, 8) for h in range(1, 8)]
LARGE = [(200, 3), (3, 200), (127, 2), (1, 127), (64, 65), (130, 130)]
sweeps = {
    "opencv": sweep(lambda p, w, h: cv2.resize(p, (w, h), interpolation=cv2.INTER_LINEAR), range(1, 7), TINY + LARGE),
    "torch": sweep(torch_resized, range(1, 7), TINY + LARGE),
}
check_torchvision()
photo = image("photo", 160, 120)
index = {
    "versions": {
        "opencv-python-headless": cv2.__version__, "torch": torch.__version__, "torchvision": torchvision.__version__,
        "ultralytics": ultralytics.__version__, "yolox": "0.3.0", "numpy": np.__version__, "Pillow": PIL.__version__,
        "python": platform.python_version(), "torch's instructions": torch.backends.cpu.get_cpu_capability(), "torch's threads": 2},
    "torch_elsewhere": [
        difference(sys.executable, 2, ATEN_CPU_CAPABILITY="avx2"), difference(sys.executable, 1),
        difference(sys.executable, 2, ATEN_CPU_CAPABILITY="default"),
        *[difference(other, 2) for other in sys.argv[2:]]],
    "opencv": [entry(c, cv2.resize(image(*c[:3]), c[3:], interpolation=cv2.INTER_LINEAR)) for c in SIZES],
    "torch": [entry(c, torch_resized(image(*c[:3]), *c[3:])) for c in SIZES],
    "sweeps": sweeps,
    "letterboxes": {"ultralytics": geometries(ultralytics_letterbox), "yolox": geometries(yolox)},
    "letterboxed": {
        name: [{"canvas": [w, h], "sha256": sha256(box(photo, w, h))} for w, h in [(416, 416), (96, 200), (321, 193), (160, 120)]]
        for name, box in [("ultralytics", ultralytics_letterbox), ("yolox", yolox)]},
}


def lines(value, depth=0):
    """JSON with one line per case, so that a difference shows which."""
    if depth < 3 and isinstance(value, dict) and any(isinstance(v, (dict, list)) for v in value.values()) and not "sha256" in value:
        return "{\n" + ",\n".join(f"{json.dumps(k)}: {lines(v, depth + 1)}" for k, v in value.items()) + "\n}"
    if depth < 3 and isinstance(value, list) and value and isinstance(value[0], (dict, list)):
        return "[\n" + ",\n".join(json.dumps(v) for v in value) + "\n]"
    return json.dumps(value)


with open(f"{out}/index.json", "w") as file: file.write(lines(index) + "\n")
