"""Sends generated and mutated requests to a server: HTTP/1, the Open Inference Protocol over HTTP, forms and images, gRPC.

Usage: mutate.py APUS IMAGE [--cases 100000] [--seed 1] [--build release] [--surface all] [--case NUMBER]

A seed determines the cases. All go to this machine, to servers that this script starts: one without a key, one that requires a
key, and one with the default limits for expensive requests. Requirements:

 1. The server does not die, responds to a probe after each block of cases, and exits with 0.
 2. No status of 500 or above except 503 and 504; no gRPC status UNKNOWN, INTERNAL, DATA_LOSS or, as no client cancels, CANCELLED.
 3. A complete request gets a response, and the connection persists after it, or closes if requested. Valid calls end with a
    status.
 4. Clients without a key get nothing that requires one.
 5. Resident memory grows by less than 5 % after the first fifth of the cases, and no connection is leaked. Fewer than
    10,000 cases don't show a trend: then it grows by less than 64 MB.
 6. A case costs less than 20 ms of CPU on average in each block, and each expensive one less than 5 s. Debug builds (--build
    debug) may use ten times as much.

Each kind of failure is reported once, with a file of the bytes that reproduce it.
"""
import argparse
import collections
import functools
import queue
import random
import re
import signal
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
from mutation import calls, clients, expensive, grpc_cases, http1, multipart, v2  # noqa: E402
from mutation.findings import Findings  # noqa: E402
from mutation.mutators import Case  # noqa: E402
from mutation.server import Server  # noqa: E402
from mutation.world import KEY, World, make_world  # noqa: E402

print = functools.partial(print, flush=True)
GENERATORS = {"http1": http1.generate, "v2": v2.generate, "multipart": multipart.generate, "grpc": grpc_cases.generate}
WEIGHTS = {"http1": 8, "v2": 7, "multipart": 5, "grpc": 8}
CHUNK, CLIENTS, BLOCKS = 16, 12, 10
MOST_GROWTH, MOST_BYTES, TREND = 0.05, 64e6, 10_000
# Seconds of CPU by build: per case on average in a block, and per expensive one.
MOST_CPU = {"release": (0.020, 5.0), "debug": (0.200, 50.0)}
# Limits low enough to be reached. Silent connections are closed soon.
OPTIONS = ["--max-body", "4MB", "--max-bodies", "64MB", "--max-pixels", "4000000", "--body-timeout", "5", "--idle-timeout", "10",
           "--timeout", "20"]
# Strings in responses that require a key.
SECRETS = [b'"outputs"', b'"results"', b'"predictions"', b'"models"', b'"extensions"', b'"platform"', b"# HELP", b'"state"',
           b'"canvases"']


