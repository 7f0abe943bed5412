"""Gates as tensors: basis-state tables, R_y products, and the rings' permutations and signs.

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


def flipped(qubits: int) -> Tensor:
    """Index of the basis state with one qubit flipped: int64 (q, 2^q)."""
    states = torch.arange(2**qubits)
    return states ^ (2 ** torch.arange(qubits - 1, -1, -1))[:, None]


def cnot(qubits: int, control: int, target: int) -> Tensor:
    """Basis state to which CNOT sends each basis state: int64 (2^q,)."""
    controlled = bits(qubits)[:, control] == 1
    return torch.where(controlled, flipped(qubits)[target], torch.arange(2**qubits))


def cz(qubits: int, control: int, target: int) -> Tensor:
    """Sign +1 or -1 that CZ gives each basis state: float64 (2^q,)."""
    table = bits(qubits)
    return 1.0 - 2.0 * (table[:, control] * table[:, target]).double()


def kron(left: Tensor, right: Tensor) -> Tensor:
    """Kronecker product of batched square matrices (..., n, n) and (..., m, m)."""
    size = left.shape[-1] * right.shape[-1]
    product = left[..., :, None, :, None] * right[..., None, :, None, :]
    return product.reshape(*left.shape[:-2], size, size)


def ry_product_transposed(half_angles: Tensor) -> Tensor:
    """(R_y(2 h_0) ⊗ … ⊗ R_y(2 h_{q-1}))ᵀ, a real matrix.

    Args:
        half_angles: Half the rotation angles, radians, shape (..., q).

    Returns:
        Shape (..., 2^q, 2^q), of the angles' dtype.
    """
    cos, sin = half_angles.cos(), half_angles.sin()
    factors = torch.stack((cos, sin, -sin, cos), dim=-1).view(*half_angles.shape, 2, 2)
    return reduce(kron, factors.unbind(-3))
