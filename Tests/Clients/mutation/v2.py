"""Open Inference Protocol requests over HTTP: infer as JSON and with binary tensors, and repository requests."""
import base64
import json
import random
import struct

from .http1 import credentials, write
from .mutators import NUMBERS, TEXTS, Case, cut, junk, mutate, number, pick
from .world import SIZES, World, tensors

TYPES = ["FP32", "INT64", "UINT8", "BOOL", "INT32", "FP16", "FP64", "BYTES", "BF16", "INT8", "UINT64", "fp32", "", "FP32 ",
         "STRING"]
OUTPUTS = ["boxes", "scores", "labels", "categories", "pictures"]
SHAPES = [[], [0], [1], [-1], [1, -1], [1, 3, 0, 64], [1 << 32], [1 << 16, 1 << 16], [1 << 63], [(1 << 63) - 1, 2], [3, 1 << 62],
          [1] * 8, [1] * 9, [1] * 3000, [1, 3, 1, 1], [1, 3, 1, 400], [2, 3, 32, 32], [1, 4, 32, 32], [0, 1 << 62], [1.5], ["1"],
          [None], [True], [[1]], [1e300], {}]
PARAMETERS = [{}, {"binary_data_output": True}, {"binary_data_output": False}, {"binary_data_output": 1}, {"threshold": 0},
              {"threshold": 1}, {"threshold": 2}, {"threshold": "0.5"}, {"threshold": True}, {"limit": 1}, {"limit": 0},
              {"limit": 1001}, {"limit": 1.5}, {"limit": -1}, {"sequence_id": 1 << 63}, {"priority": -1}, {"timeout": 1},
              {"x": [{}]}, {"shared_memory_region": "x", "shared_memory_byte_size": 4}, {"classification": 3},
              {"shared_memory_region": "x", "shared_memory_offset": -1, "shared_memory_byte_size": 1 << 63}, {"class_count": 1},
              {"binary_data": True}, {"binary_data": "x"}, {"binary_data_size": 4}, {"binary_data_size": -1},
              {"binary_data_size": 1e999}, {"content_type": "np"}, [], "x", None, 5]
# Maximum bytes of a body: a rare, much larger one would show its one-time memory use instead of leaks.
MOST = 300_000
TINY = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP", b"x", b""]
# Replacements for a value that json.dumps never produces.
RAW = ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e-999", "-0", "01", "1.", ".1", "+1", "0x1", "1E+", "tru", "nul",
       "'x'", '"', '"\\', '"\\u"', '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\u2200"', '"\x01"', '"\\x"', "[", "]", "{",
       "}", "[1,]", "{,}", '{"a":1,"a":2}', '{"a"}', "/**/1", "9" * 5000, "0." + "3" * 5000, "1" + "0" * 400, "-" * 50,
       "[" * 600 + "]" * 600, "[" * 5000, '{"a":' * 600 + "1" + "}" * 600, "\ufeff1", "\u2028", "1 2", ""] + NUMBERS


def infer(rng: random.Random, world: World) -> tuple[str, dict, list[bytes]]:
    """A model, a valid request, and the inputs' bytes in order. Requests that run the model are rare."""
    raw, runs = pick(rng, 0.5), pick(rng, 0.02)
    if raw:
        inputs, parts = tensors(world, 1, rng.choice([32, 32, 64, 33, 1]), 32)
        if not runs:
            inputs[0]["shape"] = rng.choice(SHAPES)
    else:
        content = rng.choice(world.small["png"]) if runs else rng.choice(TINY)
        inputs, parts = [{"name": "image", "datatype": "BYTES", "shape": [1]}], [struct.pack("<I", len(content)) + content]
    document = {"inputs": inputs}
    if pick(rng, 0.5): document["id"] = rng.choice(["1", "", "a" * 200, "\u2200", 5, None])
    if pick(rng, 0.5): document["outputs"] = [{"name": name} for name in (world.outputs if raw else OUTPUTS)]
    if pick(rng, 0.3): document["parameters"] = rng.choice(PARAMETERS)
    return "demo.raw" if raw else "demo", document, parts


