"""Expensive requests, one at a time: measures the CPU time of each until the server is idle again."""
import base64
import json
import re
import struct
import zlib

from . import calls, clients, http2
from .findings import Findings
from .grpc_cases import fields, head, packed
from .hpack import field
from .http1 import write
from .http2 import CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, PRIORITY, RST, SETTINGS, WINDOW, frame
from .mutators import Case
from .protobuf import part, tag, varint, whole
from .server import Server
from .world import World, make_world, tensors

MOST = 19_000_000  # bytes of a body, below the default limit


def png(width: int, height: int, data: bytes, depth: int = 8, kind: int = 0, interlaced: int = 0,
        more: list[tuple[bytes, bytes]] = []) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced))
    return out + b"".join(chunk(*each) for each in more) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def zeros(count: int) -> bytes:
    """Deflated zeros, generated quickly."""
    packer = zlib.compressobj(9)
    block, out = bytes(1 << 20), []
    for _ in range(count >> 20): out.append(packer.compress(block))
    return b"".join(out) + packer.compress(bytes(count & (1 << 20) - 1)) + packer.flush()


def progressive(side: int, scans: int, refines: bool) -> bytes:
    """A gray JPEG that repeats its last scan; each encodes in a few bytes that all coefficients are, or stay, zero."""
    def segment(mark: int, content: bytes) -> bytes:
        return bytes([0xff, mark]) + struct.pack(">H", len(content) + 2) + content
    blocks = ((side + 7) // 8) ** 2
    tables = segment(0xdb, b"\0" + b"\1" * 64) + segment(0xc2, struct.pack(">BHHB", 8, side, side, 1) + b"\1\x11\0")
    # One-bit codes: a difference of 0, and the end of 2^14 and more blocks.
    tables += segment(0xc4, b"\0" + b"\1" + bytes(15) + b"\0") + segment(0xc4, b"\x10" + b"\1" + bytes(15) + b"\xe0")
    first = segment(0xda, b"\1\1\0\0\0\0") + bytes(blocks // 8 + 1)
    runs = -(-blocks // 16384)
    bits = "".join("0" + "0" * 14 for _ in range(runs))
    bits += "1" * (-len(bits) % 8)
    zero = bytes(int(bits[at:at + 8], 2) for at in range(0, len(bits), 8))
    once, again = (segment(0xda, b"\1\1\0\x01\x3f" + bytes([steps])) + zero for steps in ((1, 0x10) if refines else (0, 0)))
    return b"\xff\xd8" + tables + first + once + again * scans + b"\xff\xd9"


def post(path: str, kind: str, body: bytes, *more: tuple[str, str]) -> bytes:
    return write(f"POST {path} HTTP/1.1", [("Host", "localhost"), ("Content-Type", kind), ("Content-Length", str(len(body))),
                                           *more], body)


def infer(body: str | bytes, *more: tuple[str, str], model: str = "demo.raw") -> bytes:
    return post(f"/v2/models/{model}/infer", "application/json", body if isinstance(body, bytes) else body.encode(), *more)


def sized(text: str, data: bytes, model: str = "demo.raw") -> bytes:
    """JSON and the binary tensors that it describes."""
    return infer(text.encode() + data, ("Inference-Header-Content-Length", str(len(text))), model=model)


def form(parts: bytes) -> bytes:
    return post("/predict", "multipart/form-data; boundary=x", parts)


def image(data: bytes, path: str = "/predict") -> bytes:
    return post(path, "image/x", data)


def binary(world: World, sides: tuple[int, int, int], outputs: list[str], more: str = "") -> bytes:
    """Requests outputs of demo.raw for a batch of a given size."""
    entries, parts = tensors(world, *sides)
    for entry, data in zip(entries, parts): entry["parameters"] = {"binary_data_size": len(data)}
    return sized(f'{{"inputs":{json.dumps(entries)},"outputs":[{",".join(outputs)}]{more}}}', b"".join(parts))


def named(name: str) -> str:
    return f'{{"name":"{name}"}}'


def requests(world: World):
    """Names and bytes of HTTP/1 requests."""
    one = '{"inputs":[{"name":"%s","datatype":"FP32","shape":%s,"data":[%s]}]}'
    first = world.inputs[0]["name"]
    picture = '{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"data":["%s"]}],"outputs":[%s]}'
    pixel = base64.b64encode(world.small["png"][0]).decode()
    yield "outputs: one, 20,000 times", binary(world, (1, 64, 64), [named(world.outputs[0])] * 20_000)
    yield "outputs: one, 20,000 times, binary", binary(world, (1, 64, 64), [named(world.outputs[0])] * 20_000,
                                                       ',"parameters":{"binary_data_output":true}')
    yield "outputs: boxes, 200,000 times", infer(picture % (pixel, ",".join([named("boxes")] * 200_000)), model="demo")
    yield "a tensor 1x3x1x400000", binary(world, (1, 1, 400_000), [])
    yield "a tensor 1x3x1200x1200", binary(world, (1, 1200, 1200), [])
    yield "a tensor 300x3x64x64", binary(world, (300, 64, 64), [])
    yield "a shape of a million sides", infer(one % (first, "[" + "1," * 1_000_000 + "1]", "0"))
    yield "a number of 19 million digits", infer(one % (first, "[1]", "1" * MOST))
    yield "a fraction of 19 million digits", infer(one % (first, "[1]", "0." + "1" * MOST))
    yield "an exponent of 19 million digits", infer(one % (first, "[1]", "1e" + "1" * MOST))
    yield "1.9 million numbers", infer(one % (first, "[1]", "0.12345678," * 1_720_000 + "1"))
    many = (one % (first, "[1]", "1," * 4_000_000 + "1"))[1:]
    yield "4 million numbers in UTF-16", infer(('{"\u2200":0,' + many).encode("utf-16"))
    yield "19 MB of arrays", infer("[" * MOST)
    yield "19 MB of objects", infer('{"":' * (MOST // 4))
    yield "19 MB of spaces", infer(" " * MOST)
    yield "19 MB of a text", infer('{"id":"' + "a" * MOST + '"}')
    yield "19 MB of escapes", infer('{"id":"' + "\\u2200" * (MOST // 6) + '"}')
    yield "19 MB of surrogates", infer('{"id":"' + "\\ud800" * (MOST // 6) + '"}')
    yield "500,000 keys", infer("{" + ",".join(f'"{number}":1' for number in range(500_000)) + "}")
    yield "500,000 times a key", infer("{" + ",".join(['"a":1'] * 500_000) + "}")
    yield "400,000 inputs", infer('{"inputs":[' + ",".join(["{}"] * 400_000) + "]}")
    yield "19 MB of invalid base64", infer(picture % ("=" * MOST, ""), model="demo")
    text = '{"inputs":[{"name":"image","datatype":"BYTES","shape":[4000000],"parameters":{"binary_data_size":16000000}}]}'
    yield "4 million empty elements", sized(text, bytes(16_000_000), "demo")
    yield "19 MB to an index", post("/v2/repository/index", "application/json", b"[" * MOST)
    yield "19 MB of digits to /predict", post("/predict", "application/json", b'{"image":' + b"1" * MOST + b"}")
    yield "19 MB of digits to DeepStack", post("/v1/vision/detection", "application/json", b'{"image":' + b"1" * MOST + b"}")
    yield "19 MB of base64 with junk", post("/predict", "application/json", b'{"image":"' + b"A!" * (MOST // 2) + b'"}')
    yield "300,000 parts", form(b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 300_000 + b"--x--\r\n")
    yield "4 million boundaries", form(b"--x\r\n" * (MOST // 5))
    yield "9 million dashes", form(b"--x\r\n\r\n\r\n" + b"\r\n--" * (MOST // 4))
    yield "a part with 19 MB of headers", form(b"--x\r\n" + b"a: b\r\n" * (MOST // 6) + b"\r\n\r\n--x--")
    yield "a disposition of 19 MB", form(b"--x\r\nContent-Disposition: form-data" + b'; a="\\"' * (MOST // 7) + b"\r\n\r\n--x--")
    names = "&".join(f"a{number}=%41" for number in range(8000))
    yield "a query of 70 KB", write(f"GET /v2/health/live?{names} HTTP/1.1", [("Host", "localhost")], b"")
    yield "a query of 70 KB to /predict", post("/predict?labels=" + "%2c" * 24_000, "image/png", b"x")
    yield "an Accept of 70 KB", post("/predict?annotate=true", "image/png", b"x", ("Accept", "a/b;q=0.1," * 6500))
    yield "chunks of a byte", write("POST /predict HTTP/1.1", [("Host", "localhost"), ("Transfer-Encoding", "chunked")],
                                    b"1\r\nx\r\n" * 500_000 + b"0\r\n\r\n")
    yield "19 MB after a PNG's last row", image(png(100, 100, zeros(10_100 + (3 << 30))))
    yield "a PNG of 7000x7000", image(png(7000, 7000, zeros(7001 * 7000)))
    yield "an interlaced PNG of 7000x7000 in 16 bits", image(png(7000, 7000, zeros(7000 * 7000 * 8 + 20_000), 16, 6, 1))
    yield "a PNG of 50,000,000x1", image(png(50_000_000, 1, zeros(50_000_001)))
    yield "a PNG of 1x50,000,000", image(png(1, 50_000_000, zeros(100_000_000)))
    yield "a PNG of 40,000x20, drawn on", image(png(40_000, 20, zeros(40_001 * 20)), "/predict?annotate=true&threshold=0")
    texts = [(b"zTXt", b"a\0\0" + zeros(18 << 20))] + [(b"zTXt", b"a\0\0" + zeros(1 << 20))] * 1000
    yield "a PNG with 1 GB of text", image(png(8, 8, zeros(72), more=texts))
    yield "a PNG with an ICC profile of 1 GB", image(png(8, 8, zeros(72), more=[(b"iCCP", b"a\0\0" + zeros(1 << 30))]))
    yield "a PNG with 1 million chunks", image(png(8, 8, zeros(72), more=[(b"teSt", b"")] * 1_000_000))
    yield "a progressive JPEG with 480 scans", image(progressive(7000, 480, False))
    yield "a progressive JPEG with 480 refining scans", image(progressive(7000, 480, True))
    yield "a progressive JPEG with 3000 scans", image(progressive(7000, 3000, False))
    yield "a JPEG with 4 million markers", image(b"\xff\xd8" + b"\xff\xfe\0\2" * (MOST // 4) + progressive(64, 1, False)[2:])
    yield "a JPEG with 19 MB of fill bytes", image(b"\xff\xd8" + b"\xff" * MOST + progressive(64, 1, False)[3:])
    yield "a WebP of 16383x16383", image(b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\xff\xff\xff\x0f" + bytes(9))


def wires():
    """Names and bytes of HTTP/2 connections. All are bounded."""
    hello = http2.HELLO
    live = fields(head("ServerLive"))
    opened = frame(HEADERS, END_HEADERS, 1, live)
    def reset(stream: int) -> bytes: return frame(HEADERS, END_HEADERS, stream, live) + frame(RST, 0, stream, b"\0\0\0\x08")
    yield "10,000 calls that are reset", hello + b"".join(reset(stream) for stream in range(1, 20_001, 2))
    yield "100,000 settings", hello + frame(SETTINGS, 0, 0, struct.pack(">HL", 4, 70_000)) * 100_000
    yield "100,000 pings", hello + frame(PING, 0, 0, b"12345678") * 100_000
    yield "100,000 priorities", hello + b"".join(frame(PRIORITY, 0, n | 1, b"\0\0\0\0\1") for n in range(3, 200_003, 2))
    yield "200,000 empty parts", hello + opened + frame(DATA, 0, 1) * 200_000
    yield "100,000 windows", hello + opened + frame(WINDOW, 0, 1, b"\0\0\0\1") * 100_000
    yield "100,000 continuations", hello + frame(HEADERS, 0, 1, live) + frame(CONTINUATION, 0, 1) * 100_000
    more = fields([("a", "b" * 60)]) * 250
    yield "8 MB of continuations", hello + frame(HEADERS, 0, 1, live) + frame(CONTINUATION, 0, 1, more) * 500
    long = live + field(b"a", b"b" * 3900, 0x40)
    yield "a bomb of indexed fields", hello + frame(HEADERS, 0, 1, long) + frame(CONTINUATION, END_HEADERS, 1, b"\xbe" * 16_000)
    yield "16,000 table sizes", hello + frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x20\x3f\xe1\x1f" * 4000 + live)
    yield "100,000 unknown frames", hello + frame(99, 0, 0, b"x") * 100_000


def messages(world: World):
    """Names, methods and messages."""
    picture = part(1, "demo") + part(5, part(1, "image") + part(2, "BYTES") + whole(3, 1))
    raw = part(7, struct.pack("<L", len(world.small["png"][0])) + world.small["png"][0])
    yield "outputs: boxes, 200,000 times", "ModelInfer", picture + part(6, part(1, "boxes")) * 200_000 + raw
    yield "19 MB of unknown fields", "ModelInfer", whole(100, 1) * (MOST // 3)
    yield "19 MB of groups", "ModelInfer", tag(100, 3) * (MOST // 2)
    def tensor(kind: str, more: bytes) -> bytes: return part(1, "demo.raw") + part(5, part(1, "x") + part(2, kind) + more)
    yield "a shape of a million sides", "ModelInfer", tensor("FP32", part(3, b"\1" * 1_000_000)) + part(7, b"1234")
    parameters = (part(4, part(1, "%06d" % number) + part(2, whole(2, number))) for number in range(100_000))
    yield "100,000 parameters", "ModelInfer", picture + b"".join(parameters) + raw
    yield "500,000 inputs", "ModelInfer", part(1, "demo") + part(5, part(1, "image")) * 500_000
    yield "2 million numbers", "ModelInfer", tensor("INT64", part(5, part(3, b"\1" * 2_000_000)))
    entries, parts = tensors(world, 1, 64, 64)
    message = part(1, "demo.raw") + part(6, part(1, world.outputs[0])) * 20_000
    for entry, data in zip(entries, parts):
        shape = b"".join(varint(side) for side in entry["shape"])
        message += part(5, part(1, entry["name"]) + part(2, entry["datatype"]) + part(3, shape)) + part(7, data)
    yield "outputs: one, 20,000 times", "ModelInfer", message
    yield "a name of 19 MB", "ModelMetadata", part(1, "\u2200" * (MOST // 3))


def run(apus: str, picture: str, findings: Findings, most_cpu: float, only: re.Pattern | None = None) -> str:
    """Runs them on a server with the default size limits; with `only`, just those whose names match."""
    server = Server(apus, "--timeout", "600")
    world = make_world(picture, server.port, False)
    clients.HTTP1(server.port).run(Case(0, "expensive", "", image(world.picture)))  # excludes the cost of the first image
    count, worst = 0, (0.0, "")
    def each():
        for name, data in requests(world): yield "http", name, data, b""
        for name, data in wires(): yield "wire", name, data, b""
        for name, call, message in messages(world): yield "call", name, fields(head(call)), packed(message)
    for kind, name, data, body in each():
        if only and not only.search(name): continue
        before = server.idle_cpu()
        server.reset_peak()
        resting = server.peak()
        case = Case(count, "expensive", name, data, kind != "wire", body, "POST")
        try:
            match kind:
                case "http":
                    client = clients.HTTP1(server.port)
                    result = client.whole(case, timeout=600)
                    client.close()
                case "wire": result = calls.run_wire(server.grpc_port, case)
                case _: result = calls.run_calls(server.grpc_port, [case], True, 600)[0]
        except OSError as error:
            result = clients.Result(["unreachable"], f"no connection: {error!r}")
        count += 1
        if not server.alive():
            findings.add("expensive", f"{name}: the server died: {server.end()}", [case], "")
            server = Server(apus)
            continue
        spent = server.idle_cpu(600) - before
        peak, health = server.peak() - resting, server.healthy()
        print(f"expensive: {name}: {spent:.2f} s of CPU, {peak / 1e6:.0f} MB more, {result.outcomes[0]}", flush=True)
        worst = max(worst, (spent, name))
        for problem in [result.problem, health, f"{spent:.1f} s of CPU" if spent > most_cpu else None]:
            if problem: findings.add("expensive", f"{name}: {problem}", [case], "", result.text[:2000], server)
        if findings.full: break
    problem = server.stop()
    if problem: findings.add("server", problem, [], "")
    return f"expensive: {count} requests, at most {worst[0]:.1f} s of CPU ({worst[1]})"
