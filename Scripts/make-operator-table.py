"""Writes the input and output types of ONNX's operators: Sources/CModelTools/operators.txt.

Usage: make-operator-table.py OUT. Needs: onnx, onnxruntime (for its own domain, com.microsoft).

Each line is an operator at the opset that introduced it: domain, name, opset, inputs, outputs, types, separated by tabs.
Inputs and outputs are indices of types: ? is optional, * is variadic with one type for all, + is variadic with any of the
types each. A type lists the kinds allowed in one place, t tensor, s sequence of tensors, o optional tensor, p optional
sequence, each with a bit per element type (1 << TensorProto.DataType, hexadecimal); m is anything else. The opset of a
removed operator ends in !.
"""
import re, sys
import onnx
import onnxruntime.capi._pybind_state as ort

ELEMENTS = {"float": 1, "uint8": 2, "int8": 3, "uint16": 4, "int16": 5, "int32": 6, "int64": 7, "string": 8, "bool": 9,
    "float16": 10, "double": 11, "uint32": 12, "uint64": 13, "complex64": 14, "complex128": 15, "bfloat16": 16,
    "float8e4m3fn": 17, "float8e4m3fnuz": 18, "float8e5m2": 19, "float8e5m2fnuz": 20, "uint4": 21, "int4": 22,
    "float4e2m1": 23, "float8e8m0": 24, "uint2": 25, "int2": 26}
SHAPES = [("t", r"tensor\((\w+)\)"), ("s", r"seq\(tensor\((\w+)\)\)"), ("o", r"optional\(tensor\((\w+)\)\)"), ("p", r"optional\(seq\(tensor\((\w+)\)\)\)")]


def mask(types):
    bits, other = {}, False
    for text in types:
        for letter, pattern in SHAPES:
            match = re.fullmatch(pattern, text)
            if match and match[1] in ELEMENTS:
                bits[letter] = bits.get(letter, 0) | 1 << ELEMENTS[match[1]]
                break
        else: other = True
    return "".join(f"{letter}{bits[letter]:x}" for letter, _ in SHAPES if letter in bits) + ("m" if other else "")


def line(schema):
    allowed = {c.type_param_str: list(c.allowed_type_strs) for c in schema.type_constraints}
    order, masks = {}, []
    def places(parameters):
        out = []
        for p in parameters:
            name = p.type_str if hasattr(p, "type_str") else p.typeStr
            if name not in order:
                order[name] = len(masks)
                masks.append(mask(allowed.get(name, [name])))
            option = str(p.option).rsplit(".", 1)[-1]
            mark = "?" if option == "Optional" else ("*" if p.is_homogeneous else "+") if option == "Variadic" else ""
            out.append(f"{order[name]}{mark}")
        return ",".join(out)
    inputs, outputs = places(schema.inputs), places(schema.outputs)
    version = f"{schema.since_version}{'!' if schema.deprecated else ''}"
    return f"{schema.domain or 'ai.onnx'}\t{schema.name}\t{version}\t{inputs}\t{outputs}\t{';'.join(masks)}"


class Homogeneous:
    """The runtime's schemas do not state whether a variadic input has one type: treated as any."""
    def __init__(self, parameter): self.parameter, self.is_homogeneous = parameter, False
    def __getattr__(self, name): return getattr(self.parameter, name)


class Own:
    def __init__(self, schema):
        self.schema = schema
        self.inputs, self.outputs = [Homogeneous(p) for p in schema.inputs], [Homogeneous(p) for p in schema.outputs]
    def __getattr__(self, name): return getattr(self.schema, name)


schemas = [line(s) for s in onnx.defs.get_all_schemas_with_history()]
schemas += [line(Own(s)) for s in ort.get_all_operator_schema() if s.domain == "com.microsoft"]
def key(text):
    domain, name, version = text.split("\t")[:3]
    return domain, name, int(version.rstrip("!"))
with open(sys.argv[1], "w") as file: file.write("\n".join(sorted(set(schemas), key=key)) + "\n")
