"""A circuit gate by gate, which is where noise strikes."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from medqnn.circuits.ansatze import Layer, Upload, layers, upload
from medqnn.circuits.circuit import Circuit, Entangler
from medqnn.circuits.folding import fold


class Rotation(NamedTuple):
    """R_z(ω) R_axis(θ) R_z(φ) by weights, on one qubit."""

    qubit: int
    slope: Tensor  # float64 (P, 3): weights @ slope are φ, θ, ω
    axis: Literal["X", "Y"]


class DataRotation(NamedTuple):
    """R_axis(x_j) on qubit j, perhaps after H."""

    qubit: int
    hadamard: bool
    axis: Literal["X", "Y", "Z"]


class DataPair(NamedTuple):
    """exp(-i x_j x_k Z_j Z_k / 2)."""

    pair: tuple[int, int]


class Entangling(NamedTuple):
    """CNOT or CZ on control and target."""

    pair: tuple[int, int]
    gate: Entangler


Gate = Rotation | DataRotation | DataPair | Entangling


def listed(circuit: Circuit, folds: int = 1) -> list[Gate]:
    """The circuit's gates in order of time, from |0…0⟩ or the embedded amplitudes on.

    Args:
        circuit: What to list.
        folds: How often each layer's gates act; see ``folding.fold``.
    """
    declared = fold(layers(circuit), folds)
    if circuit.embedding != "amplitude" and not circuit.reupload:
        declared = [upload(circuit), *declared]
    found: list[Gate] = []
    for layer in declared:
        found += _data(circuit, layer) if isinstance(layer, Upload) else _layer(layer)
    return found


def _data(circuit: Circuit, embedding: Upload) -> list[Gate]:
    turns = [DataRotation(q, embedding.hadamard, embedding.axis) for q in range(circuit.qubits)]
    return [*turns, *map(DataPair, embedding.pairs)]


def _layer(layer: Layer) -> list[Gate]:
    """A qubit whose rotations are zero whatever the weights has no gate."""
    turned = enumerate(layer.rotations.unbind(1))
    turns = [Rotation(qubit, slope, layer.axis) for qubit, slope in turned if slope.any()]
    pairs = layer.pairs if layer.gate != "none" else []
    return [*turns, *(Entangling(pair, layer.gate) for pair in pairs)]


def angles(rotations: list[Rotation], over_rotation: float) -> tuple[Tensor, Tensor]:
    """Weights to the angles φ, θ, ω of R_z(ω) R_y(θ) R_z(φ), about y whatever the axis was.

    R_x(θ) = R_z(-π/2) R_y(θ) R_z(π/2). Every rotation that there is turns too far by
    ``over_rotation``.

    Returns:
        Slopes (P, 3G) and offsets (3G,) of G rotations, float64, radians.
    """
    offsets = []
    for rotation in rotations:
        quarter = math.pi / 2 if rotation.axis == "X" else 0.0
        to_y = torch.tensor([quarter, 0.0, -quarter], dtype=torch.float64)
        offsets.append(to_y + over_rotation * rotation.slope.any(0).double())
    return torch.cat([rotation.slope for rotation in rotations], dim=1), torch.cat(offsets)
