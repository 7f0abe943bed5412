"""A circuit as constant matrices between diagonals, which alone hold the weights.

R_p(θ) = V† exp(-i θ Z / 2) V with V = ``gates.BASIS_CHANGE[p]``. So every rotation is diagonal in
one of a few fixed bases, with phases linear in the weights; the changes of basis are constant, and
so are the two-qubit gates.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits import embeddings, gates, readout
from medqnn.circuits.ansatze import Layer, layers
from medqnn.circuits.circuit import COMPILED_QUBITS, Circuit
from medqnn.circuits.turns import Permutation
from medqnn.errors import CircuitError


class Factors(NamedTuple):
    """C_K D_K ⋯ C_1 D_1, with D_k = exp(-i diag(weights @ slopes[:, k]))."""

    slopes: Tensor  # float64 (P, K, N)
    turns: list[tuple[Tensor, Permutation | None]]  # C_1 … C_{K-1}: a gate for every qubit, and P
    rows: Tensor  # complex128 (rN, N): C_K, into every readout's eigenbasis


def factorise(circuit: Circuit) -> Factors:
    """The factors of a circuit's ansatz, pooling and readout.

    A diagonal behind a permutation is one before it with its entries permuted, so neighbouring R_z
    become one diagonal whatever gates stand between, and a layer that turns about z alone adds no
    factor of its own. An embedding's constant gate is a turn behind a first diagonal of ones.

    Raises:
        CircuitError: If the circuit is too wide for a matrix, or data stand between its layers.
    """
    size = circuit.dimension
    declared = _without_data(circuit)
    halves = 0.5 * gates.z_eigenvalues(circuit.qubits).T
    blank = torch.zeros(len(declared[0].rotations), size, dtype=torch.float64)
    slopes, pending = [blank], Permutation.identity(size)
    turns: list[tuple[Tensor, Permutation | None]] = []
    behind_data = embeddings.turn_of(circuit)
    if not torch.equal(behind_data, gates.BASIS_CHANGE["Z"]):
        turns.append((behind_data, None))
        slopes.append(blank)
    for layer in declared:
        phi, theta, omega = layer.rotations.unbind(-1)
        slopes[-1] = slopes[-1] + (phi @ halves)[:, pending.states]
        if theta.any():
            to_axis = gates.BASIS_CHANGE[layer.axis]
            turns += [(to_axis, pending), (to_axis.mH, None)]
            slopes += [theta @ halves, blank]
            pending = Permutation.identity(size)
        slopes[-1] = slopes[-1] + (omega @ halves)[:, pending.states]
        pending = pending.then(layer, circuit.qubits)
    rows = pending.times(readout.readout_rows(circuit))
    return Factors(torch.stack(slopes, dim=1), turns, rows)


def _without_data(circuit: Circuit) -> list[Layer]:
    """The layers of a circuit that is a matrix, and a small one."""
    if circuit.reupload or circuit.qubits > COMPILED_QUBITS:
        what = "with reupload" if circuit.reupload else f"of {circuit.qubits} qubits"
        raise CircuitError(
            f"a circuit {what} is not compiled to a matrix: give at most {COMPILED_QUBITS} qubits, "
            "without reupload"
        )
    return [layer for layer in layers(circuit) if isinstance(layer, Layer)]
