"""A minimal HPACK: writes literal fields, reads any fields."""

# The length of each symbol's Huffman code, as a letter from A (5 bits). The code is canonical, so lengths define it.
LENGTHS = (
    "ISXXXXXXXTZXXZXXXXXXXXZXXXXXXXXXBFFHIBDGFFDGDBBBAAABBBBBBBCDKBHFIBCCCCCCCCCCCCCCCCCCCCCCDCDIOIJBKABABABBBACCBBBABCBAABCCCCC"
    "KGJIXPRPPRRRSRSSSSSTSTTRSTSSSSQRSRSSTRQPRRSSQSRRTQRSSQQRQSRSSPRRRSRRSVVPORSRUVVVWWVTUOQVWWVWTQQVVXWWWPTPQRQQSRRUUTTVSVWVVWWW"
    "WWXWWWWWVZ")
# The static table's fields used in responses; others are read, but without their names.
STATIC = {8: (":status", "200"), 9: (":status", "204"), 10: (":status", "206"), 11: (":status", "304"), 12: (":status", "400"),
          13: (":status", "404"), 14: (":status", "500"), 31: ("content-type", "")}
STATIC_SIZE = 61


def _codes() -> dict[tuple[int, int], int]:
    codes, code, before = {}, 0, 0
    for length, symbol in sorted((ord(letter) - ord("A") + 5, symbol) for symbol, letter in enumerate(LENGTHS)):
        code <<= length - before
        codes[length, code] = symbol
        code, before = code + 1, length
    return codes


CODES = _codes()


def integer(value: int, prefix: int, flags: int = 0) -> bytes:
    most = (1 << prefix) - 1
    if value < most:
        return bytes([flags | value])
    out, value = [flags | most], value - most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + [value])


def field(name: bytes, value: bytes, flags: int = 0) -> bytes:
    """A literal field; flags: 0 without indexing, 0x10 never indexed, 0x40 with indexing."""
    return bytes([flags]) + integer(len(name), 7) + name + integer(len(value), 7) + value


def unhuffman(data: bytes) -> bytes:
    out, code, length = bytearray(), 0, 0
    for byte in data:
        for bit in range(7, -1, -1):
            code, length = code << 1 | byte >> bit & 1, length + 1
            symbol = CODES.get((length, code))
            if symbol is not None:
                out.append(symbol)
                code = length = 0
    return bytes(out)


class Decoder:
    """Reads the response fields of one connection."""

    def __init__(self):
        self.dynamic: list[tuple[str, str]] = []

    def fields(self, data: bytes) -> list[tuple[str, str]]:
        at, found = 0, []

        def number(prefix: int) -> int:
            nonlocal at
            value = data[at] & (1 << prefix) - 1
            at += 1
            if value < (1 << prefix) - 1:
                return value
            shift = 0
            while True:
                value += (data[at] & 127) << shift
                shift, at = shift + 7, at + 1
                if not data[at - 1] & 128:
                    return value

        def text() -> str:
            nonlocal at
            packed = data[at] & 128
            length = number(7)
            part = data[at:at + length]
            at += length
            return (unhuffman(part) if packed else part).decode("latin-1")

        def indexed(index: int) -> tuple[str, str]:
            return STATIC.get(index, ("?", "?")) if index <= STATIC_SIZE else self.dynamic[index - STATIC_SIZE - 1]

        while at < len(data):
            first = data[at]
            if first & 0x80:
                found.append(indexed(number(7)))
            elif first & 0xe0 == 0x20:
                if number(5) == 0:
                    self.dynamic.clear()
            else:
                index = number(6 if first & 0x40 else 4)
                name = indexed(index)[0] if index else text()
                found.append((name, text()))
                if first & 0x40:
                    self.dynamic.insert(0, found[-1])
        return found
