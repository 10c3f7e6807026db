"""Makes gRPC calls, sends invalid HTTP/2, and checks the results."""
import struct
import time

from . import http2
from .clients import ANSWER, SILENCE, Result
from .mutators import Case

# The number of calls without a response; after a few, others are not waited for as long.
unanswered = 0


def run_calls(port: int, cases: list[Case], alone: bool = False, timeout: float | None = None) -> list[Result]:
    """Calls in valid HTTP/2, concurrently on one connection. Calls lost with the connection are retried alone."""
    global unanswered
    connection = http2.Connection(port)
    connection.send(http2.HELLO)
    streams = {1 + 2 * at: case for at, case in enumerate(cases)}
    for stream, case in streams.items():
        connection.answers[stream] = http2.Answer()
        connection.send(call_head(stream, case))
        if case.body: connection.send_message(stream, case.body)
        if connection.closed: break
    end = time.monotonic() + (timeout or (ANSWER if unanswered < 4 else 1.0))
    while not connection.closed and time.monotonic() < end and not all(connection.answers[each].ended for each in streams):
        connection.read(0.5)
    unanswered += not connection.closed and not all(connection.answers[each].ended for each in streams)
    connection.close()
    results = []
    for stream, case in streams.items():
        answer = connection.answers.get(stream) or http2.Answer()
        if not answer.ended and not alone:
            results += run_calls(port, [case], True)
            continue
        results.append(judge_call(answer, connection.goaway))
    return results


def call_head(stream: int, case: Case) -> bytes:
    """The frames of a call's head."""
    parts = [case.data[at:at + 16384] for at in range(0, len(case.data), 16384)]
    out = b""
    for at, part in enumerate(parts):
        ends = http2.END_HEADERS if at == len(parts) - 1 else 0
        if at: out += http2.frame(http2.CONTINUATION, ends, stream, part)
        else: out += http2.frame(http2.HEADERS, ends | (0 if case.body else http2.END_STREAM), stream, part)
    return out


def judge_call(answer: http2.Answer, goaway: tuple[int, str] | None) -> Result:
    text = answer.message.encode("utf-8", "replace")
    if answer.grpc is not None:
        # No client cancels a call here, so CANCELLED is as wrong as a server failure.
        wrong = {1: "CANCELLED", 2: "UNKNOWN", 13: "INTERNAL", 15: "DATA_LOSS", -1: "not a number"}.get(answer.grpc)
        return Result([f"grpc {answer.grpc}"], f"grpc-status {answer.grpc} ({wrong})" if wrong else None, text)
    if answer.reset is not None:
        return Result([f"reset {answer.reset}"], f"a valid call's stream was reset ({answer.reset})", text)
    if answer.ended:
        problem = None
        if answer.status in ("200", ""): problem = "the response has no grpc-status"
        elif answer.status >= "500" and answer.status not in ("503", "504"): problem = f"status {answer.status}"
        return Result([f"h2 {answer.status}"], problem, text)
    if goaway:
        return Result([f"goaway {goaway[0]}"], f"a valid call ended the connection: GOAWAY {goaway[0]} {goaway[1][:100]}")
    return Result(["silent"], "a call got no response")


def run_wire(port: int, case: Case) -> Result:
    """A connection that may break any rule; a final ping shows when everything was processed."""
    connection = http2.Connection(port)
    mark = struct.pack(">Q", case.number + (1 << 40))
    connection.send(case.data + http2.frame(http2.PING, 0, 0, mark))
    quiet, end = 0, time.monotonic() + 3
    while not connection.closed and time.monotonic() < end and quiet < (1 if mark in connection.pings else 4):
        quiet = 0 if connection.read(SILENCE / 4) else quiet + 1
    connection.close()
    outcomes, problem, text = [], None, b""
    for answer in connection.answers.values():
        if answer.grpc is None and answer.reset is None and not answer.ended: continue
        one = judge_call(answer, None)
        outcomes += one.outcomes
        if answer.reset is None and answer.grpc != 1 and one.problem: problem, text = problem or one.problem, text or one.text
    if connection.goaway: outcomes.append(f"goaway {connection.goaway[0]}")
    return Result(outcomes or ["closed" if connection.closed else "silent"], problem, text, connection.received)
