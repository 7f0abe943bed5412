"""A noisy circuit as operations on Pauli vectors, in order of time.

Constants are built in float64 once and kept; what weights or data turn is built from them.
"""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits import gates
from medqnn.circuits.ansatze import upload
from medqnn.circuits.circuit import Circuit
from medqnn.circuits.noise.channels import PAULIS, Channel
from medqnn.circuits.noise.declaration import Noise
from medqnn.circuits.noise.listing import (
    DataPair,
    DataRotation,
    Entangling,
    Rotation,
    angles,
    listed,
)
from medqnn.circuits.noise.transfer import Operation, kron, rotation_parts, rotations, transfer

Z_PARTS, Y_PARTS = rotation_parts(PAULIS[3]), rotation_parts(PAULIS[2])
AXES = {"X": PAULIS[1], "Y": PAULIS[2], "Z": PAULIS[3]}


class Turn(NamedTuple):
    """A rotation by weights: one of the plan's gates."""

    qubit: int
    gate: int


class Datum(NamedTuple):
    """A rotation by x_j, or by x_j x_k, and what noise follows: parts as ``rotation_parts``."""

    qubits: tuple[int, ...]
    parts: Tensor  # (3, 4^k, 4^k)


class Plan(NamedTuple):
    """A noisy circuit's constants, for one dtype and device (G rotations by weights)."""

    slopes: Tensor  # (P, 3G): weights to φ, θ, ω
    offsets: Tensor  # (3G,) radians
    parts: Tensor  # (2, 3, 4, 4): those of R_z and R_y
    after: Tensor  # (4, 4), the noise of one-qubit gates
    steps: tuple[Turn | Datum | Operation, ...]


def one_qubit(channels: tuple[Channel, ...]) -> Tensor:
    """Transfer matrix of channels on one qubit, float64 (4, 4)."""
    matrix = torch.eye(4, dtype=torch.float64)
    for channel in channels:
        matrix = transfer(channel.kraus()) @ matrix
    return matrix


def two_qubit(channels: tuple[Channel, ...]) -> Tensor:
    """Transfer matrix of channels on two qubits, float64 (16, 16)."""
    matrix = torch.eye(16, dtype=torch.float64)
    for channel in channels:
        alone = None if channel.joint else transfer(channel.kraus())
        matrix = (transfer(channel.kraus(2)) if alone is None else kron(alone, alone)) @ matrix
    return matrix


@lru_cache(maxsize=64)
def plan(
    circuit: Circuit, noise: Noise, folds: int, dtype: torch.dtype, device: torch.device
) -> Plan:
    """The circuit from the prepared state to the readout; a product embedding is not part of it."""
    with torch.inference_mode(False), torch.no_grad(), torch.device("cpu"):
        found = listed(circuit, folds)
        rotations_in = [gate for gate in found if isinstance(gate, Rotation)]
        slopes, offsets = angles(rotations_in, noise.over_rotation)
        steps = [] if is_product(circuit) else _on_each(circuit, noise.preparation)
        numbers = itertools.count()
        for gate in found:
            if isinstance(gate, Rotation):
                steps.append(Turn(gate.qubit, next(numbers)))
            elif isinstance(gate, Entangling):
                steps.append(Operation(gate.pair, entangling(gate, noise)))
            elif not is_product(circuit):
                steps.append(data(gate, noise))
        steps += _on_each(circuit, noise.before_readout)
        return Plan(
            slopes.to(device, dtype),
            offsets.to(device, dtype),
            torch.stack((Z_PARTS, Y_PARTS)).to(device, dtype),
            one_qubit(noise.one_qubit).to(device, dtype),
            tuple(
                step if isinstance(step, Turn) else type(step)(step[0], step[1].to(device, dtype))
                for step in steps
            ),
        )


def is_product(circuit: Circuit) -> bool:
    """Whether the data stand before all else, in a product state."""
    embeds = circuit.embedding != "amplitude" and not circuit.reupload
    return embeds and not upload(circuit).pairs


def operations(plan: Plan, weights: Tensor, inputs: Tensor) -> list[Operation]:
    """The plan's steps, for weights (c, P) and, where data are among them, angles (c, q, B)."""
    turned = torch.addmm(plan.offsets, weights, plan.slopes).unflatten(-1, (-1, 3))
    phi, theta, omega = (
        rotations(plan.parts[axis], angle)
        for axis, angle in zip((0, 1, 0), turned.unbind(-1), strict=True)
    )
    gates_of = (plan.after @ (omega @ theta @ phi)).unsqueeze(1).unbind(2)  # (c, 1, 4, 4) each
    done = []
    for step in plan.steps:
        if isinstance(step, Turn):
            done.append(Operation((step.qubit,), gates_of[step.gate]))
        elif isinstance(step, Datum):
            by = inputs[:, list(step.qubits)].prod(1)
            done.append(Operation(step.qubits, rotations(step.parts, by)))
        else:
            done.append(step)
    return done


def data(gate: DataRotation | DataPair, noise: Noise) -> Datum:
    """An embedding's gate with the noise after it."""
    if isinstance(gate, DataPair):
        zz = rotation_parts(torch.kron(PAULIS[3], PAULIS[3]))
        return Datum(gate.pair, two_qubit(noise.two_qubit) @ zz)
    parts = rotation_parts(AXES[gate.axis])
    before = torch.eye(4, dtype=torch.float64)
    if gate.hadamard:
        before = transfer(gates.BASIS_CHANGE["X"][None])
    too_far = rotations(parts, torch.tensor(noise.over_rotation, dtype=torch.float64))
    return Datum((gate.qubit,), one_qubit(noise.one_qubit) @ too_far @ parts @ before)


def entangling(gate: Entangling, noise: Noise) -> Tensor:
    """Transfer matrix of a two-qubit gate, control first, and the noise after it."""
    if gate.gate == "cnot":
        matrix = torch.eye(4, dtype=torch.complex128)[gates.cnot(2, 0, 1)]
    else:
        matrix = gates.cz(2, 0, 1).to(torch.complex128).diag()
    return two_qubit(noise.two_qubit) @ transfer(matrix[None])


def _on_each(circuit: Circuit, channels: tuple[Channel, ...]) -> list[Turn | Datum | Operation]:
    """Channels on every qubit, if there are any."""
    if not channels:
        return []
    return [Operation((qubit,), one_qubit(channels)) for qubit in range(circuit.qubits)]
