"""A server on the loopback for the tests of `apus detect URL`. Runs until it is ended.

Usage: http_server.py PICTURE FILE, where FILE is written with the port once it listens."""
import http.server, os, sys, time

picture = open(sys.argv[1], "rb").read()


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, body, status=200, length=True):
        self.send_response(status)
        if length: self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path = self.path
        try:
            if path == "/picture.jpg": self.answer(picture)
            elif path == "/redirect":
                self.send_response(302)
                self.send_header("Location", "/picture.jpg")
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif path == "/page": self.answer(b"<html>no picture</html>")
            elif path == "/large": self.answer(b"\xff\xd8\xff" + bytes(500_000))
            elif path == "/endless":   # says no length, and never ends by itself
                self.send_response(200)
                self.end_headers()
                for _ in range(10_000): self.wfile.write(bytes(10_000))
            elif path == "/drip":   # a byte a second
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                for _ in range(1000):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(1)
            else: self.answer(b"", 404)
        except (BrokenPipeError, ConnectionResetError): pass

    def log_message(self, *_): pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[2] + ".part", "w") as file: file.write(str(server.server_port))
os.rename(sys.argv[2] + ".part", sys.argv[2])
server.serve_forever()
