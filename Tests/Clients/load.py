"""Load-tests a server. All requests go to this machine, and their number is bounded.

Usage: load.py APUS IMAGE [--short] [--timing]

 1. Overload: 64 clients against a queue of 8. Each request gets 200 or 503; accepted ones never occupy more than the nine
    places; memory stays constant.
 2. Endurance: 10,000 requests. Resident memory grows by less than 5 %.
 3. Bad clients: 1,000 connections that hang or send garbage. A good client gets all its results.
 4. Large work: 16 images of 24 megapixels in a request are decoded one at a time, not all at once; a client that reads its
    response slowly gets all of it, one that reads nothing is disconnected, even if it sends more requests.
 5. Shutdown: SIGTERM under load. No accepted request is lost, and the server exits with 0.
 6. Model reload: the model's file is replaced 50 times under load. No request fails.

None of this depends on the machine's speed. --timing, for idle machines only, also requires that accepted requests wait no
longer than the queue's length explains, and that bad clients at most double a good client's time.
"""
import functools
import http.client
import json
import os
import re
import resource
import shutil
import socket
import statistics
import struct
import sys
import tempfile
import threading
import time
import zlib

sys.dont_write_bytecode = True
from served import HANG, Server, within  # noqa: E402

apus, path = sys.argv[1:3]
short, timing = "--short" in sys.argv, "--timing" in sys.argv
print = functools.partial(print, flush=True)
with open(path, "rb") as file:
    picture = file.read()
headers = {"Content-Type": "image/jpeg"}
resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)


def ask(connection):
    connection.request("POST", "/predict", picture, headers)
    response = connection.getresponse()
    return response.status, response.read()


