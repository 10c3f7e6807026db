"""gRPC calls with invalid heads and messages, and invalid HTTP/2."""
import random
import struct

from . import http2, protobuf
from .hpack import field, integer
from .http2 import (CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PRIORITIZED, PRIORITY, PUSH, RST,
                    SETTINGS, WINDOW, frame)
from .mutators import TEXTS, Case, cut, junk, mutate, number, pick
from .protobuf import double, part, whole
from .world import KEY, World, tensors

SERVICE = "/inference.GRPCInferenceService/"
CALLS = ["ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata", "ModelInfer", "ModelInfer", "ModelInfer",
         "RepositoryIndex", "RepositoryModelLoad", "RepositoryModelUnload"]
PATHS = ["", "/", "/inference.GRPCInferenceService", SERVICE, SERVICE + "Nope", "//", "/x/ServerLive", SERVICE + "ServerLive/",
         SERVICE + "ModelStreamInfer", "/grpc.health.v1.Health/Check",
         "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", SERVICE + "%53erverLive", "ServerLive",
         SERVICE + "a" * 5000, SERVICE.upper() + "SERVERLIVE", SERVICE + "ServerLive?x=1", "*", "/\u00e9/x", "/" * 3000]
TIMEOUTS = ["1S", "1n", "1u", "1m", "0n", "0S", "-0S", "-1S", "-9999999H", "99999999H", "9999999H", "99999999n", "100000000S",
            "1", "S", "", "1s", "1.5S", "+1S", "1 S", "0x1S", "1SS", "\u0661S", "9223372036854775807S", "00000001S", "1h", "1M",
            "1H", " 1S", "1S ", "a" * 300, "-S", "--1S", "NaNS", "1e3S"]
ENCODINGS = ["gzip", "deflate", "identity", "snappy", "zstd", "", "gzip,deflate", "GZIP", "x" * 2000, "br", "\u00e9"]
TYPES = ["application/grpc", "application/grpc+proto", "application/grpc+json", "application/grpc;charset=utf-8",
         "application/grpc-web", "application/grpcx", "APPLICATION/GRPC", "application/json", "", "text/plain",
         "application/grpc+", " application/grpc", "a" * 4000]
METADATA = [("te", "trailers"), ("te", "x"), ("te", ""), ("user-agent", "a" * 3000), ("grpc-accept-encoding", "gzip"),
            ("grpc-accept-encoding", "," * 900), ("x-bin", "!!"), ("x-bin", "AA=="), ("x-bin", "A"), ("x-bin", "AA,AA"),
            ("x-bin", ""), ("-bin", "AA"), ("grpc-trace-bin", "\u00e9"), ("grpc-tags-bin", "=" * 99), ("grpc-status", "0"),
            ("grpc-message", "%zz"), ("grpc-previous-rpc-attempts", "-1"), ("grpc-timeout", "1n"), ("x", "a" * 9000), ("x", ""),
            ("x-y", "\u2200"), ("authorization", "Bearer x"), ("authorization", ""), ("x-api-key", "x" * 4000),
            ("content-length", "5"), ("content-length", "-1"), ("content-length", "0"), ("x-request-id", "a b"),
            ("traceparent", "00-" + "0" * 32 + "-" + "0" * 16 + "-00"), ("cookie", "a=b"), ("host", "evil.example"),
            ("grpc-internal-x", "1"), ("content-encoding", "gzip"), ("accept", "*/*"), ("expect", "100-continue"),
            ("lb-token", "x"), ("endpoint-load-metrics-bin", "AA")]
DATATYPES = ["BYTES", "FP32", "INT64", "UINT8", "BOOL", "INT32", "FP16", "FP64", "BF16", "", "bytes", "\u2200", "x" * 3000]
MODELS = ["demo", "demo", "demo", "demo.raw", "demo.raw", "nope", "", "demo.raw.raw", "\0", "a" * 3000]


def fields(pairs: list[tuple[str, str]], flags: int = 0) -> bytes:
    return b"".join(field(name.encode("utf-8"), value.encode("utf-8"), flags) for name, value in pairs)


