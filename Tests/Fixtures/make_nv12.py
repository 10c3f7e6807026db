"""Writes nv12.json: NV12 frames and what OpenCV makes of them. Needs: numpy, opencv-python-headless."""
import base64, json, os
import cv2
import numpy as np

rng = np.random.default_rng(12)
frames = []
for width, height in [(2, 2), (16, 4), (6, 10)]:
    frame = rng.integers(0, 256, (height * 3 // 2, width), dtype=np.uint8)
    frame.flat[:2] = [0, 255]  # beyond the limited range
    rgb = cv2.cvtColor(frame, cv2.COLOR_YUV2RGB_NV12)
    frames.append({"width": width, "height": height, "nv12": base64.b64encode(frame.tobytes()).decode(),
                   "rgb": base64.b64encode(rgb.tobytes()).decode()})
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "formats", "nv12.json")
with open(path, "w") as file:
    json.dump({"opencv": cv2.__version__, "frames": frames}, file, indent=1)
    file.write("\n")
