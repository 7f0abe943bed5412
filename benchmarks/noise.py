"""What noise costs: a step of the quantum layer with and without it, beside a density matrix.

Noise is that of a device profile. A step is forward and backward, to inputs and weights; the pairs
take turns and the fastest of the rounds counts, in processor time. ``default.mixed`` evolves a
density matrix an image, so it is timed on one image and circuit. Values are checked against it in
the tests.

Run: python benchmarks/noise.py [--rounds N] [--device NAME] [--json PATH]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import pennylane as qml
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from medqnn.circuits import Circuit, expectations, noise, shots
from medqnn.circuits.noise import Channel, Noise
from medqnn.devices import load

CASES = {
    "A, batch 64": (Circuit(5, 2), 5, 64),
    "A, batch 1024": (Circuit(5, 2), 5, 1024),
    "B, batch 64": (Circuit(4, 3, "angle", "Z", ansatz="ry_rz_strong"), 1, 64),
    "C, 4096 patches": (Circuit(4, 2, "angle", "Z"), 1, 4096),
    "7 qubits, batch 64": (Circuit(7, 2), 1, 64),
}
CHANNELS = {
    "depolarising": qml.DepolarizingChannel,
    "amplitude_damping": qml.AmplitudeDamping,
    "phase_damping": qml.PhaseDamping,
}


def seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def step(evaluate: Callable[..., Tensor], *drawn: Tensor) -> Callable[[], object]:
    return lambda: torch.autograd.grad(evaluate(*drawn).sum(), drawn)


def mixed(device: Noise) -> Callable[[], object]:
    """One image and one circuit of case A by ``default.mixed``; joint noise strikes each qubit."""

    def strike(channels: tuple[Channel, ...], wires: tuple[int, ...]) -> None:
        for channel in channels:
            for wire in wires:
                CHANNELS[channel.kind](channel.rate, wires=wire)

    @qml.qnode(qml.device("default.mixed", wires=5), interface="torch", diff_method="backprop")
    def node(inputs: Tensor, weights: Tensor) -> list[object]:
        qml.AmplitudeEmbedding(inputs / inputs.norm(), range(5))
        for number, layer in enumerate(weights):
            for wire in range(5):
                qml.Rot(*layer[wire], wires=wire)
                strike(device.one_qubit, (wire,))
            for wire in range(5):
                pair = wire, (wire + number + 1) % 5
                qml.CNOT(pair)
                strike(device.two_qubit, pair)
        return [qml.expval(qml.PauliY(wire)) for wire in range(5)]

    drawn = torch.randn(32, requires_grad=True), torch.randn(2, 5, 3, requires_grad=True)
    return step(lambda *pair: torch.stack(node(*pair)), *drawn)


def measure(circuit: Circuit, count: int, batch: int, device: Noise, rounds: int) -> list[float]:
    """Milliseconds of a step without noise, of one with it, and of drawing 1,000 shots."""
    inputs = torch.randn(batch, count, circuit.inputs, requires_grad=True)
    weights = torch.randn(count, *circuit.weight_shape, requires_grad=True)
    generator = torch.Generator().manual_seed(0)
    runs = [
        step(lambda *pair: expectations(circuit, *pair), inputs, weights),
        step(lambda *pair: noise.expectations(circuit, *pair, device), inputs, weights),
    ]
    if circuit.qubits <= shots.EXACT_QUBITS:
        runs.append(lambda: shots.sample(circuit, inputs, weights, 1000, generator, device))
    taken = [[seconds(run) for run in runs] for _ in range(rounds + 1)][1:]
    return [1e3 * min(column) for column in zip(*taken, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--device", default="ibm-eagle")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    device = load(options.device).noise()
    found = {name: measure(*case, device, options.rounds) for name, case in CASES.items()}
    peer = 1e3 * min(seconds(mixed(device)) for _ in range(3))
    table = Table("case", "exact, ms", "noisy, ms", "1,000 noisy shots, ms")
    for name, times in found.items():
        table.add_row(name, *(f"{value:.2f}" for value in times))
    Console().print(table)
    print(f"default.mixed, one image and circuit of case A: {peer:.0f} ms")
    if options.json:
        options.json.write_text(json.dumps({"cases": found, "default.mixed": peer}, indent=2))


if __name__ == "__main__":
    main()
