"""A circuit as constant matrices between diagonals, which alone hold the weights.

R_y(θ) = B† exp(-i θ Z / 2) B with B = ``gates.BASIS_CHANGE["Y"]``. So every rotation is diagonal in
one of two fixed bases, with phases linear in the weights; the changes of basis are constant, and so
are the two-qubit gates.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits import gates, readout
from medqnn.circuits.ansatze import layers
from medqnn.circuits.circuit import Circuit
from medqnn.circuits.turns import Permutation


class Factors(NamedTuple):
    """C_K D_K ⋯ C_1 D_1, with D_k = exp(-i diag(weights @ slopes[:, k]))."""

    slopes: Tensor  # float64 (P, K, N)
    turns: list[tuple[Tensor, Permutation | None]]  # C_1 … C_{K-1}: a gate for every qubit, and P
    rows: Tensor  # complex128 (rN, N): C_K, into every readout's eigenbasis


def factorise(circuit: Circuit) -> Factors:
    """The factors of a circuit's ansatz, pooling and readout.

    A diagonal behind a permutation is one before it with its entries permuted, so neighbouring R_z
    become one diagonal whatever gates stand between, and a layer that turns about z alone adds no
    factor of its own.
    """
    size = circuit.dimension
    to_y = gates.BASIS_CHANGE["Y"]
    halves = 0.5 * gates.z_eigenvalues(circuit.qubits).T
    declared = layers(circuit)
    blank = torch.zeros(len(declared[0].rotations), size, dtype=torch.float64)
    slopes, pending = [blank], Permutation.identity(size)
    turns: list[tuple[Tensor, Permutation | None]] = []
    for layer in declared:
        phi, theta, omega = layer.rotations.unbind(-1)
        slopes[-1] = slopes[-1] + (phi @ halves)[:, pending.states]
        if theta.any():
            turns += [(to_y, pending), (to_y.mH, None)]
            slopes += [theta @ halves, blank]
            pending = Permutation.identity(size)
        slopes[-1] = slopes[-1] + (omega @ halves)[:, pending.states]
        pending = pending.then(layer, circuit.qubits)
    rows = pending.times(readout.readout_rows(circuit))
    return Factors(torch.stack(slopes, dim=1), turns, rows)
