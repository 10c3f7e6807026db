"""HTTP/1 requests: lines, targets, headers and body framing."""
import random

from .mutators import NUMBERS, TEXTS, Case, cut, junk, mutate, number, pick
from .world import KEY, World

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "M-SEARCH", "SOURCE", "PROPFIND", "REPORT"]
ODD_METHODS = ["CONNECT", "PRI", "get", "G ET", "", "\0", "A" * 9000, "QUERY", "GET,", "GET\t", "\u00e9", "GETT",
               "CONNECT CONNECT"]
ODD_TARGETS = ["*", "http://localhost/v2", "http://evil.example/v2/health/live", "https://[::1]:99999/", "http://", "//v2",
               "//evil/v2", "///", "localhost:443", "v2", "/..", "/../v2", "/v2/../v2", "/v2/./health/live", "/v2//health/live",
               "/v2/health/live/", "/%76%32", "/%", "/%2", "/%zz", "/v2%2fhealth%2flive", "/v2/models/%00", "/v2/models/demo%0a",
               "/v2/models/%ff%fe", "/v2#x", "/?", "/??", "/?%", "/v2;x=1", "\\v2", "/\x01", "/\x7f", "/\u00e9", "/" + "a" * 9000,
               "/" + "a/" * 4000, "/" + "%41" * 4000, "?x", "", "/v2 x", "/v2\t"]
VERSIONS = ["HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.2", "HTTP/1.10", "HTTP/1", "HTTP/11", "http/1.1", "HTTP/-1.1", "HTTP/9.9",
            "HTTP/1.1 ", "HTTP /1.1", "ICE/1.0", "RTSP/1.0", "HTTP/99999999999.1", "", "HTTP/1.1\0"]
SEGMENTS = ["demo", "demo", "demo.raw", "nope", "demo.raw.raw", ".raw", "", ".", "..", "%64emo", "demo%20", "demo%2fx", "demo%00",
            "{model}", "a" * 1000, "%e2%88%80", "%ff", "%", "1", "0", "-1", "latest", "18446744073709551616", "list",
            "x y".replace(" ", "+")]
HOSTS = ["localhost", "127.0.0.1", "[::1]", "localhost:80", "127.0.0.1:99999", "[::1].evil.example", "[::1", "::1",
         "evil.example", "", "localhost:", "a.localhost", "localhost.evil.example", "127.1", "0", "0x7f.1", "2130706433",
         "user@localhost", "localhost/", "[::ffff:127.0.0.1%25lo]", "a" * 5000, "localhost, evil.example", "127.0.0.1 evil", "[]",
         ":", "\u00e9"]
