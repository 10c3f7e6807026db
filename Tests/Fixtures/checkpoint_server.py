"""A server on the loopback for the tests of `apus pull`. Runs until it is ended.

Usage: checkpoint_server.py CHECKPOINT FILE, where FILE is written with the port once it listens. The first part of a path
says how it behaves: good (ranges), whole (no ranges), broken (the first three answers end half-way, ranges), stale (ranges, of other
bytes), wrong (other bytes), missing (404); /log tells what was asked for."""
import http.server, os, re, socket, sys, time

content = open(sys.argv[1], "rb").read()
asked = []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        kind = self.path.split("/")[1]
        start = int((re.match(r"bytes=(\d+)-", self.headers.get("Range", "")) or [0, 0])[1])
        body, status = content, 200
        if kind == "log": body = "\n".join(asked).encode()
        else: asked.append(f"{kind} {start}")
        if kind == "missing": body, status = b"no such file", 404
        elif kind == "wrong": body = bytes(len(content))
        elif kind == "stale" and start: body = bytes(len(content))
        if kind in ("good", "broken", "stale") and start:
            status, body = (206, body[start:]) if start < len(body) else (416, b"")
        self.send_response(status)
        if status == 206: self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        is_broken = kind == "broken" and len(asked) <= 3
        try:
            self.wfile.write(body[: len(body) // 2] if is_broken else body)
            self.wfile.flush()
            if is_broken:
                time.sleep(0.5)   # what was sent is read before the end is seen
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
        except OSError: pass

    def log_message(self, *_): pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[2] + ".part", "w") as file: file.write(str(server.server_port))
os.rename(sys.argv[2] + ".part", sys.argv[2])
server.serve_forever()
