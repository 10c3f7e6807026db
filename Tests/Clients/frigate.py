"""The request of Frigate's deepstack detector, and how it handles the response.

Based on frigate/detectors/plugins/deepstack.py: a JPEG of its 300x300 frame, the key beside it, a timeout; it stops at the
first object below 0.4 or with an unknown label, and reads at most 20. Usage: frigate.py URL IMAGE"""
import io
import sys

import numpy
import requests
from PIL import Image

url, path = sys.argv[1:]
labels = ["person", "bicycle", "car", "bird", "cat", "dog", "horse", "sheep", "cow", "apple"]
with Image.open(path) as picture:
    frame = picture.convert("RGB").resize((300, 300))
with io.BytesIO() as output:
    frame.save(output, format="JPEG")
    jpeg = output.getvalue()
response = requests.post(url, data={"api_key": ""}, files={"image": jpeg}, timeout=600)
answer = response.json()
assert response.status_code == 200 and answer["success"] is True, answer
detections = numpy.zeros((20, 6), numpy.float32)
count = 0
last = 1.0
for index, found in enumerate(answer["predictions"]):
    assert found["confidence"] <= last, "not sorted"
    last = found["confidence"]
    if found["confidence"] < 0.4 or found["label"] not in labels:
        break
    width, height = frame.size
    detections[index] = [labels.index(found["label"]), found["confidence"], found["y_min"] / height,
                         found["x_min"] / width, found["y_max"] / height, found["x_max"] / width]
    count += 1
assert count >= 5 and {"sheep", "cow"} <= {labels[int(row[0])] for row in detections[:count]}, answer
assert ((0 <= detections) & (detections[:, 1:] <= 1).all()).all() or (detections[:, 2:] <= 1).all()
assert all(isinstance(found[edge], int) for found in answer["predictions"] for edge in ["x_min", "y_min", "x_max", "y_max"])

refused = requests.post(url, files={"image": b"no picture"}, timeout=600)
assert refused.status_code == 400 and refused.json()["success"] is False and refused.json()["error"], refused.text
custom = url.replace("/detection", "/custom")
assert requests.post(f"{custom}/list", timeout=600).json()["models"] == ["demo"]
assert requests.post(f"{custom}/demo", files={"image": jpeg}, timeout=600).json()["count"] >= 5
print(f"frigate: {count} objects in a frame, sorted, with known labels")
