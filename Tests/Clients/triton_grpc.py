"""Triton's gRPC client against the server. Usage: triton_grpc.py HOST:PORT IMAGE"""
import sys

import grpc
import numpy
import tritonclient.grpc as triton
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

address, path = sys.argv[1:]
client = triton.InferenceServerClient(address)
assert client.is_server_live() and client.is_server_ready()
assert client.is_model_ready("demo") and not client.is_model_ready("nobody")
assert client.get_server_metadata().name == "apus"
assert [entry.datatype for entry in client.get_model_metadata("demo.raw").inputs] == ["FP32", "INT64"]
assert [entry.state for entry in client.get_model_repository_index().models] == ["READY", "READY"]

with open(path, "rb") as file:
    picture = file.read()
image = triton.InferInput("image", [1], "BYTES")
image.set_data_from_numpy(numpy.array([picture], dtype=numpy.object_))
answer = client.infer("demo", [image], request_id="7", parameters={"limit": 2})
assert [name.decode() for name in answer.as_numpy("categories")] == ["sheep", "horse"]
assert answer.as_numpy("boxes").shape == (2, 4) and answer.get_response().id == "7"

pixels = numpy.random.default_rng(1).standard_normal((1, 3, 256, 320)).astype(numpy.float32)
tensors = [triton.InferInput("inputs", pixels.shape, "FP32"), triton.InferInput("valid_sizes", [1, 2], "INT64")]
tensors[0].set_data_from_numpy(pixels)
tensors[1].set_data_from_numpy(numpy.array([[256, 320]]))
raw = client.infer("demo.raw", tensors).as_numpy("pred_logits")
assert raw.shape == (1, 25, 92) and numpy.isfinite(raw).all()

# Typed contents instead of raw ones, as other clients send.
stub = service_pb2_grpc.GRPCInferenceServiceStub(grpc.insecure_channel(address))
request = service_pb2.ModelInferRequest(model_name="demo.raw")
for tensor, values in [(tensors[0], {"fp32_contents": pixels.ravel()}), (tensors[1], {"int64_contents": [256, 320]})]:
    entry = request.inputs.add(name=tensor.name(), datatype=tensor.datatype(), shape=tensor.shape())
    for field, numbers in values.items():
        getattr(entry.contents, field).extend(numbers)
trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
answer, call = stub.ModelInfer.with_call(request, metadata=[("x-request-id", "mine"), ("traceparent", trace)])
came = dict(call.initial_metadata()) | dict(call.trailing_metadata())
assert came["x-request-id"] == "mine" and came["traceparent"].startswith(trace[:36]) and came["traceparent"] != trace, came
typed = answer.raw_output_contents[0]
assert (numpy.frombuffer(typed, numpy.float32) == raw.ravel()).all()

for model, code, text in [("nobody", "NOT_FOUND", "There is no model named nobody"), ("demo.raw", "INVALID_ARGUMENT", "BYTES")]:
    try:
        client.infer(model, [image])
    except InferenceServerException as error:
        assert code in error.status() and text in error.message(), error
    else:
        raise AssertionError(f"{model} was not rejected")
# Typed contents count like raw contents.
many = service_pb2.ModelInferRequest(model_name="demo.raw")
entry = many.inputs.add(name="inputs", datatype="FP32", shape=[1, 3, 1000, 2000])
entry.contents.fp32_contents.extend(numpy.zeros(6_000_000, numpy.float32))
try:
    stub.ModelInfer(many, metadata=[("x-request-id", "theirs")])
except grpc.RpcError as error:
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED and "20000000 are allowed" in error.details(), error
    assert dict(error.trailing_metadata())["x-request-id"] == "theirs", error.trailing_metadata()
else:
    raise AssertionError("24 MB were not rejected")
large = triton.InferInput("image", [1], "BYTES")
large.set_data_from_numpy(numpy.array([bytes(25_000_000)], dtype=numpy.object_))
try:
    client.infer("demo", [large])
except InferenceServerException as error:
    assert "20000000 are allowed" in error.message(), error
else:
    raise AssertionError("25 MB were not rejected")
print("triton_grpc: health, metadata, images, tensors and errors work")
