"""A circuit as a list of gates, which every quantum program can be written from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits import Circuit
from medqnn.circuits.ansatze import Layer, Upload, layers, upload
from medqnn.errors import CircuitError


class Inputs(NamedTuple):
    """An angle that the data give: the product of numbers x_j."""

    numbers: tuple[int, ...]


class Gate(NamedTuple):
    """A gate, R_p(t) = exp(-i t p / 2) where it turns.

    Attributes:
        name: ``h``, ``rx``, ``ry``, ``rz``, ``rzz``, ``cx`` or ``cz``, as in OpenQASM and Qiskit.
        qubits: On which it acts, from 0; control, then target.
        angle: In radians, a tensor without dimensions or what the data give; None of the others.
    """

    name: str
    qubits: tuple[int, ...]
    angle: Tensor | Inputs | None = None


def gates(circuit: Circuit, weights: Tensor) -> Iterator[Gate]:
    """All gates of a circuit in order of time, up to its readout.

    Amplitudes are embedded by no fixed gates: the list then begins behind the embedded state.
    Rotations without a weight are left out, and pooling is as it is computed (see
    ``circuits.ansatze``): its measurements deferred, controlled rotations as rotations and CNOTs.

    Args:
        circuit: The circuit.
        weights: Real, radians, of ``circuit.weight_shape``. The angles are functions of them that
            autograd sees through.

    Raises:
        CircuitError: If the weights' shape does not fit.
    """
    if weights.shape != circuit.weight_shape:
        raise CircuitError(
            f"weights have shape {tuple(weights.shape)}: give {circuit.weight_shape}, those of "
            "one circuit"
        )
    if circuit.embedding != "amplitude" and not circuit.reupload:
        yield from _embedding(circuit, upload(circuit))
    for part in layers(circuit):
        if isinstance(part, Upload):
            yield from _embedding(circuit, part)
        else:
            yield from _trained(part, weights.flatten())


def prepares(circuit: Circuit) -> bool:
    """Whether the circuit begins with a state made of amplitudes, for which there is no gate."""
    return circuit.embedding == "amplitude"


def _embedding(circuit: Circuit, part: Upload) -> Iterator[Gate]:
    for qubit in range(circuit.qubits):
        if part.hadamard:
            yield Gate("h", (qubit,))
        yield Gate(f"r{part.axis.lower()}", (qubit,), Inputs((qubit,)))
    yield from (Gate("rzz", pair, Inputs(pair)) for pair in part.pairs)


def _trained(layer: Layer, weights: Tensor) -> Iterator[Gate]:
    """Rotations that have a weight, qubit by qubit, then two-qubit gates."""
    angles = torch.einsum("p,pqk->qk", weights, layer.rotations.to(weights))
    names = ("rz", f"r{layer.axis.lower()}", "rz")
    for qubit, present in enumerate(layer.rotations.any(0).tolist()):
        turns = zip(names, angles[qubit], present, strict=True)
        yield from (Gate(name, (qubit,), angle) for name, angle, there in turns if there)
    if layer.gate != "none":
        name = {"cnot": "cx", "cz": "cz"}[layer.gate]
        yield from (Gate(name, pair) for pair in layer.pairs)
