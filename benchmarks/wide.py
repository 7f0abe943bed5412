"""How long a step of a wide circuit takes, and how much memory, by width and method.

One circuit of HQCM-EBTC's form (amplitudes, two strongly entangling layers, ⟨Y⟩), a forward and
backward step with gradients to inputs and weights, float32. Every width runs in a process of its
own, so that its peak memory is its own: the resident set, Python and PyTorch included, and beside
it what the process held before the first step. Methods take turns; the time is the shortest of
the rounds, by the wall clock and by the processor time of all threads, which a busy machine
disturbs less. The method that medqnn chooses by itself is marked.

Run: python benchmarks/wide.py [--widths 4-20] [--batch 8] [--threads N] [--json PATH]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from medqnn.circuits import Circuit, compiled, methods, native, statevector
from medqnn.circuits.circuit import COMPILED_QUBITS, MAX_QUBITS

PATHS = {"native": "machine code", "statevector": "state vector", "compiled": "matrix"}
DEPTH = 2
BUDGET = 1.0  # seconds of rounds for each method


def step(
    method: methods.Method, circuit: Circuit, batch: int
) -> tuple[Callable[[], object], methods.Method]:
    """A step of a method, and the method that medqnn chooses for it."""
    random = torch.Generator().manual_seed(0)
    shapes = (batch, 1, circuit.inputs), (1, *circuit.weight_shape), (batch, 1, circuit.outputs)
    inputs, weights, cotangent = (torch.randn(shape, generator=random) for shape in shapes)

    @torch.no_grad()
    def run() -> object:
        _, saved = method.evaluate(circuit, inputs, weights)
        return method.gradients(circuit, saved, cotangent, inputs, weights)

    return run, methods.fastest(circuit, inputs, weights)


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds by the wall clock, and of all threads' processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    run()
    return 1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - processor)


def peak_megabytes() -> float:
    """Of this process so far; macOS counts in bytes."""
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def named(method: methods.Method) -> str:
    """A module's own name."""
    return method.__name__.rpartition(".")[2]


def measure(qubits: int, batch: int) -> dict[str, Any]:
    """One width, in this process: the chosen method's memory first, then all times."""
    circuit = Circuit(qubits, DEPTH, "amplitude", "Y")
    chosen = step(statevector, circuit, batch)[1]
    step(chosen, Circuit(2, 1, "amplitude", "Y"), 1)[0]()  # machine code is made, PyTorch is awake
    run = step(chosen, circuit, batch)[0]
    before = peak_megabytes()
    first, _ = timed(run)
    row = {
        "qubits": qubits,
        "chosen": named(chosen),
        "first_ms": first,
        "before_mb": before,
        "peak_mb": peak_megabytes(),
    }
    served = {native: native.MAX_QUBITS, statevector: MAX_QUBITS, compiled: COMPILED_QUBITS}
    runs = {
        named(method): step(method, circuit, batch)[0]
        for method, widest in served.items()
        if qubits <= widest
    }
    for name, times in rounds(runs).items():
        wall, processor = map(min, zip(*times, strict=True))
        row[name] = {"ms": wall, "processor_ms": processor, "ms_an_image": wall / batch}
    return row


def rounds(runs: dict[str, Callable[[], object]]) -> dict[str, list[tuple[float, float]]]:
    """Times of each run, taking turns until the budget is spent; at least three each."""
    times: dict[str, list[tuple[float, float]]] = {name: [timed(run)] for name, run in runs.items()}
    last = time.perf_counter() + BUDGET * len(runs)
    while time.perf_counter() < last or len(times["statevector"]) < 3:
        for name, run in runs.items():
            times[name].append(timed(run))
    return times


def in_own_process(qubits: int, batch: int, threads: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--one", str(qubits)]
    command += ["--batch", str(batch), "--threads", str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{qubits} qubits: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout)


def show(rows: list[dict[str, Any]], about: dict[str, Any], console: Console) -> None:
    title = f"Forward and backward step, batch {about['batch']}, ms (processor time of all threads)"
    table = Table(title=title)
    columns = ("qubits", *PATHS.values(), "an image", "peak MB", "for the step MB")
    for column in columns:
        table.add_column(column, justify="right")
    for row in rows:
        cells = []
        for name in PATHS:
            found = row.get(name)
            mark = "*" if row["chosen"] == name else ""
            cells.append(f"{found['ms']:.3g} ({found['processor_ms']:.3g}){mark}" if found else "")
        image = f"{row[row['chosen']]['ms_an_image']:.3g}"
        peak, own = f"{row['peak_mb']:.0f}", f"{row['peak_mb'] - row['before_mb']:.0f}"
        table.add_row(str(row["qubits"]), *cells, image, peak, own)
    console.print(table)
    console.print(
        f"* chosen; PyTorch's threads: {about['threads']}; load before: {about['load']:.1f}"
    )


def widths(text: str) -> list[int]:
    """``4-20`` or ``8,12,16``."""
    first, _, last = text.partition("-")
    return list(range(int(first), int(last) + 1)) if last else [int(q) for q in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--widths", type=widths, default=widths("4-20"), help="default 4-20")
    parser.add_argument("--batch", type=int, default=8, help="images (default 8)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="default all cores")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        torch.set_num_threads(options.threads)
        print(json.dumps(measure(options.one, options.batch)))
        return
    about = {
        "batch": options.batch,
        "threads": options.threads,
        "load": os.getloadavg()[0],
        "torch": torch.__version__,
    }
    console = Console()
    rows = []
    for qubits in options.widths:
        with console.status(f"{qubits} qubits"):
            rows.append(in_own_process(qubits, options.batch, options.threads))
    show(rows, about, console)
    if options.json:
        text = json.dumps({"about": about, "rows": rows}, indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
