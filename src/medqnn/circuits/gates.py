"""Gates as tensors: changes of basis, and the basis-state tables of two-qubit gates.

Convention (PennyLane's): R_p(t) = exp(-i t p / 2); qubit 0 is the most significant bit.
"""

from __future__ import annotations

import math
from functools import reduce

import torch
from torch import Tensor

BASIS_CHANGE = {
    "X": torch.tensor([[1, 1], [1, -1]], dtype=torch.complex128) / math.sqrt(2),
    "Y": torch.tensor([[1, -1j], [1, 1j]], dtype=torch.complex128) / math.sqrt(2),
    "Z": torch.eye(2, dtype=torch.complex128),
}
"""Unitary V with V P V† = Z for each Pauli P: H for X, H S† for Y, the identity for Z."""


def bits(qubits: int) -> Tensor:
    """Bits of every basis state: int64 of shape (2^q, q), qubit 0 first."""
    states = torch.arange(2**qubits)
    return (states[:, None] >> torch.arange(qubits - 1, -1, -1)) & 1


def z_eigenvalues(qubits: int) -> Tensor:
    """Eigenvalue +1 or -1 of Z on each qubit in every basis state: float64 (2^q, q)."""
    return 1.0 - 2.0 * bits(qubits).double()


def cnot(qubits: int, control: int, target: int) -> Tensor:
    """Basis state to which CNOT sends each basis state: int64 (2^q,)."""
    return torch.arange(2**qubits) ^ (bits(qubits)[:, control] << (qubits - 1 - target))


def cz(qubits: int, control: int, target: int) -> Tensor:
    """Sign +1 or -1 that CZ gives each basis state: float64 (2^q,)."""
    table = bits(qubits)
    return 1.0 - 2.0 * (table[:, control] * table[:, target]).double()


def power(gate: Tensor, qubits: int) -> Tensor:
    """The same one-qubit gate (2, 2) on every qubit: (2^q, 2^q)."""
    return reduce(torch.kron, [gate] * qubits)
