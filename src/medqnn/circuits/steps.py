"""A circuit as one kind of step after another, however its ansatz and embedding are declared.

A step is R_z(ω) R_y(θ) R_z(φ) on each qubit and then two-qubit gates. Kernels know nothing else.
"""

from __future__ import annotations

import cmath
import math
from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits import embeddings, gates
from medqnn.circuits.ansatze import Layer, layers
from medqnn.circuits.circuit import Circuit

_ABOUT = {"X": (0.5 * math.pi, 0.0, -0.5 * math.pi), "Y": (0.0, 0.0, 0.0)}
"""φ, θ, ω that turn R_y into a rotation about the axis: R_x = R_z(-π/2) R_y R_z(π/2)."""


class Step(NamedTuple):
    """R_z(ω) R_y(θ) R_z(φ) on each qubit, then a layer's two-qubit gates."""

    layer: Layer
    offsets: tuple[float, float, float] = (0.0, 0.0, 0.0)  # to φ, θ, ω
    uploads: bool = False  # θ is the data


def steps(circuit: Circuit) -> list[Step]:
    """The layers, those for the embedding's gates among them."""
    declared = layers(circuit)
    own = next(item.rotations for item in declared if isinstance(item, Layer))
    nothing = Layer(torch.zeros_like(own), "none", [])

    def constant(gate: Tensor) -> list[Step]:
        offsets = _euler(gate)
        return [Step(nothing, offsets)] if any(offsets) else []

    found = [] if circuit.reupload else constant(embeddings.turn_of(circuit))
    for item in declared:
        if isinstance(item, Layer):
            found.append(Step(item, _ABOUT[item.axis]))
        elif item.hadamard:  # R_z(x) H = V R_y(x) V† H
            turn = gates.BASIS_CHANGE["Y"]
            found += constant(turn.mH @ gates.BASIS_CHANGE["X"])
            found += [Step(nothing, uploads=True), *constant(turn)]
        else:
            found.append(Step(nothing, _ABOUT[item.axis], uploads=True))
    return found


def half_angles(steps: list[Step]) -> tuple[Tensor, Tensor]:
    """φ/2, θ/2, ω/2 from the weights: slopes (P, (L + 2) q 3) and offsets ((L + 2) q 3,)."""
    rotations = [step.layer.rotations for step in steps]
    none = torch.zeros_like(rotations[0])
    slopes = torch.stack([none, *rotations, none], dim=1)
    offsets = torch.zeros_like(slopes[0])
    for number, step in enumerate(steps, start=1):
        offsets[number] += torch.tensor(step.offsets, dtype=torch.float64)
    return 0.5 * slopes.flatten(1), 0.5 * offsets.flatten()


def _euler(gate: Tensor) -> tuple[float, float, float]:
    """φ, θ, ω of the Rot that equals a gate (2, 2) up to a phase; where θ = 0, ω is 0 too."""
    (a, b), (c, d) = gate.tolist()
    theta = 2.0 * math.atan2(abs(c), abs(a))
    total, difference = cmath.phase(d) - cmath.phase(a), cmath.phase(c) - cmath.phase(-b)
    if theta == 0.0:
        return total, theta, 0.0
    return (total - difference) / 2, theta, (total + difference) / 2
