"""The baseline: POST /predict in idiomatic Python: FastAPI, Pillow, torchvision, ONNX Runtime with OpenVINO.

uvicorn fastapi_service:app   with MODEL in the environment"""
import io
import json
import os
import time

import numpy as np
import onnxruntime as ort
import torch
from fastapi import FastAPI, File, UploadFile
from PIL import Image, ImageOps
from torchvision.transforms import functional as F

app = FastAPI()
session = ort.InferenceSession(os.environ["MODEL"], providers=[("OpenVINOExecutionProvider", {
    "device_type": "CPU", "load_config": '{"CPU":{"INFERENCE_PRECISION_HINT":"f32"}}'})])
meta = session.get_modelmeta().custom_metadata_map
shortest, longest = int(meta["shortest"]), int(meta["longest"])
names = {int(number): name for number, name in json.loads(meta["labels"]).items()}


@app.post("/predict")
def predict(file: UploadFile = File(...), threshold: float = 0.9):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(file.file.read()))).convert("RGB")
    w, h = image.size
    size = shortest
    if max(w, h) / min(w, h) * size > longest: size = round(longest * min(w, h) / max(w, h))
    if min(w, h) != size:
        image = F.resize(image, [int(size * h / w), size] if w < h else [size, int(size * w / h)])
    pixels = F.normalize(F.to_tensor(image), [.485, .456, .406], [.229, .224, .225]).unsqueeze(0).numpy()
    start = time.perf_counter()
    logits, boxes = session.run(None, {"inputs": pixels, "valid_sizes": np.array([pixels.shape[2:]], np.int64)})
    inference = time.perf_counter() - start
    scores, labels = torch.from_numpy(logits[0]).softmax(-1)[:, :-1].max(-1)
    cx, cy, bw, bh = torch.from_numpy(boxes[0]).unbind(-1)
    corners = torch.stack([cx - bw / 2, cy - bh / 2, cx + bw / 2, cy + bh / 2], -1) * torch.tensor([w, h, w, h])
    keep = scores > threshold
    order = scores[keep].argsort(descending=True)
    results = [{"score": score.item(), "label": label.item(), "category": names[label.item()], "boxes": box.tolist()}
               for score, label, box in zip(scores[keep][order], labels[keep][order], corners[keep][order])]
    return {"results": results, "inference_time": inference}
