"""Writes small models that are hard to convert to f16 well: conversion/*.onnx. Needs: onnx, numpy."""
import os
import numpy as np, onnx
from onnx import TensorProto as T, helper as h, numpy_helper as nh

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "conversion"))
rng = np.random.default_rng(3)
f = lambda name, shape, type=T.FLOAT: h.make_tensor_value_info(name, type, shape)
w = lambda name, *shape: nh.from_array((rng.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32), name)
c = lambda name, value, type=np.float32: nh.from_array(np.array(value, type), name)
n = h.make_node


def save(name, nodes, inputs, outputs, weights=(), opset=17, functions=(), values=(), **options):
    graph = h.make_graph(nodes, name, inputs, outputs, list(weights), value_info=list(values))
    imports = [h.make_opsetid("", opset)] + ([h.make_opsetid("local", 1)] if functions else []) + options.pop("imports", [])
    model = h.make_model(graph, opset_imports=imports, functions=list(functions), ir_version=8)
    if options.pop("check", True): onnx.checker.check_model(model, full_check=True)
    onnx.save(model, name + ".onnx", **options)


then = h.make_graph([n("MatMul", ["x", "a"], ["p"]), n("Relu", ["p"], ["then_y"])], "then", [], [f("then_y", [4, 4])])
other = h.make_graph([n("MatMul", ["x", "b"], ["p"]), n("Sigmoid", ["p"], ["q"]), n("Exp", ["q"], ["else_y"])], "else", [], [f("else_y", [4, 4])])
save("if", [n("ReduceMax", ["x"], ["m"], keepdims=0), n("Greater", ["m", "zero"], ["cond"]), n("If", ["cond"], ["y0"], then_branch=then, else_branch=other),
    n("MatMul", ["y0", "a"], ["y"])], [f("x", [4, 4])], [f("y", [4, 4])], [w("a", 4, 4), w("b", 4, 4), c("zero", 0)])

body = h.make_graph([n("Identity", ["cond_in"], ["cond_out"]), n("MatMul", ["state", "a"], ["t"]), n("Tanh", ["t"], ["u"]), n("Add", ["state", "u"], ["state_out"]),
    n("Identity", ["u"], ["each"])], "body", [f("i", [], T.INT64), f("cond_in", [], T.BOOL), f("state", [4, 4])],
    [f("cond_out", [], T.BOOL), f("state_out", [4, 4]), f("each", [4, 4])])
save("loop", [n("Relu", ["x"], ["s"]), n("Loop", ["trips", "", "s"], ["last", "all"], body=body), n("MatMul", ["last", "a"], ["y"])], [f("x", [4, 4])],
    [f("y", [4, 4]), f("all", [None, 4, 4])], [w("a", 4, 4), c("trips", 5, np.int64)])

body = h.make_graph([n("MatMul", ["row", "a"], ["t"]), n("Add", ["sum", "t"], ["sum_out"]), n("Relu", ["t"], ["row_out"])], "body",
    [f("sum", [1, 4]), f("row", [1, 4])], [f("sum_out", [1, 4]), f("row_out", [1, 4])])
save("scan", [n("Scan", ["start", "x"], ["total", "rows"], body=body, num_scan_inputs=1)], [f("start", [1, 4]), f("x", [6, 1, 4])],
    [f("total", [1, 4]), f("rows", [6, 1, 4])], [w("a", 4, 4)])

ops = [h.make_opsetid("", 17), h.make_opsetid("local", 1)]
inner = h.make_function("local", "Scaled", ["v"], ["r"], [h.make_node("Constant", [], ["k"]), n("Mul", ["v", "k"], ["r"])], ops, ["factor"])
reference = onnx.AttributeProto(); reference.name, reference.ref_attr_name, reference.type = "value_float", "factor", onnx.AttributeProto.FLOAT
inner.node[0].attribute.append(reference)
outer = h.make_function("local", "Dense", ["v", "m"], ["r"], [n("MatMul", ["v", "m"], ["t"]), n("Scaled", ["t"], ["u"], domain="local", factor=0.5), n("Relu", ["u"], ["r"])], ops)
save("function", [n("Dense", ["x", "a"], ["t"], domain="local"), n("Dense", ["t", "b"], ["y"], domain="local")], [f("x", [4, 4])], [f("y", [4, 4])],
    [w("a", 4, 4), w("b", 4, 4)], functions=[inner, outer])

save("shapes", [n("Conv", ["x", "a"], ["t"], pads=[1, 1, 1, 1]), n("Shape", ["t"], ["s"]), n("Slice", ["s", "two", "four"], ["hw"]), n("Cast", ["hw"], ["hwf"], to=T.FLOAT),
    n("Mul", ["hwf", "factor"], ["big"]), n("Floor", ["big"], ["whole"]), n("Cast", ["whole"], ["size"], to=T.INT64), n("Slice", ["s", "zero", "two"], ["nc"]),
    n("Concat", ["nc", "size"], ["sizes"], axis=0), n("Resize", ["t", "", "", "sizes"], ["u"], mode="linear"), n("Resize", ["u", "", "scales"], ["y"], mode="nearest")],
    [f("x", [1, 3, 33, 4099])], [f("y", [1, 3, None, None])], [w("a", 3, 3, 3, 3), c("two", [2], np.int64), c("four", [4], np.int64), c("zero", [0], np.int64),
    c("factor", [1.5, 1.0]), c("scales", [1, 1, 2, 1])])

