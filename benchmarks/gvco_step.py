"""How long a step of GVCO takes beside PyTorch's AdamW, on 1.6 million parameters in 30 tensors.

The optimisers take turns, one step each a round, on gradients drawn anew, so that a drift of the
machine hits all alike. Shown are wall time and the processor time of all threads, which other
programs on a busy machine disturb less.

    python benchmarks/gvco_step.py [--rounds N] [--threads N] [--json PATH]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.optim import AdamW, Optimizer

from medqnn.training.gvco import GVCO

SHAPES = (
    [(160, 8192), (160,), (64, 128, 5, 5), (32, 64, 7, 7), (128, 1, 3, 3), (25, 160), (4, 25)]
    + [(128,)] * 8
    + [(64,)] * 8
    + [(32,)] * 7
)
"""Like HQCM-EBTC's: most of it in one dense layer and two convolutions."""

OPTIMIZERS: dict[str, Callable[[list[Tensor]], Optimizer]] = {
    "AdamW, foreach": lambda weights: AdamW(weights, foreach=True),
    "AdamW, fused": lambda weights: AdamW(weights, fused=True),
    "GVCO": lambda weights: GVCO(weights, weight_decay=0.01),
    "GVCO, no clipping": lambda weights: GVCO(weights, weight_decay=0.01, clip=float("inf")),
}
WARM_UP = 15  # rounds: GVCO clips only after its first steps


def measure(rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds of each step of each optimiser, by the clock and of the processor."""
    torch.manual_seed(0)
    weights = {name: [torch.randn(shape) for shape in SHAPES] for name in OPTIMIZERS}
    optimizers = {name: make(weights[name]) for name, make in OPTIMIZERS.items()}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in OPTIMIZERS}
    for number in range(WARM_UP + rounds):
        for name, optimizer in optimizers.items():
            for weight in weights[name]:
                weight.grad = torch.randn_like(weight).mul_(0.01)
            start = time.perf_counter(), time.process_time()
            optimizer.step()
            spent = time.perf_counter() - start[0], time.process_time() - start[1]
            if number >= WARM_UP:
                times[name].append((1e3 * spent[0], 1e3 * spent[1]))
    return times


def summary(times: dict[str, list[tuple[float, float]]]) -> dict[str, dict[str, float]]:
    """Least and median of both times of each optimiser, and the medians' ratios to AdamW's."""
    columns = {name: tuple(zip(*spent, strict=True)) for name, spent in times.items()}
    base = [statistics.median(column) for column in columns["AdamW, foreach"]]
    return {
        name: {
            "least_ms": min(clock),
            "median_ms": statistics.median(clock),
            "ratio": statistics.median(clock) / base[0],
            "least_processor_ms": min(processor),
            "median_processor_ms": statistics.median(processor),
            "processor_ratio": statistics.median(processor) / base[1],
        }
        for name, (clock, processor) in columns.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--threads", type=int, default=1, help="PyTorch's threads (default 1)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    load = os.getloadavg()[0]
    figures = summary(measure(options.rounds))
    count = sum(torch.Size(shape).numel() for shape in SHAPES)
    table = Table(title=f"A step on {count:,} parameters in {len(SHAPES)} tensors")
    columns = ("", "least ms", "median", "ratio")
    for column in (*columns, "CPU: least ms", "median", "ratio"):
        table.add_column(column, justify="right")
    for name, row in figures.items():
        table.add_row(name, *(f"{value:.2f}" for value in row.values()))
    Console().print(table)
    print(
        f"PyTorch's threads: {options.threads}; load before: {load:.1f} on {os.cpu_count()} cores"
    )
    if options.json:
        about = {"parameters": count, "threads": options.threads, "load_average": load}
        text = json.dumps({**about, "optimizers": figures}, indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
