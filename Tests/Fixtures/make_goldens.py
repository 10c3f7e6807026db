"""Makes the golden data of images/ anew from the pictures in it: index.json and each picture's *.resized.png.
Needs: Pillow, numpy. The checkpoints' goldens come from Scripts/reference/detr_reference.py, which needs PyTorch."""
import json, os
import numpy as np
from PIL import Image, ImageOps

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "images")
index = json.load(open(f"{folder}/index.json"))
mean, std = np.float32([.485, .456, .406]), np.float32([.229, .224, .225])


def target(w, h, shortest, longest):   # get_size_with_aspect_ratio of DETR's datasets/transforms.py
    low, high, side = float(min(w, h)), float(max(w, h)), shortest
    if high / low * side > longest: side = int(round(longest * low / high))
    if min(w, h) == side: return w, h
    return (side, int(side * h / w)) if w < h else (int(side * w / h), side)


for entry in index:
    image = Image.open(f"{folder}/{entry['file']}")
    entry["mode"], entry["orientation"] = image.mode, image.getexif().get(274, 1)
    image = ImageOps.exif_transpose(image).convert("RGB")
    entry["decoded_size"] = list(image.size)
    size = target(*image.size, entry["shortest"], entry["longest"])
    resized = image.resize(size, Image.BILINEAR) if size != image.size else image
    entry["resized_size"] = list(resized.size)
    resized.save(f"{folder}/{entry['file']}.resized.png", optimize=True)
    x = ((np.asarray(resized, np.float32) / np.float32(255) - mean) / std).transpose(2, 0, 1)
    entry["mean"], entry["std"] = float(x.mean(dtype=np.float64)), float(x.std(dtype=np.float64, ddof=1))
    for s in entry["samples"]: s["value"] = float(x[s["c"], s["y"], s["x"]])
json.dump(index, open(f"{folder}/index.json", "w"), indent=1)
