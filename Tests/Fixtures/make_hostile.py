#!/usr/bin/env python3
"""Makes the models in hostile/, on which a runtime crashes, hangs or reads what it should not. usage: make_hostile.py"""
import os
from onnx import AttributeProto, TensorProto, helper as h

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hostile")
OPSETS = [h.make_opsetid("", 17), h.make_opsetid("f", 1)]


def value(name, shape=("a",)): return h.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def call(name, input, output, **attributes): return h.make_node(name, [input], [output], domain="f", **attributes)


def relu(input, output): return h.make_node("Relu", [input], [output])


def function(name, nodes, domain="f", attributes=()):
    return h.make_function(domain, name, ["x"], ["y"], nodes, OPSETS, attributes=list(attributes))


def body(nodes, output): return h.make_graph(nodes, "body", [], [value(output, None)])


def condition(name="c"):
    return h.make_node("Constant", [], [name], value=h.make_tensor("c", TensorProto.BOOL, [], [True]))


def write(name, nodes, functions=(), weights=(), inputs=None):
    graph = h.make_graph(nodes, "g", inputs or [value("x")], [value("y")], list(weights))
    model = h.make_model(graph, opset_imports=OPSETS, functions=list(functions), ir_version=8)
    with open(os.path.join(OUT, name + ".onnx"), "wb") as file: file.write(model.SerializeToString())


def nested(depth):
    graph = body([relu("x", "z0")], "z0")
    for i in range(1, depth):
        other = body([relu("x", f"w{i}")], f"w{i}")
        branch = h.make_node("If", [f"c{i}"], [f"z{i}"], then_branch=graph, else_branch=other)
        graph = body([condition(f"c{i}"), branch], f"z{i}")
    return graph


def weight(dims, raw=b"", **external):
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=dims)
    if not external: tensor.raw_data = raw
    else:
        tensor.data_location = TensorProto.EXTERNAL
        for key, text in external.items(): tensor.external_data.add(key=key, value=text)
    return tensor


os.makedirs(OUT, exist_ok=True)
one, add = [call("A", "x", "y")], [h.make_node("Add", ["x", "w"], ["y"])]
write("function-calls-itself", one, [function("A", one)])
write("functions-call-each-other", one, [function("A", [call("B", "x", "y")]), function("B", one)])
inner = body([call("A", "x", "z")], "z")
branch = h.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
write("function-calls-itself-in-a-graph", one, [function("A", [condition(), branch])])
write("function-named-as-an-operator-calls-itself", [relu("x", "y")], [function("Relu", [relu("x", "y")], domain="")])
doubling = [function(f"F{i}", [call(f"F{i + 1}", "x", "t"), call(f"F{i + 1}", "t", "y")]) for i in range(40)]
write("functions-double-forty-times", [call("F0", "x", "y")], doubling + [function("F40", [relu("x", "y")])])
deep = nested(30)
write("graphs-thirty-deep", [condition(), h.make_node("If", ["c"], ["y"], then_branch=deep, else_branch=deep)])
use = h.make_node("If", ["c"], ["y"])
again = call("A", "x", "q")
for node, names in [(use, ["then_branch", "else_branch"]), (again, ["body"])]:
    for name in names: node.attribute.add(name=name, ref_attr_name="body", type=AttributeProto.GRAPH)
write("graph-attribute-calls-its-function", [call("A", "x", "y", body=body([again], "q"))],
      [function("A", [condition(), use], attributes=["body"])])
write("nodes-in-a-circle", [h.make_node("Add", ["x", "b"], ["a"]), relu("a", "b"), relu("a", "y")])
write("negative-shape", add, weights=[weight([-1, -4], b"\0" * 16)])
write("huge-shape", add, weights=[weight([1 << 40, 1 << 40], b"\0" * 16)])
write("weights-in-the-model-itself", add, weights=[weight([4], location="weights-in-the-model-itself.onnx")])
write("weights-at-an-address", add, weights=[weight([4], location="*/_ORT_MEM_ADDR_/*", offset="4096", length="16")])
