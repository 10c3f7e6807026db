"""The backend test models of the `onnx` package, for converter-suite.py."""
import glob, os, re
import numpy as np, onnx
from onnx import TensorProto, numpy_helper

RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli", "Multinomial"}


def collect():
    """Every model of the package: name, model or path, and data sets or their folder."""
    from onnx.backend.test import loader
    np.random.seed(0)  # some node tests generate random inputs when loaded
    for kind in ["node", "simple", "pytorch-converted", "pytorch-operator", "real"]:
        try: cases = loader.load_model_tests(kind=kind)
        except (ValueError, FileNotFoundError): continue
        for case in sorted(cases, key=lambda case: case.name):
            path = case.model_dir and os.path.join(case.model_dir, "model.onnx")
            yield f"{kind}/{case.name}", case.model or path, case.data_sets or case.model_dir
    for path in sorted(glob.glob(os.path.join(loader.DATA_DIR, "light", "*.onnx"))):
        yield "light/" + os.path.basename(path)[:-5], path, None


def prepare(source, data):
    """The model and its data sets, each a dictionary of inputs by name."""
    if source is None: raise OSError("not in the package")
    model = onnx.load(source) if isinstance(source, str) else source
    held = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in held]
    if data is None:  # a light model: the inputs that onnx's runner generates
        dims = [[dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim] for value in inputs]
        sets = [[(np.arange(np.prod(shape)) / np.prod(shape)).astype(np.float32).reshape(shape) for shape in dims]]
    elif isinstance(data, str):
        sets = [[read(value.type, os.path.join(folder, f"input_{i}.pb")) for i, value in enumerate(inputs)]
                for folder in sorted(glob.glob(os.path.join(data, "test_data_set_*")))]
    else: sets = [given for given, _ in data]
    if not sets: raise OSError("no data sets")
    rounded = lambda x: x.astype(np.float16).astype(np.float32) if x.dtype == np.float32 else x
    return model, [{value.name: each(x, rounded) for value, x in zip(inputs, given)} for given in sets]


def read(kind, path):
    proto, convert = {
        "sequence_type": (onnx.SequenceProto, numpy_helper.to_list), "map_type": (onnx.MapProto, numpy_helper.to_dict),
        "optional_type": (onnx.OptionalProto, numpy_helper.to_optional),
    }.get(kind.WhichOneof("value"), (TensorProto, numpy_helper.to_array))
    with open(path, "rb") as file: return convert(proto.FromString(file.read()))


def each(value, f):
    """Applies f to each tensor in a value: a tensor, or a list, dictionary or optional of tensors."""
    if isinstance(value, (list, tuple)): return [each(v, f) for v in value]
    if isinstance(value, dict): return {k: each(v, f) for k, v in value.items()}
    if isinstance(value, TensorProto): value = numpy_helper.to_array(value)
    return None if value is None else f(np.asarray(value))


def lowered(model, ir, opset):
    """A copy with at most the given IR version and opset."""
    copy = onnx.ModelProto.FromString(model.SerializeToString())
    copy.ir_version = min(copy.ir_version, ir)
    for used in copy.opset_import:
        if used.domain in ("", "ai.onnx"): used.version = min(used.version, opset)
    return copy


def nodes(part):
    for node in part.node:
        yield node
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]: yield from nodes(inner)


def traits(model):
    """The names of all float16 inputs, outputs, weights and attributes, and whether the results are random."""
    every = [node for part in [model.graph, *model.functions] for node in nodes(part)]
    graphs = [model.graph, *(inner for node in every for a in node.attribute for inner in [a.g, *a.graphs])]
    halves = {v.name for g in graphs for v in [*g.input, *g.output] if re.search(r"elem_type: 10\b", str(v.type))}
    halves |= {t.name for g in graphs for t in [*g.initializer, *(s.values for s in g.sparse_initializer)]
               if t.data_type == TensorProto.FLOAT16}
    halves |= {f"{a.name} of {' '.join(node.output)}" for node in every for a in node.attribute
               if a.name in ("to", "dtype") and a.i == TensorProto.FLOAT16
               or TensorProto.FLOAT16 in (a.t.data_type, a.sparse_tensor.values.data_type)}
    return halves, any(n.op_type in RANDOM or n.op_type == "Dropout" and any(n.input[2:3]) for n in every)
