"""Forms and images: POST /predict and /v1/vision/detection."""
import base64
import random

from .http1 import credentials, query, write
from .mutators import NUMBERS, TEXTS, Case, cut, junk, mutate, number, pick
from .world import KEY, World

BOUNDARIES = ["x", "----WebKitFormBoundary7MA4YWxkTrZu0gW", "a" * 70, "a" * 71, "a" * 5000, "'()+_,-./:=?", "a b", "", " ", "-",
              "--", "0", "x\u00e9", "\u2200"]
NAMES = ["file", "image", "image", "min_confidence", "api_key", "typedet", "nope", "", "file2", "File", "a" * 3000, "\u2200",
         'a\\"b', "a%22b", "a%0d%0ab"]
FILENAMES = ["a.png", "", "../../etc/passwd", "C:\\a.png", 'a\\"b.png', 'a"b', "\u202egnp.a", "a\tb", "a" * 5000, "%00",
             "=?utf-8?q?a?=", "\u00e9.jpg"]
DISPOSITIONS = ["", "form-data", "form-data;", "form-data; name", 'form-data; name="', "form-data; name=file",
                "attachment; filename=a", "FORM-DATA; NAME=\"file\"", 'form-data; name="file"; name="image"',
                "form-data; name*=utf-8''file", "form-data; filename*=utf-8''%ff; name=\"file\"", 'form-data; name="\\',
                "x" * 20_000, 'form-data ; name = "file"', "form-data; name='file'", 'form-data; name="fi\\le"',
                'form-data' + '; a="b"' * 2000, 'form-data; name="file" x']

PART_TYPES = ["image/png", "text/plain; charset=utf-16", "multipart/mixed; boundary=x", "", "x" * 3000]
FORM_TYPES = ["multipart/form-data;boundary=", "Multipart/Form-Data; BOUNDARY=", "multipart/form-data; a=b; boundary=",
              "multipart/mixed; boundary=", "multipart/form-data boundary=", "multipart/form-data; boundary=y; boundary="]
ADDRESSES = ["", "http://", "https://localhost/", "file:///etc/passwd", "http://[::1]:1/", "//", "http://a@b:c/", "gopher://x",
             "http://127.0.0.1:1/", "a" * 5000, "\u2200", "http://%00/"]
DOCUMENTS = [b"[" * 90, b"[" * 200, b'{"image":"","url":""}', b'{"image":null}', b"{}", b"", b'{"image":' * 50,
             '{"image":"\u2200"}'.encode("utf-16"), b'{"image":"' + b"\\u2200" * 2000 + b'"}', b'{"image":' + b"1" * 9000 + b"}"]


def content(rng: random.Random, world: World) -> bytes:
    """An image or not. Cases that run the model are rare, as each takes longer than a hundred others."""
    chance = rng.random()
    if chance < 0.02:
        return world.picture if pick(rng, 0.2) else rng.choice(rng.choice(list(world.small.values())))
    if chance < 0.2:
        return mutate(rng, rng.choice(world.small["png"]))
    if chance < 0.25:
        return mutate(rng, rng.choice(world.small[rng.choice(["jpeg", "webp"])]))
    if chance < 0.3:
        return mutate(rng, world.picture[:rng.choice([200, 700, 3000])])
    return rng.choice([b"", b"x", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF", b"GIF89a", b"BM", b"--x", b"\r\n--x--",
                       junk(rng), b"0.5", b"nan"])


def part(rng: random.Random, world: World) -> bytes:
    name, filename = rng.choice(NAMES), rng.choice(FILENAMES) if pick(rng, 0.4) else "a.png"
    disposition = f'form-data; name="{name}"'
    if pick(rng, 0.6): disposition += f'; filename="{filename}"'
    if pick(rng, 0.12): disposition = rng.choice(DISPOSITIONS)
    lines = [f"Content-Disposition: {disposition}"]
    if pick(rng, 0.3): lines.append("Content-Type: " + rng.choice(PART_TYPES))
    if pick(rng, 0.1): lines.append("Content-Transfer-Encoding: " + rng.choice(["base64", "quoted-printable", "binary", "x"]))
    if pick(rng, 0.08):
        lines = rng.choice([[], lines * 2, ["x"] + lines, [":"] + lines, lines + ["X: y"] * 300,
                            [each.replace(": ", ":") for each in lines], [each.lower() for each in lines],
                            [each + "\r\n folded" for each in lines], [" " + each for each in lines]])
    if name in ("min_confidence", "api_key", "typedet") and pick(rng, 0.8):
        value = rng.choice([number(rng).encode(), rng.choice(TEXTS).encode(), KEY.encode(), b"x" * 4097])
    else:
        value = content(rng, world)
    return "\r\n".join(lines).encode() + rng.choice([b"\r\n\r\n"] * 12 + [b"\r\n", b"\n\n", b"", b"\r\n \r\n"]) + value


