"""A minimal HTTP/2 for calls: sends frames, and reads responses."""
import socket
import struct
import time

from .hpack import Decoder

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITIZED = 1, 1, 4, 8, 32


def frame(kind: int, flags: int, stream: int, content: bytes = b"", length: int | None = None) -> bytes:
    size = len(content) if length is None else length
    return struct.pack(">HBBBL", size >> 8 & 0xffff, size & 255, kind & 255, flags & 255, stream & 0xffffffff) + content


def settings(*pairs: tuple[int, int]) -> bytes:
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HL", key & 0xffff, value & 0xffffffff) for key, value in pairs))


# No dynamic table, and windows that responses never fill.
HELLO = PREFACE + settings((1, 0), (4, 0x7fffffff)) + frame(WINDOW, 0, 0, struct.pack(">L", 0x7fff0000 - 65535))


class Answer:
    """The response on a stream."""

    def __init__(self):
        self.status = ""          # :status
        self.grpc: int | None = None
        self.message = ""
        self.reset: int | None = None
        self.ended = False
        self.data = 0

    def take(self, fields: list[tuple[str, str]]) -> None:
        for name, value in fields:
            if name == ":status": self.status = value
            elif name == "grpc-status": self.grpc = int(value) if value.isdigit() else -1
            elif name == "grpc-message": self.message = value


class Connection:
    """A connection that reads responses as they arrive. Socket errors end it, without an exception."""

    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.decoder = Decoder()
        self.answers: dict[int, Answer] = {}
        self.goaway: tuple[int, str] | None = None
        self.pings: set[bytes] = set()
        self.closed = False
        self.received = 0
        # Send windows, of the connection and of each stream.
        self.window, self.first_window, self.windows = 65535, 65535, {}
        self.block = b""

    def close(self) -> None:
        self.socket.close()
        self.closed = True

    def send(self, data: bytes) -> None:
        try:
            self.socket.settimeout(20)
            self.socket.sendall(data)
        except OSError:
            self.read_rest()

    def read_rest(self) -> None:
        """The server's GOAWAY."""
        end = time.monotonic() + 2
        while not self.closed and time.monotonic() < end:
            self.read(0.5)
        self.closed = True

    def read(self, timeout: float) -> bool:
        """Reads what arrives within some seconds; false if nothing did."""
        try:
            self.socket.settimeout(max(timeout, 0.0001))
            data = self.socket.recv(1 << 18)
        except TimeoutError:
            return False
        except OSError:
            self.closed = True
            return False
        if not data:
            self.closed = True
            return False
        self.received += len(data)
        self.buffer += data
        while len(self.buffer) >= 9:
            size = int.from_bytes(self.buffer[:3])
            if len(self.buffer) < 9 + size:
                break
            kind, flags, stream = self.buffer[3], self.buffer[4], int.from_bytes(self.buffer[5:9]) & 0x7fffffff
            content = self.buffer[9:9 + size]
            self.buffer = self.buffer[9 + size:]
            self.take(kind, flags, stream, content)
        return True

    def take(self, kind: int, flags: int, stream: int, content: bytes) -> None:
        answer = self.answers.setdefault(stream, Answer()) if stream else None
        if kind in (HEADERS, CONTINUATION) and answer:
            if kind == HEADERS and flags & PRIORITIZED: content = content[5:]
            self.block += content
            if flags & END_HEADERS:
                try:
                    answer.take(self.decoder.fields(self.block))
                except IndexError:
                    answer.message += "(fields that cannot be read)"
                self.block = b""
            if kind == HEADERS and flags & END_STREAM: answer.ended = True
        elif kind == DATA and answer:
            answer.data += len(content)
            if flags & END_STREAM: answer.ended = True
        elif kind == RST and answer and not answer.ended:  # after the end, it only stops the rest of the call
            answer.reset, answer.ended = int.from_bytes(content[:4]), True
        elif kind == SETTINGS and not flags & ACK:
            for at in range(0, len(content) - 5, 6):
                key, value = struct.unpack(">HL", content[at:at + 6])
                if key == 4:
                    self.windows = {each: left + value - self.first_window for each, left in self.windows.items()}
                    self.first_window = value
            self.send(frame(SETTINGS, ACK, 0))
        elif kind == PING:
            if flags & ACK: self.pings.add(content)
            else: self.send(frame(PING, ACK, 0, content))
        elif kind == GOAWAY:
            self.goaway = int.from_bytes(content[4:8]), content[8:].decode("latin-1")
        elif kind == WINDOW:
            more = int.from_bytes(content) & 0x7fffffff
            if stream: self.windows[stream] = self.windows.get(stream, self.first_window) + more
            else: self.window += more

    def send_message(self, stream: int, body: bytes, timeout: float = 30) -> None:
        """DATA frames, within the server's window, and the end of the stream."""
        at, end = 0, time.monotonic() + timeout
        while not self.closed and time.monotonic() < end:
            space = min(self.window, self.windows.get(stream, self.first_window), 16384, len(body) - at)
            if self.answers.get(stream, Answer()).ended:
                return
            if space <= 0 and at < len(body):
                self.read(0.2)
                continue
            last = at + space >= len(body)
            self.send(frame(DATA, END_STREAM if last else 0, stream, body[at:at + space]))
            self.window -= space
            self.windows[stream] = self.windows.get(stream, self.first_window) - space
            at += space
            if last:
                return
