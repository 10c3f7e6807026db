"""gRPC's limits, with raw HTTP/2 for what real clients don't do, and shutdown. Usage: grpc_limits.py APUS IMAGE

 1. Connections without calls, calls without a message, and messages that would need too much memory end with a reason, and leak
    no slot.
 2. A client that stops waiting for a model to load does not cancel the load.
 3. SIGTERM with running and waiting calls: all get responses, and the server exits with 0.
"""
import signal
import socket
import struct
import sys
import time

import grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

sys.dont_write_bytecode = True
from served import HANG, Server, within  # noqa: E402

apus, path = sys.argv[1:]
with open(path, "rb") as file:
    picture = file.read()
GRPC = r"listening for gRPC address=.*?(\d+)\n"
# One server with generous timeouts for a busy machine, and one with short ones.
server = Server(apus, "--grpc-port", "0", "--timeout", f"{HANG}s", "--body-timeout", f"{HANG}s",
                "--idle-timeout", "5s", "--grace", "3600s", ready=None)
port = int(server.wait(GRPC)[1])


def stub():
    options = [("grpc.max_send_message_length", 1 << 30), ("grpc.use_local_subchannel_pool", 1)]
    return service_pb2_grpc.GRPCInferenceServiceStub(grpc.insecure_channel(f"127.0.0.1:{port}", options))


# A client that requests a model and gives up does not cancel its load at startup.
try:
    stub().RepositoryModelLoad(service_pb2.RepositoryModelLoadRequest(model_name="demo"), timeout=0.05)
except grpc.RpcError as error:
    assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED, error
server.wait("model ready")
hasty = Server(apus, "--grpc-port", "0", "--max-connections", "8", "--idle-timeout", "2s", "--body-timeout", "2s")
hasty_port = int(hasty.wait(GRPC)[1])
hasty_files = hasty.files()

request = service_pb2.ModelInferRequest(model_name="demo")
request.inputs.add(name="image", datatype="BYTES", shape=[1])
request.raw_input_contents.append(struct.pack("<I", len(picture)) + picture)
assert len(stub().ModelInfer(request).raw_output_contents) > 0

# How a real client reports it.
twice = service_pb2.ModelInferRequest()
twice.CopyFrom(request)
for _ in range(20_000):
    twice.outputs.add(name="boxes")
memory_region = service_pb2.ModelInferRequest()
memory_region.CopyFrom(request)
memory_region.outputs.add(name="boxes").parameters["shared_memory_region"].string_param = "r"
for wrong, options, code in [
    (request, {"compression": grpc.Compression.Gzip}, grpc.StatusCode.UNIMPLEMENTED),
    (request, {"compression": grpc.Compression.Deflate}, grpc.StatusCode.UNIMPLEMENTED),
    (twice, {}, grpc.StatusCode.INVALID_ARGUMENT), (memory_region, {}, grpc.StatusCode.INVALID_ARGUMENT),
]:
    try:
        stub().ModelInfer(wrong, **options)
        raise AssertionError(code)
    except grpc.RpcError as error:
        assert error.code() == code, error

# As many silent connections as allowed: they are closed.
preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + struct.pack(">HBBBL", 0, 0, 4, 0, 0)
silent = [socket.create_connection(("127.0.0.1", hasty_port)) for _ in range(7)]
for each in silent:
    each.sendall(preface)
start = time.monotonic()
for each in silent:
    each.settimeout(HANG)
    while each.recv(4096):
        pass
ended = time.monotonic() - start
with grpc.insecure_channel(f"127.0.0.1:{hasty_port}") as channel:
    assert service_pb2_grpc.GRPCInferenceServiceStub(channel).ServerLive(service_pb2.ServerLiveRequest()).live

# A call without a message: HPACK literal fields, without indexing or Huffman coding.
def field(name, value):
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value
def call_head(method):
    path = b"/inference.GRPCInferenceService/" + method
    return (field(b":method", b"POST") + field(b":scheme", b"http") + field(b":path", path) + field(b":authority", b"a")
            + field(b"content-type", b"application/grpc") + field(b"te", b"trailers"))
def frame(kind, flags, stream, content):
    return struct.pack(">HBBBL", len(content) >> 8, len(content) & 255, kind, flags, stream) + content
# Invalid headers, and calls without a message, get a status: the first of these once crashed the process.
# grpc-status with the expected values, in HPACK's Huffman coding.
status_name = bytes.fromhex("889acac8b21234da8f")
status_values = {b"\x81\x67": 3, b"\x81\x6b": 4, b"\x82\x08\xbf": 12}
def status_of(answer):
    place = answer.find(status_name)
    return next((code for value, code in status_values.items() if answer.startswith(value, place + len(status_name))), None)
