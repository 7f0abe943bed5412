"""The constants of a circuit: one gate on every qubit, behind a permutation of basis states.

Products are multiplied by them from the right, by a dense matrix where the circuit is narrow, and
by the two halves of the Kronecker product in turn where it is wide.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits import gates
from medqnn.circuits.ansatze import Layer

SPLIT_FROM = 7
"""Qubits from which on the halves are faster than the dense matrix (measured)."""


class Permutation(NamedTuple):
    """Two-qubit gates together, P: they send basis state b to signs[b] · |states[b]⟩."""

    states: Tensor  # int64 (N,)
    signs: Tensor  # (N,)

    @classmethod
    def identity(cls, size: int) -> Permutation:
        """P = 1 on N basis states."""
        return cls(torch.arange(size), torch.ones(size, dtype=torch.float64))

    def then(self, layer: Layer, qubits: int) -> Permutation:
        """This one followed by a layer's gates."""
        states, signs = self
        for control, target in layer.pairs:
            if layer.gate == "cnot":
                states = gates.cnot(qubits, control, target)[states]
            elif layer.gate == "cz":
                signs = signs * gates.cz(qubits, control, target)[states]
        return Permutation(states, signs)

    def transposed(self) -> Permutation:
        """Pᵀ, the inverse."""
        inverse = self.states.argsort()
        return Permutation(inverse, self.signs[inverse])

    def times(self, matrix: Tensor) -> Tensor:
        """Matrix product M · P, for M (..., N)."""
        return matrix.index_select(-1, self.states) * self.signs


class DenseTurn(NamedTuple):
    """C = V^⊗q · P as one matrix."""

    matrix: Tensor  # complex (N, N)

    def times(self, product: Tensor) -> Tensor:
        """Product · C, for a product (..., N)."""
        return torch.matmul(product, self.matrix)

    def times_transposed(self, product: Tensor) -> Tensor:
        """Product · Cᵀ."""
        return torch.matmul(product, self.matrix.mT)


class SplitTurn(NamedTuple):
    """C = (V^⊗a ⊗ V^⊗b) · P by its parts, with a + b = q."""

    left: Tensor  # complex (2^a, 2^a)
    right: Tensor  # complex (2^b, 2^b)
    permutation: tuple[Permutation, Permutation] | None  # P and Pᵀ, or P = 1

    def times(self, product: Tensor) -> Tensor:
        """Product · C, for a product (..., N)."""
        product = _times_kron(product, self.left, self.right)
        return self.permutation[0].times(product) if self.permutation else product

    def times_transposed(self, product: Tensor) -> Tensor:
        """Product · Cᵀ."""
        product = self.permutation[1].times(product) if self.permutation else product
        return _times_kron(product, self.left.mT, self.right.mT)


Turn = DenseTurn | SplitTurn


def turn(
    gate: Tensor,
    permutation: Permutation | None,
    qubits: int,
    dtype: torch.dtype,
    device: torch.device,
) -> Turn:
    """V^⊗q · P for a gate V (2, 2), in a complex dtype; no permutation is P = 1."""
    if qubits < SPLIT_FROM:
        matrix = gates.power(gate, qubits)
        return DenseTurn((permutation.times(matrix) if permutation else matrix).to(device, dtype))
    left, right = (
        gates.power(gate, half).to(device, dtype) for half in (qubits // 2, qubits - qubits // 2)
    )
    if permutation is None:
        return SplitTurn(left, right, None)
    there = Permutation(permutation.states.to(device), permutation.signs.to(device, dtype))
    return SplitTurn(left, right, (there, there.transposed()))


def _times_kron(product: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Product · (left ⊗ right)."""
    halves = product.view(*product.shape[:-1], len(left), len(right))
    return torch.matmul(left.mT, torch.matmul(halves, right)).flatten(-2)
