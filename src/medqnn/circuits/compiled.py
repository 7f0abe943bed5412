"""Narrow circuits as matrices: one unitary a circuit and step, one real product a batch.

The circuit's weights do not depend on the data, so circuit k is a matrix U_k, compiled once a
step from constants and diagonals (see ``factors``). Nearly all embeddings give real amplitudes ψ,
so a batch is one real product [Re U; Im U] ψ; complex ones take a real product of twice the width.
The readout is a table of signs times probabilities.
The batch is the last dimension throughout. ``forward`` and ``backward`` are the pair that another
kernel may replace.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits import embeddings, readout
from medqnn.circuits.circuit import Circuit
from medqnn.circuits.factors import factorise
from medqnn.circuits.turns import Turn, turn

COMPLEX = {torch.float32: torch.complex64, torch.float64: torch.complex128}


class Tables(NamedTuple):
    """Constants of a circuit, for one dtype and device (N = 2^q, r readouts, K diagonals)."""

    slope: Tensor  # (P, K N): weights to the phases of all diagonals
    one: Tensor  # (), the diagonals' magnitude
    turns: tuple[Turn, ...]  # C_1 … C_{K-1}
    rows: Tensor  # complex (rN, N): C_K
    signs: Tensor  # (outputs, rN): probabilities to expectation values


class Saved(NamedTuple):
    """What ``forward`` keeps for ``backward`` (c circuits, B images)."""

    states: Tensor  # (c, N, B) embedded amplitudes; of complex ones (c, 2N, B): [Re ψ; Im ψ]
    embedding: tuple[Tensor, ...]
    matrix: Tensor  # (c, 2rN, N): [Re U; Im U]; before complex ψ (c, 2rN, 2N)
    amplitudes: Tensor  # (c, 2rN, B) at the readout
    diagonals: tuple[Tensor, ...]  # complex (c, 1, N) each: D_1 … D_K
    products: tuple[Tensor, ...]  # complex (c, rN, N) each: C_K D_K, …, C_K D_K ⋯ C_1 D_1 = U


@lru_cache(maxsize=64)
def tables(circuit: Circuit, dtype: torch.dtype, device: torch.device) -> Tables:
    """The constants of a circuit, built in float64 once and kept.

    Plain tensors whatever mode the first call comes in: inference, a transform, a default device.
    """
    with (
        torch.inference_mode(False),
        torch.no_grad(),
        torch.device("cpu"),
        torch._C._DisableFuncTorch(),
    ):
        slopes, turns, rows = factorise(circuit)
        own = COMPLEX[dtype], device
        return Tables(
            slopes.flatten(1).to(device, dtype),
            torch.ones((), dtype=dtype, device=device),
            tuple(turn(gate, before, circuit.qubits, *own) for gate, before in turns),
            rows.to(device, COMPLEX[dtype]),
            readout.readout_signs(circuit).to(device, dtype),
        )


def forward(circuit: Circuit, inputs: Tensor, weights: Tensor) -> tuple[Tensor, Saved]:
    """Expectation values of a batch; plain tensor operations, differentiable by autograd too.

    Args:
        circuit: What to evaluate.
        inputs: Real (c, circuit.inputs, B).
        weights: Real (c, *circuit.weight_shape), same dtype.

    Returns:
        (c, circuit.outputs, B), and what ``backward`` needs.
    """
    table = tables(circuit, weights.dtype, weights.device)
    states, embedding = embeddings.FORMS[circuit.embedding].embed(inputs)
    diagonals, products = compile_matrix(table, weights)
    matrix = torch.cat((products[-1].real, products[-1].imag), dim=1)
    if states.is_complex():
        matrix, states = _in_real_numbers(matrix, states)
    amplitudes = torch.bmm(matrix, states)
    real, imag = amplitudes.chunk(2, dim=1)
    values = torch.matmul(table.signs, torch.addcmul(real * real, imag, imag))
    return values, Saved(states, embedding, matrix, amplitudes, diagonals, products)


def compile_matrix(table: Tables, weights: Tensor) -> tuple[tuple[Tensor, ...], ...]:
    """Each circuit's diagonals, and the products that end in U: see ``Saved``."""
    size = table.rows.shape[1]
    phases = torch.mm(weights.flatten(1), table.slope).view(len(weights), -1, 1, size)
    diagonals = torch.polar(table.one, -phases).unbind(1)
    product = table.rows * diagonals[-1]
    products = [product]
    for constant, diagonal in zip(table.turns[::-1], diagonals[-2::-1], strict=True):
        product = constant.times(product) * diagonal
        products.append(product)
    return diagonals, tuple(products)


