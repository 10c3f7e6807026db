"""KServe's client against the server, over HTTP and gRPC. Usage: kserve_client.py URL HOST:GRPC_PORT IMAGE"""
import asyncio
import sys

import numpy
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig

url, address, path = sys.argv[1:]
with open(path, "rb") as file:
    picture = file.read()
names = ["sheep", "horse", "cow", "person", "apple", "dog"]


def pictures(model, binary):
    image = InferInput("image", [1], "BYTES")
    image.set_data_from_numpy(numpy.array([picture], dtype=numpy.object_), binary_data=binary)
    return InferRequest(model, [image], request_id="9")


def tensors(binary):
    pixels = InferInput("inputs", [1, 3, 256, 320], "FP32")
    values = numpy.random.default_rng(1).standard_normal((1, 3, 256, 320)).astype(numpy.float32)
    pixels.set_data_from_numpy(values, binary_data=binary)
    sizes = InferInput("valid_sizes", [1, 2], "INT64")
    sizes.set_data_from_numpy(numpy.array([[256, 320]]), binary_data=binary)
    return InferRequest("demo.raw", [pixels, sizes])


def check(answer):
    outputs = {output.name: output.as_numpy() for output in answer.outputs}
    found = [name.decode() if isinstance(name, bytes) else name for name in outputs["categories"]]
    assert found == names and outputs["boxes"].shape == (6, 4) and answer.id == "9", (found, answer.id)
    assert abs(outputs["boxes"][0] - [419.3, 294.2, 550.3, 420.6]).max() < 1


def logits(answer):
    found = {output.name: output.as_numpy() for output in answer.outputs}["pred_logits"]
    assert found.shape == (1, 25, 92) and numpy.isfinite(found).all()
    return found


async def main():
    rest = InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await rest.is_server_live(url) and await rest.is_server_ready(url)
    assert await rest.is_model_ready(url, "demo")
    check(await rest.infer(url, pictures("demo", True), model_name="demo"))
    by_http = [logits(await rest.infer(url, tensors(binary), model_name="demo.raw")) for binary in [True, False]]
    grpc = InferenceGRPCClient(address)
    assert await grpc.is_server_live() and await grpc.is_server_ready() and await grpc.is_model_ready("demo")
    check(await grpc.infer(pictures("demo", True)))
    by_grpc = logits(await grpc.infer(tensors(True)))
    assert all((each == by_grpc).all() for each in by_http)
    await rest.close()
    await grpc.close()


asyncio.run(main())
print("kserve_client: health, images and tensors over HTTP and gRPC work")
