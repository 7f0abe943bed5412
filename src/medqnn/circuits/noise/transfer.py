"""States as Pauli vectors, gates and channels as real matrices on them.

A density matrix of q qubits is the 4^q real numbers s_P = tr(P ρ), one a Pauli string P; an
observable A = Σ a_P P is the row of its a_P, and ⟨A⟩ = a · s. A gate or channel on some qubits is
a real matrix on their indices, the Pauli transfer matrix (Greenbaum 2015): states go forward as
S s, observables backward as a S. Pauli indices are 1, X, Y, Z; qubit 0 comes first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import reduce
from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits.noise.channels import PAULIS


class Operation(NamedTuple):
    """A linear map of Pauli vectors on one or two qubits."""

    qubits: tuple[int, ...]
    matrix: Tensor  # real (4^k, 4^k), of each circuit (c, 1, 4^k, 4^k), and image (c, B, 4^k, 4^k)


def transfer(kraus: Tensor) -> Tensor:
    """Transfer matrix S_ab = tr(P_a Σ K P_b K†) / 2^k, float64 (4^k, 4^k).

    Args:
        kraus: Kraus operators, complex128 (K, 2^k, 2^k); a gate is one.
    """
    size = kraus.shape[-1]
    paulis = PAULIS
    for _ in range(size.bit_length() - 2):
        paulis = torch.stack([torch.kron(a, b) for a in paulis for b in PAULIS])
    after = torch.einsum("kij,bjl,kml->bim", kraus, paulis, kraus.conj())
    return torch.einsum("aij,bji->ab", paulis, after).real / size


def rotation_parts(pauli: Tensor) -> Tensor:
    """Parts A, B, C of the transfer matrix A + B cos t + C sin t of exp(-i t P / 2).

    Args:
        pauli: P, complex128 (2^k, 2^k).

    Returns:
        float64 (3, 4^k, 4^k).
    """

    def at(angle: float) -> Tensor:
        one = torch.eye(len(pauli), dtype=pauli.dtype)
        return transfer((math.cos(angle / 2) * one - 1j * math.sin(angle / 2) * pauli)[None])

    there, back, quarter = at(0.0), at(math.pi), at(math.pi / 2)
    constant = (there + back) / 2
    return torch.stack((constant, (there - back) / 2, quarter - constant))


def rotations(parts: Tensor, angles: Tensor) -> Tensor:
    """Transfer matrices of rotations by angles (...): (..., 4^k, 4^k), differentiable."""
    terms = torch.stack((torch.ones_like(angles), angles.cos(), angles.sin()), dim=-1)
    return torch.unflatten(torch.matmul(terms, parts.flatten(1)), -1, parts.shape[1:])


def kron(first: Tensor, second: Tensor) -> Tensor:
    """Kronecker product of matrices (…, n, n) and (…, m, m), batches side by side."""
    both = first[..., :, None, :, None] * second[..., None, :, None, :]
    return both.flatten(-2).flatten(-3, -2)


def merged(operations: Iterable[Operation]) -> list[Operation]:
    """The same map with every one-qubit operation inside a two-qubit one, where there is any."""
    waiting: dict[int, Tensor] = {}
    done: list[Operation] = []
    for qubits, matrix in operations:
        if len(qubits) == 1:
            before = waiting.pop(qubits[0], None)
            waiting[qubits[0]] = matrix if before is None else matrix @ before
            continue
        before = _together([waiting.pop(qubit, None) for qubit in qubits])
        done.append(Operation(qubits, matrix if before is None else matrix @ before))
    left = sorted(waiting)
    pairs = [tuple(left[start : start + 2]) for start in range(0, len(left), 2)]
    return done + [Operation(pair, reduce(kron, [waiting[q] for q in pair])) for pair in pairs]


def _together(matrices: list[Tensor | None]) -> Tensor | None:
    """Matrices of two qubits side by side; None for the identity."""
    known = [matrix for matrix in matrices if matrix is not None]
    if not known:
        return None
    one = torch.eye(4, dtype=known[0].dtype, device=known[0].device)
    return reduce(kron, [one if matrix is None else matrix for matrix in matrices])


def backward(observables: Tensor, operations: list[Operation], qubits: int) -> Tensor:
    """Observables before the operations (Heisenberg's picture): a S_K ⋯ S_1.

    Args:
        observables: Real (o, 4^q).
        operations: In order of time, none with an image dimension.
        qubits: Width q.

    Returns:
        (c, o, 4^q), or (1, o, 4^q) if no operation has a circuit dimension.
    """
    rows, order = observables[None], tuple(range(qubits))
    for operation in reversed(operations):
        rows, order = _to_the_end(rows, order, operation.qubits)
        rows = _times(rows, operation.matrix)
    return _to_the_end(rows, order, tuple(range(qubits)))[0]


def forward(states: Tensor, operations: list[Operation], qubits: int) -> Tensor:
    """States after the operations (Schrödinger's picture): S_K ⋯ S_1 s.

    Args:
        states: Real (1 or c, 1 or B, 4^q).
        operations: In order of time.
        qubits: Width q.

    Returns:
        (c, B, 4^q), or 1 in place of c or B that neither states nor operations have.
    """
    rows, order = states, tuple(range(qubits))
    for operation in operations:
        rows, order = _to_the_end(rows, order, operation.qubits)
        rows = _times(rows, operation.matrix.mT)
    return _to_the_end(rows, order, tuple(range(qubits)))[0]


def _times(rows: Tensor, matrix: Tensor) -> Tensor:
    """The last indices of rows (c, o, n) times a matrix."""
    split = rows.unflatten(-1, (-1, matrix.shape[-1]))
    if matrix.dim() == 4 and matrix.shape[1] == 1:  # one product a circuit, instead of o
        product = torch.matmul(split.flatten(1, 2), matrix[:, 0])
        return product.view(len(product), *split.shape[1:]).flatten(2)
    return torch.matmul(split, matrix).flatten(2)


def _to_the_end(
    rows: Tensor, order: tuple[int, ...], qubits: tuple[int, ...]
) -> tuple[Tensor, tuple[int, ...]]:
    """Rows (c, o, 4^q) with the indices of ``qubits`` moved last, and their new order."""
    moved = tuple(qubit for qubit in order if qubit not in qubits) + qubits
    if moved == order:
        return rows, order
    axes = [2 + order.index(qubit) for qubit in moved]
    return rows.unflatten(-1, (4,) * len(order)).permute(0, 1, *axes).flatten(2), moved
