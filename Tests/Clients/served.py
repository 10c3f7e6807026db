"""A local server for a test, and its resource usage. Its log is a file."""
import atexit
import os
import re
import resource
import signal
import socket
import subprocess
import tempfile
import time

# Longer than anything takes on a busy machine in a debug build: only a hang reaches it.
HANG = 600


def within(condition, what, seconds=HANG):
    """Waits until a condition holds, and returns its value."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"{what() if callable(what) else what} (after {seconds} s)"
        time.sleep(0.05)
    return found


class Server:
    """`files` sets the process's hard limit on open files."""

    def __init__(self, apus, *options, files=None, ready="model ready"):
        self.log = tempfile.NamedTemporaryFile("r", suffix=".log")
        limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files // 2, files))) if files else None
        self.process = subprocess.Popen(
            [apus, "serve", "--port", "0", "--device", "cpu", *options], stdout=subprocess.DEVNULL,
            stderr=open(self.log.name, "w"), preexec_fn=limit)
        atexit.register(self.process.kill)
        self.port = int(self.wait(r"listening address=.*?(\d+)\n")[1])
        if ready: self.wait(ready)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(HANG)

    def text(self):
        with open(self.log.name) as file:
            return file.read()

    def wait(self, pattern):
        """Waits until the log matches, and returns the match."""
        def look():
            text = self.text()
            found = re.search(pattern, text)
            assert found or self.process.poll() is None, text
            return found
        return within(look, lambda: f"the log never has {pattern!r}: {self.text()[-2000:]}")

    def connect(self, timeout=HANG):
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def memory(self):
        """Resident bytes."""
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def cpu(self):
        """CPU seconds of all cores so far."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def files(self):
        """The number of open descriptors."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        """Stops it like a service manager."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(HANG)
        assert code == 0, f"the server exited with {code}: {self.text()[-2000:]}"
