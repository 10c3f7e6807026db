"""Triton's HTTP client against the server. Usage: triton_http.py HOST:PORT IMAGE"""
import sys

import numpy
import tritonclient.http as http
from tritonclient.utils import InferenceServerException

address, path = sys.argv[1:]
client = http.InferenceServerClient(address)
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("demo", "1")
metadata = client.get_server_metadata()
assert metadata["name"] == "apus" and "binary_tensor_data" in metadata["extensions"], metadata
assert client.get_model_metadata("demo")["inputs"] == [{"name": "image", "datatype": "BYTES", "shape": [-1]}]
assert [entry["state"] for entry in client.get_model_repository_index()] == ["READY", "READY"]

# Images in, boxes out; binary both ways, this client's default.
with open(path, "rb") as file:
    picture = file.read()
image = http.InferInput("image", [2], "BYTES")
image.set_data_from_numpy(numpy.array([picture, picture], dtype=numpy.object_))
answer = client.infer("demo", [image], request_id="42")
names = [name.decode() for name in answer.as_numpy("categories")]
assert names == 2 * ["sheep", "horse", "cow", "person", "apple", "dog"], names
assert answer.as_numpy("pictures").tolist() == 6 * [0] + 6 * [1]
assert answer.as_numpy("boxes").shape == (12, 4) and answer.as_numpy("labels").dtype == numpy.int64
assert answer.get_response()["id"] == "42" and answer.get_response()["model_version"] == "1"
assert abs(answer.as_numpy("boxes")[0] - [419.3, 294.2, 550.3, 420.6]).max() < 1

# Requested outputs as JSON, and with parameters.
wanted = [http.InferRequestedOutput("scores", binary_data=False)]
answer = client.infer("demo", [image], outputs=wanted, parameters={"threshold": 0.99, "limit": 2})
assert [output["name"] for output in answer.get_response()["outputs"]] == ["scores"]
assert len(answer.as_numpy("scores")) == 4 and (answer.as_numpy("scores") > 0.99).all()

# Tensors in and out: the same numbers as bytes or as JSON.
inputs = {entry["name"]: entry for entry in client.get_model_metadata("demo.raw")["inputs"]}
assert inputs["inputs"]["datatype"] == "FP32" and inputs["valid_sizes"]["datatype"] == "INT64", inputs
pixels = numpy.random.default_rng(1).standard_normal((1, 3, 256, 320)).astype(numpy.float32)
logits = []
for binary in [True, False]:
    tensors = [http.InferInput("inputs", pixels.shape, "FP32"), http.InferInput("valid_sizes", [1, 2], "INT64")]
    tensors[0].set_data_from_numpy(pixels, binary_data=binary)
    tensors[1].set_data_from_numpy(numpy.array([[256, 320]]), binary_data=binary)
    logits.append(client.infer("demo.raw", tensors).as_numpy("pred_logits"))
assert logits[0].shape == (1, 25, 92) and numpy.isfinite(logits[0]).all() and (logits[0] == logits[1]).all()

def refused(status, model, tensors, text):
    try:
        client.infer(model, tensors)
    except InferenceServerException as error:
        assert error.status() == str(status) and text in error.message(), error
    else:
        raise AssertionError(f"{model} was not rejected")

refused(404, "nobody", [image], "There is no model named nobody")
refused(400, "demo.raw", [image], "is of type BYTES")
refused(400, "demo.raw", tensors[:1], "valid_sizes")
refused(400, "demo", tensors, "accepts one input")

client.unload_model("demo")
assert not client.is_model_ready("demo")
refused(503, "demo", [image], "is not loaded")
client.load_model("demo")
assert client.is_model_ready("demo") and client.get_model_metadata("demo")["versions"] == ["2"]
print("triton_http: health, metadata, images, tensors, errors and the repository work")
