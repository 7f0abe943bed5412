from __future__ import annotations

from functools import reduce

import pytest
import torch
from torch import Tensor

from medqnn.circuits.statevector import kronecker


def draw(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(*shape, dtype=torch.complex128, generator=generator)


@pytest.mark.parametrize("qubits", range(1, 25))
def test_groups_are_even_and_larger_first(qubits: int) -> None:
    sizes = kronecker.split(qubits)
    assert sum(sizes) == qubits
    assert sizes == sorted(sizes, reverse=True)
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= kronecker.GROUP


@pytest.mark.parametrize("qubits", [1, 4, 5, 7, 9])
@pytest.mark.parametrize("real", [True, False])
def test_the_groups_together_are_the_kronecker_product(qubits: int, real: bool) -> None:
    gates, state = draw(2, 1, qubits, 2, 2), draw(2, 3, 2**qubits)
    state = state.real.contiguous() if real else state
    matrices = kronecker.group_matrices(gates)
    turned = kronecker.turn(state, matrices)
    for own, before, after in zip(gates[:, 0], state, turned, strict=True):
        whole = reduce(torch.kron, own)
        torch.testing.assert_close(after, before.to(whole.dtype) @ whole.T)


def test_front_and_back_are_each_others_adjoints() -> None:
    matrix, state, other = draw(8, 8), draw(2, 64), draw(2, 64)
    there = (kronecker.to_back(state, matrix) * other.conj()).sum()
    back = (state * kronecker.to_front(other, matrix.mH).conj()).sum()
    torch.testing.assert_close(there, back)
    torch.testing.assert_close(
        kronecker.real_to_front(other, matrix), kronecker.to_front(other, matrix.mH).real
    )


@pytest.mark.parametrize("size", [1, 2, 4])
def test_partial_traces_keep_one_qubit(size: int) -> None:
    matrix = draw(2**size, 2**size)
    flat = matrix.flatten() @ kronecker.partial_traces(size).to(matrix.dtype)
    for qubit, own in enumerate(flat.view(size, 2, 2)):
        axes = matrix.reshape(2**qubit, 2, -1, 2**qubit, 2, 2 ** (size - qubit - 1))
        torch.testing.assert_close(own, torch.einsum("iajibj->ab", axes))


@pytest.mark.parametrize("qubits", [1, 2, 5])
def test_a_product_state_and_its_gradient(qubits: int) -> None:
    vectors = draw(3, qubits, 2).requires_grad_()
    state = kronecker.product_state(vectors)
    torch.testing.assert_close(state[1], reduce(torch.kron, vectors[1]))
    grad = draw(3, 2**qubits)
    (expected,) = torch.autograd.grad(state, vectors, grad)
    torch.testing.assert_close(kronecker.product_state_vjp(grad, vectors.detach()), expected)