def backward(circuit: Circuit, saved: Saved, grad: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients to the inputs and the weights, in closed form.

    Args:
        circuit: As in ``forward``.
        saved: From ``forward``.
        grad: Gradient to the expectation values (c, circuit.outputs, B).

    Returns:
        Gradients of the shapes of ``inputs`` and ``weights``.
    """
    table = tables(circuit, saved.states.dtype, saved.states.device)
    vjp = embeddings.FORMS[circuit.embedding].vjp
    real_and_imag = torch.unflatten(saved.amplitudes, 1, (2, -1))
    grad_probabilities = torch.matmul(2.0 * table.signs.T, grad).unsqueeze(1)
    grad_amplitudes = (real_and_imag * grad_probabilities).flatten(1, 2)
    grad_states = torch.bmm(saved.matrix.mT, grad_amplitudes)
    grad_matrix = torch.bmm(grad_amplitudes, saved.states.mT)
    if saved.states.shape[1] > circuit.dimension:
        grad_matrix, grad_states = _in_real_numbers_vjp(grad_matrix, grad_states)
    grad_inputs = vjp(grad_states, saved.embedding)
    grad_weights = _weights_vjp(table, saved, grad_matrix)
    return grad_inputs, grad_weights.view(-1, *circuit.weight_shape)


def _in_real_numbers(matrix: Tensor, states: Tensor) -> tuple[Tensor, Tensor]:
    """U ψ = [Re U, -Im U; Im U, Re U] [Re ψ; Im ψ], from [Re U; Im U]."""
    real, imag = matrix.chunk(2, dim=1)
    matrix = torch.cat((matrix, torch.cat((-imag, real), dim=1)), dim=2)
    return matrix, torch.cat((states.real, states.imag), dim=1)


def _in_real_numbers_vjp(grad_matrix: Tensor, grad_states: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients to [Re U; Im U] and, as ∂L/∂Re ψ + i ∂L/∂Im ψ, to ψ."""
    beside_real, beside_imag = grad_matrix.chunk(2, dim=2)
    from_minus_imag, from_real = beside_imag.chunk(2, dim=1)
    grad_matrix = beside_real + torch.cat((from_real, -from_minus_imag), dim=1)
    return grad_matrix, torch.complex(*grad_states.chunk(2, dim=1))


def _weights_vjp(table: Tables, saved: Saved, grad_matrix: Tensor) -> Tensor:
    """Walk U's factors from the right.

    Where exp(-i p) scales the columns of a product to z, with gradient g to z,
    ∂L/∂p_n = Im Σ_r (ḡ z)_rn.
    """
    real, imag = grad_matrix.chunk(2, dim=1)
    conjugate = torch.complex(real, -imag)
    conjugates = [conjugate]
    for constant, diagonal in zip(table.turns, saved.diagonals[:-1], strict=True):
        conjugate = constant.times_transposed(conjugate * diagonal)
        conjugates.append(conjugate)
    overlaps = torch.stack(conjugates, dim=1) * torch.stack(saved.products[::-1], dim=1)
    return torch.mm(overlaps.sum(2).imag.flatten(1), table.slope.T)


def evaluate(circuit: Circuit, inputs: Tensor, weights: Tensor) -> tuple[Tensor, Saved]:
    """``forward`` for any floating dtype and inputs (..., c, circuit.inputs) in any layout."""
    result = torch.promote_types(inputs.dtype, weights.dtype)
    working = torch.promote_types(result, torch.float32)
    values, saved = forward(circuit, _batch_last(inputs.to(working)), weights.to(working))
    return _batch_first(values.to(result), inputs), saved


def gradients(
    circuit: Circuit, saved: Saved, grad: Tensor, inputs: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor]:
    """``backward`` for any floating dtype and grad (..., c, circuit.outputs) in any layout."""
    grad_inputs, grad_weights = backward(circuit, saved, _batch_last(grad.to(saved.states.dtype)))
    return _batch_first(grad_inputs.to(inputs.dtype), inputs), grad_weights.to(weights.dtype)


def _batch_last(tensor: Tensor) -> Tensor:
    """(..., c, n) as (c, n, B), contiguous."""
    return tensor.movedim((-2, -1), (0, 1)).reshape(*tensor.shape[-2:], -1).contiguous()


def _batch_first(tensor: Tensor, like: Tensor) -> Tensor:
    """(c, n, B) as (..., c, n), the batch in the shape of ``like``'s; a view."""
    return tensor.reshape(*tensor.shape[:2], *like.shape[:-2]).movedim((0, 1), (-2, -1))
