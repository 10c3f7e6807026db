"""The server under test, and its resource usage."""
import atexit
import http.client
import os
import re
import signal
import subprocess
import tempfile
import time

# In the log as text and as JSON.
LISTENING = r'listening address=\S*:(\d+)|"address":"\S*:(\d+)"[^\n]*"message":"listening"'
LISTENING_GRPC = r'listening for gRPC address=\S*:(\d+)|"address":"\S*:(\d+)"[^\n]*"message":"listening for gRPC"'
TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """A local server with both protocols; its log is a file."""

    def __init__(self, apus: str, *options: str):
        self.log = tempfile.NamedTemporaryFile("rb", suffix=".log")
        self.process = subprocess.Popen(
            [apus, "serve", "--host", "127.0.0.1", "--port", "0", "--grpc-port", "0", "--device", "cpu", "--reload-interval",
             "off", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.log.name, "wb"),
            env=os.environ | {"SWIFT_BACKTRACE": "enable=no"})
        atexit.register(self.process.kill)
        self.port = self.grpc_port = 0
        for _ in range(6000):
            text = self.text()
            found = re.search(LISTENING, text), re.search(LISTENING_GRPC, text)
            if all(found) and "model ready" in text:
                self.port, self.grpc_port = (int(each[1] or each[2]) for each in found)
                self.files = self.open_files()
                return
            assert self.process.poll() is None, text
            time.sleep(0.1)
        raise AssertionError("the server did not start: " + text)

    def text(self) -> str:
        with open(self.log.name, "rb") as file:
            return file.read().decode("utf-8", "replace")

    def alive(self) -> bool:
        return self.process.poll() is None

    def end(self) -> str:
        """How it died, with the end of its log."""
        code = self.process.wait()
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        found = re.findall(r".*(?:Fatal error|terminate called|Assertion|Sanitizer).*", self.text())
        return f"{name} {found[-1].strip()[-200:]}" if found else name

    def stop(self) -> str | None:
        """Stops it like a service manager; returns the problem, if any."""
        if not self.alive():
            return "it had died"
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(600)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return "it did not end within 600 s"
        return None if code == 0 else f"it exited with {code}"

    def cpu(self) -> float:
        """CPU seconds of all cores so far."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def idle_cpu(self, most: float = 60) -> float:
        """The same, once it is idle."""
        before, end = self.cpu(), time.monotonic() + most
        while time.monotonic() < end:
            time.sleep(0.3)
            now = self.cpu()
            if now - before < 0.03:
                return now
            before = now
        return before

    def memory(self) -> int:
        """Resident bytes when idle: the minimum of several samples, as freed memory is returned late."""
        self.idle_cpu(20)
        return min(self._status("VmRSS") for _ in range(5) if not time.sleep(0.3))

    def peak(self) -> int:
        return self._status("VmHWM")

    def reset_peak(self) -> None:
        with open(f"/proc/{self.process.pid}/clear_refs", "w") as file:
            file.write("5")

    def _status(self, name: str) -> int:
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(name + r":\s*(\d+) kB", file.read())[1]) * 1024

    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def healthy(self, timeout: float = 300) -> str | None:
        """The problem with the response to a plain probe, if any."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", "/v2/health/ready")
            status = connection.getresponse().status
            return None if status == 200 else f"the health probe returned {status}"
        except OSError as error:
            return f"the health probe got no response within {timeout:g} s: {error!r}"
        finally:
            connection.close()
