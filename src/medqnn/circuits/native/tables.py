"""A circuit's constants as the machine code of ``native`` reads them."""

from __future__ import annotations

import cmath
import math
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits import embeddings, readout
from medqnn.circuits.ansatze import Layer, layers
from medqnn.circuits.circuit import Circuit
from medqnn.circuits.turns import Permutation

BITS = {torch.float32: 32, torch.float64: 64}
"""Width of the dtypes that there is machine code for."""


class Tables(NamedTuple):
    """A circuit's constants for one dtype."""

    address: int  # of the constants
    constants: tuple[Tensor, ...]  # what owns them
    work: int  # numbers that one circuit leaves to backward
    scratch: int
    outputs: int


@lru_cache(maxsize=64)
def tables(circuit: Circuit, dtype: torch.dtype) -> Tables:
    """The constants of a circuit, built in float64 once and kept: plain tensors in any mode."""
    with (
        torch.inference_mode(False),
        torch.no_grad(),
        torch.device("cpu"),
        torch._C._DisableFuncTorch(),
    ):
        return _tables(circuit, dtype)


def _tables(circuit: Circuit, dtype: torch.dtype) -> Tables:
    from medqnn.circuits.native.memory import MOST_ROWS, scratch_size, work_size

    lanes = 512 // BITS[dtype]
    declared = _declared(circuit)
    gates = [Permutation.identity(circuit.dimension).then(g, circuit.qubits) for g in declared]
    rows = gates[-1].times(readout.readout_rows(circuit)).T
    slopes, offsets = _half_angles(circuit, declared)
    size, height = circuit.dimension, _up(circuit.dimension, lanes)
    width, angles = _up(rows.shape[1], lanes), _up(len(offsets), lanes)
    outputs = _up(circuit.outputs, MOST_ROWS)
    gates = [Permutation.identity(size), *gates[:-1], Permutation.identity(size)]
    reals = (
        torch.stack([gate.signs for gate in gates]),
        torch.stack([_filled(part, size, width) for part in (rows.real, rows.imag)], dim=1),
        _filled(readout.readout_signs(circuit), outputs, width),
        _filled(slopes, len(slopes), angles),
        _filled(offsets[None], 1, angles),
    )
    owned = [torch.stack([gate.states for gate in gates]), *(real.to(dtype) for real in reals)]
    numbers = [circuit.qubits, len(declared), size, height, width, circuit.outputs, outputs]
    numbers += [circuit.embedding == "amplitude", len(slopes), angles]
    table = torch.tensor([*numbers, *(tensor.data_ptr() for tensor in owned)])
    return Tables(
        table.data_ptr(),
        (table, *owned),
        work_size(len(declared), height, width, angles),
        scratch_size(height, width, outputs, angles),
        circuit.outputs,
    )


def _up(number: int, step: int) -> int:
    """Rounded up to a multiple."""
    return -(-number // step) * step


def _filled(matrix: Tensor, rows: int, columns: int) -> Tensor:
    """With zeros behind its rows and columns."""
    filled = torch.zeros(rows, columns, dtype=torch.float64)
    filled[: matrix.shape[0], : matrix.shape[1]] = matrix
    return filled


def _declared(circuit: Circuit) -> list[Layer]:
    """The layers, and before them one for the embedding's constant gate if it has one."""
    declared = [layer for layer in layers(circuit) if isinstance(layer, Layer)]
    if any(_euler(embeddings.turn_of(circuit))):
        declared.insert(0, Layer(torch.zeros_like(declared[0].rotations), "none", []))
    return declared


def _half_angles(circuit: Circuit, declared: list[Layer]) -> tuple[Tensor, Tensor]:
    """φ/2, θ/2, ω/2 from the weights: slopes (P, (L + 2) q 3) and offsets ((L + 2) q 3,)."""
    none = torch.zeros_like(declared[0].rotations)
    slopes = torch.stack([none, *(layer.rotations for layer in declared), none], dim=1)
    offsets = torch.zeros_like(slopes[0])
    offsets[1] += torch.tensor(_euler(embeddings.turn_of(circuit)), dtype=torch.float64)
    for number, layer in enumerate(declared, start=1):
        if layer.axis == "X":  # R_x = R_z(-π/2) R_y R_z(π/2)
            offsets[number] += math.pi * torch.tensor([0.5, 0.0, -0.5], dtype=torch.float64)
    return 0.5 * slopes.flatten(1), 0.5 * offsets.flatten()


def _euler(gate: Tensor) -> tuple[float, float, float]:
    """φ, θ, ω of the Rot that equals a gate (2, 2) up to a phase; where θ = 0, ω is 0 too."""
    (a, b), (c, d) = gate.tolist()
    theta = 2.0 * math.atan2(abs(c), abs(a))
    total, difference = cmath.phase(d) - cmath.phase(a), cmath.phase(c) - cmath.phase(-b)
    if theta == 0.0:
        return total, theta, 0.0
    return (total - difference) / 2, theta, (total + difference) / 2
