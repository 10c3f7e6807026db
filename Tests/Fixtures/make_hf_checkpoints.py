"""Writes tiny random checkpoints of Hugging Face's DetrForObjectDetection, and what they answer, into checkpoints/
or a given folder. Transformers 5 and 4 name weights and settings differently, so run it once with each: 5 writes
hf-timm and hf-resnet (named as its own state_dict(); its save_pretrained() would use the names of 4 by default),
4 writes hf-timm-4 and hf-resnet-4. The numbers in the weights are the same in both.
Needs: torch, timm, transformers (5.23 and 4.44 were used; 5.0 still names them as 4), safetensors, numpy.
Downloads nothing."""
import functools, math, os, sys, zlib
import numpy as np
import timm
import torch
# A narrow ResNet-18 that transformers takes for the real one; set before it is imported, as 4 keeps its own reference.
timm.create_model = functools.partial(timm.create_model, layers=(1, 2, 1, 1), channels=(64, 16, 24, 32))
import transformers
from transformers import DetrConfig, DetrForObjectDetection, ResNetConfig

folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "checkpoints")
version = int(transformers.__version__.split(".")[0])
torch.set_num_threads(1)

labels = dict(enumerate(["N/A", "person", "bicycle", "traffic light", "stop sign"]))
common = dict(d_model=64, encoder_attention_heads=8, decoder_attention_heads=8, encoder_ffn_dim=64, decoder_ffn_dim=64,
              encoder_layers=2, decoder_layers=2, num_queries=10, use_pretrained_backbone=False,
              id2label=labels, label2id={v: k for k, v in labels.items()})
configs = {
    "hf-timm": lambda: DetrConfig(use_timm_backbone=True, backbone="resnet18", **common),
    "hf-resnet": lambda: DetrConfig(use_timm_backbone=False, backbone_config=ResNetConfig(
        embedding_size=16, hidden_sizes=[32, 48, 64, 96], depths=[1, 2, 1, 1], layer_type="bottleneck",
        out_features=["stage4"]), **common),
}


def generator(name):
    """Seeded by the name without what only one version has in it."""
    for part in (".conv_encoder", ".mlp"): name = name.replace(part, "")
    return torch.Generator().manual_seed(zlib.crc32(name.replace("out_proj", "o_proj").encode()))


def fill(model, images):
    """Random weights, then the statistics of these images as those of the batch normalizations."""
    for name, t in model.state_dict().items():
        random = torch.randn(t.shape, generator=generator(name))
        if "query_position" in name: t.copy_(1.5 * random)
        elif t.dim() > 1:
            heads, sharp = name.startswith(("class", "bbox")), t.dim() == 4 or "q_proj" in name or "k_proj" in name
            gain = 4 if heads else 2 if sharp else 1
            t.copy_(random * math.sqrt(gain / t[0].numel()))
        elif name.endswith("weight"): t.copy_(1 + 0.2 * random)
        elif name.endswith("bias"): t.copy_(0.1 * random)

    def calibrate(norm, inputs):
        norm.running_mean.copy_(inputs[0].mean((0, 2, 3))); norm.running_var.copy_(inputs[0].var((0, 2, 3)))
    hooks = [m.register_forward_pre_hook(calibrate) for m in model.modules() if "BatchNorm" in type(m).__name__]
    model(images)
    for hook in hooks: hook.remove()


with torch.no_grad():
    for name, config in configs.items():
        model = DetrForObjectDetection(config()).eval()
        fill(model, torch.randn(2, 3, 192, 256, generator=generator("calibration")))
        name += "-4" if version == 4 else ""
        model.save_pretrained(os.path.join(folder, name), **({} if version == 4 else {"save_original_format": False}))
        os.chmod(os.path.join(folder, name, "model.safetensors"), 0o644)   # written for its owner alone
        images = torch.randn(3, 3, 96, 128, generator=generator(name.removesuffix("-4")))
        sizes = np.array([[96, 128], [64, 90]], np.int64)
        mask = torch.zeros(2, 96, 128, dtype=torch.long)
        for m, (h, w) in zip(mask, sizes): m[:h, :w] = 1
        for kind, x, m in (("single", images[:1], None), ("batch", images[1:] * mask[:, None], mask)):
            y = model(pixel_values=x, pixel_mask=m)
            for key, value in (("images", x), ("logits", y.logits), ("boxes", y.pred_boxes)):
                np.save(os.path.join(folder, f"{name}.{kind}_{key}.npy"), value.numpy())
        np.save(os.path.join(folder, f"{name}.batch_sizes.npy"), sizes)