HEADERS = {
    "Connection": ["keep-alive", "Upgrade", "Upgrade, HTTP2-Settings", "upgrade, keep-alive", "x", "", ",",
                   "keep-alive, Upgrade"],
    "Upgrade": ["h2c", "websocket", "TLS/1.0", "HTTP/2.0", "h2c, websocket", ""],
    "HTTP2-Settings": ["AAMAAABkAAQAAP__", "", "!"],
    "Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub25jZQ=="],
    "Expect": ["100-continue", "100-Continue", "200-ok", "", "100-continue, 100-continue"],
    "Content-Encoding": ["gzip", "deflate", "br", "identity", "zstd", "gzip, gzip", "x" * 900],
    "Content-Type": ["application/json", "application/json; charset=utf-16", "image/png", "image/jpeg", "image/webp", "image/x",
                     "text/plain",
                     "multipart/form-data", "multipart/form-data; boundary=", 'multipart/form-data; boundary="',
                     "multipart/form-data; boundary=x",
                     "multipart/mixed; boundary=x", "application/x-www-form-urlencoded", "application/octet-stream", "", ";", "/",
                     "*/*"],
    "Accept": ["*/*", "image/png", "image/jpeg;q=0", "application/json;q=1e999", "image/*;q=NaN", ",,,;;", "a/b;q=-1",
               "image/png, " * 300,
               "application/problem+json", "", ";q=1", "*/*;q=0.0001", "text/html"],
    "Accept-Encoding": ["gzip", "br;q=1", "identity;q=0"],
    "Range": ["bytes=0-1", "bytes=-1", "bytes=9-1", "bytes=0-18446744073709551615", "bytes=" + "0-0," * 500, "x"],
    "Origin": ["null", "http://localhost", "http://127.0.0.1", "https://evil.example", "http://[::1]", "", "//", "http://",
               "a" * 3000],
    "Sec-Fetch-Site": ["cross-site", "same-origin", "none", "x"],
    "Access-Control-Request-Method": ["POST", "", "x"],
    "traceparent": ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-" + "0" * 32 + "-" + "0" * 16 + "-00",
                    "ff-1-1-1", "", "-", "---",
                    "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra",
                    "00-" + "\u00e9" * 16 + "-b7ad6b7169203331-01"],
    "tracestate": ["a=b", "=", "a" * 2000],
    "X-Request-Id": ["abc", "", "\u00e9", "a b", "a" * 128, "a" * 129, '"', "\\", "%0d%0aSet-Cookie:x"],
    "Authorization": ["Bearer ", "Bearer x", "bearer " + "x" * 5000, "Basic Og==", "Bearer\tx", "Bearer \u00e9", "B", "",
                      "Bearer Bearer x"],
    "X-API-Key": ["", "x", "\u00e9" * 40, "x" * 5000],
    "Inference-Header-Content-Length": NUMBERS,
    "Cookie": ["a=b", "=" * 500], "TE": ["trailers", "chunked", ""], "Trailer": ["X-T", "Content-Length"],
    "Forwarded": ["for=127.0.0.1"],
    "X-Forwarded-For": ["127.0.0.1"], "X-HTTP-Method-Override": ["DELETE"], "Keep-Alive": ["timeout=0", "timeout=99999999999"],
    "If-None-Match": ["*", '"x"'], "If-Modified-Since": ["Thu, 01 Jan 1970 00:00:00 GMT", "x"], "User-Agent": ["", "a" * 4000],
}
QUERY = {"threshold": NUMBERS, "limit": NUMBERS, "labels": ["person", "1,18", ",", "," * 2000, "%2c", "\u00e9"],
         "model": ["demo", "nope", "demo.raw", "", "%64emo"], "annotate": ["true", "1", "false", "TRUE", "yes", "", "2"]}
OTHER_PATHS = ["/", "/docs", "/openapi.json", "/page.css", "/page.js", "/v1", "/v1/vision", "/v1/vision/face", "/v2/x",
               "/v2/models", "/v2/models/demo/x", "/v2/models/demo/trace/setting", "/v2/repository",
               "/v2/systemsharedmemory/status", "/v2/logging", "/favicon.ico", "/predict/", "/.env"]
BODIES = [b"", b"x", b"{}", b"[]", b"null", b'{"image":"AA=="}', b'{"url":"http://127.0.0.1/"}', b'{"ready":true}',
          b'{"ready":1}', b"\0" * 64]


def escape(text: str) -> str:
    return "".join(c if c.isalnum() and c.isascii() else "".join(f"%{b:02x}" for b in c.encode()) for c in text)


def query(rng: random.Random) -> str:
    """Known parameters, or near misses."""
    if pick(rng, 0.5):
        return ""
    pairs = []
    for _ in range(rng.choice([1, 1, 2, 3, 5])):
        name = rng.choice(list(QUERY))
        value = rng.choice(QUERY[name]) if pick(rng, 0.8) else rng.choice(TEXTS)
        if pick(rng, 0.2):
            name = rng.choice(["".join(f"%{ord(c):02x}" for c in name), name.upper(), name[:-1], "%" + name,
                               escape(rng.choice(TEXTS)), ""])
        value = escape(value) if pick(rng, 0.8) or not value.isascii() or any(c <= " " for c in value) else value
        pairs.append(name + rng.choice(["=", "=", "=", "==", ""]) + value.replace("#", "%23"))
    return "?" + rng.choice(["&", "&", ";", "&&"]).join(pairs)


def path(rng: random.Random, world: World) -> str:
    """A known path, or a near miss. Excludes loading demo, which takes seconds, and unloading it, which fails all other cases."""
    text = rng.choice(world.paths + OTHER_PATHS)
    safe = ["nope", "..", "%00", "a" * 500] if text.endswith("load") else SEGMENTS
    for name in ["{model}", "{version}"]:
        text = text.replace(name, rng.choice(safe))
    if pick(rng, 0.05) and not text.endswith("load"):
        text = rng.choice([text + "/", "/" + text, text.upper(), text + "%20", text.replace("/", "//"),
                           text.replace("/", "%2f", 2)])
    return text


