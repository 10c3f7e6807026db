"""gRPC with TLS and keys, with Triton's client. Usage: guarded_grpc.py HOST:PORT CERTIFICATE KEY IMAGE"""
import sys

import numpy
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

address, certificate, key, path = sys.argv[1:]
client = triton.InferenceServerClient(address, ssl=True, root_certificates=certificate)
assert client.is_server_live() and client.is_server_ready()  # health checks need no key
with open(path, "rb") as file:
    image = triton.InferInput("image", [1], "BYTES")
    image.set_data_from_numpy(numpy.array([file.read()], dtype=numpy.object_))
for headers in [None, {"authorization": f"Bearer {key}x"}, {"x-api-key": ""}]:
    for call in [
        lambda: client.infer("demo", [image], headers=headers), lambda: client.unload_model("demo", headers=headers),
        lambda: client.get_model_metadata("demo", headers=headers),
    ]:
        try:
            call()
        except InferenceServerException as error:
            assert "UNAUTHENTICATED" in error.status(), error
        else:
            raise AssertionError(f"accepted with {headers}")
for headers in [{"authorization": f"Bearer {key}"}, {"x-api-key": key}]:
    assert len(client.infer("demo", [image], headers=headers).as_numpy("scores")) == 6
print("guarded_grpc: TLS works, and clients without a key are rejected")
