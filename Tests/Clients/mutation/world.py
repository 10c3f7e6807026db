"""The material for cases: images, the models' tensors, and the key if one is required."""
import dataclasses
import glob
import http.client
import json
import os
import struct

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")
KEY = "mutate-0123456789abcdef-key"


@dataclasses.dataclass
class World:
    picture: bytes
    # Small images by format.
    small: dict[str, list[bytes]]
    paths: list[str]
    # Inputs and outputs of demo.raw as the server describes them.
    inputs: list[dict]
    outputs: list[str]
    # Whether the server requires a key.
    guarded: bool = False


def small_pictures() -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for path in sorted(glob.glob(os.path.join(ROOT, "Tests/Fixtures/formats/*.*"))):
        kind = path.rsplit(".", 1)[1]
        if kind in ("png", "jpeg", "webp"):
            with open(path, "rb") as file:
                found.setdefault(kind, []).append(file.read())
    return found


def make_world(picture_path: str, port: int, guarded: bool) -> World:
    with open(picture_path, "rb") as file:
        picture = file.read()
    with open(os.path.join(ROOT, "Sources/CServerPages/openapi.json")) as file:
        paths = sorted(json.load(file)["paths"])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/v2/models/demo.raw", headers={"X-API-Key": KEY})
    described = json.loads(connection.getresponse().read())
    connection.close()
    return World(picture, small_pictures(), paths, described["inputs"], [each["name"] for each in described["outputs"]], guarded)


SIZES = {"FP32": 4, "INT64": 8, "UINT8": 1, "BOOL": 1, "INT32": 4, "FP16": 2, "FP64": 8}


def tensors(world: World, batch: int, height: int, width: int) -> tuple[list[dict], list[bytes]]:
    """Inputs of demo.raw for black images of a given size, and their bytes."""
    entries, parts = [], []
    for own in world.inputs:
        if len(own["shape"]) == 4:
            shape = [batch, 3, height, width]
            data = bytes(batch * 3 * height * width * SIZES[own["datatype"]])
        else:
            shape = [batch, 2]
            data = struct.pack("<2q", height, width) * batch
        entries.append({"name": own["name"], "datatype": own["datatype"], "shape": shape})
        parts.append(data)
    return entries, parts
