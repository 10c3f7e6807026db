"""Writes small checkpoints of every kind that is read, and some that are refused: readers/. Needs: torch, safetensors, numpy.

Every good file holds the same tensors under "model": see `tensors`. What they are to be read as is in readers/values.json."""
import argparse, collections, io, json, os, pickle, struct, zipfile
import numpy as np, torch
from safetensors.torch import save_file

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "readers"))
base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 4


def tensors():
    return collections.OrderedDict(
        f32=base, turned=base.t(), rows=base[1:3], columns=base[:, ::2], shared=base.view(-1)[6:12], f16=base.half(), bf16=base.bfloat16(),
        f64=base.double(), i64=torch.arange(-3, 3), u8=torch.arange(5, dtype=torch.uint8), bool=torch.tensor([True, False, True]),
        scalar=torch.tensor(2.5), empty=torch.zeros(0, 3), parameter=torch.nn.Parameter(base[0].clone()))


args = argparse.Namespace(nheads=4, dilation=False, lr=1e-4, name="tiny", layers=[1, 2])
content = {"model": tensors(), "args": args, "epoch": 3, "optimizer": {"state": {}, "groups": [{"lr": 0.1, "betas": (0.9, 0.99)}]}}
torch.save(content, "zip.pth")
torch.save(content, "legacy.pth", _use_new_zipfile_serialization=False)
torch.save(content, "protocol4.pth", pickle_protocol=4)
torch.save(tensors(), "bare.pth")
save_file({k: v.detach().clone().contiguous() for k, v in tensors().items()}, "plain.safetensors", metadata={"format": "pt"})
json.dump({k: dict(type=str(v.dtype).removeprefix("torch."), shape=list(v.shape), values=v.detach().double().flatten().tolist())
    for k, v in tensors().items()}, open("values.json", "w"))

# ZIP64: the fields that a file above 4 GB would need, in a small one.
with zipfile.ZipFile("zip.pth") as source, zipfile.ZipFile("zip64.pth", "w", allowZip64=True) as target:
    for info in source.infolist():
        with target.open(zipfile.ZipInfo(info.filename), "w", force_zip64=True) as out: out.write(source.read(info))
raw = bytearray(open("zip64.pth", "rb").read())
end = raw.rfind(b"PK\5\6")
count, size, offset = struct.unpack("<HII", raw[end + 10:end + 20])
record = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count, size, offset)
locator = struct.pack("<IIQI", 0x07064B50, 0, end, 1)
tail = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
open("zip64.pth", "wb").write(bytes(raw[:end]) + record + locator + tail)


def repack(name, change):
    with zipfile.ZipFile("zip.pth") as source, zipfile.ZipFile(name, "w") as target:
        for info in source.infolist():
            data = change(info.filename, source.read(info))
            if data is not None: target.writestr(info.filename, data)


repack("big-endian.pth", lambda n, d: b"big" if n.endswith("byteorder") else d)
repack("missing-storage.pth", lambda n, d: None if n.endswith("data/0") else d)
repack("short-storage.pth", lambda n, d: d[:-4] if n.endswith("data/0") else d)
with zipfile.ZipFile("bomb.pth", "w", zipfile.ZIP_DEFLATED) as target:
    target.writestr("archive/data.pkl", pickle.dumps({}))
    target.writestr("archive/data/0", bytes(1 << 20))


class Call:
    def __reduce__(self): return os.system, ("touch /tmp/apus-pickle-ran",)


class Evil:
    def __reduce__(self): return eval, ("1+1",)


for name, value in [("system", Call()), ("eval", Evil())]:
    buffer = io.BytesIO()
    torch.save({"model": tensors(), "x": value}, buffer)
    open(f"{name}.pth", "wb").write(buffer.getvalue())
torch.save({"model": tensors(), "x": Call()}, "system-legacy.pth", _use_new_zipfile_serialization=False)
torch.save({"model": {"expanded": torch.zeros(1).expand(1000, 1000)}}, "expanded.pth")
torch.save({"nothing": 1}, "no-weights.pth")
torch.jit.script(torch.nn.Linear(2, 2)).save("script.pt")