def chunked(rng: random.Random, body: bytes, odd: bool) -> bytes:
    out, at = b"", 0
    while at < len(body):
        size = rng.randint(1, max(1, len(body) - at))
        line = f"{size:x}" if pick(rng, 0.7) else f"{size:08X}"
        extension = rng.choice(["", "", ";a=b", ';a="b;c"', ";" + "x" * 500])
        out += (line + extension).encode() + b"\r\n" + body[at:at + size] + b"\r\n"
        at += size
    end = b"0\r\n" + rng.choice([b"", b"", b"X-T: 1\r\n", b"X-T: " + b"y" * 900 + b"\r\nX-U:\r\n"]) + b"\r\n"
    if not odd:
        return out + end
    size = rng.choice([b"-1", b"0x5", b"g", b"", b" 5", b"5 ", b"+5", b"ffffffff", b"7fffffffffffffff", b"8000000000000000",
                       b"ffffffffffffffff", b"10000000000000000", b"1" * 300, b"5;" + b"x" * 20_000, b"00000000000000000005",
                       b"5\n", b"5\0"])
    return rng.choice([out + size + b"\r\nhello\r\n" + end, out + b"5\nhello\n0\n\n", out, out[:-2], out + b"5\r\nhel",
                       out + b"0\r\n", out + b"5\r\nhelloX\r\n" + end, out + b"0\r\n" + b"X: y\r\n" * 3000 + b"\r\n",
                       out + b"0\r\nContent-Length: 5\r\n\r\n", out + b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
                       out + b"0\r\nX\r\n\r\n", out + end + b"junk", mutate(rng, out + end)])


def spoil_framing(rng: random.Random, body: bytes) -> tuple[list[tuple[str, str]], bytes]:
    """Body headers that are false, contradictory or meaningless."""
    size = str(len(body))
    other = rng.choice([number(rng), "99", "0", size + " ", "+" + size, size + "," + size, size + ", 9", "0x5",
                        "18446744073709551615", "9" * 400, "4194305", "4194304"])
    coding = rng.choice(["chunked", "Chunked", "chunked, chunked", "identity", "gzip, chunked", "chunked, gzip", "xchunked",
                         "chunked ;a", ",chunked", "\tchunked", "chunked\x0b", "", "identity, chunked", "chu\u00f1ked"])
    length, transfer = ("Content-Length", other), ("Transfer-Encoding", coding)
    return rng.choice([
        ([length], body), ([length, ("Content-Length", size)], body), ([("Content-Length", size)] * 2, body),
        ([transfer], chunked(rng, body, False)), ([transfer], chunked(rng, body, True)), ([transfer], body),
        ([("Transfer-Encoding", "chunked")], chunked(rng, body, True)),
        ([("Transfer-Encoding", "chunked")], chunked(rng, body, True)),
        ([length, transfer], chunked(rng, body, False)),
        ([("Transfer-Encoding", "chunked"), length], chunked(rng, body, pick(rng, 0.5))),
        ([transfer, ("Transfer-Encoding", "chunked")], chunked(rng, body, False)), ([], body)])


def write(line: str, fields: list[tuple[str, str]], body: bytes) -> bytes:
    head = line + "\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
    return head.encode("utf-8", "surrogateescape") + body


def credentials(rng: random.Random) -> list[tuple[str, str]]:
    return rng.choice([[], [], [], [("X-API-Key", KEY)], [("Authorization", "Bearer " + KEY)],
                       [("Authorization", "Bearer " + KEY[:-1])], [("X-API-Key", KEY.upper())]])


def seeds(world: World) -> list[bytes]:
    host = [("Host", "localhost")]
    return [
        write("GET /v2/health/live HTTP/1.1", host + [("Accept", "*/*"), ("X-Request-Id", "abc")], b""),
        write("POST /v2/repository/index HTTP/1.1", host + [("Content-Length", "14"), ("Connection", "close")],
              b'{"ready":true}'),
        write("POST /v2/repository/index HTTP/1.1", host + [("Transfer-Encoding", "chunked")],
              b'7;a=b\r\n{"ready\r\n7\r\n":true}\r\n0\r\nX: y\r\n\r\n'),
        write("POST /predict?limit=3&annotate=true HTTP/1.1", host + [("Content-Type", "image/png"), ("Content-Length", "5")],
              b"\x89PNG\r"),
        write("OPTIONS * HTTP/1.0", host + [("Expect", "100-continue"), ("Content-Length", "0")], b""),
    ]


