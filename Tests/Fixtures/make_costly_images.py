"""Writes small images that are expensive to decode into costly/, with what must become of them."""
import json, os, struct, zlib

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "costly")
os.makedirs(out, exist_ok=True)
index = []


def add(name, data, code):
    open(f"{out}/{name}", "wb").write(data)
    index.append(dict(file=name, code=code))


def chunk(kind, body): return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, *chunks, interlaced=0):
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")


def jpeg(kind, width, height, components, *scans):
    """With these Huffman tables every coefficient is 0, and a code is a zero bit."""
    frame = struct.pack(">BHHB", 8, height, width, components) + b"".join(bytes([i + 1, 0x11, 0]) for i in range(components))
    tables = b"".join(b"\xff\xc4\0\x14" + bytes([table, 1] + [0] * 15 + [symbol]) for table, symbol in ((0, 0), (0x10, 0xE0)))
    return (b"\xff\xd8\xff\xdb\0\x43\0" + b"\1" * 64 + b"\xff" + bytes([kind]) + struct.pack(">H", len(frame) + 2) + frame
            + tables + b"".join(scans) + b"\xff\xd9")


def scan(components, first, last, bits, data=b""):
    body = bytes([components]) + b"".join(bytes([i + 1, 0]) for i in range(components)) + bytes([first, last, bits])
    return b"\xff\xda" + struct.pack(">H", len(body) + 2) + body + data


def scans(side, count):
    blocks = ((side + 7) // 8) ** 2
    runs = bytes((blocks // 16384 + 1) * 15 // 8 + 1)
    return [scan(1, 0, 0, 0, bytes(blocks // 8 + 1)), scan(1, 1, 63, 1, runs)] + [scan(1, 1, 63, 0x10, runs)] * count


zeros = zlib.compress(bytes(8_000_000), 9)
add("after-last-row.png", png(4, 4, chunk(b"IDAT", zeros)), "")
add("after-last-row-interlaced.png", png(4, 4, chunk(b"IDAT", zeros), interlaced=1), "")
add("many-data-chunks.png", png(4, 4, *(chunk(b"IDAT", zeros[i:i + 8]) for i in range(0, 8000, 8))), "")
add("empty-data-chunks.png", png(4, 4, *[chunk(b"IDAT", b"")] * 500, chunk(b"IDAT", zlib.compress(bytes(20)))), "")
add("empty-texts.png", png(4, 4, *[chunk(b"tEXt", b"")] * 500, chunk(b"IDAT", zlib.compress(bytes(20)))), "")
add("scans.jpg", jpeg(0xC2, 1024, 1024, 1, *scans(1024, 400)), "tooCostly")
add("scans-of-one-block.jpg", jpeg(0xC2, 1, 1, 1, *scans(1, 2000)), "tooCostly")
add("arithmetic.jpg", jpeg(0xC9, 9000, 9000, 3, scan(3, 0, 63, 0)), "tooCostly")
json.dump(index, open(f"{out}/index.json", "w"))
