"""HTTP/1 connections, with raw sockets for what real clients don't do. Usage: http_limits.py APUS IMAGE

 1. HTTP/1.0, Connection: Close and Upgrade end a connection after its response; malformed bodies get 400, never 500.
 2. More connections than the open-file limit allows: open ones get responses, the rest wait, and no core spins.
"""
import re
import socket
import sys
import time

sys.dont_write_bytecode = True
from served import Server  # noqa: E402

apus, path = sys.argv[1:]
with open(path, "rb") as file:
    image = file.read()


def exchange(server, request, closes=False):
    """The bytes received until the connection ends."""
    with server.connect() as connection:
        connection.sendall(request)
        if closes:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


def status(answer):
    assert answer.startswith(b"HTTP/1."), answer[:200]
    return int(answer[9:12])


def connections_end(server):
    """Each exchange reads until the server closes; otherwise it hangs, as the idle timeout is an hour."""
    live = b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n"
    for request in [
        b"GET /v2/health/live HTTP/1.0\r\n\r\n", live + b"Connection: Close\r\n\r\n", live + b"Connection: TE, close\r\n\r\n",
        live + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
    ]:
        assert status(exchange(server, request)) == 200, request
    for host in [b"", b"Host: a\r\nHost: b\r\n"]:
        assert status(exchange(server, b"GET /v2 HTTP/1.1\r\n" + host + b"\r\n")) == 400


def malformed_bodies(server):
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n"
    for chunk in [b"ZZ\r\nabc\r\n", b"-1\r\na\r\n", b"FFFFFFFFFFFFFFFFFF\r\na\r\n", b"3\nabc\r\n", b"5\r\nab"]:
        answer = exchange(server, head + chunk, closes=chunk.startswith(b"5"))
        # A client that closes its side counts as disconnected; it may get nothing.
        assert not answer or status(answer) == 400, (chunk, answer[:300])
        assert len(re.findall(rb"HTTP/1.1 \d", answer)) <= 1, answer
    length = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: 18446744073709551615\r\n"
    assert status(exchange(server, length + b"Connection: close\r\n\r\n")) == 413  # without waiting for the body
    metrics = exchange(server, b"GET /metrics HTTP/1.0\r\n\r\n").decode()
    failures = re.findall(r'apus_requests_total\{[^}]*status="5..".*', metrics)
    assert not failures, failures


def connections_beyond_files():
    """The hard limit on open files is 600, which leaves room for 344 connections."""
    with Server(apus, "--idle-timeout", "3600s", files=600) as server:
        server.wait("max-connections lowered.*max_connections=344")
        first = server.connect()
        idle = []
        for _ in range(700):
            connection = socket.socket()
            connection.setblocking(False)
            connection.connect_ex(("127.0.0.1", server.port))
            idle.append(connection)
        server.wait("connection limit reached")
        before = server.cpu()
        for _ in range(30):
            first.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert first.recv(65536).startswith(b"HTTP/1.1 200")
            time.sleep(0.1)
        spent = server.cpu() - before
        assert spent < 1.5, f"{spent:.1f} s of CPU in 3 s with idle connections"
        for connection in idle:
            connection.close()
        assert status(exchange(server, b"GET /v2/health/live HTTP/1.0\r\n\r\n")) == 200
        return spent


with Server(apus, "--idle-timeout", "3600s", "--body-timeout", "3600s") as server:
    connections_end(server)
    malformed_bodies(server)
spent = connections_beyond_files()
print(f"http_limits: connections end as clients request, malformed bodies get 400, and 700 idle connections beyond the file "
      f"limit cost {spent:.1f} s of CPU in 3 s")
