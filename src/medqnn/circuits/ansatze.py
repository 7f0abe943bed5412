"""The trainable circuits, each declared as a sequence of layers.

- ``strong``, strongly entangling layers (Schuld et al. 2020): Rot on each qubit, then a ring of
  two-qubit gates from qubit i to qubit (i + r_l) mod q, with PennyLane's reach r_l.
- ``ry_rz_strong`` (HQCNN-MedMNIST): R_y and R_z on each qubit, a ring of reach 1, then one
  strongly entangling layer. Its five weights a qubit are R_y, R_z, φ, θ, ω.
- Quantum pooling (Cong et al. 2019) after either: in each pair (2j, 2j + 1) the odd qubit is
  measured, and on outcome 1 the even one turned by Rot(φ, θ, ω); with the measurement deferred
  that is a controlled rotation. Each pair has its own three weights. An odd last qubit stays as it
  is. In the product circuit the rotation is unconditional, for a condition would entangle.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits.circuit import Circuit, Entangler


class Layer(NamedTuple):
    """Rot(φ, θ, ω) = R_z(ω) R_y(θ) R_z(φ) on each qubit, then two-qubit gates in order."""

    rotations: Tensor  # float64 (P, q, 3): weights @ rotations are φ, θ, ω in radians
    gate: Entangler
    pairs: list[tuple[int, int]]  # control and target


def layers(circuit: Circuit) -> list[Layer]:
    """The circuit's layers in order of time, linear in its P weights."""
    depth, qubits, angles = circuit.ansatz_shape
    count = depth * qubits * angles
    slots = torch.eye(count + 3 * (qubits // 2) * circuit.pooling, dtype=torch.float64)
    ansatz = slots[:, :count].view(-1, *circuit.ansatz_shape)
    declare = _strong if circuit.ansatz == "strong" else _ry_rz_strong
    declared = list(declare(circuit, ansatz))
    if circuit.pooling:
        declared += _pooling(circuit, slots[:, count:].view(len(slots), qubits // 2, 3))
    return declared


def ring(circuit: Circuit, reach: int) -> list[tuple[int, int]]:
    """Pairs (i, (i + reach) mod q) for each qubit i; one qubit has no ring."""
    q = circuit.qubits
    return [(i, (i + reach) % q) for i in range(q if q > 1 else 0)]


def _strong(circuit: Circuit, slots: Tensor) -> Iterator[Layer]:
    """Layer l's reach is (l mod (q - 1)) + 1."""
    for number, rotations in enumerate(slots.unbind(1)):
        reach = number % max(1, circuit.qubits - 1) + 1
        yield Layer(rotations, circuit.entangler, ring(circuit, reach))


def _ry_rz_strong(circuit: Circuit, slots: Tensor) -> Iterator[Layer]:
    pairs = ring(circuit, 1)
    for weights in slots.unbind(1):
        ry, rz, *rot = weights.unbind(-1)
        first = torch.stack((torch.zeros_like(ry), ry, rz), dim=-1)
        yield Layer(first, circuit.entangler, pairs)
        yield Layer(torch.stack(rot, dim=-1), circuit.entangler, pairs)


def _pooling(circuit: Circuit, slots: Tensor) -> Iterator[Layer]:
    """A controlled rotation as A · CNOT · B · CNOT · C with ABC = 1 (Barenco et al. 1995)."""
    pairs = [(even + 1, even) for even in range(0, circuit.qubits - 1, 2)]
    phi, theta, omega = slots.unbind(-1)

    def on_even(*angles: Tensor) -> Tensor:
        rotations = torch.zeros(len(slots), circuit.qubits, 3, dtype=slots.dtype)
        rotations[:, [even for _, even in pairs]] = torch.stack(angles, dim=-1)
        return rotations

    zero = torch.zeros_like(theta)
    if circuit.entangler == "none":
        yield Layer(on_even(phi, theta, omega), "none", [])
        return
    yield Layer(on_even((phi - omega) / 2, zero, zero), "cnot", pairs)
    yield Layer(on_even(-(phi + omega) / 2, -theta / 2, zero), "cnot", pairs)
    yield Layer(on_even(zero, theta / 2, omega), "none", [])
