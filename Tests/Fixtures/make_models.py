"""Writes the small ONNX models that the tests use into models/. Needs: onnx, numpy, onnxruntime (for expected.json)."""
import json, os
import numpy as np
import onnx
from onnx import TensorProto as T, helper as h, numpy_helper as nh

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models")
os.makedirs(out, exist_ok=True)
rng = np.random.default_rng(7)


def save(name, nodes, inputs, outputs, weights=(), metadata=None, opset=17, **kw):
    graph = h.make_graph(nodes, name, inputs, outputs, [nh.from_array(v, k) for k, v in dict(weights).items()])
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", opset)], producer_name="apus-tests", ir_version=8)
    for key, value in (metadata or {}).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    if kw.get("check", True):
        onnx.checker.check_model(model, full_check=True)
    onnx.save(model, f"{out}/{name}.onnx")
    return model


value = h.make_tensor_value_info
f32 = lambda *s: rng.standard_normal(s).astype(np.float32)

# y = x W + b, with metadata.
save("linear", [h.make_node("MatMul", ["x", "w"], ["m"]), h.make_node("Add", ["m", "b"], ["y"])],
     [value("x", T.FLOAT, ["batch", 4])], [value("y", T.FLOAT, ["batch", 3])],
     {"w": np.arange(12, dtype=np.float32).reshape(4, 3), "b": np.array([1, 2, 3], np.float32)},
     {"greeting": "hello", "labels": '{"1": "näme"}'})

# One Identity for each element type.
types = {"f32": T.FLOAT, "f16": T.FLOAT16, "bf16": T.BFLOAT16, "f64": T.DOUBLE, "i64": T.INT64, "i32": T.INT32, "u8": T.UINT8, "bool": T.BOOL}
save("types", [h.make_node("Identity", [k], [k + "_out"]) for k in types],
     [value(k, t, [2, None]) for k, t in types.items()], [value(k + "_out", t, [2, None]) for k, t in types.items()])

# y = x W + bias, where bias is an input with a default in the model: the OpenVINO provider ignores any other value.
save("default_input", [h.make_node("MatMul", ["x", "w"], ["m"]), h.make_node("Add", ["m", "bias"], ["y"])],
     [value("x", T.FLOAT, [1, 4]), value("bias", T.FLOAT, [3])], [value("y", T.FLOAT, [1, 3])],
     {"w": f32(4, 3), "bias": np.zeros(3, np.float32)})

# Too trivial for the OpenVINO provider, which leaves it to the CPU provider.
save("trivial", [h.make_node("Cast", ["x"], ["y"], to=T.INT64)], [value("x", T.FLOAT, [2])], [value("y", T.INT64, [2])])

# Half of it is for OpenVINO, the other half it does not know.
save("partial", [h.make_node("MatMul", ["x", "w"], ["m"]), h.make_node("Unique", ["m"], ["y"])],
     [value("x", T.FLOAT, [1, 4])], [value("y", T.FLOAT, [None])], {"w": f32(4, 3)})

# 300 matrix products in a row: time to cancel it.
save("slow", [h.make_node("Softmax", ["x"], ["v0"])] + [n for i in range(300) for n in (
         h.make_node("MatMul", [f"v{i}", "x"], [f"p{i}"]), h.make_node("Softmax", [f"p{i}"], [f"v{i + 1}"]))],
     [value("x", T.FLOAT, ["n", "n"])], [value("v300", T.FLOAT, ["n", "n"])])

# Weights in a file that is not there.
model = save("external", [h.make_node("MatMul", ["x", "w"], ["y"])], [value("x", T.FLOAT, [1, 512])], [value("y", T.FLOAT, [1, 8])], {"w": f32(512, 8)})
onnx.save(model, f"{out}/external.onnx", save_as_external_data=True, location="external.data", size_threshold=0)
os.remove(f"{out}/external.data")

# A classifier: an ONNX model that is no detector.
save("classifier", [h.make_node("Conv", ["image", "k"], ["c"]), h.make_node("GlobalAveragePool", ["c"], ["p"]), h.make_node("Flatten", ["p"], ["scores"])],
     [value("image", T.FLOAT, [1, 3, 32, 32])], [value("scores", T.FLOAT, [1, 10])], {"k": f32(10, 3, 3, 3)})


# Detectors of DETR's signature: 6 queries, 4 classes and no-object. Random weights, so only the numbers mean anything.
def detector(name, dtype, batch, height, width, scale=1.0, mask=None, metadata=None, outputs=("pred_logits", "pred_boxes"), mask_size=None):
    np_type = np.float16 if dtype == T.FLOAT16 else np.float32
    r = np.random.default_rng(3)
    weights = {"k": (r.standard_normal((16, 3, 8, 8)) * .1), "wl": r.standard_normal((16, 30)) * scale, "wb": r.standard_normal((16, 24))}
    weights = {k: v.astype(np_type) for k, v in weights.items()}
    weights |= {"sl": np.array([-1, 6, 5], np.int64), "sb": np.array([-1, 6, 4], np.int64)}
    nodes = [h.make_node("Conv", ["inputs", "k"], ["c"], strides=[8, 8]), h.make_node("Relu", ["c"], ["r"]), h.make_node("GlobalAveragePool", ["r"], ["p"]),
             h.make_node("Flatten", ["p"], ["f"]), h.make_node("MatMul", ["f", "wl"], ["l"]), h.make_node("Reshape", ["l", "sl"], [outputs[0]]),
             h.make_node("MatMul", ["f", "wb"], ["b"]), h.make_node("Reshape", ["b", "sb"], ["b2"]), h.make_node("Sigmoid", ["b2"], [outputs[1]])]
    inputs = [value("inputs", dtype, [batch, 3, height, width])]
    if mask is not None:   # logits times the share of valid pixels: 1 for a whole picture
        inputs.append(value("pixel_mask", mask, [batch, *(mask_size or (height, width))]))
        nodes[5:6] = [h.make_node("Cast", ["pixel_mask"], ["mf"], to=dtype), h.make_node("ReduceMean", ["mf"], ["ms"], axes=[1, 2], keepdims=0),
                      h.make_node("Unsqueeze", ["ms", "one"], ["mu"]), h.make_node("Mul", ["l", "mu"], ["l2"]), h.make_node("Reshape", ["l2", "sl"], [outputs[0]])]
        weights["one"] = np.array([1], np.int64)
    save(name, nodes, inputs, [value(outputs[0], dtype, [batch, 6, 5]), value(outputs[1], dtype, [batch, 6, 4])], weights, metadata)


detector("detector_f32", T.FLOAT, "batch", "height", "width", 3)
detector("detector_f16", T.FLOAT16, "batch", "height", "width", 3)
detector("detector_static", T.FLOAT, 1, 64, 96, 3)
detector("detector_batch2", T.FLOAT, 2, 64, 64, 3)
detector("detector_mask", T.FLOAT, "batch", "height", "width", 3, T.INT64, outputs=("logits", "pred_boxes"))
detector("detector_mask64", T.FLOAT, "batch", "height", "width", 3, T.INT64, outputs=("logits", "pred_boxes"), mask_size=(64, 64))
detector("detector_metadata", T.FLOAT, "batch", "height", "width", 3, metadata=dict(
    family="detr", shortest="64", longest="128", mean="0,0,0", std="1,1,1", labels=json.dumps({"0": "zero", "2": "two"})))
detector("detector_bad_metadata", T.FLOAT, "batch", "height", "width", 3, metadata=dict(family="detr", shortest="many"))
detector("detector_nan", T.FLOAT, "batch", "height", "width", float("nan"))
