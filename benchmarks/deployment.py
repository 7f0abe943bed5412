"""How many images a second a hybrid network answers: PyTorch, compiled PyTorch, ONNX Runtime.

HQCM-EBTC as published, 128×128, with random weights, from images to probabilities. The file is
first checked against PyTorch as ``medqnn export`` does. Then the contenders take turns, each step
timed by itself; the table shows the median step. Each number of threads has a process of its own,
since PyTorch cannot change it at will.

Run: python benchmarks/deployment.py [--quick] [--json PATH]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import onnxruntime
import torch
from quantum_layer import environment
from rich.console import Console
from rich.table import Table

from medqnn.export.onnx import INPUT, Deployed, write_onnx
from medqnn.models import HQCMEBTC

THREADS, BATCHES = (1, 2), (1, 64)
EAGER, COMPILED, ONNX = "PyTorch", "torch.compile", "ONNX Runtime"
Steps = dict[str, Callable[[], object]]


def network() -> HQCMEBTC:
    """The same at each call."""
    torch.manual_seed(0)
    return HQCMEBTC().eval().requires_grad_(False)


def contenders(batch: int, threads: int, file: Path) -> tuple[Steps, dict[str, str]]:
    """A step of each, and why one is missing."""
    images = torch.rand(batch, 1, 128, 128)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    model, missing = Deployed(network(), False), {}
    steps: Steps = {
        EAGER: lambda: model(images),
        ONNX: lambda: session.run(None, {INPUT: images.numpy()}),
    }
    try:
        compiled = torch.compile(model)
        compiled(images)
        steps[COMPILED] = lambda: compiled(images)
    except Exception as error:  # without a C++ compiler, of PyTorch's own many kinds
        missing[COMPILED] = str(error).splitlines()[0]
    return steps, missing


def measure(steps: Steps, rounds: int) -> dict[str, float]:
    """Median seconds of a step; contenders take turns."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    with torch.inference_mode():
        for number in range(rounds + 1):
            for name, run in steps.items():
                start = time.perf_counter()
                run()
                if number:  # the first round warms up
                    times[name].append(time.perf_counter() - start)
    return {name: statistics.median(spent) for name, spent in times.items()}


def work(threads: int, rounds: int, file: Path) -> list[dict]:
    torch.set_num_threads(threads)
    rows = []
    for batch in BATCHES:
        steps, missing = contenders(batch, threads, file)
        count = rounds if batch > 1 else 10 * rounds
        rates = {name: batch / spent for name, spent in measure(steps, count).items()}
        rows.append({"threads": threads, "batch": batch, "rates": rates, "missing": missing})
    return rows


def run(rounds: int) -> list[dict]:
    """Every number of threads in a process of its own."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        write_onnx(network(), torch.rand(4, 1, 128, 128), file, {}, False)
        for threads in THREADS:
            command = [sys.executable, __file__, "--worker", str(threads), str(rounds), str(file)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            results += json.loads(done.stdout.splitlines()[-1])
    return results


def show(results: list[dict], console: Console) -> None:
    table = Table(title="HQCM-EBTC, 128×128: images a second")
    for name in ("threads", "batch", EAGER, COMPILED, ONNX):
        table.add_column(name, justify="right")
    for row in results:
        rates = (row["rates"].get(name) for name in (EAGER, COMPILED, ONNX))
        cells = ("–" if rate is None else f"{rate:.1f}" for rate in rates)
        table.add_row(str(row["threads"]), str(row["batch"]), *cells)
    console.print(table)
    for reason in {reason for row in results for reason in row["missing"].values()}:
        console.print(f"{COMPILED}: {reason}", markup=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rounds")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        threads, rounds, file = options.worker
        print(json.dumps(work(int(threads), int(rounds), Path(file))))
        return
    results = run(3 if options.quick else 21)
    show(results, Console())
    if options.json:
        text = json.dumps({"environment": environment(), "results": results}, indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