def form(rng: random.Random, world: World) -> tuple[str, bytes]:
    """A form's content type and body."""
    boundary = "x" if pick(rng, 0.6) else rng.choice(BOUNDARIES)
    mark = b"--" + boundary.encode()
    parts = [part(rng, world) for _ in range(rng.choice([0, 1, 1, 1, 2, 3, 5]))]
    if pick(rng, 0.03): parts = parts[:1] * rng.choice([16, 17, 500])
    ends = [b"\r\n"] * 12 + [b"\n", b"\r", b"", b" \r\n", b"\t\r\n", b"--\r\n"]
    body = rng.choice([b"", b"", b"", b"preamble\r\n", b"\r\n", junk(rng)])
    for each in parts:
        body += mark + rng.choice(ends) + each + rng.choice([b"\r\n"] * 16 + [b"\n", b"", b"\r\n\r\n"])
    body += rng.choice([mark + b"--\r\n"] * 12 + [mark + b"--", mark, b"", mark[:-1], mark + b"-", mark + b"--x",
                                                  mark + b"--\r\n" + junk(rng), mark + b"--" + mark])
    said = rng.choice([boundary] * 12 + [f'"{boundary}"', f'"{boundary}', f"{boundary};x", boundary.upper(),
                                         rng.choice(BOUNDARIES), f"'{boundary}'", f'"\\{boundary}"'])
    return rng.choice(["multipart/form-data; boundary="] * 12 + FORM_TYPES) + said, body


def document(rng: random.Random, world: World) -> bytes:
    """JSON with an image."""
    value = base64.b64encode(content(rng, world)).decode()
    match rng.randrange(12):
        case 0: value = "data:image/png;base64," + value
        case 1: value = rng.choice(["data:", "data:,", "====", "A", "A===", "\\ud800", "\\u0000" * 50, "-_-_", value + "\\n",
                                    " " * 500])
        case 2: return f'{{"url":"{rng.choice(ADDRESSES)}"}}'.encode()
        case 3: return f'{{"image":{rng.choice(NUMBERS)}}}'.encode()
        case 4: return rng.choice(DOCUMENTS)
    return f'{{"image":"{value}"}}'.encode()


def seeds(world: World) -> list[bytes]:
    one = world.small["png"][0]
    begin = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    field = b'--x\r\nContent-Disposition: form-data; name="min_confidence"\r\n\r\n0.5\r\n'
    return [begin + one + b"\r\n--x--\r\n", field + begin + b"x\r\n--x--"]


def generate(rng: random.Random, index: int, world: World) -> Case:
    """The case with a number. `index` counts this surface's cases."""
    fields = credentials(rng) if world.guarded else []
    chance, kind = rng.random(), "multipart/form-data; boundary=x"
    if index % 12 == 0:
        label, body = "truncated", cut(index // 12, seeds(world))
    elif chance < 0.7:
        label, (kind, body) = "form", form(rng, world)
        if pick(rng, 0.25): label, body = "form bytes", mutate(rng, body, rng.choice(seeds(world)))
    elif chance < 0.85:
        label, kind, body = "document", "application/json", document(rng, world)
        if pick(rng, 0.2): body = mutate(rng, body)
    else:
        label, body = "picture", content(rng, world)
        kind = rng.choice(["image/png", "image/jpeg", "image/webp", "application/octet-stream", "", "image/x", "image/svg+xml",
                           "text/html", rng.choice(TEXTS).strip()])
    path = rng.choice(["/predict"] * 3 + ["/v1/vision/detection"] * 2
                      + ["/v1/vision/custom/demo", "/v1/vision/custom/nope", "/v1/vision/custom/list"])
    if path == "/predict" or pick(rng, 0.1):
        path += query(rng)
    if pick(rng, 0.2):
        fields.append(("Accept", rng.choice(["image/png", "image/jpeg", "application/json", "text/html", "*/*;q=0", ""])))
    fields += [("Host", "localhost"), ("Content-Type", kind), ("Content-Length", str(len(body)))]
    return Case(index, "multipart", label, write(f"POST {path} HTTP/1.1", fields, body), method="POST")
