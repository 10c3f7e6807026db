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

from converter_models import collect, each, lowered, nodes, prepare, traits

CLASSES = ["converted", "unchanged", "refused", "error", "differing", "load-fail", "crash"]
FORK = multiprocessing.get_context("fork")


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

def report(results, left_out, which):
    """Prints the counts and what failed; returns the counts and the summary's rows."""
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
    return counts, summary


def write_table(path, summary, results, left_out, which):
    cells = [[name, *(": ".join(filter(None, outcomes[w])) for w in which)] for name, outcomes in results.items()]
    cells += [[name, *["skipped: " + reason] * len(which)] for name, reason in left_out.items()]
    with open(path, "w") as file:
        for rows in [summary, [["model", *which], *cells]]:
            rows = [" | ".join(clipped(cell).replace("|", "\\|") for cell in row) for row in rows]
            file.writelines(f"| {row} |\n" for row in [rows[0], " | ".join(["---"] * (len(which) + 1)), *rows[1:]])
            file.write("\n")


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
    counts, summary = report(results, left_out, which)
    if OPTIONS.table: write_table(OPTIONS.table, summary, results, left_out, which)
    sys.exit(any(counts["apus", kind] for kind in CLASSES[-3:]))


if __name__ == "__main__":
    main()
