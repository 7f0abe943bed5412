"""The trainable circuits, each declared as a sequence of layers.

``Circuit`` says what each ansatz is. Here one is a function of a layer's number and weights, so a
new one is a few lines. Quantum pooling (Cong et al. 2019) may follow any: in each pair
(2j, 2j + 1) the odd qubit is measured, and on outcome 1 the even one turned by Rot(φ, θ, ω); with
the measurement deferred that is a controlled rotation. Each pair has its own three weights. An odd
last qubit stays as it is. In the product circuit the rotation is unconditional, for a condition
would entangle.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from medqnn.circuits.circuit import ANGLES, Circuit, Entangler
from medqnn.errors import CircuitError


class Layer(NamedTuple):
    """R_z(ω) R_axis(θ) R_z(φ) on each qubit (about Y: Rot), then two-qubit gates in order."""

    rotations: Tensor  # float64 (P, q, 3): weights @ rotations are φ, θ, ω in radians
    gate: Entangler
    pairs: list[tuple[int, int]]  # control and target
    axis: Literal["X", "Y"] = "Y"


class Upload(NamedTuple):
    """The gates that embed x, q numbers a circuit.

    H on each qubit or not, then R_axis(x_j) on qubit j, then exp(-i x_j x_k Z_j Z_k / 2) on pairs
    (j, k).
    """

    hadamard: bool
    axis: Literal["X", "Y", "Z"]
    pairs: list[tuple[int, int]]


def layers(circuit: Circuit) -> list[Layer | Upload]:
    """The circuit's layers in order of time, linear in its P weights.

    With ``reupload`` an ``Upload`` stands before each of the ansatz's layers, and the circuit
    begins in |0…0⟩. Without it there is none, and the circuit begins in the embedded state.
    """
    count = math.prod(circuit.ansatz_shape)
    slots = torch.eye(count + 3 * (circuit.qubits // 2) * circuit.pooling, dtype=torch.float64)
    own = slots[:, :count].view(len(slots), circuit.depth, circuit.qubits, ANGLES[circuit.ansatz])
    declared: list[Layer | Upload] = []
    for number, weights in enumerate(own.unbind(1)):
        if circuit.reupload:
            declared.append(upload(circuit))
        declared += ANSATZE[circuit.ansatz](circuit, number, weights)
    if circuit.pooling:
        declared += _pooling(circuit, slots[:, count:].view(len(slots), circuit.qubits // 2, 3))
    return declared


def upload(circuit: Circuit) -> Upload:
    """The embedding as gates.

    Raises:
        CircuitError: If amplitudes are embedded: a state is prepared from them, by no fixed gates.
    """
    if circuit.embedding == "amplitude":
        raise CircuitError("embedding 'amplitude' has no gates of its own: give one of angles")
    every_pair = list(itertools.combinations(range(circuit.qubits), 2))
    return {
        "angle": Upload(False, "Y", []),
        "angle_x": Upload(False, "X", []),
        "angle_z": Upload(True, "Z", []),
        "iqp": Upload(True, "Z", every_pair),
    }[circuit.embedding]


def ring(circuit: Circuit, reach: int) -> list[tuple[int, int]]:
    """Pairs (i, (i + reach) mod q) for each qubit i; one qubit has no ring."""
    q = circuit.qubits
    return [(i, (i + reach) % q) for i in range(q if q > 1 else 0)]


def line(circuit: Circuit) -> list[tuple[int, int]]:
    """Pairs (i, i + 1) of neighbours."""
    return list(itertools.pairwise(range(circuit.qubits)))


def _strong(circuit: Circuit, number: int, weights: Tensor) -> Iterator[Layer]:
    """Layer l's reach is (l mod (q - 1)) + 1, PennyLane's."""
    reach = number % max(1, circuit.qubits - 1) + 1
    yield Layer(weights, circuit.entangler, ring(circuit, reach))


def _ry_rz_strong(circuit: Circuit, number: int, weights: Tensor) -> Iterator[Layer]:
    pairs = ring(circuit, 1)
    yield Layer(_theta_omega(weights[..., :2]), circuit.entangler, pairs)
    yield Layer(weights[..., 2:], circuit.entangler, pairs)


def _basic(circuit: Circuit, number: int, weights: Tensor) -> Iterator[Layer]:
    pairs = line(circuit) if circuit.qubits == 2 else ring(circuit, 1)
    yield Layer(_theta_omega(weights), circuit.entangler, pairs, axis="X")


def _hardware_efficient(circuit: Circuit, number: int, weights: Tensor) -> Iterator[Layer]:
    pairs = line(circuit) if circuit.coupling is None else list(circuit.coupling)
    yield Layer(_theta_omega(weights), circuit.entangler, pairs)


def _real_amplitudes(circuit: Circuit, number: int, weights: Tensor) -> Iterator[Layer]:
    yield Layer(_theta_omega(weights), circuit.entangler, line(circuit))


def _theta_omega(weights: Tensor) -> Tensor:
    """Weights (P, q, 1 or 2) as θ, and ω if there are two, in rotations (P, q, 3)."""
    return F.pad(weights, (1, 2 - weights.shape[-1]))


ANSATZE: MappingProxyType[str, Callable[[Circuit, int, Tensor], Iterator[Layer]]]
ANSATZE = MappingProxyType(
    {
        "strong": _strong,
        "ry_rz_strong": _ry_rz_strong,
        "basic": _basic,
        "hardware_efficient": _hardware_efficient,
        "real_amplitudes": _real_amplitudes,
    }
)
"""One layer of each ansatz, from its number and its share (P, q, angles) of the weights."""


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
