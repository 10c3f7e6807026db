#!/usr/bin/env python3
"""Runs `apus convert --precision f16` over every backend test model of the `onnx` package and checks the output.

usage: converter-suite.py [--apus PATH] [--baseline] [--only REGEX] [--jobs N] [--timeout S] [--table FILE.md]

Needs numpy, onnx and onnxruntime (its CPU provider is used). --baseline needs onnxconverter-common and puts its
convert_float_to_float16 through the same tests. Nothing is downloaded: models that are not in the package, and those
that ONNX Runtime does not run unmodified (nor at opset 25 or 21, if they are newer), are skipped and counted.

Each model runs at f32 and as converted, on the same inputs (float32 inputs are rounded to float16 first). The converted
model must pass the ONNX checker if the original does, load, and return matching outputs. The classes:

    converted   something became float16, outputs match      differing   outputs do not match
    unchanged   nothing became float16, outputs match        load-fail   checker, loading or running failed
    refused     apus reported an error                          crash       a process died, hung or failed silently
    error       the baseline raised an exception

Prints the count of each class, the skipped models with reasons, then every model refused, differing, load-fail or crash with
the reason ("alike in onnx.reference": caused by ONNX Runtime, not the converter). For models with random results, compares
only types and shapes. Exits with 1 if apus has a differing, load-fail or crash.
"""
import argparse, collections, concurrent.futures, glob, json, multiprocessing, os, re, shutil, subprocess, sys, tempfile
import warnings
import numpy as np, onnx
from onnx import TensorProto, numpy_helper

RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli", "Multinomial"}
CLASSES = ["converted", "unchanged", "refused", "error", "differing", "load-fail", "crash"]
FORK = multiprocessing.get_context("fork")


# --- The models and their inputs --------------------------------------------------------------------------------------

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


# --- Code that may crash, in a separate process --------------------------------------------------------------------------

def fed(model, sets, other=lambda x: x):
    """The data sets converted to the model's current input types; other: applied to types that NumPy lacks."""
    half = {value.name: bool(re.search(r"elem_type: 10\b", str(value.type))) for value in model.graph.input}
    return [{name: each(value, lambda x: x.astype(np.float16) if half[name] and x.dtype == np.float32
                        else x if x.dtype.type.__module__ == "numpy" else other(x))
             for name, value in given.items()} for given in sets]


def run(model, sets):
    import onnxruntime as ort
    def raw(x):  # (of types below a byte this hands over too much; ONNX Runtime reads the same from it in every run)
        kind = onnx.helper.np_dtype_to_tensor_dtype(x.dtype)
        return ort.OrtValue.ortvalue_from_numpy_with_onnx_type(x.view(f"u{x.itemsize}"), kind)
    ort.set_default_logger_severity(4)
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return [session.run(None, given) for given in fed(onnx.load_from_string(model), sets, raw)]


def reference(model, sets):
    model = onnx.load_from_string(model)
    return [onnx.reference.ReferenceEvaluator(model).run(None, given) for given in fed(model, sets)]


def check(model):
    onnx.checker.check_model(model, full_check=True)


def baseline(model):
    from onnxconverter_common.float16 import convert_float_to_float16
    return convert_float_to_float16(onnx.load_from_string(model), keep_io_types=False).SerializeToString()


class Crash(Exception): pass
class Failure(Exception): pass


class Worker:
    """A forked process that runs tasks in sequence, and is replaced when it dies or hangs."""
    process = None

    def __call__(self, task, *arguments):
        if not self.process:
            self.pipe, far = FORK.Pipe()
            self.process = FORK.Process(target=self.serve, args=(far,), daemon=True)
            self.process.start()
            far.close()
        try:
            self.pipe.send((task, arguments))
            if not self.pipe.poll(OPTIONS.timeout): raise Crash(f"{task.__name__}: busy after {OPTIONS.timeout:g} s")
            good, answer = self.pipe.recv()
        except (Crash, EOFError, ConnectionError) as error:
            if isinstance(error, Crash): self.process.kill()
            self.process.join()
            code, self.process = self.process.exitcode, None
            raise error if isinstance(error, Crash) else Crash(f"{task.__name__}: died, exit {code}") from None
        if not good: raise Failure(answer)
        return answer

    def serve(self, pipe):
        self.pipe.close()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        while True:
            try: task, arguments = pipe.recv()
            except EOFError: return
            try: pipe.send((True, task(*arguments)))
            except Exception as error:
                pipe.send((False, f"{task.__name__}: {type(error).__name__}: {' '.join(str(error).split())}"))


