"""Protocol-agnostic random changes to bytes, and values that programs tend to get wrong."""
import dataclasses
import random
import re

NUMBERS = ["0", "-0", "1", "-1", "+1", "00", "007", "0x10", "1e3", "1e999", "-1e999", "1e-999", "0.1", ".5", "5.", "NaN", "nan",
           "inf", "Infinity", "127", "128", "255", "256", "32767", "32768", "65535", "65536", "2147483647", "2147483648",
           "-2147483648", "4294967295", "4294967296", "9007199254740993", "9223372036854775807", "9223372036854775808",
           "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616",
           "340282366920938463463374607431768211456", "1" + "0" * 60, "9" * 400, "\u0661", "\uff11", " 1", "1 ", "1_000", "1,000",
           ""]
TEXTS = ["", " ", "\t", "%", "%00", "%0d%0a", "%ff", "%zz", "%u2200", "%25%32%35", "../", "..%2f..%2f", "//", "\\", "~", "*", "?",
         "#", ";", "&", "=", "'", '"', '\\"', "{}", "[]", "${x}", "%s%n", "<script>", "a" * 300, "a" * 9000, "\u00e9", "\u2200",
         "\u202e", "\U0001f600", "demo", "demo.raw", "nope", "null", "true", "false", "None", "localhost"]
TOKENS = [b"\0", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\n\n", b" ", b"\t", b"\x0b", b"\x0c", b"\x7f", b"\x80", b"\xff",
          b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b":", b",", b";", b"=",
          b"&", b"?", b"%", b"/", b"\\", b'"', b"'", b"{", b"}", b"[", b"]", b"(", b"--", b"0", b"-1", b"\x7f\xff\xff\xff",
          b"\xff\xff\xff\xff", b"\0\0\0\0"]


@dataclasses.dataclass
class Case:
    """The bytes of one case."""
    number: int
    surface: str
    # The mutation applied, to distinguish kinds of failures.
    label: str
    # All bytes of HTTP/1 or of an HTTP/2 connection; for a call, the fields of its head.
    data: bytes
    # One complete request, or one call in valid HTTP/2: it must get a response, and the connection persists.
    framed: bool = True
    # For a call: the stream's content after the head.
    body: bytes = b""
    method: str = ""
    # The request asks to close the connection after the response.
    closes: bool = False


def pick(rng: random.Random, chance: float) -> bool:
    return rng.random() < chance


def number(rng: random.Random) -> str:
    return rng.choice(NUMBERS) if pick(rng, 0.8) else str(rng.randint(-(1 << rng.randint(1, 70)), 1 << rng.randint(1, 70)))


def junk(rng: random.Random, most: int = 40) -> bytes:
    return rng.randbytes(rng.randint(1, most))


def span(rng: random.Random, size: int) -> tuple[int, int]:
    start = rng.randint(0, size)
    return start, min(size, start + rng.choice([1, 1, 2, 4, 8, rng.randint(1, 64)]))


def flip(rng, data):
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1:]


def insert(rng, data):
    at = rng.randint(0, len(data))
    return data[:at] + (rng.choice(TOKENS) if pick(rng, 0.7) else junk(rng)) + data[at:]


def delete(rng, data):
    start, end = span(rng, len(data))
    return data[:start] + data[end:]


def duplicate(rng, data):
    start, end = span(rng, len(data))
    return data[:end] + data[start:end] * rng.choice([1, 1, 2, 7, 100]) + data[end:]


def move(rng, data):
    start, end = span(rng, len(data))
    rest = data[:start] + data[end:]
    at = rng.randint(0, len(rest))
    return rest[:at] + data[start:end] + rest[at:]


def truncate(rng, data):
    return data[:rng.randrange(len(data))]


def digits(rng, data):
    """Replaces a number with another."""
    found = list(re.finditer(rb"-?\d+(?:\.\d+)?", data[:20_000]))
    if not found:
        return insert(rng, data)
    one = rng.choice(found)
    return data[:one.start()] + number(rng).encode() + data[one.end():]


def lines(rng, data):
    """Replaces one or all line endings."""
    other = rng.choice([b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n ", b"\r\n\t", b"\r\n\r\n", b" \r\n", b"\0\r\n", b""])
    if pick(rng, 0.3):
        return data.replace(b"\r\n", other)
    found = [each.start() for each in re.finditer(rb"\r\n", data[:20_000])]
    if not found:
        return insert(rng, data)
    at = rng.choice(found)
    return data[:at] + other + data[at + 2:]


def case(rng, data):
    start, end = span(rng, len(data))
    return data[:start] + data[start:end].swapcase() + data[end:]


def zeros(rng, data):
    start, end = span(rng, len(data))
    return data[:start] + rng.choice([b"\0", b"\xff", b"A"]) * (end - start) + data[end:]


OPERATIONS = [flip, flip, insert, insert, delete, duplicate, move, truncate, digits, digits, lines, case, zeros]


def mutate(rng: random.Random, data: bytes, other: bytes = b"") -> bytes:
    """The bytes after one to four changes; sometimes joined with others."""
    if other and pick(rng, 0.1):
        data = data[:rng.randint(0, len(data))] + other[rng.randint(0, len(other)):]
    for _ in range(rng.choice([1, 1, 1, 2, 3, 4])):
        data = rng.choice(OPERATIONS)(rng, data) if data else insert(rng, data)
    return data


def cut(index: int, seeds: list[bytes]) -> bytes:
    """One of the seeds, truncated: the indices cover all positions of all seeds."""
    index %= sum(len(seed) for seed in seeds)
    for seed in seeds:
        if index < len(seed):
            return seed[:index]
        index -= len(seed)
    raise AssertionError("no seeds")
