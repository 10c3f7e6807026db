"""The usual traced export of DETR, for comparison: export_traced.py CHECKPOINT OUT.onnx [OPSET]. Needs: torch, onnx, onnxscript."""
import math, os, sys, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
t0 = time.perf_counter()
import torch
import onnx, onnxscript  # noqa: F401 - needed by torch.onnx, counted as import
import detr_reference
t1 = time.perf_counter()
checkpoint, out = sys.argv[1:3]
opset = int(sys.argv[3]) if len(sys.argv) > 3 else 12
sd = torch.load(checkpoint, map_location="cpu", weights_only=True)["model"]
t2 = time.perf_counter()


def sine_position(mask, d):
    """detr_reference's, with the sums of ones in float32 as in the official model: ONNX's CumSum does not accept booleans."""
    keep, eps, half = ~mask, 1e-6, d // 2
    y, x = keep.cumsum(1, dtype=torch.float32), keep.cumsum(2, dtype=torch.float32)
    y, x = y / (y[:, -1:] + eps) * 2 * math.pi, x / (x[:, :, -1:] + eps) * 2 * math.pi
    t = torch.arange(half).float()
    t = 10000 ** (2 * torch.div(t, 2, rounding_mode="floor") / half)
    wave = lambda v: torch.stack(((v[..., None] / t)[..., 0::2].sin(), (v[..., None] / t)[..., 1::2].cos()), 4).flatten(3)
    return torch.cat((wave(y), wave(x)), 3).flatten(1, 2)


class DETR(torch.nn.Module):
    def __init__(self, sd):
        super().__init__()
        self.names = list(sd)
        for k, v in sd.items():
            self.register_buffer(k.replace(".", "/"), v)

    def forward(self, inputs):
        sd = {k: getattr(self, k.replace(".", "/")) for k in self.names}
        return detr_reference.forward(sd, inputs)


detr_reference.sine_position = sine_position
model = DETR(sd).eval()
axes = {0: "batch", 2: "height", 3: "width"}
with torch.no_grad():
    torch.onnx.export(model, (torch.randn(1, 3, 800, 1066),), out, dynamo=False, opset_version=opset,
                      input_names=["inputs"], output_names=["pred_logits", "pred_boxes"],
                      dynamic_axes={"inputs": axes, "pred_logits": {0: "batch"}, "pred_boxes": {0: "batch"}})
t3 = time.perf_counter()
print(f"import {t1 - t0:.2f} s, load {t2 - t1:.2f} s, export {t3 - t2:.2f} s, total {t3 - t0:.2f} s (opset {opset})")
