"""Writes what PyTorch answers for the checkpoints tiny-*.pth: checkpoints/NAME.KIND.npy, float32.

Usage: make_checkpoint_goldens.py, in this folder's project. Needs: torch, numpy. KIND is single_ or batch_ and images, logits
or boxes; *_exact are computed in f64, which tells how far PyTorch's own f32 answers are off; batch_ pictures are 128x160
and 100x120 on one canvas; alone_ is the second of them without its padding. sizes_* are answers at several batch sizes and shapes for pictures that a formula gives.
"""
import os, sys
import numpy as np, torch

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "../../Scripts/reference"))
import detr_reference as reference

SIZES = [(1, 33, 65), (2, 64, 96), (5, 70, 101), (1, 160, 128)]


def forward(state, images, mask, dilated, exact=False):
    to_float = torch.Tensor.float
    if exact: torch.Tensor.float, images = torch.Tensor.double, images.double()
    try:
        with torch.no_grad(): return [t.float().numpy() if not exact else t.numpy().astype(np.float32) for t in reference.forward(state, images, mask, 8, dilated)]
    finally: torch.Tensor.float = to_float


for name in ["tiny-basic", "tiny-bottleneck", "tiny-bottleneck-dc5", "tiny-bottleneck-legacy"]:
    path = f"{here}/checkpoints/{name}"
    state = torch.load(path + ".pth", weights_only=True)["model"]
    mask = torch.ones(2, 128, 160, dtype=torch.bool)
    mask[0], mask[1, :100, :120] = False, False
    for kind, mask in [("single", None), ("batch", mask)]:
        if not os.path.exists(f"{path}.{kind}_images.npy"):
            shape = (1, 3, 96, 128) if kind == "single" else (2, 3, 128, 160)
            images = np.random.default_rng(5).standard_normal(shape).astype(np.float32)
            if mask is not None: images *= ~mask[:, None].numpy()
            np.save(f"{path}.{kind}_images.npy", images)
        images = torch.from_numpy(np.load(f"{path}.{kind}_images.npy"))
        for suffix, exact in [("", False), ("_exact", True)]:
            for what, value in zip(["logits", "boxes"], forward(state, images, mask, "dc5" in name, exact)):
                np.save(f"{path}.{kind}_{what}{suffix}.npy", value)
    alone = torch.from_numpy(np.load(f"{path}.batch_images.npy"))[1:, :, :100, :120].contiguous()
    for what, value in zip(["logits", "boxes"], forward(state, alone, None, "dc5" in name)):
        np.save(f"{path}.alone_{what}.npy", value)
    if name == "tiny-basic" or "dc5" in name:
        for b, h, w in SIZES:
            images = torch.from_numpy((2 * np.sin(0.37 * np.arange(b * 3 * h * w))).astype(np.float32).reshape(b, 3, h, w))
            for suffix, exact in [("", False), ("_exact", True)]:
                for what, value in zip(["logits", "boxes"], forward(state, images, None, "dc5" in name, exact)):
                    np.save(f"{path}.size_{b}x{h}x{w}_{what}{suffix}.npy", value)
