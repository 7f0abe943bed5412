"""One gate on each qubit of a state vector, as a few products with groups of qubits.

A layer of rotations is a Kronecker product of one matrix a group of neighbouring qubits. States
are (..., 2^q) with the groups' axes in order. A group's product takes its axis from the front and
leaves it at the back, which costs a matrix product nothing, so after all groups the axes are in
order again and no axis was ever moved by a copy.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

GROUP = 4
"""Most qubits in a group. A group of k costs 2^(k+3) operations an amplitude and one pass through
memory; 3 and 4 were the fastest of 2 to 6 at 8 to 18 qubits (measured)."""


def split(qubits: int) -> list[int]:
    """Sizes of the groups, as even as they come, larger ones first."""
    count = -(-qubits // GROUP)
    return [qubits // count + (place < qubits % count) for place in range(count)]


def group_matrices(gates: Tensor) -> list[Tensor]:
    """Each group's Kronecker product of the gates (..., q, 2, 2): (..., 2^k, 2^k)."""
    sizes = split(gates.shape[-3])
    matrices: list[Tensor] = []
    for size in sorted(set(sizes), reverse=True):
        count = sizes.count(size)
        alike, gates = gates.split([count * size, gates.shape[-3] - count * size], dim=-3)
        first, *rest = alike.unflatten(-3, (count, size)).unbind(-3)
        for gate in rest:
            first = _kron(first, gate)
        matrices += first.unbind(-3)
    return matrices


def _kron(first: Tensor, second: Tensor) -> Tensor:
    """Kronecker product of the last two dimensions."""
    product = first[..., :, None, :, None] * second[..., None, :, None, :]
    return product.flatten(-4, -3).flatten(-2)


def turn(state: Tensor, matrices: Sequence[Tensor]) -> Tensor:
    """Apply each group's matrix (..., n, n) to states (..., N), real or complex."""
    for matrix in matrices:
        state = to_back(state, matrix)
    return state


def to_back(state: Tensor, matrix: Tensor) -> Tensor:
    """Apply a matrix (..., n, n) to the group at the front, which goes to the back."""
    axis = state.unflatten(-1, (matrix.shape[-1], -1)).mT
    if state.is_complex():
        return torch.matmul(axis, matrix.mT).flatten(-2)
    product = torch.matmul(axis, _real_and_imag(matrix))
    return torch.view_as_complex(product.unflatten(-1, (-1, 2))).flatten(-2)


def to_front(state: Tensor, matrix: Tensor) -> Tensor:
    """Apply a matrix (..., n, n) to the group at the back, which goes to the front."""
    axis = state.unflatten(-1, (-1, matrix.shape[-1])).mT
    return torch.matmul(matrix, axis).flatten(-2)


def real_to_front(state: Tensor, matrix: Tensor) -> Tensor:
    """Real part of ``to_front(state, matrix.mH)``."""
    axis = torch.view_as_real(state).flatten(-2).unflatten(-1, (-1, 2 * matrix.shape[-1])).mT
    return torch.matmul(_real_and_imag(matrix), axis).flatten(-2)


def _real_and_imag(matrix: Tensor) -> Tensor:
    """The transposed matrix (..., n, n) as real (..., n, 2n), real and imaginary in turn."""
    return torch.view_as_real(matrix.mT.contiguous()).flatten(-2)


def overlap(state: Tensor, conjugate: Tensor, size: int) -> Tensor:
    """Σ_rest a_i b̄_j over all but the group at the back: (..., n, n), from a and b̄ (..., N)."""
    shape = (-1, 2**size)
    return torch.matmul(state.unflatten(-1, shape).mT, conjugate.unflatten(-1, shape))


def partial_traces(size: int) -> Tensor:
    """What takes a group's matrix to its qubits' own: float64 (n², 4k), entries in row order."""
    identity, columns = torch.eye(2, dtype=torch.float64), []
    for qubit in range(size):
        for entry in torch.eye(4, dtype=torch.float64):
            factors = [identity] * size
            factors[qubit] = entry.view(2, 2)
            whole = factors[0]
            for factor in factors[1:]:
                whole = torch.kron(whole, factor)
            columns.append(whole.flatten())
    return torch.stack(columns, dim=1)


def product_state(vectors: Tensor) -> Tensor:
    """The state of qubits in the states (..., q, 2) each: (..., 2^q)."""
    qubits = vectors.shape[-2]
    if qubits == 1:
        return vectors.squeeze(-2)
    first, second = (product_state(half) for half in vectors.tensor_split(2, dim=-2))
    return (first[..., :, None] * second[..., None, :]).flatten(-2)


def product_state_vjp(grad: Tensor, vectors: Tensor) -> Tensor:
    """Gradient to the vectors, from that to the state (..., 2^q)."""
    if vectors.shape[-2] == 1:
        return grad.unsqueeze(-2)
    halves = vectors.tensor_split(2, dim=-2)
    first, second = (product_state(half).conj() for half in halves)
    grad = grad.unflatten(-1, (first.shape[-1], -1))
    to_first = torch.matmul(grad, second.unsqueeze(-1)).squeeze(-1)
    to_second = torch.matmul(grad.mT, first.unsqueeze(-1)).squeeze(-1)
    return torch.cat(
        (product_state_vjp(to_first, halves[0]), product_state_vjp(to_second, halves[1])), dim=-2
    )