WORKER = Worker()


# --- One model --------------------------------------------------------------------------------------------------------

def difference(want, got, loose):
    """Why a result is wrong, or None. A loose comparison checks only types and shapes."""
    kinds = f"{describe(got)} for {describe(want)}"
    if isinstance(want, dict) and isinstance(got, dict):
        if list(want) != list(got): return "other keys"
        want, got = list(want.values()), list(got.values())
    if isinstance(want, list) and isinstance(got, list):
        if len(want) != len(got): return f"{len(got)} values for {len(want)}"
        return next(filter(None, (difference(w, g, loose) for w, g in zip(want, got))), None)
    if any(v is None or isinstance(v, (list, dict)) for v in [want, got]): return None if want is got else kinds
    want, got = np.asarray(want), np.asarray(got)
    if want.dtype == np.float32 and got.dtype == np.float16: got = got.astype(np.float32)
    if want.dtype != got.dtype or want.shape != got.shape: return kinds
    if loose or want.size == 0: return None
    if want.dtype.kind in "fc":
        size = float(np.abs(want[np.isfinite(want)]).max(initial=0))
        right = np.isclose(got, want, rtol=2e-2, atol=max(1e-4, 2e-3 * size), equal_nan=True)
    else: size, right = None, np.asarray(want == got)
    if right.all(): return None
    off = f"max {np.abs(want.astype(float) - got.astype(float))[~right].max():g}, " if want.dtype.kind in "fiu" else ""
    return f"{off}{np.sum(~right)} of {right.size} differ" + (f", largest wanted {size:g}" if size is not None else "")


def describe(value):
    return f"{value.dtype}{list(value.shape)}" if isinstance(value, np.ndarray) else type(value).__name__


def clipped(text):
    return text if len(text) < 400 else f"{text[:300]} … {text[-80:]}"


def convert(model, folder):
    """apus's output for a model, and a note; or the class and the reason."""
    source, target = os.path.join(folder, "in.onnx"), os.path.join(folder, "out.onnx")
    with open(source, "wb") as file: file.write(model)
    command = [OPTIONS.apus, "convert", source, "-o", target, "--precision", "f16", "--no-check", "--format", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=OPTIONS.timeout)
        reason = re.search(r"^apus: (could not.*)", done.stderr, re.M | re.S)
        if done.returncode == 1 and reason: return "refused", " ".join(reason[1].replace(folder + "/", "").split())
        if done.returncode: return "crash", f"apus: exit {done.returncode}, {' '.join(done.stderr.split())[-300:]}"
        report = json.loads(done.stdout)
        conversion = report["conversion"]
        note = f"{conversion['converted_nodes']} nodes, {len(conversion['kept_f32'])} kept in f32"
        with open(report["output"], "rb") as file: return file.read(), note
    except subprocess.TimeoutExpired: return "crash", f"apus: busy after {OPTIONS.timeout:g} s"
    except (ValueError, KeyError, TypeError, OSError) as error: return "crash", f"apus: no report, no file: {error!r}"


def outcome(which, original, model, sets, wanted, valid):
    """The class of a model, and the detail."""
    before, loose = traits(original)

    def excuse():
        try: alike = difference(WORKER(reference, model, sets), WORKER(reference, result, sets), loose) is None
        except (Failure, Crash): alike = False
        return "; alike in onnx.reference" * alike

    stage = "error"
    try:
        with tempfile.TemporaryDirectory() as folder:
            result, note = convert(model, folder) if which == "apus" else (WORKER(baseline, model), "")
        if isinstance(result, str): return result, note
        stage = "load-fail"
        if valid: WORKER(check, result)
        stage = "run"
        got = WORKER(run, result, sets)
    except Failure as error: return ("load-fail", str(error) + excuse()) if stage == "run" else (stage, str(error))
    except Crash as error: return "crash", str(error)
    wrong = difference(wanted, got, loose)
    if wrong and any(difference(wanted, WORKER(run, model, sets), loose) for _ in range(20)):
        loose, wrong = True, difference(wanted, got, True)   # the runtime's outputs for the original model vary too
    if wrong: return "differing", wrong + excuse()
    changed = traits(onnx.load_from_string(result))[0] - before
    return "converted" if changed else "unchanged", ", ".join(filter(None, ["random" * loose, note]))