def as_data(entry: dict, part: bytes) -> None:
    """Puts an input's bytes into the JSON."""
    if entry["datatype"] == "BYTES":
        entry["data"] = [base64.b64encode(part[4:]).decode()]
    else:
        entry["data"] = [0] * (len(part) // SIZES.get(entry["datatype"], 4))


def spoil(rng: random.Random, document: dict, world: World) -> None:
    """Changes to the JSON's content."""
    first = document["inputs"][0]
    match rng.randrange(15):
        case 0: first["shape"] = rng.choice(SHAPES)
        case 1: first["datatype"] = rng.choice(TYPES)
        case 2: first["name"] = rng.choice(TEXTS + [5, None])
        case 3: document["inputs"] = rng.choice([[], {}, None, "x", [5], [[]], [{}],
                                                 document["inputs"] * rng.choice([2, 3, 64, 65, 200])])
        case 4: document["outputs"] = [{"name": rng.choice(world.outputs + OUTPUTS)}] * rng.choice([1, 2, 3, 50])
        case 5: document["outputs"] = rng.choice([{}, "x", [5], [{}], [{"name": 5}], [{"name": "nope"}],
                                                  [{"name": "x%d" % i} for i in range(300)]])
        case 6: document["outputs"] = [{"name": rng.choice(world.outputs + OUTPUTS), "parameters": rng.choice(PARAMETERS)}]
        case 7: document["parameters"] = rng.choice(PARAMETERS)
        case 8: first["parameters"] = rng.choice(PARAMETERS)
        case 9: first["data"] = rng.choice([[], [[]], [[[1]]], ["x"], ["===="], [None], [True, 1], {}, "x", 5, [1e308, -1e308],
                                            [[1], 2, [[3]]], [{}]])
        case 10: first.pop(rng.choice(list(first)))
        case 11: document[rng.choice(TEXTS)] = rng.choice([None, [], {}, "x" * 2000])
        case 12: document.update({"x%d" % i: i for i in range(rng.choice([10, 500]))})
        case 13: first["shape"] = [rng.choice([1, 2, 3, -1, 1 << 31, 1 << 40]) for _ in range(rng.choice([1, 2, 4, 8]))]
        case _: document["id"] = rng.choice(TEXTS)


def text(rng: random.Random, document: dict) -> bytes:
    """The JSON, sometimes with invalid content, or in another encoding."""
    out = json.dumps(document, ensure_ascii=pick(rng, 0.5), separators=rng.choice([(",", ":"), (", ", ": "), ("\r\n,", "\t:")]))
    if pick(rng, 0.25):
        places = [at for at, letter in enumerate(out[:4000]) if letter in ":[,"]
        at = rng.choice(places) + 1
        out = out[:at] + rng.choice(RAW) + rng.choice(["", "", ","]) + out[at:]
    if pick(rng, 0.1):
        # A quotation mark's byte twice in UTF-16: only a parser that knows the encoding distinguishes U+2200 from U+0022.
        out = out.replace('"inputs"', rng.choice(['"\u2200":"\u2200","inputs"', '"\u2222":0,"inputs"', '"\u0022":1,"inputs"',
                                                  '"inputs":[],"inputs"']), 1)
    encoding = rng.choice(["utf-8"] * 16 + ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "utf-8-sig", "latin-1",
                                            "utf-7"])
    return out.encode(encoding, "replace")


def seeds(world: World) -> list[bytes]:
    return [json.dumps(document).encode() for document in [
        {"id": "1", "inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": ["eA=="]}],
         "outputs": [{"name": "boxes"}]},
        {"parameters": {"binary_data_output": True, "limit": 3},
         "inputs": [{"name": world.inputs[0]["name"], "datatype": "FP32", "shape": [1, 3, 1, 1], "data": [0.5, -1e3, 1]}]}]]


