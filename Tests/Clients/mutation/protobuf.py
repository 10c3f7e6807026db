"""The wire format of protocol buffers, valid and invalid."""
import random
import struct

from .mutators import TEXTS, junk, pick

INTEGERS = [0, 1, 2, 3, -1, 127, 128, 255, 256, 1 << 31, -(1 << 31), (1 << 32) - 1, 1 << 32, (1 << 63) - 1, -(1 << 63)]


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def tag(number: int, kind: int) -> bytes:
    return varint(number << 3 | kind)


def whole(number: int, value: int) -> bytes:
    return tag(number, 0) + varint(value)


def part(number: int, content: bytes | str) -> bytes:
    content = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    return tag(number, 2) + varint(len(content)) + content


def double(number: int, value: float) -> bytes:
    return tag(number, 1) + struct.pack("<d", value)


def anything(rng: random.Random, number: int | None = None) -> bytes:
    """An unexpected or invalid field."""
    number = rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 100, 1 << 20, (1 << 29) - 1]) if number is None else number
    match rng.randrange(14):
        case 0: return whole(number, rng.choice(INTEGERS))
        case 1: return tag(number, 1) + rng.randbytes(8)
        case 2: return part(number, junk(rng))
        case 3: return tag(number, 5) + rng.randbytes(4)
        case 4: return tag(number, 3) + anything(rng) + tag(number, 4)  # a group
        case 5: return tag(number, 3) * rng.choice([1, 50, 101, 5000])  # unterminated groups
        case 6: return tag(number, 4)
        case 7: return tag(number, rng.choice([6, 7])) + junk(rng)
        case 8: return tag(number, 0) + b"\xff" * rng.choice([1, 9, 10, 11, 30])  # an unterminated varint
        case 9: return tag(number, 2) + varint(rng.choice(INTEGERS)) + junk(rng)  # a false length
        case 10: return part(number, rng.choice([b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\0", b"\xf4\x90\x80\x80"]))
        case 11: return part(number, rng.choice(TEXTS))
        case 12: return tag(0, rng.randrange(6)) + junk(rng)  # there is no field 0
        case _: return nested(rng.choice([4, 5, 6]), rng.choice([2, 99, 101, 2000]))


def nested(number: int, depth: int) -> bytes:
    content = b""
    for _ in range(depth):
        content = part(number, content)
        if len(content) > 30_000:
            break
    return content


def packed(rng: random.Random, number: int, values: list[int]) -> bytes:
    """Repeated numbers, packed or not."""
    if pick(rng, 0.7):
        return part(number, b"".join(varint(value) for value in values))
    return b"".join(whole(number, value) for value in values)