def test(index):
    """A model's name, why it was skipped (if it was), and its outcomes by converter."""
    name, source, data = CASES[index]
    reason = None
    for ir, opset in [(99, 99), (11, 25), (10, 21)]:
        try:
            original, sets = prepare(source, data)
            original = lowered(original, ir, opset)
            wanted = WORKER(run, model := original.SerializeToString(), sets)
            break
        except (OSError, Failure, Crash) as error: reason = str(error)
    else: return name, reason, {}
    try: valid = WORKER(check, model) is None
    except (Failure, Crash): valid = False
    return name + (f" (at opset {opset})" if reason else ""), None, {
        which: outcome(which, original, model, sets, wanted, valid) for which in OPTIONS.converters}


# --- All models -------------------------------------------------------------------------------------------------------

def main():
    global CASES, OPTIONS
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--apus", metavar="PATH", help="the apus executable")
    parser.add_argument("--baseline", action="store_true", help="test onnxconverter-common too")
    parser.add_argument("--only", metavar="REGEX", default="", help="only models whose name (such as node/test_add) matches")
    parser.add_argument("--jobs", metavar="N", type=int, default=1, help="models tested at a time (default: 1)")
    parser.add_argument("--timeout", metavar="S", type=float, default=600, help="seconds per step, which only a hang reaches (default: 600)")
    parser.add_argument("--table", metavar="FILE.md", help="write a table of all models")
    OPTIONS = parser.parse_args()
    which = OPTIONS.converters = ["apus"] * bool(OPTIONS.apus) + ["baseline"] * OPTIONS.baseline
    if not which: parser.error("nothing to test: pass --apus PATH, --baseline or both")
    if OPTIONS.apus and not shutil.which(OPTIONS.apus): parser.error(f"no executable at {OPTIONS.apus}")
    os.environ["ALLOW_RELEASED_ONNX_OPSET_ONLY"] = "0"  # lets ONNX Runtime try opsets newer than it guarantees
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    CASES = [case for case in collect() if re.search(OPTIONS.only, case[0])]

    results, left_out = {}, {}
    with concurrent.futures.ProcessPoolExecutor(OPTIONS.jobs, FORK) as pool:
        for n, (name, reason, outcomes) in enumerate(pool.map(test, range(len(CASES))), 1):
            if sys.stderr.isatty(): print(f"\r{n} of {len(CASES)} ", end="", file=sys.stderr, flush=True)
            if reason: left_out[name] = reason
            else: results[name] = outcomes

    counts = collections.Counter((w, outcomes[w][0]) for outcomes in results.values() for w in which)
    random = sum(outcomes[which[0]][1].startswith("random") for outcomes in results.values())
    lower = sum(name.endswith(")") for name in results)
    print(f"{len(CASES)} models, {len(results)} tested ({lower} at a lower opset, {random} random)\n")
    summary = [["", *which]] + [[kind, *(str(counts[w, kind]) for w in which)] for kind in CLASSES]
    print("\n".join("".join(f"{cell:<12}" for cell in row).rstrip() for row in summary))
    print(f"\nSkipped: {len(left_out)}")
    shapes = [("not in the package", "^not in"), ("unknown operator", "No Op registered|not a registered|Unrecognized"),
              ("no kernel", "NOT_IMPLEMENTED"), ("unsupported type", "umpy.type|Type Error"),
              ("other", "")]
    kinds = collections.Counter(next(k for k, shape in shapes if re.search(shape, r)) for r in left_out.values())
    for kind, n in kinds.most_common(): print(f"  {n:4} {kind}")
    for kind in CLASSES[2:]:
        for w in which:
            found = [(name, outcomes[w][1]) for name, outcomes in results.items() if outcomes[w][0] == kind]
            if found: print(f"\n{w}: {kind} ({len(found)})")
            for name, detail in found: print(f"  {name}: {clipped(detail)}")
    if OPTIONS.table:
        cells = [[name, *(": ".join(filter(None, outcomes[w])) for w in which)] for name, outcomes in results.items()]
        cells += [[name, *["skipped: " + reason] * len(which)] for name, reason in left_out.items()]
        with open(OPTIONS.table, "w") as file:
            for rows in [summary, [["model", *which], *cells]]:
                rows = [" | ".join(clipped(cell).replace("|", "\\|") for cell in row) for row in rows]
                file.writelines(f"| {row} |\n" for row in [rows[0], " | ".join(["---"] * (len(which) + 1)), *rows[1:]])
                file.write("\n")
    sys.exit(any(counts["apus", kind] for kind in CLASSES[-3:]))


if __name__ == "__main__":
    main()