def clients(server, count, work):
    """Runs work(connection) in `count` threads and returns their results, in order."""
    results = [None] * count
    def run(index):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=HANG)
        results[index] = work(connection)
        connection.close()
    threads = [threading.Thread(target=run, args=[index]) for index in range(count)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    return results


def overload():
    server = Server(apus, "--queue", "8")
    one = clients(server, 1, lambda connection: [timed(connection) for _ in range(30)])[0]
    alone = statistics.median(seconds for _, seconds, _ in one)
    def hammer(connection):
        answers = []
        while time.monotonic() < end:
            answers.append(timed(connection))
            if answers[-1][0] == 503: time.sleep(0.01)  # less than Retry-After, but no busy loop
        return answers
    end = time.monotonic() + 3  # warm-up: memory for 64 connections stays allocated
    clients(server, 64, hammer)
    before = server.memory()
    start = time.monotonic()
    end = start + (10 if short else 60)
    answers = [each for one in clients(server, 64, hammer) for each in one]
    span = time.monotonic() - start
    after = server.memory()
    accepted = sorted(seconds for status, seconds, _ in answers if status == 200)
    assert {status for status, _, _ in answers} == {200, 503}, {status for status, _, _ in answers}
    rate = len(accepted) / span
    # Nine places: eight waiting and one running. On any machine, their total time in a place is at most nine times the elapsed
    # time.
    places = sum(inside for _, _, inside in answers) / span
    bound = 9 / rate
    tail = accepted[int(len(accepted) * 0.99)]
    refused = statistics.median(seconds for status, seconds, _ in answers if status == 503)
    print(f"overload: {len(answers)} requests in {span:.0f} s, {len(accepted)} accepted ({rate:.1f}/s), the rest rejected in "
          f"{1000 * refused:.1f} ms; accepted ones took {1000 * statistics.median(accepted):.0f} ms (99 %: {1000 * tail:.0f}), "
          f"queue/throughput is {1000 * bound:.0f} ms, one alone {1000 * alone:.0f} ms; {places:.1f} of 9 places were taken; "
          f"memory {before / 1e6:.0f} -> {after / 1e6:.0f} MB")
    assert places <= 9, "more requests waited than the queue allows"
    if timing:
        # The bound applies to averages, and the clients' threads sometimes take a core from the server.
        assert statistics.median(accepted) <= 1.5 * bound and tail <= 3 * bound, "accepted requests waited too long"
    assert after <= 1.05 * before, "memory grew"
    server.stop()


def timed(connection):
    """A request's status, its seconds, and the seconds it had a place in the server."""
    start = time.monotonic()
    status, body = ask(connection)
    inside = sum(json.loads(body)["timings_ms"].values()) / 1000 if status == 200 else 0
    return status, time.monotonic() - start, inside


def endurance():
    count = 1000 if short else 10_000
    server = Server(apus)
    def many(number):
        def work(connection):
            for _ in range(number): assert ask(connection)[0] == 200
        return work
    clients(server, 4, many(count // 40))  # warm-up: memory for the first requests stays allocated
    before = server.memory()
    clients(server, 4, many(count // 4))
    after = server.memory()
    print(f"endurance: {count} requests, resident memory {before / 1e6:.1f} -> {after / 1e6:.1f} MB ({100 * (after / before - 1):+.1f} %)")
    assert after < 1.05 * before
    server.stop()


def bad_company():
    count = 200 if short else 1000
    server = Server(apus)
    def normal(connection):
        answers = [timed(connection) for _ in range(40)]
        assert {status for status, _, _ in answers} == {200}, answers
        return statistics.median(seconds for _, seconds, _ in answers)
    before = clients(server, 1, normal)[0]
    bad = []
    for index in range(count):
        each = socket.create_connection(("127.0.0.1", server.port))
        match index % 5:
            case 0: pass  # sends nothing
            case 1: each.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Le")  # stops in the head
            case 2: each.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nabc")  # and in the body
            case 3: each.sendall(bytes(range(256)) * 16)  # not HTTP
            case 4: each.sendall(b"GET /" + b"a" * 60_000)  # a long line
        bad.append(each)
    after = clients(server, 1, normal)[0]
    for each in bad: each.close()
    print(f"bad clients: a good client takes {1000 * before:.1f} ms alone, {1000 * after:.1f} ms beside {count} bad ones ({after / before:.2f}x)")
    assert not timing or after <= 2 * before
    server.stop()


def png(side, row):
    """A square RGB image whose rows come from a function."""
    rows = b"".join(b"\0" + row() for _ in range(side))
    def chunk(kind, data): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


def large_work():
    # An idle timeout shorter than the slow client's reading, but longer than any pause of a busy machine.
    idle = 5
    server = Server(apus, "--idle-timeout", str(idle), "--timeout", f"{HANG}s", "--body-timeout", f"{HANG}s")
    idle_files = server.files()
    grown = memory_of_a_form(server)
    size, taken = slow_reading(server, idle, idle_files)
    print(f"large work: 16 images of 24 megapixels needed the memory of {grown:.1f} more; {size / 1e6:.0f} MB were read in "
          f"{taken:.1f} s, beyond the idle timeout; a client that read nothing was disconnected")
    server.stop()


def memory_of_a_form(server):
    """How much the server's memory grows with a form of 16 images of 24 megapixels, in such images."""
    clients(server, 1, lambda connection: [timed(connection) for _ in range(10)])
    before = server.memory()
    flat = png(4900, lambda: bytes(3 * 4900))
    form = b"".join(b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n" + flat + b"\r\n"
                    for _ in range(16)) + b"--x--\r\n"
    peak = [0]
    def ask_form(connection):
        connection.request("POST", "/predict", form, {"Content-Type": "multipart/form-data; boundary=x"})
        response = connection.getresponse()
        assert response.status == 200, response.read()
        return len(json.loads(response.read()))
    worker = threading.Thread(target=lambda: peak.append(clients(server, 1, ask_form)[0]))
    worker.start()
    while worker.is_alive():
        peak[0] = max(peak[0], server.memory())
        time.sleep(0.01)
    grown = (peak[0] - before) / (3 * 4900 ** 2)
    assert peak[1] == 16 and grown < 5, (peak, grown)
    return grown


def slow_reading(server, idle, idle_files):
    """The bytes of a response that a client reads more slowly than the idle timeout, and its seconds. One that reads nothing is
    disconnected."""
    noise = png(1800, lambda: os.urandom(3 * 1800))
    head = (f"POST /predict?annotate=true HTTP/1.1\r\nHost: localhost\r\nAccept: image/png\r\nContent-Type: image/png\r\n"
            f"Content-Length: {len(noise)}\r\n\r\n").encode()
    def connect():
        each = socket.socket()
        each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        each.connect(("127.0.0.1", server.port))
        each.sendall(head + noise)
        return each
    deaf, chatty, slow = connect(), connect(), connect()
    more = b"GET /v2 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    start = time.monotonic()
    answer = slow.recv(65536)
    wanted = int(re.search(rb"Content-Length: (\d+)", answer)[1]) + answer.index(b"\r\n\r\n") + 4
    got, pause = len(answer), 1.5 * idle / (wanted / 65536)
    for each in chatty, slow:
        each.sendall(more)
    while got < wanted:
        part = slow.recv(min(65536, wanted - got))
        assert part, f"cut off after {got} of {wanted} bytes"
        got += len(part)
        time.sleep(pause)
    taken = time.monotonic() - start
    assert slow.recv(65536).startswith(b"HTTP/1.1 200 OK")
    slow.close()
    assert taken > idle, taken
    within(lambda: server.files() <= idle_files, "an unread connection is still open")
    deaf.close()
    chatty.close()
    return wanted, taken


def the_end():
    server = Server(apus, "--timeout", f"{HANG}s")
    lost, answered = [], []
    def work(connection):
        connection.connect()
        while True:
            try:
                connection.request("POST", "/predict", picture, headers)
            except OSError:
                return  # rejected: never accepted
            try:
                response = connection.getresponse()
                response.read()
                answered.append(response.status)
                if response.getheader("Connection") == "close": return
            except (http.client.RemoteDisconnected, ConnectionResetError):
                # The server closed before reading this one: no byte of a response, so clients retry elsewhere.
                return
            except Exception as error:
                lost.append(repr(error))
                return
    # Each client got a result and waits for the next.
    stopper = threading.Thread(target=lambda: (within(lambda: len(answered) > 32, "no results"), server.stop()))
    stopper.start()
    clients(server, 16, work)
    stopper.join()
    taken = len(re.findall(r" POST /predict \d+", server.text()))
    late = Server(apus, "--grace", "500ms")
    with late.connect() as slow:
        slow.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n")
        assert slow.recv(65536).startswith(b"HTTP/1.1 100")  # so it has begun
        late.stop()  # exits with 0, though one client never finished
    assert "grace period over" in late.text()
    print(f"shutdown: {taken} requests accepted before and after SIGTERM, {len(answered)} completed, {len(lost)} cut off, exit code 0")
    assert taken == len(answered) > 32 and not lost and set(answered) <= {200, 503}, (lost, set(answered))


def new_model():
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(folder, "m.onnx")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Sources/CDemoModel/demo.onnx")
        shutil.copy(source, model)
        server = Server(apus, "--model", model, "--reload-interval", "100ms", "--timeout", f"{HANG}s")
        stop = threading.Event()
        statuses = []
        def work(connection):
            while not stop.is_set(): statuses.append(ask(connection)[0])
        worker = threading.Thread(target=clients, args=[server, 4, work])
        worker.start()
        times = 5 if short else 50
        loads = lambda: server.text().count("model ready")
        for index in range(times):
            have = loads()
            # Half of them in place, slowly; half with a rename.
            if index % 2:
                shutil.copy(source, model + ".new")
                os.rename(model + ".new", model)
            else:
                data = open(source, "rb").read()
                with open(model, "wb") as file:
                    for start in range(0, len(data), 1 << 20):
                        file.write(data[start:start + (1 << 20)])
                        file.flush()
                        time.sleep(0.01)
            within(lambda: loads() > have, "the model was not reloaded")
        # An invalid model: the old one stays in service.
        open(model, "wb").write(b"no model")
        server.wait("model not loaded")
        done = len(statuses)
        within(lambda: len(statuses) > done + 8, "no results after the invalid model")
        stop.set()
        worker.join()
        print(f"model reload: {times} times and an invalid one, {len(statuses)} requests, {statuses.count(200)} succeeded")
        assert set(statuses) == {200}, set(statuses)
        server.stop()


for each in [overload, endurance, bad_company, large_work, the_end, new_model]:
    each()