def head(call: str, more: list[tuple[str, str]] = []) -> list[tuple[str, str]]:
    return [(":method", "POST"), (":scheme", "http"), (":path", SERVICE + call), (":authority", "localhost"),
            ("content-type", "application/grpc"), ("te", "trailers")] + more


def packed(message: bytes, compressed: int = 0, length: int | None = None) -> bytes:
    return bytes([compressed]) + struct.pack(">L", (len(message) if length is None else length) & 0xffffffff) + message


def parameter(rng: random.Random, number_of: int) -> bytes:
    """An entry of a map of parameters."""
    name = rng.choice(["threshold", "limit", "binary_data_output", "classification", "shared_memory_region", "sequence_id", "",
                       "x", "\u2200"])
    value = rng.choice([whole(1, 1), whole(2, rng.choice(protobuf.INTEGERS)), part(3, rng.choice(TEXTS[:40])),
                        double(4, rng.choice([0.5, 2, -1, float("nan"), 1e999])), whole(5, rng.choice(protobuf.INTEGERS)), b"",
                        whole(2, 1) + part(3, "x"), protobuf.anything(rng)])
    return part(number_of, rng.choice([part(1, name) + part(2, value), part(2, value), part(1, name),
                                       part(2, value) + part(1, name), b""]))


def infer(rng: random.Random, world: World) -> bytes:
    model = rng.choice(MODELS)
    out, raw = part(1, model), []
    if pick(rng, 0.1): out += part(2, rng.choice(["1", "0", "x", ""]))
    if pick(rng, 0.3): out += part(3, rng.choice(TEXTS))
    for _ in range(rng.choice([0, 0, 1, 2])): out += parameter(rng, 4)
    if model == "demo.raw" and pick(rng, 0.2):  # its inputs, small
        for entry, data in zip(*tensors(world, 1, 32, 32)):
            out += part(5, part(1, entry["name"]) + part(2, entry["datatype"]) + protobuf.packed(rng, 3, entry["shape"]))
            raw.append(data)
        return out + b"".join(part(7, each) for each in raw)
    for _ in range(rng.choice([1, 1, 1, 1, 2, 0, 65])):
        if model == "demo.raw":
            own = rng.choice(world.inputs)
            shape = rng.choice([[1], [1, 3, 1, 1], [-1], [1 << 62, 4], [], [0], [1 << 32], [1] * 2000, [2, 3, 32, 32]])
            name, kind, content = own["name"], own["datatype"], bytes(rng.choice([0, 1, 4, 12, 400]))
        else:
            content = rng.choice([b"", b"x", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"])
            if pick(rng, 0.02): content = rng.choice(world.small["png"])
            name, kind, shape, content = "image", "BYTES", [1], struct.pack("<L", len(content)) + content
        if pick(rng, 0.1): name = rng.choice(TEXTS)
        if pick(rng, 0.15): kind = rng.choice(DATATYPES)
        if pick(rng, 0.1): content = mutate(rng, content)
        entry = part(1, name) + part(2, kind) + protobuf.packed(rng, 3, shape)
        if pick(rng, 0.1): entry += parameter(rng, 4)
        if pick(rng, 0.3):
            kinds = {1: [0, 1, 2], 2: protobuf.INTEGERS, 3: protobuf.INTEGERS, 4: [0, 255, 256], 5: protobuf.INTEGERS}
            which = rng.choice([1, 2, 3, 4, 5, 6, 7, 8])
            if which in kinds:
                contents = protobuf.packed(rng, which, rng.choice([kinds[which], kinds[which][:1]]))
            else:
                contents = part(which, content[rng.choice([0, 4]):])
            entry += part(5, contents)
        else:
            raw.append(content)
        out += part(5, entry)
    if pick(rng, 0.4):
        names = rng.choice([[rng.choice(world.outputs + ["boxes", "scores", "nope", ""])] * rng.choice([1, 2, 50]),
                            ["boxes", "scores"], world.outputs])
        out += b"".join(part(6, part(1, name) + (parameter(rng, 2) if pick(rng, 0.1) else b"")) for name in names)
    if pick(rng, 0.1): raw = raw + [b"x"] if pick(rng, 0.5) else raw[:-1]
    return out + b"".join(part(7, each) for each in raw)


def message(rng: random.Random, call: str, world: World) -> bytes:
    """A call's message. Loads and unloads name only nonexistent models."""
    match call:
        case "ModelInfer": out = infer(rng, world)
        case "ModelReady" | "ModelMetadata":
            out = part(1, rng.choice(MODELS))
            if pick(rng, 0.4): out += part(2, rng.choice(["1", "0", "x", ""]))
        case "RepositoryIndex": out = part(1, rng.choice(TEXTS)) + whole(2, rng.choice([0, 1, 2]))
        case "RepositoryModelLoad" | "RepositoryModelUnload":
            # Mutation must not turn it into demo.
            out = part(2, rng.choice(["nope", "", "..", "\u2200", "x" * 3000])) + parameter(rng, 3)
            return out + (protobuf.anything(rng, 9) if pick(rng, 0.3) else b"")
        case _: out = b""
    if pick(rng, 0.3):
        other = protobuf.anything(rng)
        out = rng.choice([out + other, other + out])
    return mutate(rng, out) if pick(rng, 0.2) else out


def call_case(rng: random.Random, index: int, world: World) -> Case:
    """A call in valid HTTP/2, which must get a response."""
    call = rng.choice(CALLS)
    keys = [[], [], [("x-api-key", KEY)], [("authorization", "Bearer " + KEY)], [("authorization", "Bearer " + KEY[1:])]]
    pairs = head(call, rng.choice(keys) if world.guarded else [])
    body = packed(message(rng, call, world))
    kind = rng.choice(["message"] * 6 + ["timeout", "timeout", "encoding", "type", "path", "method", "metadata", "metadata",
                                         "prefix", "prefix", "bytes", "none"])
    match kind:
        case "timeout":
            value = rng.choice(TIMEOUTS) if pick(rng, 0.8) else number(rng).strip() + rng.choice("HMSmun")
            pairs.append(("grpc-timeout", value))
        case "encoding":
            pairs.append((rng.choice(["grpc-encoding", "grpc-encoding", "grpc-accept-encoding"]), rng.choice(ENCODINGS)))
            if pick(rng, 0.6): body = packed(body[5:] if pick(rng, 0.5) else junk(rng), 1)
        case "type": pairs[4] = ("content-type", rng.choice(TYPES))
        case "path": pairs[2] = (":path", rng.choice(PATHS[1:]))
        case "method": pairs[0] = (":method", rng.choice(["GET", "PUT", "OPTIONS", "HEAD", "POSTX", "DELETE"]))
        case "metadata":
            pairs += [rng.choice(METADATA) for _ in range(rng.choice([1, 2, 5, 100]))]
            if pick(rng, 0.1): pairs += [(f"x{i}", "y" * 20) for i in range(200)]
        case "prefix":
            lie = rng.choice([0, 1, len(body), len(body) - 6, 0x7fffffff, 0xffffffff, 4 << 20, 40 << 20])
            body = rng.choice([packed(body[5:], length=lie), packed(body[5:], rng.choice([1, 2, 128, 255])),
                               body[:rng.randint(0, 4)], body * rng.choice([2, 3, 20]), body + b"\0", packed(b"", 1),
                               packed(b"") + body])
        case "bytes": body = mutate(rng, body)
        case "none": body = b""
    if any(name == "content-length" or name == "te" and value != "trailers" for name, value in pairs):
        kind += " illegal"  # restricted by HTTP/2
    if sum(32 + len(name) + len(value.encode()) for name, value in pairs) > 16_000:
        kind += " illegal"  # beyond the server's settings
    if call.endswith("load") and kind == "bytes":
        body = packed(b"")
    block = fields(pairs, rng.choice([0, 0, 0x10, 0x40]))
    if kind.endswith("illegal"):
        data = http2.HELLO + frame(HEADERS, END_HEADERS, 1, block[:16384]) + frame(DATA, END_STREAM, 1, body[:16384])
        return Case(index, "grpc", kind, data, framed=False)
    return Case(index, "grpc", kind, block, body=body[:60_000])


def odd_fields(rng: random.Random) -> bytes:
    """An invalid head."""
    pairs = head(rng.choice(CALLS[:5]))
    match rng.randrange(8):
        case 0: pairs.pop(rng.randrange(len(pairs)))
        case 1: pairs.append(rng.choice(pairs))
        case 2: rng.shuffle(pairs)
        case 3: pairs.append(rng.choice([(":status", "200"), (":protocol", "websocket"), (":x", "y"), ("", "x"), ("A", "b"),
                                         ("connection", "close"), ("x y", "z"),
                                         ("transfer-encoding", "chunked"), ("upgrade", "h2c"), ("x\0", "y"), ("x", "\0"),
                                         ("x", "a\r\nb"), ("keep-alive", "1"), (":path", "")]))
        case 4: pairs[2] = (":path", "")
        case 5: pairs += [("x", "y" * 8000)] * rng.choice([1, 3])
        case 6: pairs = []
        case 7: pairs = [(name.upper(), value) for name, value in pairs]
    block = fields(pairs, rng.choice([0, 0x10, 0x40]))
    extra = [b"\x80", b"\xff\xff\xff\xff\xff\x0f", b"\xff" * 20, b"\xbe", b"\x20", b"\x3f\xe1\x1f", b"\x3f" + b"\xff" * 10,
             integer(1 << 40, 5, 0x20), b"\x00\x81\xff\x81\xff", b"\x00\x8a" + b"\xff" * 10, b"\x7f\xff\xff\xff\x07\x01a",
             b"\x00\x7f\xff\xff\xff\x0fa", b"\x40\x01a\x01b" + b"\xbe" * 500, b"\x82\x86\x84", integer(62, 7, 0x80)]
    if pick(rng, 0.5):
        at = rng.choice([0, len(block), rng.randint(0, len(block))])
        block = block[:at] + rng.choice(extra) + block[at:]
    return mutate(rng, block) if pick(rng, 0.3) else block


def odd_frame(rng: random.Random) -> bytes:
    """An invalid or rare frame."""
    stream = rng.choice([0, 1, 2, 3, 5, 7, 0x7fffffff, 0x80000001, 0xffffffff])
    number_of = struct.pack(">L", rng.choice([0, 1, 2, 7, 13, 0x7fffffff, 0x80000000, 0xffffffff]))
    return rng.choice([
        lambda: frame(DATA, rng.choice([0, 1, PADDED, 255]), stream, rng.choice([b"", b"\xff", b"\0" * 9, junk(rng)])),
        lambda: frame(HEADERS, rng.choice([0, 1, 4, 5, 12, 37, 255]), stream, odd_fields(rng)),
        lambda: frame(HEADERS, END_HEADERS | PRIORITIZED, stream, struct.pack(">LB", stream, 255) + fields(head("ServerLive"))),
        lambda: frame(PRIORITY, rng.randrange(256), stream, rng.choice([struct.pack(">LB", stream, 0), b"", junk(rng)])),
        lambda: frame(RST, 0, stream, rng.choice([number_of, b"", b"\0" * 5])),
        lambda: frame(SETTINGS, rng.choice([0, 0, 0, 1, 255]), rng.choice([0, 0, 0, 1]),
                      b"".join(struct.pack(">H", rng.choice([0, 1, 2, 3, 4, 5, 6, 8, 9, 65535]))
                               + rng.choice([number_of, rng.randbytes(4)]) for _ in range(rng.choice([0, 1, 2, 100])))
                      + rng.choice([b"", b"", b"", b"x"])),
        lambda: frame(PUSH, END_HEADERS, stream, number_of + fields(head("ServerLive"))),
        lambda: frame(PING, rng.choice([0, 1]), rng.choice([0, 0, 1]),
                      rng.choice([b"12345678", b"", b"1" * 9])) * rng.choice([1, 1, 100]),
        lambda: frame(GOAWAY, 0, rng.choice([0, 0, 1]), rng.choice([number_of * 2, b"", number_of * 2 + b"x" * 2000])),
        lambda: frame(WINDOW, 0, stream, rng.choice([number_of, number_of, b"", b"12345"])) * rng.choice([1, 1, 3]),
        lambda: frame(CONTINUATION, rng.choice([0, 4]), stream, rng.choice([b"", odd_fields(rng)])),
        lambda: frame(rng.randrange(10, 256), rng.randrange(256), stream, junk(rng)),
        lambda: frame(rng.randrange(11), rng.randrange(256), stream, junk(rng),
                      length=rng.choice([0, 1, 5, 16384, 16385, 0xffffff])),
        lambda: frame(HEADERS, 0, stream, fields(head("ServerLive"))[:20])
        + frame(CONTINUATION, 0, stream, b"") * rng.choice([1, 50]) + frame(PING, 0, 0, b"12345678"),
    ])()


def seeds() -> list[bytes]:
    call = fields(head("ModelReady"))
    body = packed(part(1, "demo"))
    begins = [http2.settings((3, 10)), frame(SETTINGS, 0, 0) + frame(WINDOW, 0, 0, b"\0\0\1\0") + frame(PING, 0, 0, b"\1" * 8)]
    return [http2.PREFACE + begin + frame(HEADERS, END_HEADERS, 1, call) + frame(DATA, END_STREAM, 1, body) for begin in begins]


def wire_case(rng: random.Random, index: int) -> Case:
    """A connection with invalid HTTP/2."""
    block = odd_fields(rng) if pick(rng, 0.4) else fields(head(rng.choice(CALLS[:5])))
    body = packed(part(1, "demo") if pick(rng, 0.5) else b"")
    places = sorted(rng.sample(range(len(block) + 1), min(2, len(block)))) if pick(rng, 0.3) else []
    pieces = [block[start:end] for start, end in zip([0] + places, places + [len(block)])]
    kind = rng.choice(["frames", "frames", "frames", "bytes", "head", "reset", "order", "preface"])
    frames = [http2.settings(*rng.choice([[], [(4, 0)], [(4, 0x7fffffff)], [(1, 0), (5, 16384)], [(1, 0xffffffff), (6, 1)],
                                          [(5, 0xffffff), (2, 0)]]))]
    for at, piece in enumerate(pieces):
        frames.append(frame(CONTINUATION if at else HEADERS, END_HEADERS if at == len(pieces) - 1 else 0, 1, piece))
    padding = rng.choice([0, 1, 255])
    frames.append(frame(DATA, END_STREAM | PADDED, 1, bytes([padding]) + body + bytes(padding)) if pick(rng, 0.2)
                  else frame(DATA, END_STREAM, 1, body))
    match kind:
        case "frames":
            for _ in range(rng.choice([1, 1, 2, 4])): frames.insert(rng.randint(0, len(frames)), odd_frame(rng))
        case "reset":
            streams = range(3, 3 + 2 * rng.choice([1, 20, 100]), 2)
            frames += [frame(HEADERS, END_HEADERS, each, fields(head("ServerLive")))
                       + frame(RST, 0, each, struct.pack(">L", rng.randrange(14))) for each in streams]
        case "order": rng.shuffle(frames)
    data = b"".join(frames)
    if kind == "preface":
        data = rng.choice([mutate(rng, http2.PREFACE), b"", http2.PREFACE[:rng.randrange(24)], http2.PREFACE * 2,
                           b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\0\xa5\1"]) + data
    else:
        data = http2.PREFACE + (mutate(rng, data, rng.choice(seeds())) if kind == "bytes" else data)
    return Case(index, "grpc", "wire " + kind, data, framed=False)


def generate(rng: random.Random, index: int, world: World) -> Case:
    """The case with a number. `index` counts this surface's cases."""
    if index % 12 == 0:
        return Case(index, "grpc", "truncated", cut(index // 12, seeds()), framed=False)
    return call_case(rng, index, world) if pick(rng, 0.75) else wire_case(rng, index)
