"""How long a forward and backward step of the quantum convolution takes, beside ``nn.Conv2d``.

``nn.Conv2d`` of the same shape is the floor, PennyLane's ``default.qubit`` with PyTorch's
backpropagation the peer. The quantum convolution's values and gradients are first checked against
PennyLane's in float64; then the contenders take turns, each step timed by itself. A step gives the
gradients to images and weights. The table shows the processor's time, of all threads, in the
cheapest tenth of the steps, which other programs beside it hardly change, and the median of the
wall clock's.

Run: python benchmarks/quantum_conv.py [--quick] [--threads N] [--json PATH]
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import pennylane as qml
import torch
import torch.nn.functional as F  # noqa: N812
from quantum_layer import TOLERANCE, command, show_environment
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from medqnn.layers import QuantumConv2d

OURS, FLOOR, PEER = "QuantumConv2d", "nn.Conv2d", "PennyLane + PyTorch"


@dataclass(frozen=True)
class Case:
    """A convolution of 2×2 patches, a circuit a channel, and a batch of square images."""

    name: str
    channels: int
    stride: int
    size: int
    batch: int

    def layer(self, kind: type[nn.Module], dtype: torch.dtype) -> nn.Module:
        """The layer, the same at each call."""
        torch.manual_seed(0)
        return kind(self.channels, 4 * self.channels, 2, self.stride).to(dtype)

    def draw(self, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Random images, the same at each call, and a gradient to the outputs."""
        random = torch.Generator().manual_seed(0)
        images = torch.randn(self.batch, self.channels, self.size, self.size, generator=random)
        side = (self.size - 2) // self.stride + 1
        grad = torch.randn(self.batch, 4 * self.channels, side, side, generator=random)
        return images.to(dtype).requires_grad_(), grad.to(dtype)


CASES = [
    Case("C: 32×32, stride 2, batch 16", channels=1, stride=2, size=32, batch=16),
    Case("32×32, stride 1, batch 16", channels=1, stride=1, size=32, batch=16),
    Case("4 channels of 16×16, stride 2, batch 64", channels=4, stride=2, size=16, batch=64),
]


class PennyLaneConv(nn.Module):
    """The same circuits on the same patches, one call of ``default.qubit`` a channel."""

    def __init__(self, layer: QuantumConv2d) -> None:
        super().__init__()
        self.layer = layer

        @qml.qnode(qml.device("default.qubit", wires=4), interface="torch", diff_method="backprop")
        def node(angles: Tensor, weights: Tensor) -> list[object]:
            qml.AngleEmbedding(angles, range(4), rotation="Y")
            qml.StronglyEntanglingLayers(weights, range(4))
            return [qml.expval(qml.PauliZ(wire)) for wire in range(4)]

        self.node = node

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, 4 C, H', W')."""
        batch, channels, height, width = images.shape
        stride = self.layer.stride
        rows, columns = (
            (size - 2) // step + 1 for size, step in zip((height, width), stride, strict=True)
        )
        patches = F.unfold(images, 2, stride=stride).unflatten(1, (channels, 4))
        outputs = [
            torch.stack(self.node(patches[:, k].mT.flatten(0, 1), weight)).to(images.dtype)
            for k, weight in enumerate(self.layer.weight)
        ]
        by_channel = torch.stack(outputs).view(channels, 4, batch, rows, columns)
        return by_channel.permute(2, 0, 1, 3, 4).flatten(1, 2)


def step(layer: nn.Module, images: Tensor, grad: Tensor) -> Callable[[], tuple[Tensor, ...]]:
    """A function that gives the values, and the gradients to images and parameters."""
    wanted = (images, *layer.parameters())

    def run() -> tuple[Tensor, ...]:
        values = layer(images)
        return values, *torch.autograd.grad(values, wanted, grad)

    return run


def check(case: Case) -> dict[str, float]:
    """How far ours is off PennyLane's float64, relative to the largest entry if above 1."""
    double = case.draw(torch.float64)
    truth = step(PennyLaneConv(case.layer(QuantumConv2d, torch.float64)), *double)()
    worst = {}
    for dtype, tolerance in TOLERANCE.items():
        layer = case.layer(QuantumConv2d, torch.float32).to(dtype)
        ours = step(layer, *case.draw(dtype))()
        worst[str(dtype)] = max(
            ((a.double() - b).abs().max() / b.abs().max().clamp_min(1)).item()
            for a, b in zip(ours, truth, strict=True)
        )
        if worst[str(dtype)] > tolerance:
            raise SystemExit(f"{case.name}, {dtype}: off by {worst[str(dtype)]:.1e}")
    return worst


def measure(
    steps: dict[str, Callable[[], object]], rounds: int, milliseconds: float
) -> dict[str, list[tuple[float, float]]]:
    """CPU and wall time of every single step; a round lasts ``milliseconds`` for each contender."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for number in range(rounds + 1):
        for name, run in steps.items():
            end = time.perf_counter() + 1e-3 * milliseconds
            while time.perf_counter() < end:
                wall, cpu = time.perf_counter(), time.process_time()
                run()
                spent = (time.process_time() - cpu, time.perf_counter() - wall)
                if number:  # the first round warms up
                    times[name].append(spent)
    return times


def benchmark(case: Case, rounds: int, milliseconds: float) -> dict[str, object]:
    """One case: deviations, and each contender's fastest tenth and median."""
    deviations = check(case)
    drawn = case.draw(torch.float32)
    ours = case.layer(QuantumConv2d, torch.float32)
    layers = {
        FLOOR: case.layer(nn.Conv2d, torch.float32),
        OURS: ours,
        PEER: PennyLaneConv(ours),
    }
    steps = {name: step(layer, *drawn) for name, layer in layers.items()}
    rows = {}
    for name, spent in measure(steps, rounds, milliseconds).items():
        cpu, wall = ([1e3 * seconds for seconds in clock] for clock in zip(*spent, strict=True))
        rows[name] = {
            "cpu_ms": statistics.quantiles(cpu, n=10)[0],
            "wall_ms": statistics.median(wall),
        }
    return {"case": case.name, "deviations": deviations, "contenders": rows}


def show(results: list[dict], about: dict, console: Console) -> None:
    table = Table(title="Forward and backward step, CPU / wall, ms (over nn.Conv2d)")
    table.add_column("layer")
    for name in (FLOOR, OURS, PEER):
        table.add_column(name, justify="right")
    for result in results:
        rows = [result["contenders"][name] for name in (FLOOR, OURS, PEER)]
        cells = []
        for row in rows:
            cpu, wall = (row[clock] / rows[0][clock] for clock in ("cpu_ms", "wall_ms"))
            cells.append(f"{row['cpu_ms']:.3g} / {row['wall_ms']:.3g} ({cpu:.3g}× / {wall:.3g}×)")
        table.add_row(result["case"], *cells)
    console.print(table)
    show_environment(about, console)


def main() -> None:
    command(__doc__.splitlines()[0], benchmark, show, {False: CASES, True: CASES[:1]}, threads=2)


if __name__ == "__main__":
    main()
