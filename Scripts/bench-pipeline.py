#!/usr/bin/env python3
"""Compares `apus detect` on many images with another build: whole processes, interleaved, medians.

Usage: Scripts/bench-pipeline.py OTHER-APUS [--apus PATH] [--copies N] [--runs N] [--output]
"""
import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time

parser = argparse.ArgumentParser()
parser.add_argument("other", help="the build to compare with")
parser.add_argument("--apus", default=".build/release/apus")
parser.add_argument("--copies", type=int, default=40, help="number of images, copies of Examples/pictures")
parser.add_argument("--runs", type=int, default=11, help="runs of each build")
parser.add_argument("--output", action="store_true", help="also draw the boxes")
options = parser.parse_args()

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
pictures = os.path.join(root, "Examples/pictures")
names = sorted(name for name in os.listdir(pictures) if name.endswith(".jpg"))


def run(binary, folder):
    command = [binary, "detect", os.path.join(folder, "in"), "--device", "cpu", "--precision", "f32", "--format", "jsonl"]
    if options.output:
        command += ["--output", os.path.join(folder, "out")]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root)
    lines = process.stdout.read().splitlines()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0 and len(lines) == options.copies, f"{binary} failed"
    return time.perf_counter() - start, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime


with tempfile.TemporaryDirectory() as folder:
    os.mkdir(os.path.join(folder, "in"))
    for index in range(options.copies):
        name = names[index % len(names)]
        shutil.copy(os.path.join(pictures, name), os.path.join(folder, "in", f"{index:03}-{name}"))
    results = {"this": [], "other": []}
    for binary in (options.apus, options.other):
        run(binary, folder)  # puts the files into the page cache
    for index in range(options.runs):
        pair = [("this", options.apus), ("other", options.other)]
        for key, binary in pair if index % 2 else reversed(pair):
            results[key].append(run(binary, folder))

print(f"{options.copies} images, {options.runs} runs each, interleaved; medians\n")
print(f"{'':24}{'this':>12}{'other':>12}{'ratio':>9}")
for column, (label, unit) in enumerate([("whole process", "s"), ("peak memory", "MB"), ("processor time", "s")]):
    this, other = (statistics.median(each[column] for each in results[key]) for key in ("this", "other"))
    digits = 1 if unit == "MB" else 3
    print(f"{label:24}{this:>9.{digits}f} {unit:2}{other:>9.{digits}f} {unit:2}{this / other:>8.2f}x")
