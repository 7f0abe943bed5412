"""How long a forward and backward step of the quantum layer takes, beside its peers.

Every contender is first checked against PennyLane's ``default.qubit`` in float64, values and
gradients. Then they take turns: each round times every contender once, for as many steps as last
some milliseconds, so that a drift of the machine hits all alike; the table shows medians over the
rounds. A step gives the gradients to inputs and weights.

Run: python benchmarks/quantum_layer.py [--quick] [--threads N] [--json PATH]
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from _contenders import DENSE, OURS, Case, Contender, contenders, dense, pennylane_torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from medqnn.circuits import Circuit

HQCM_EBTC = Circuit(5, 2, "amplitude", "Y")
CASES = [
    Case("A, batch 64", HQCM_EBTC, circuits=5, batch=64),
    Case("A, batch 1", HQCM_EBTC, circuits=5, batch=1),
    Case("A, batch 1024", HQCM_EBTC, circuits=5, batch=1024),
    Case("B, batch 64", Circuit(4, 3, "angle", "Z"), circuits=1, batch=64),
    Case("C, 4096 patches", Circuit(4, 2, "angle", "Z"), circuits=1, batch=4096),
]
TOLERANCE = {torch.float64: 1e-10, torch.float32: 2e-4}
PACKAGES = ("torch", "pennylane", "numpy")


def gradients(contender: Contender, case: Case, dtype: torch.dtype) -> list[Tensor]:
    """Values and the gradients to inputs and weights, in float64."""
    inputs, weights, cotangent = case.draw(dtype)
    values = contender(inputs, weights)
    pulled = torch.autograd.grad(values, (inputs, weights), cotangent.to(values.dtype))
    return [t.detach().double() for t in (values, *pulled)]


def check(case: Case) -> tuple[dict[str, Contender], dict[str, float]]:
    """The contenders, and how far each is off in float64 and in float32.

    The deviation is relative to the largest entry of each tensor where that is above 1.
    """
    truth = gradients(pennylane_torch(case), case, torch.float64)
    chosen, worst = contenders(case), {}
    for dtype, tolerance in TOLERANCE.items():
        for name, contender in chosen.items():
            deviation = max(
                ((a - b).abs().max() / b.abs().max().clamp_min(1)).item()
                for a, b in zip(gradients(contender, case, dtype), truth, strict=True)
            )
            if deviation > tolerance:
                raise SystemExit(f"{name}, {case.name}, {dtype}: off by {deviation:.1e}")
            worst[f"{name}, {dtype}"] = deviation
    return chosen, worst


def step(contender: Contender, case: Case) -> Callable[[], object]:
    inputs, weights, cotangent = case.draw(torch.float32)

    def run() -> object:
        values = contender(inputs, weights)
        return torch.autograd.grad(values, (inputs, weights), cotangent)

    return run


def dense_step(case: Case) -> Callable[[], object]:
    inputs, _, cotangent = case.draw(torch.float32)
    layer = dense(case, inputs)
    flat, cotangent = inputs.detach().flatten(1).requires_grad_(), cotangent.flatten(1)
    parameters = list(layer.parameters())
    return lambda: torch.autograd.grad(layer(flat), (flat, *parameters), cotangent)


def timed(run: Callable[[], object], steps: int) -> float:
    """Milliseconds a step."""
    start = time.perf_counter()
    for _ in range(steps):
        run()
    return 1e3 * (time.perf_counter() - start) / steps


def measure(
    steps: dict[str, Callable[[], object]], rounds: int, milliseconds: float
) -> dict[str, list[float]]:
    """Times of each contender by round; a round lasts ``milliseconds`` for each."""
    counts = {}
    for name, run in steps.items():
        timed(run, 3)  # first calls allocate, and compile where there is a compiler
        counts[name] = max(1, round(milliseconds / timed(run, 3)))
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, run in steps.items():
            times[name].append(timed(run, counts[name]))
    return times


def benchmark(case: Case, rounds: int, milliseconds: float) -> dict[str, object]:
    """One case: deviations, medians, quartiles and ratios to ours."""
    chosen, deviations = check(case)
    steps = {OURS: step(chosen.pop(OURS), case), DENSE: dense_step(case)}
    steps |= {name: step(contender, case) for name, contender in chosen.items()}
    times = measure(steps, rounds, milliseconds)
    ours = times[OURS]
    rows = {
        name: {
            "median_ms": statistics.median(values),
            "quartiles_ms": statistics.quantiles(values, n=4)[::2],
            "ratio_to_ours": statistics.median(
                one / base for one, base in zip(values, ours, strict=True)
            ),
        }
        for name, values in times.items()
    }
    return {"case": case.name, "deviations": deviations, "contenders": rows}


def processor() -> str:
    """The CPU's name; Linux tells more than Python does."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def environment() -> dict[str, object]:
    installed = {}
    for package in PACKAGES:
        try:
            installed[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            installed[package] = None
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load_average": os.getloadavg(),
        "packages": installed,
    }


def show(results: list[dict], about: dict, console: Console) -> None:
    names = list(results[0]["contenders"])
    table = Table(title="Forward and backward step, median ms (ratio to ours)")
    table.add_column("layer")
    for name in names:
        table.add_column(name, justify="right")
    for result in results:
        rows = [result["contenders"][name] for name in names]
        table.add_row(
            result["case"], *(f"{r['median_ms']:.3g} ({r['ratio_to_ours']:.3g}×)" for r in rows)
        )
    console.print(table)
    show_environment(about, console)


def show_environment(about: dict, console: Console) -> None:
    console.print(
        f"{about['processor']}, {about['cores']} cores; PyTorch's threads: {about['threads']}; "
        f"load before: {about['load_average'][0]:.1f}"
    )


def command(
    about: str,
    benchmark: Callable[[Any, int, float], dict],
    show: Callable[[list[dict], dict, Console], None],
    cases: dict[bool, list],
    threads: int,
) -> None:
    """The command line of a benchmark.

    Args:
        about: What it measures, in a sentence.
        benchmark: One case, in so many rounds of so many milliseconds.
        show: Prints the results and the environment.
        cases: All, and under True those of --quick.
        threads: PyTorch's, unless told.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--quick", action="store_true", help="few rounds, few cases")
    parser.add_argument(
        "--threads", type=int, default=threads, help=f"PyTorch's threads (default {threads})"
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    found = environment()
    rounds, milliseconds = (9, 5.0) if options.quick else (41, 50.0)
    results = [benchmark(case, rounds, milliseconds) for case in cases[options.quick]]
    show(results, found, Console())
    if options.json:
        text = json.dumps({"environment": found, "results": results}, indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")


def main() -> None:
    cases = {False: CASES, True: [CASES[0], CASES[3]]}
    command(__doc__.splitlines()[0], benchmark, show, cases, threads=1)


if __name__ == "__main__":
    main()