def generate(rng: random.Random, index: int, world: World) -> Case:
    """The case with a number. `index` counts this surface's cases."""
    fields = credentials(rng) if world.guarded else []
    label, head = "json", None
    path = "/v2/models/{}/infer"
    if index % 12 == 0:
        model, label, body = rng.choice(["demo", "demo.raw"]), "truncated", cut(index // 12, seeds(world))
    elif pick(rng, 0.08):
        return repository(rng, index, fields)
    else:
        model, document, parts = infer(rng, world)
        binary = pick(rng, 0.5)
        # Complete tensors as JSON are long; a part of their numbers is just as invalid.
        for entry, part in zip(document["inputs"], parts):
            if binary: entry["parameters"] = {"binary_data_size": len(part)}
            else: as_data(entry, part[:400] if entry["datatype"] != "BYTES" else part)
        for _ in range(rng.choice([0, 1, 1, 2])):
            entries = document["inputs"]
            if entries and isinstance(entries, list) and entries[0] and isinstance(entries[0], dict): spoil(rng, document, world)
        body = text(rng, document)
        if binary:
            label, head, body = "binary", str(len(body)), body + b"".join(parts)
            label, head, body = spoil_binary(rng, label, head, body)
        elif pick(rng, 0.3):
            label, body = "json bytes", mutate(rng, body, rng.choice(seeds(world)))
        if pick(rng, 0.05):
            path = rng.choice(["/v2/models/{}/versions/1/infer",
                               "/v2/models/{}/versions/" + rng.choice(["0", "-1", "x", "%00"]) + "/infer"])
    body = body[:MOST]
    if head is not None:
        fields.append(("Inference-Header-Content-Length", head))
    fields.append(("Content-Type", rng.choice(["application/json", "application/octet-stream", "application/json; charset=utf-16",
                                               "text/plain"])))
    if pick(rng, 0.02):
        fields.append(("Content-Encoding", rng.choice(["gzip", "deflate", "identity", "x"])))
    fields += [("Host", "localhost"), ("Content-Length", str(len(body)))]
    return Case(index, "v2", label, write(f"POST {path.format(model)} HTTP/1.1", fields, body), method="POST")


def spoil_binary(rng: random.Random, label: str, head: str, body: bytes) -> tuple[str, str, bytes]:
    match rng.randrange(12):
        case 0: return "binary head", number(rng).strip(), body
        case 1: return "binary head", str(int(head) + rng.choice([-1, 1, -len(body), len(body)])), body
        case 2: return "binary tail", head, body + junk(rng)
        case 3: return "binary tail", head, body[:-rng.randint(1, 5)]
        case 4:
            size = rng.choice([b"\xff\xff\xff\xff", b"\0\0\0\x80", b"\xff\xff\xff\x7f", b"\0"])
            return "binary sizes", head, body[:int(head)] + size * 3
        case 5: return "binary whole", "0", rng.choice(TINY) if pick(rng, 0.9) else body
        case 6 | 7: return "binary bytes", head, mutate(rng, body[:4000])
        case _: return label, head, body


def repository(rng: random.Random, index: int, fields: list[tuple[str, str]]) -> Case:
    """Names nonexistent models: loading takes seconds, and an unloaded model would fail all other cases."""
    path = f"/v2/repository/models/{rng.choice(['nope', '..', '%00', 'x' * 3000])}/{rng.choice(['load', 'unload'])}"
    if pick(rng, 0.4): path = "/v2/repository/index"
    bodies = [b"", b"{}", b'{"ready":true}', b'{"ready":"x"}', b'{"ready":1}', b'{"ready":null}', b"[]", b"{",
              b'{"parameters":{"unload_dependents":true}}', b'{"parameters":{"config":"{}","file:1/x":"AA=="}}', b"[" * 900,
              b"[" * 1100, b'{"ready":' + b"9" * 3000 + b"}", '{"\u2200":1}'.encode("utf-16"), b'{"a":1,' * 600]
    body = rng.choice(bodies)
    if pick(rng, 0.4):
        body = mutate(rng, body)
    fields = fields + [("Host", "localhost"), ("Content-Length", str(len(body)))]
    return Case(index, "v2", "repository", write(f"POST {path} HTTP/1.1", fields, body), method="POST")