def generate(rng: random.Random, index: int, world: World) -> Case:
    """The case with a number. `index` counts this surface's cases."""
    if index % 12 == 0:
        return Case(index, "http1", "truncated", cut(index // 12, seeds(world)), framed=False)
    method = rng.choice(["GET", "GET", "POST", "POST", "HEAD"]) if pick(rng, 0.8) else rng.choice(METHODS)
    host = [("Host", "localhost" if pick(rng, 0.85) else rng.choice(HOSTS))]
    fields = credentials(rng) if world.guarded else []
    for _ in range(rng.choice([0, 1, 1, 2, 3, 6])):
        name = rng.choice(list(HEADERS))
        value = rng.choice(HEADERS[name]) if pick(rng, 0.85) else rng.choice([number(rng), rng.choice(TEXTS)])
        fields.append((name if pick(rng, 0.8) else rng.choice([name.upper(), name.lower()]), value.strip(" \t")))
        if "pgrade" in value and pick(rng, 0.7): fields.append(("Upgrade", rng.choice(HEADERS["Upgrade"])))
    if pick(rng, 0.1) and fields: fields.append(rng.choice(fields))
    target = path(rng, world) + query(rng)
    body = rng.choice(BODIES) if method not in ("GET", "HEAD") else b""
    line, packed = f"{method} {target} HTTP/1.1", body
    framing = [("Content-Length", str(len(body)))] if body or method == "POST" else []
    if body and pick(rng, 0.3):
        framing, packed = [("Transfer-Encoding", "chunked")], chunked(rng, body, False)
    closes = pick(rng, 0.02)
    if closes:
        fields.append(("Connection", rng.choice(["close", "Close", "TE, close", "close, TE", "CLOSE"])))
    kind = rng.choice(["plain"] * 10 + ["line", "framing", "framing", "host", "count", "bytes", "bytes", "bytes", "two", "old",
                                        "long"])
    match kind:
        case "line":
            line = rng.choice([f"{rng.choice(ODD_METHODS)} {target} HTTP/1.1", f"{method} {rng.choice(ODD_TARGETS)} HTTP/1.1",
                               f"{method} {target} {rng.choice(VERSIONS)}", f"{method}{target}HTTP/1.1", f"{method} {target}",
                               f" {line}", f"\r\n{line}"])
        case "framing": framing, packed = spoil_framing(rng, body or b'{"ready":true}')
        case "host":
            host = rng.choice([[], host * 2, [("Host", "localhost"), ("Host", "evil.example")], [("Host", rng.choice(HOSTS))] * 3,
                               [("Host ", "localhost")], [(" Host", "localhost")], [("Host", "localhost\tx")]])
        case "count":
            name = rng.choice(["X-A", "Cookie", "Accept", "a" * rng.choice([1, 700])])
            fields += [(name, "b" * rng.choice([0, 1, 300]))] * rng.choice([10, 100, 254, 255, 256, 300])
        case "long":
            sides = rng.choice([(79_000, 1), (90_000, 1), (1, 79_000), (1, 90_000), (500, 500), (500, 500)])
            fields.append(("a" * sides[0], "b" * sides[1]))
        case "old": line, closes = f"{method} {target} HTTP/1.0", True
    data = write(line, host + fields + framing, packed)
    framed = kind in ("plain", "old")
    if kind == "bytes":
        data = mutate(rng, data, rng.choice(seeds(world)))
    elif kind == "two":
        data = data + rng.choice([b"", b"\r\n", b"x", junk(rng)]) + rng.choice(seeds(world)) * rng.choice([1, 1, 20])
    if kind == "old" and any(name.lower() in ("expect", "te", "trailer", "upgrade", "connection") for name, _ in fields):
        framed = False  # not in HTTP/1.0
    if method == "TRACE": framed = False
    return Case(index, "http1", kind, data, framed, method=method, closes=closes and framed and not _keeps(fields))


def _keeps(fields: list[tuple[str, str]]) -> bool:
    """Whether the headers also ask to keep the connection."""
    values = [value.lower() for name, value in fields if name.lower() == "connection"]
    return sum(len(value) > 0 for value in values) > 1 or any("keep-alive" in value for value in values)
