"""Writes small JPEG files into cuts/, with the lengths at which Pillow still reads them when cut. Needs: Pillow, numpy."""
import io, json, os
import numpy as np
from PIL import Image

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cuts")
os.makedirs(out, exist_ok=True)
rng = np.random.default_rng(5)
index = []


def reads(data):
    try:
        image = Image.open(io.BytesIO(data), formats=["JPEG"])
        image.load()
        return True
    except Exception:
        return False


def add(name, pixels, mode="RGB", after=b"", **options):
    file = io.BytesIO()
    Image.fromarray(pixels, mode).save(file, "JPEG", **options)
    data = file.getvalue() + after
    open(f"{out}/{name}", "wb").write(data)
    index.append(dict(file=name, bytes=len(data), accepted=[n for n in range(len(data) + 1) if reads(data[:n])]))


def noise(height, width, channels=3): return rng.integers(0, 256, (height, width, channels), dtype=np.uint8)


def smooth(height, width):
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.stack([x, y, 255 - x], 2).astype(np.uint8)


black = np.zeros((16, 16, 3), dtype=np.uint8)
add("baseline.jpg", smooth(20, 28), quality=60)
add("baseline-noise.jpg", noise(9, 17), quality=30)
add("baseline-restarts.jpg", noise(24, 24), quality=20, restart_marker_blocks=1)
add("baseline-trailer.jpg", smooth(8, 8), quality=50, after=b"\0trailing bytes")
add("progressive.jpg", smooth(20, 28), quality=60, progressive=True)
add("progressive-noise.jpg", noise(9, 17), quality=30, progressive=True)
add("progressive-black.jpg", black, progressive=True)
add("progressive-full-chroma.jpg", smooth(16, 16), quality=40, progressive=True, subsampling=0)
add("progressive-gray.jpg", noise(16, 16, 1)[:, :, 0], "L", quality=30, progressive=True)
add("progressive-cmyk.jpg", noise(8, 8, 4), "CMYK", quality=20, progressive=True)
add("progressive-trailer.jpg", smooth(16, 16), quality=40, progressive=True, after=b"\0trailing bytes")
# A baseline image that is whole without its end marker, which few are: the decoder looks ahead.
for _ in range(2000):
    pixels = noise(8, 8, 1)[:, :, 0] // 64 * 16
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90, optimize=True)
    if reads(file.getvalue()[:-2]):
        add("baseline-no-end.jpg", pixels, "L", quality=90, optimize=True)
        break
else:
    print("none is whole without its end")
json.dump(index, open(f"{out}/index.json", "w"))
