"""What machine code wins: beside PyTorch's operations and a dense layer.

Three tables: a forward and backward step of the layers A, B and C through each path; the paths by
width, depth and batch, from which the choice among the kernels comes (``native.method.kernel``);
and the first call, on a machine and in a process. Wider circuits: ``wide.py``. The paths are
checked for equal numbers first, then take turns as in ``quantum_layer.py``. Times are the process's
own, and the least of the rounds counts: other work on the machine only adds to it.

Run: python benchmarks/native.py [--quick] [--threads N] [--json PATH]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from _contenders import Case, through
from quantum_layer import CASES, dense_step, environment
from rich.console import Console
from rich.table import Table
from torch import Tensor

from medqnn.circuits import Circuit, compiled, native, statevector
from medqnn.circuits.methods import Method
from medqnn.circuits.native import method
from medqnn.kernels.contract import Kernel


class Forced:
    """Machine code by one kernel, whichever would be chosen."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def evaluate(self, circuit: Circuit, inputs: Tensor, weights: Tensor) -> tuple[Tensor, Any]:
        """As ``native.evaluate``."""
        chosen, method.kernel = method.kernel, lambda circuit, images: self.kernel
        try:
            return native.evaluate(circuit, inputs, weights)
        finally:
            method.kernel = chosen

    gradients = staticmethod(native.gradients)


PATHS: dict[str, Method] = {
    "native": native,
    "by states": Forced("states"),
    "by matrix": Forced("matrix"),
    "PyTorch": compiled,
    "state vector": statevector,
}
TOLERANCE = 2e-4  # float32
FIRST_CALL = """
import time, torch
from medqnn.circuits import Circuit, expectations
inputs, weights = torch.rand(4, 1, 32), torch.rand(1, 2, 5, 3)
start = time.perf_counter()
expectations(Circuit(5, 2), inputs, weights)
print(1e3 * (time.perf_counter() - start))
"""


def step(case: Case, path: Method) -> Callable[[], tuple[Tensor, ...]]:
    inputs, weights, cotangent = case.draw(torch.float32)
    contender = through(path, case)

    def run() -> tuple[Tensor, ...]:
        values = contender(inputs, weights)
        return values, *torch.autograd.grad(values, (inputs, weights), cotangent)

    return run


def least(steps: dict[str, Callable[[], object]], rounds: int, seconds: float) -> dict[str, float]:
    """Milliseconds of processor time a step, the least of the rounds; all take turns."""
    best = dict.fromkeys(steps, float("inf"))
    for _ in range(rounds):
        for name, run in steps.items():
            count = max(1, round(seconds / timed(run, 1)))
            best[name] = min(best[name], 1e3 * timed(run, count))
    return best


def timed(run: Callable[[], object], count: int) -> float:
    start = time.process_time()
    for _ in range(count):
        run()
    return max(1e-9, (time.process_time() - start) / count)


def measure(case: Case, paths: list[str], rounds: int) -> dict[str, float]:
    """One case through some of the paths, and the dense layer of the same widths."""
    steps = {name: step(case, PATHS[name]) for name in paths}
    expected = steps["PyTorch"]()
    for name, run in steps.items():
        for one, other in zip(run(), expected, strict=True):
            if ((one - other).abs().max() / other.abs().max().clamp_min(1)) > TOLERANCE:
                raise SystemExit(f"{name}, {case.name}: the numbers are not PyTorch's")
    return least({**steps, "nn.Linear": dense_step(case)}, rounds, 2e-3)


def first_calls() -> tuple[float, float]:
    """Milliseconds of a first call that has the code made, and of one in a process after it."""
    with TemporaryDirectory() as folder:
        environment = os.environ | {"MEDQNN_CACHE": folder}
        command = [sys.executable, "-c", FIRST_CALL]
        made, kept = (
            float(subprocess.check_output(command, env=environment, text=True)) for _ in range(2)
        )
    return made, kept


def show(title: str, results: dict[str, dict[str, float]], console: Console) -> None:
    names = list(next(iter(results.values())))
    table = Table("", *names, title=title)
    for case, times in results.items():
        cells = [f"{times[name]:.3g} ({times[name] / times['native']:.3g}×)" for name in names]
        table.add_row(case, *cells)
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rounds, few widths")
    parser.add_argument("--threads", type=int, default=1, help="PyTorch's threads (default 1)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rounds, widths = (7, (4, 6)) if options.quick else (41, range(2, 9))
    about, console = environment(), Console()
    layers = {case.name: measure(case, ["native", "PyTorch"], rounds) for case in CASES}
    by_width = {}
    for qubits in widths:
        for depth, batch in ((2, 1), (2, 64), (2, 1024), (10, 64), (10, 1024)):
            name = f"{qubits}, {depth}, {batch}"
            case = Case(name, Circuit(qubits, depth), 1, batch)
            by_width[case.name] = measure(case, list(PATHS), max(3, rounds // 4))
    made, kept = first_calls()
    show("Forward and backward step, ms of processor time (ratio to native)", layers, console)
    show("One circuit by qubits, depth and batch: amplitudes, ⟨Y⟩", by_width, console)
    console.print(
        f"First call on a machine {made:.0f} ms, for it makes the code; "
        f"in a later process {kept:.0f} ms"
    )
    if options.json:
        figures = {"environment": about, "layers": layers, "by_width": by_width}
        figures["first_call_ms"] = {"made": made, "kept": kept}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
