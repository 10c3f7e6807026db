"""Writes small pictures of many kinds into formats/, with the pixels that Pillow sees. Needs: Pillow, numpy."""
import io, json, os, struct, zlib
import numpy as np
from PIL import Image, ImageOps

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "formats")
os.makedirs(out, exist_ok=True)
rng = np.random.default_rng(11)
index = []


def add(name, data, rgb=None):
    open(f"{out}/{name}", "wb").write(data)
    image = Image.open(io.BytesIO(data))
    orientation = image.getexif().get(274, 1)
    if rgb is None:
        rgb = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    index.append(dict(file=name, orientation=orientation, width=rgb.shape[1], height=rgb.shape[0], rgb=rgb.astype(np.uint8).tobytes().hex()))


# PNG: every colour type and bit depth that the standard allows, plain and interlaced.
W, H = 11, 9
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(samples, color, depth, interlaced, extra=b""):
    def chunk(kind, body): return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    def rows(part):
        data = b""
        for row in part:
            flat = row.reshape(-1)
            if depth == 16: packed = flat.astype(">u2").tobytes()
            elif depth == 8: packed = flat.astype(np.uint8).tobytes()
            else:
                bits = "".join(format(int(v), f"0{depth}b") for v in flat)
                bits += "0" * (-len(bits) % 8)
                packed = bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
            data += b"\0" + packed
        return data
    parts = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7] if interlaced else [samples]
    raw = b"".join(rows(p) for p in parts if p.shape[0] and p.shape[1])
    header = struct.pack(">IIBBBBB", W, H, depth, color, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def palette(count):
    body = rng.integers(0, 256, 3 * count, dtype=np.uint8).tobytes()
    return struct.pack(">I", len(body)) + b"PLTE" + body + struct.pack(">I", zlib.crc32(b"PLTE" + body))


def transparency(body): return struct.pack(">I", len(body)) + b"tRNS" + body + struct.pack(">I", zlib.crc32(b"tRNS" + body))


for color, channels, depths in [(0, 1, (1, 2, 4, 8, 16)), (2, 3, (8, 16)), (3, 1, (1, 2, 4, 8)), (4, 2, (8, 16)), (6, 4, (8, 16))]:
    for depth in depths:
        samples = rng.integers(0, 1 << depth, (H, W, channels))
        extra = palette(1 << depth) if color == 3 else b""
        for interlaced in (False, True):
            data = png(samples, color, depth, interlaced, extra)
            rgb = None
            if color == 0 and depth == 16:   # Pillow's 16-bit gray has no agreed way to 8 bits; as for colour, the high byte
                rgb = np.repeat(samples >> 8, 3, axis=2)
            add(f"png-{color}-{depth}{'-interlaced' if interlaced else ''}.png", data, rgb)
add("png-transparent-palette.png", png(rng.integers(0, 4, (H, W, 1)), 3, 2, False, palette(4) + transparency(b"\0\x80")))
add("png-transparent-gray.png", png(rng.integers(0, 256, (H, W, 1)), 0, 8, False, transparency(b"\0\x07")))

# EXIF orientation in each container.
smooth = np.stack(list(np.meshgrid(np.linspace(0, 255, 24), np.linspace(0, 255, 16))) + [np.full((16, 24), 90.)], 2).astype(np.uint8)
for kind, options in [("JPEG", dict(quality=95)), ("PNG", {}), ("WebP", dict(lossless=True))]:
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[274] = orientation
        b = io.BytesIO()
        Image.fromarray(smooth).save(b, kind, exif=exif, **options)
        add(f"orientation-{orientation}.{kind.lower()}", b.getvalue())

# An animation: its first frame.
frames = [Image.fromarray(rng.integers(0, 256, (12, 14, 3), dtype=np.uint8)) for _ in range(3)]
b = io.BytesIO()
frames[0].save(b, "WebP", save_all=True, append_images=frames[1:], lossless=True)
add("animated.webp", b.getvalue())
b = io.BytesIO()
Image.fromarray(rng.integers(0, 256, (12, 14, 4), dtype=np.uint8)).save(b, "WebP", lossless=True, exact=True)
add("alpha.webp", b.getvalue())

json.dump(index, open(f"{out}/index.json", "w"))
print(len(index), "pictures")