for fields, end, code in [
    (field(b"grpc-timeout", b"-1S"), 4, 3), (field(b"grpc-timeout", b"x"), 4, 3),
    (field(b"grpc-timeout", b"1m"), 4, 4), (field(b"grpc-encoding", b"gzip"), 4, 12),
    (field(b"grpc-encoding", b"deflate"), 4, 12), (b"", 5, 3),
]:
    with socket.create_connection(("127.0.0.1", port)) as odd:
        odd.settimeout(HANG)
        odd.sendall(preface + frame(1, end, 1, call_head(b"ServerLive") + fields))
        reset = b"\0\0\4\3\0\0\0\0\1"
        answer = b""
        # A stream that the client hasn't ended is reset with NO_ERROR, as CANCEL would replace the status.
        while reset + b"\0\0\0\0" not in answer and (end == 4 or not status_of(answer)):
            received = odd.recv(4096)
            assert received, answer
            answer += received
        assert status_of(answer) == code, (fields, status_of(answer), answer)

# A deadline that passes while the call runs is reported as such, even if the client's clock is slower.
message = request.SerializeToString()
with socket.create_connection(("127.0.0.1", port)) as hurried:
    hurried.settimeout(HANG)
    hurried.sendall(preface + frame(1, 4, 1, call_head(b"ModelInfer") + field(b"grpc-timeout", b"1m")))
    content = b"\0" + struct.pack(">L", len(message)) + message
    for start in range(0, len(content), 16384):
        rest = content[start:start + 16384]
        hurried.sendall(frame(0, start + 16384 >= len(content), 1, rest))
    answer = b""
    while not (found := status_of(answer)):
        received = hurried.recv(4096)
        assert received, answer
        answer += received
    assert found == 4, (found, answer)

head = call_head(b"ModelInfer")
with socket.create_connection(("127.0.0.1", hasty_port)) as hanging:
    hanging.settimeout(HANG)
    hanging.sendall(preface + frame(1, 4, 1, head))
    answer = b""
    while b"\1\5\0\0\0\1" not in answer:  # a frame of headers that end stream 1
        received = hanging.recv(4096)
        assert received, answer
        answer += received
hasty.wait("gRPC 408 .*The body was not received within 2 s")

# Two bytes of a message, millions of times, would each become a list element; so would one-byte numbers.
def varint(number):
    return (bytes([number & 127 | 128]) + varint(number >> 7)) if number >= 128 else bytes([number])
def part(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content
before = server.memory()
for contents in [part(8, b"") * 10_000_000, part(3, b"\1" * 20_000_000)]:
    message = part(1, b"demo") + part(5, part(1, b"image") + part(2, b"BYTES") + part(5, contents))
    call = grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.max_send_message_length", 1 << 30)]).unary_unary(
        "/inference.GRPCInferenceService/ModelInfer")
    try:
        call(message)
        raise AssertionError("a message that needs too much memory was accepted")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED and "would need" in error.details(), error
parameters = b"".join(part(3, part(1, b"%07d" % number)) for number in range(200_000))
try:
    call = grpc.insecure_channel(f"127.0.0.1:{port}").unary_unary("/inference.GRPCInferenceService/RepositoryModelUnload")
    call(part(2, b"demo") + parameters)
    raise AssertionError("parameters that need too much memory were accepted")
except grpc.RpcError as error:
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED and "would need" in error.details(), error
grown = server.memory() - before
assert grown < 150e6, f"{grown / 1e6:.0f} MB"

# A client whose window is 0: its stream is reset.
with socket.create_connection(("127.0.0.1", hasty_port)) as closed:
    closed.settimeout(HANG)
    closed.sendall(preface[:24] + frame(4, 0, 0, struct.pack(">HL", 4, 0)) + frame(1, 4, 1, call_head(b"ModelMetadata"))
                   + frame(0, 1, 1, b"\0" + struct.pack(">L", 6) + part(1, b"demo")))
    answer = b""
    while frame(3, 0, 1, b"1234")[:9] not in answer:
        received = closed.recv(4096)
        assert received, answer
        answer += received

# A client that reads nothing at all is disconnected, and its resources are freed.
deaf = socket.socket()
deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
deaf.connect(("127.0.0.1", hasty_port))
ping = frame(6, 0, 0, b"12345678")
deaf.sendall(preface)
deaf.settimeout(1)
try:
    for _ in range(2_000_000 // len(ping)):
        deaf.sendall(ping * 100)
except OSError:
    pass
within(lambda: hasty.files() <= hasty_files, "an unread connection is still open")
deaf.close()
hasty.stop()

client = stub()
frozen = socket.create_connection(("127.0.0.1", port))  # which never closes
frozen.sendall(preface)
calls = [client.ModelInfer.future(request, timeout=HANG) for _ in range(60)]
while sum(call.done() for call in calls) < 5:
    time.sleep(0.001)
server.process.send_signal(signal.SIGTERM)
answered = 0
for call in calls:
    assert len(call.result().raw_output_contents) > 0
    answered += 1
code = server.process.wait(HANG)  # after that client's idle timeout, not the grace period of an hour
assert code == 0, server.text()[-2000:]
print(f"grpc_limits: silent connections end after {ended:.1f} s, calls without a message with a reason, and oversized messages "
      f"are rejected ({grown / 1e6:.0f} MB more); {answered} calls got responses across SIGTERM")