class Run:
    """Some of the cases, on one server."""

    def __init__(self, arguments: argparse.Namespace, findings: Findings, name: str, options: list[str], numbers: range):
        self.arguments, self.findings, self.name, self.options, self.numbers = arguments, findings, name, options, numbers
        self.named_options = " ".join(options)
        self.server = Server(arguments.apus, *options)
        self.world: World = make_world(arguments.picture, self.server.port, name == "guarded")
        self.outcomes: dict[str, collections.Counter] = {each: collections.Counter() for each in GENERATORS}
        self.sent: collections.Counter = collections.Counter()
        self.cpu, self.worst, self.growth = 0.0, 0.0, None
        self.deaths = 0
        self.lock = threading.Lock()
        # What each thread sent last, and is sending.
        self.last: dict[int, collections.deque[list[Case]]] = {}
        self.warm_up()

    def warm_up(self) -> None:
        """Requests of the largest sizes, as some of their memory stays allocated."""
        client = clients.HTTP1(self.server.port)
        for width, height in [(2000, 2000), (4000, 1000), (1000, 4000), (2000, 2000)]:
            picture = expensive.png(width, height, expensive.zeros((width + 1) * height))
            for path in ["/predict", "/predict?annotate=true"]:
                result = client.run(Case(0, "http1", "", expensive.post(path, "image/png", picture, ("X-API-Key", KEY))))
                assert result.outcomes == ["200"], result
        numbers = '{"inputs":[{"name":"image","datatype":"FP32","shape":[1],"data":[%s1]}]}' % ("0.5," * 90_000)
        for _ in range(8): client.run(Case(0, "v2", "", expensive.infer(numbers, ("X-API-Key", KEY), model="demo")))
        client.close()

    def chunk(self, start: int) -> list[Case]:
        """Cases from a start number, all of one surface."""
        surface = self.arguments.surface
        if surface == "all":
            rng = random.Random(f"{self.arguments.seed}/{start // CHUNK}")
            surface = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        cases = [GENERATORS[surface](random.Random(f"{self.arguments.seed}/{number}"), number, self.world)
                 for number in range(start, min(start + CHUNK, self.numbers.stop))]
        skip = self.arguments.skip
        return [case for case in cases if not (skip and skip.search(case.label.encode() + b"|" + case.data + case.body))]

    def send(self, cases: list[Case], client: clients.HTTP1) -> None:
        """Sends a chunk, and checks the responses."""
        if cases and cases[0].surface == "grpc":
            legal = [case for case in cases if case.framed]
            try:
                results = list(zip(legal, calls.run_calls(self.server.grpc_port, legal) if legal else []))
                results += [(case, calls.run_wire(self.server.grpc_port, case)) for case in cases if not case.framed]
            except OSError:
                return  # no connection: the server has died
            for case, result in results: self.note(case, result, [case])
        for case in cases:
            if case.surface == "grpc" or not self.server.alive(): break
            result = client.run(case)
            self.note(case, result, list(client.history) if result.problem and "deaf" in result.problem else [case])
            if result.problem: client.close()

    def note(self, case: Case, result: clients.Result, sent: list[Case]) -> None:
        if result.problem and not set(result.outcomes).isdisjoint(["closed", "unreachable", "reset"]):
            time.sleep(0.1)  # it may be dying
        if not self.server.alive(): return  # the culprit is determined later
        problem, text = result.problem, result.text
        if self.world.guarded and not problem and KEY.encode() not in case.data + case.body and "200" in result.outcomes:
            # The pages' text, in HTML, JavaScript or as a description, is public.
            is_data = text[:1] in (b"{", b"[", b"#") and b'"openapi"' not in text
            if is_data and any(secret in text for secret in SECRETS): problem = "a protected response without the key"
        with self.lock:
            self.sent[case.surface] += 1
            self.outcomes[case.surface].update(result.outcomes)
            if problem: self.findings.add(case.surface, problem, sent, self.named_options, text, self.server)

    def block(self, numbers: range) -> None:
        """Sends cases from several threads."""
        starts: queue.SimpleQueue = queue.SimpleQueue()
        for start in range(numbers.start, numbers.stop, CHUNK): starts.put(start)
        def work(thread: int) -> None:
            chunks = self.last[thread] = collections.deque(maxlen=2)
            client = clients.HTTP1(self.server.port)
            while self.server.alive() and not self.findings.full:
                try:
                    start = starts.get_nowait()
                except queue.Empty:
                    break
                chunks.append(self.chunk(start))
                self.send(chunks[-1], client)
            client.close()
        while not starts.empty() and not self.findings.full:
            threads = [threading.Thread(target=work, args=[each], daemon=True) for each in range(CLIENTS)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            time.sleep(0.1)  # it may be dying
            if not self.server.alive(): self.died()

    def died(self) -> None:
        """Finds the case that killed the server, and starts another."""
        how = self.server.end()
        suspects = [case for chunks in self.last.values() for cases in reversed(chunks) for case in cases]
        self.deaths += 1
        self.server = Server(self.arguments.apus, *self.options)
        for case in suspects:
            client = clients.HTTP1(self.server.port)
            self.send([case], client)
            client.close()
            time.sleep(0.02)
            if self.server.healthy() and not self.server.alive():
                self.findings.add(case.surface, "the server died: " + self.server.end(), [case], self.named_options)
                self.server = Server(self.arguments.apus, *self.options)
                return
        problem = f"it died, and none of the cases in flight reproduces that alone: {how}"
        self.findings.add("server", problem, suspects, self.named_options)

    def fail(self, problem: str) -> None:
        self.findings.add("server", problem, [], self.named_options)

    def all(self) -> None:
        """Sends all cases in blocks, and checks the server after each."""
        step = max(CHUNK, len(self.numbers) // BLOCKS // CHUNK * CHUNK)
        warm, deaths = 0, 0
        for at, start in enumerate(range(self.numbers.start, self.numbers.stop, step)):
            numbers = range(start, min(start + step, self.numbers.stop))
            before, began, deaths = self.server.cpu(), time.monotonic(), self.deaths
            self.block(numbers)
            if self.findings.full: return
            problem = self.server.healthy()
            if not self.server.alive(): self.died()
            elif problem: self.fail(problem)
            spent, seconds = (self.server.idle_cpu() - before if deaths == self.deaths else 0.0), time.monotonic() - began
            self.cpu += spent
            self.worst = max(self.worst, spent / len(numbers))
            memory = self.server.memory()
            if at == 1 or len(self.numbers) <= step: warm, deaths = memory, self.deaths
            done = numbers.stop - self.numbers.start
            print(f"{self.name}: {done} of {len(self.numbers)} cases, {len(numbers) / seconds:.0f}/s, "
                  f"{1000 * spent / len(numbers):.2f} ms of CPU each, memory {memory / 1e6:.0f} MB, "
                  f"{len(self.findings)} kinds of failures")
            if spent / len(numbers) > MOST_CPU[self.arguments.build][0]:
                self.fail(f"cases cost {1000 * spent / len(numbers):.1f} ms of CPU each in a block")
            if warm and not self.deaths: self.growth = memory / warm - 1
        few = self.arguments.cases < TREND
        if self.growth is not None and (memory - warm > MOST_BYTES if few else self.growth > MOST_GROWTH):
            self.fail(f"memory grew by {100 * self.growth:.1f} % from {warm / 1e6:.0f} MB")
        deadline = time.monotonic() + 300
        while self.server.open_files() > self.server.files + 2:
            if time.monotonic() > deadline:
                self.fail(f"{self.server.open_files() - self.server.files} descriptors leaked")
                break
            time.sleep(0.2)

    def summary(self) -> str:
        def classes(counts: collections.Counter) -> str:
            merged: collections.Counter = collections.Counter()
            for outcome, count in counts.items():
                merged[outcome[0] + "xx" if outcome.isdigit() else outcome] += count
            return ", ".join(f"{outcome} {count}" for outcome, count in sorted(merged.items()))
        growth = "unknown" if self.growth is None else f"{100 * self.growth:+.1f} %"
        surfaces = [f"{surface} {self.sent[surface]} ({classes(counts)})" for surface, counts in self.outcomes.items() if counts]
        mean = self.cpu / max(1, sum(self.sent.values()))
        return (f"{self.name}: {'; '.join(surfaces)}; {1000 * mean:.2f} ms of CPU each (worst block {1000 * self.worst:.2f}), "
                f"memory {growth}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("apus")
    parser.add_argument("picture")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--build", choices=MOST_CPU, default="release", help="selects the CPU limits")
    parser.add_argument("--surface", choices=[*GENERATORS, "expensive", "all"], default="all")
    parser.add_argument("--case", type=int, help="only the case with this number")
    parser.add_argument("--most", type=int, default=10, help="kinds of failures after which to stop")
    # Skips cases whose label or bytes match, to find more behind a known failure.
    parser.add_argument("--skip", type=lambda text: re.compile(text.encode(), re.I | re.S), help=argparse.SUPPRESS)
    parser.add_argument("--only", type=re.compile, help="only the expensive cases whose names match")
    return parser.parse_args()


def main() -> int:
    arguments = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server ends with this script
    findings = Findings(tempfile.mkdtemp(prefix="mutate-"), arguments.seed, arguments.most)
    with tempfile.NamedTemporaryFile("w", suffix=".key") as keys:
        print(KEY, file=keys, flush=True)
        guarded = [*OPTIONS, "--api-key-file", keys.name, "--log-format", "json"]
        # A fifth of the cases runs against the server with a key.
        split = arguments.cases * 4 // 5 // CHUNK * CHUNK
        parts = [("open", OPTIONS, range(split)), ("guarded", guarded, range(split, arguments.cases))]
        if arguments.case is not None:
            parts = [(name, options, range(arguments.case, arguments.case + 1)) for name, options,
                     numbers in parts if arguments.case in numbers]
        summaries = []
        for name, options, numbers in parts if arguments.surface != "expensive" else []:
            if findings.full: break
            run = Run(arguments, findings, name, options, numbers)
            run.all()
            problem = run.server.stop()
            if problem: findings.add("server", problem, [], " ".join(options))
            summaries.append(run.summary())
        if arguments.surface in ("all", "expensive") and arguments.case is None and not findings.full:
            summaries.append(expensive.run(
                arguments.apus, arguments.picture, findings, MOST_CPU[arguments.build][1], arguments.only))
    print(f"mutate: seed {arguments.seed}: " + " | ".join(summaries) + f" | {len(findings)} kinds of failures")
    for each in findings.all.values():
        print(f"  {each.count} x {each.surface}: {each.problem}; {each.cause[:200]!r}; {each.file}")
    return 1 if findings.all else 0


if __name__ == "__main__":
    sys.exit(main())
