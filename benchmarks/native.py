"""What the machine code for narrow circuits wins: beside PyTorch's operations and a dense layer.

Three tables: a forward and backward step of the layers A, B and C through each path; the paths by
width and batch, from which ``native.MAX_QUBITS`` comes; and the first call in a new process. The
paths are checked for equal numbers first, then take turns as in ``quantum_layer.py``. Times are the
process's own, and the least of the rounds counts: other work on the machine only adds to it.

Run: python benchmarks/native.py [--quick] [--threads N] [--json PATH]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from _contenders import Case, through
from quantum_layer import CASES, dense_step, environment
from rich.console import Console
from rich.table import Table
from torch import Tensor

from medqnn.circuits import Circuit, compiled, native, statevector
from medqnn.circuits.methods import Method

PATHS: dict[str, Method] = {"native": native, "PyTorch": compiled, "state vector": statevector}
TOLERANCE = 2e-4  # float32
FIRST_CALL = """
import time, torch
from medqnn.circuits import Circuit, expectations
inputs, weights = torch.rand(4, 1, 32), torch.rand(1, 2, 5, 3)
for _ in range(2):
    start = time.process_time()
    expectations(Circuit(5, 2), inputs, weights)
    print(1e3 * (time.process_time() - start))
"""


def step(case: Case, method: Method) -> Callable[[], tuple[Tensor, ...]]:
    inputs, weights, cotangent = case.draw(torch.float32)
    contender = through(method, case)

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


def first_call() -> list[float]:
    """Milliseconds of the first and the second call in a new process."""
    command = [sys.executable, "-c", FIRST_CALL]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [float(line) for line in done.stdout.split()]


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
    rounds, widths = (7, (4, 6)) if options.quick else (41, range(1, 9))
    about, console = environment(), Console()
    layers = {case.name: measure(case, ["native", "PyTorch"], rounds) for case in CASES}
    by_width = {}
    for qubits in widths:
        for batch in (1, 64, 1024):
            case = Case(f"{qubits} qubits, batch {batch}", Circuit(qubits, 2), 1, batch)
            by_width[case.name] = measure(case, list(PATHS), max(3, rounds // 4))
    first, second = first_call()
    show("Forward and backward step, ms of processor time (ratio to native)", layers, console)
    show("One circuit of 2 layers, amplitudes, by width", by_width, console)
    console.print(
        f"First call in a process {first:.0f} ms, for it makes the code; second {second:.2f} ms"
    )
    if options.json:
        figures = {"environment": about, "layers": layers, "by_width": by_width}
        figures["first_call_ms"] = first
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