save("mask", [n("MatMul", ["x", "a"], ["s"]), n("Cast", ["keep"], ["k"], to=T.FLOAT), n("Sub", ["one", "k"], ["gone"]), n("Mul", ["gone", "low"], ["bias"]),
    n("Add", ["s", "bias"], ["t"]), n("Softmax", ["t"], ["p"], axis=-1), n("Where", ["keep", "p", "none"], ["q"]), n("Softmax", ["q"], ["r"], axis=-1), n("MatMul", ["r", "a"], ["y"])],
    [f("x", [4, 4]), f("keep", [4, 4], T.BOOL)], [f("y", [4, 4])], [w("a", 4, 4), c("one", 1), c("low", np.finfo(np.float32).min), c("none", -np.inf)])

save("layernorm", [n("MatMul", ["x", "a"], ["h"]), n("Mul", ["h", "large"], ["g"]), n("ReduceMean", ["g"], ["m"], axes=[-1]), n("Sub", ["g", "m"], ["d"]), n("Pow", ["d", "two"], ["q"]),
    n("ReduceMean", ["q"], ["v"], axes=[-1]), n("Add", ["v", "eps"], ["ve"]), n("Sqrt", ["ve"], ["s"]), n("Div", ["d", "s"], ["u"]), n("MatMul", ["u", "a"], ["y"])],
    [f("x", [8, 8])], [f("y", [8, 8])], [w("a", 8, 8), c("large", 900), c("two", 2), c("eps", 1e-12)])

save("sine", [n("Cast", ["keep"], ["k"], to=T.FLOAT), n("CumSum", ["k", "axis"], ["r"]), n("Div", ["r", "last"], ["t"]), n("Mul", ["t", "turns"], ["angle"]), n("Sin", ["angle"], ["s"]),
    n("Cos", ["angle"], ["co"]), n("Concat", ["s", "co"], ["e"], axis=-1), n("MatMul", ["e", "a"], ["y"])], [f("keep", [2, 50], T.BOOL)], [f("y", [2, 4])],
    [w("a", 100, 4), c("axis", 1, np.int64), c("last", 50), c("turns", 6.2831855 * 100)])

save("constants", [n("MatMul", ["x", "a"], ["t"]), n("MatMul", ["t", "a"], ["u"]), n("Mul", ["u", "huge"], ["big"]), n("Div", ["big", "huge"], ["back"]), n("Add", ["back", "tiny"], ["v"]),
    n("Add", ["v", "shared"], ["z"]), n("Exp", ["shared"], ["e"]), n("Mul", ["z", "e"], ["y"])], [f("x", [4, 4])], [f("y", [4, 4])],
    [w("a", 4, 4), c("huge", 100000), c("tiny", 1e-9), w("shared", 4, 4)])

save("stale", [n("MatMul", ["x", "a"], ["t"]), n("Cast", ["flag"], ["k"], to=T.FLOAT), n("Mul", ["t", "k"], ["u"]), n("Cast", ["u"], ["d"], to=T.DOUBLE), n("Cast", ["d"], ["r"], to=T.FLOAT),
    n("CastLike", ["flag", "r"], ["like"]), n("Mul", ["r", "like"], ["v"]), n("MatMul", ["v", "a"], ["y"])], [f("x", [4, 4]), f("flag", [4, 4], T.BOOL)], [f("y", [4, 4])], [w("a", 4, 4)],
    values=[f("t", [4, 4], T.INT64), f("nowhere", [2], T.FLOAT)], check=False)

save("sequence", [n("MatMul", ["x", "a"], ["t"]), n("SequenceConstruct", ["t", "x"], ["s"]), n("ConcatFromSequence", ["s"], ["u"], axis=0), n("MatMul", ["u", "a"], ["y"])], [f("x", [4, 4])],
    [f("y", [8, 4])], [w("a", 4, 4)])

save("captured", [n("MatMul", ["x", "a"], ["t"]), n("If", ["flag"], ["y"],
    then_branch=h.make_graph([n("If", ["flag"], ["inner"], then_branch=h.make_graph([n("Pow", ["t", "two"], ["p"])], "p", [], [f("p", [4, 4])]),
        else_branch=h.make_graph([n("MatMul", ["t", "a"], ["p"])], "q", [], [f("p", [4, 4])]))], "then", [], [f("inner", [4, 4])]),
    else_branch=h.make_graph([n("Exp", ["t"], ["p"])], "else", [], [f("p", [4, 4])]))], [f("x", [4, 4]), f("flag", [], T.BOOL)], [f("y", [4, 4])], [w("a", 4, 4), c("two", 2)])

save("external", [n("MatMul", ["x", "a"], ["t"]), n("Relu", ["t"], ["y"])], [f("x", [2, 32])], [f("y", [2, 32])], [w("a", 32, 32)], save_as_external_data=True,
    location="external.weights", size_threshold=100)

save("custom", [n("MatMul", ["x", "a"], ["t"]), n("Frobnicate", ["t"], ["u"], domain="com.example"), n("MatMul", ["u", "a"], ["y"])], [f("x", [4, 4])], [f("y", [4, 4])], [w("a", 4, 4)],
    imports=[h.make_opsetid("com.example", 1)], check=False)
