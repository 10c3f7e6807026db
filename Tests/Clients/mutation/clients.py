"""Sends HTTP/1 requests and checks the results."""
import dataclasses
import re
import socket
import time

from .mutators import Case

# How long a complete request may take, and how long silence means that a broken one gets no response.
ANSWER, SILENCE = 120.0, 0.1
# Time after which an ending connection counts as deaf: about the servers' idle timeout (mutate.OPTIONS).
DEAF = 9.0
MOST = 64 << 20  # bytes of a response


@dataclasses.dataclass
class Result:
    # "200", "404"; "grpc 3"; "closed", "silent", "reset 1": what is counted.
    outcomes: list[str]
    # What must not happen; the earlier cases on the connection show how it did.
    problem: str | None = None
    text: bytes = b""
    received: int = 0


class Truncated(Exception):
    """The connection ended before the response did."""


class HTTP1:
    """A client that keeps its connection as long as the server does."""

    # The number of connections left open that should have closed: waiting for each to end would take too long.
    stays = 0

    def __init__(self, port: int):
        self.port = port
        self.socket: socket.socket | None = None
        self.buffer = b""
        # The bytes sent on the connection so far.
        self.history: list[Case] = []

    def close(self) -> None:
        if self.socket: self.socket.close()
        self.socket, self.buffer, self.history = None, b"", []

    def connect(self) -> None:
        self.close()
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self, case: Case) -> Result:
        try:
            return self.whole(case) if case.framed else self.broken(case)
        except OSError as error:  # no connection: the caller checks whether the server is alive
            self.close()
            return Result(["unreachable"], f"no connection: {error!r}")

    # Responses

    def receive(self, timeout: float) -> bool:
        """False at the end; TimeoutError if nothing arrives."""
        self.socket.settimeout(max(timeout, 0.0001))
        try:
            data = self.socket.recv(1 << 18)
        except ConnectionError:
            return False
        self.buffer += data
        return bool(data)

    def need(self, count: int, end: float) -> None:
        while len(self.buffer) < count:
            if not self.receive(end - time.monotonic()):
                raise Truncated

    def until(self, mark: bytes, end: float) -> bytes:
        while mark not in self.buffer:
            if not self.receive(end - time.monotonic()):
                raise Truncated
        found, self.buffer = self.buffer.split(mark, 1)
        return found

    def response(self, method: str, end: float) -> tuple[int, bytes, bytes]:
        """Status, head and body of the next final response."""
        while True:
            head = self.until(b"\r\n\r\n", end)
            found = re.match(rb"HTTP/1\.[01] (\d{3})", head)
            if not found:
                raise ValueError(head[:100])
            status = int(found[1])
            if not 100 <= status < 200:
                break
            if status == 101:
                return status, head, b""
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        if method == "HEAD" and status in (400, 431) and b"\r\nconnection: close" in head:
            # An invalid request has no method, so its rejection may have a body, and ends the connection.
            while self.receive(end - time.monotonic()):
                pass
            body, self.buffer = self.buffer, b""
            return status, head, body
        if method == "HEAD" or status in (204, 304):
            return status, head, b""
        if re.search(rb"(?i)\r\ntransfer-encoding: chunked", head):
            body = b""
            while size := int(self.until(b"\r\n", end).split(b";")[0], 16):
                self.need(size + 2, end)
                body, self.buffer = body + self.buffer[:size], self.buffer[size + 2:]
            self.until(b"\r\n", end)
            return status, head, body
        if length and int(length[1]) > MOST:
            raise ValueError(f"a response of {int(length[1])} bytes".encode())
        if length:
            self.need(int(length[1]), end)
            body, self.buffer = self.buffer[:int(length[1])], self.buffer[int(length[1]):]
            return status, head, body
        while self.receive(end - time.monotonic()):
            pass
        body, self.buffer = self.buffer, b""
        return status, head, body

    # One complete request

    def whole(self, case: Case, retries: bool = True, timeout: float = ANSWER) -> Result:
        """It must get a response, whatever it contains, and the connection persists unless the response states otherwise."""
        if not self.socket: self.connect()
        self.history.append(case)
        end = time.monotonic() + timeout
        sent = True
        try:
            self.socket.settimeout(timeout)
            self.socket.sendall(case.data)
        except OSError:
            sent = False
        try:
            status, head, body = self.response(case.method, end)
        except TimeoutError:
            before = len(self.history) - 1
            problem = f"a connection that is deaf after {before} responses" if before else f"no response within {timeout:g} s"
            return self.ended("silent", problem, keep=True)
        except (Truncated, ConnectionError):
            if end - timeout + DEAF < time.monotonic() and len(self.history) > 1:
                return self.ended("deaf", f"a connection that is deaf after {len(self.history) - 1} responses", keep=True)
            if retries and len(self.history) > 1 and not self.buffer:
                self.close()  # the server may end a connection after any response
                return self.whole(case, False)
            if not sent and not self.buffer:
                return self.ended("reset", None)  # rejected before everything was sent; the response is lost too
            return self.ended("closed", "the connection ended " + ("within the response" if self.buffer else "without a response"),
                              keep=True)
        except ValueError as error:
            return self.ended("nonsense", f"not a response: {error}", keep=True)
        result = Result([str(status)], self.judge(status, body), body, len(body))
        says_close = bool(re.search(rb"(?i)\r\nconnection: close", head))
        if self.buffer and not says_close and not result.problem:
            result.problem = f"bytes after the response: {self.buffer[:60]!r}"
        if case.closes and not result.problem and HTTP1.stays < 5 and not self.ends():
            HTTP1.stays += 1
            result.problem = "the connection stays open though the request asked to close it"
        if says_close or case.closes or not sent or result.problem:
            if not result.problem: self.close()
            self.drop()
        return result

    def ends(self) -> bool:
        try:
            return not self.receive(60)
        except TimeoutError:
            return False

    def drop(self) -> None:
        """Ends the connection, and keeps the bytes sent on it."""
        if self.socket: self.socket.close()
        self.socket, self.buffer = None, b""

    def ended(self, outcome: str, problem: str | None, keep: bool = False) -> Result:
        text = self.buffer
        self.drop()
        if not keep: self.history = []
        return Result([outcome], problem, text)

    @staticmethod
    def judge(status: int, body: bytes) -> str | None:
        return f"status {status}" if status >= 500 and status not in (503, 504) or status == 101 else None

    # One or several broken requests

    def broken(self, case: Case) -> Result:
        """Any result is valid except a server failure."""
        self.connect()
        self.history.append(case)
        try:
            self.socket.settimeout(1)  # a server that rejected it may stop reading
            self.socket.sendall(case.data)
        except OSError:
            pass
        silent = False
        try:
            while self.receive(SILENCE / 5 if self.buffer else SILENCE):
                if len(self.buffer) > MOST:
                    return self.ended("flood", "an endless response", keep=True)
        except TimeoutError:
            silent = not self.buffer
            try:
                self.socket.shutdown(socket.SHUT_WR)
                while self.receive(0.5):
                    pass
            except OSError:
                pass
        statuses = self.statuses(self.buffer, case)
        problems = [found for found in (self.judge(int(status), b"") for status in statuses) if found]
        result = Result(statuses or ["silent" if silent else "closed"], problems[0] if problems else None, self.buffer,
                        len(self.buffer))
        self.drop()
        return result

    @staticmethod
    def statuses(data: bytes, case: Case) -> list[str]:
        found = []
        while head := re.match(rb"HTTP/1\.[01] (\d{3}).*?\r\n\r\n", data, re.S):
            found.append(head[1].decode())
            length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head[0])
            data = data[head.end():]
            if length and not data.startswith(b"HTTP/1."):  # a response to HEAD has a length and no body
                data = data[int(length[1]):]
        return found
