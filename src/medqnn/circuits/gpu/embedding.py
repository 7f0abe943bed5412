# mypy: disallow-untyped-decorators=False
"""Data as a tile of real states in a Triton kernel, and the way back, as in ``embeddings``."""

import triton
import triton.language as tl

from medqnn.circuits.gpu.states import by_bit, column, rotation_overlap
from medqnn.kernels import contract

AMPLITUDE, ANGLE, UPLOAD = tl.constexpr(0), tl.constexpr(1), tl.constexpr(2)
"""Amplitudes; R_y(x_j) on |0…0⟩; |0…0⟩, which the steps turn by the data."""

_LEAST_SQUARED_NORM = tl.constexpr(contract.LEAST_SQUARED_NORM)


@triton.jit
def numbers_of(
    images: tl.tensor,
    stride: tl.tensor,
    inside: tl.tensor,
    count: tl.constexpr,
    columns: tl.constexpr,
    dtype: tl.constexpr,
) -> tl.tensor:
    """The data, (images, columns), zeros behind the last number and the last image."""
    number = tl.arange(0, columns)
    there = inside[:, None] & (number < count)[None, :]
    places = images[:, None] + number.to(tl.int64)[None, :] * stride
    return tl.load(places, mask=there, other=0.0).to(dtype)


@triton.jit
def put_numbers(
    images: tl.tensor, stride: tl.tensor, inside: tl.tensor, count: tl.constexpr, numbers: tl.tensor
) -> None:
    """Store gradients (images, columns) to the data."""
    number = tl.arange(0, numbers.shape[1])
    there = inside[:, None] & (number < count)[None, :]
    places = images[:, None] + number.to(tl.int64)[None, :] * stride
    tl.store(places, numbers, mask=there)


@triton.jit
def half_data(
    x: tl.tensor,
    number: tl.tensor,
    inside: tl.tensor,
    qubits: tl.constexpr,
    columns: tl.constexpr,
    embedding: tl.constexpr,
    dtype: tl.constexpr,
) -> tuple[tl.tensor, tl.tensor]:
    """Cosines and sines (images, columns) of half the data, if they are angles."""
    half = tl.full((x.shape[0], columns), 0.0, dtype)
    if embedding != AMPLITUDE:
        half = 0.5 * numbers_of(x, number, inside, qubits, columns, dtype)
    return tl.cos(half), tl.sin(half)


@triton.jit
def embedded(
    x: tl.tensor,
    number: tl.tensor,
    inside: tl.tensor,
    data_cos: tl.tensor,
    data_sin: tl.tensor,
    qubits: tl.constexpr,
    embedding: tl.constexpr,
) -> tl.tensor:
    """Real states (images, N) before the first step."""
    size: tl.constexpr = 2**qubits
    if embedding == AMPLITUDE:
        states = numbers_of(x, number, inside, size, size, data_cos.dtype)
        states = states * inverse_norms(states)
    elif embedding == ANGLE:
        states = product_states(data_cos, data_sin, qubits)
    else:
        first = (tl.arange(0, size) == 0).to(data_cos.dtype)
        states = tl.broadcast_to(first[None, :], (x.shape[0], size))
    return states


@triton.jit
def inverse_norms(numbers: tl.tensor) -> tl.tensor:
    """Of vectors (images, N), as (images, 1)."""
    squared = tl.sum(numbers * numbers, 1)[:, None]
    return tl.rsqrt(tl.where(squared < _LEAST_SQUARED_NORM, _LEAST_SQUARED_NORM, squared))


@triton.jit
def amplitudes_vjp(grad: tl.tensor, numbers: tl.tensor) -> tl.tensor:
    """(grad - ψ ⟨ψ, grad⟩) / norm."""
    inverse = inverse_norms(numbers)
    states = numbers * inverse
    return (grad - tl.sum(grad * states, 1)[:, None] * states) * inverse


@triton.jit
def product_states(cos: tl.tensor, sin: tl.tensor, qubits: tl.constexpr) -> tl.tensor:
    """⊗_j (cos_j, sin_j), (images, 2^qubits), of half angles in columns."""
    states = tl.full((cos.shape[0], 2**qubits), 1.0, cos.dtype)
    one = tl.reshape(tl.arange(0, 2), (1, 1, 2, 1)) == 1
    for qubit in tl.static_range(qubits):
        c, s = column(cos, qubit), column(sin, qubit)
        factors = tl.where(one, s[:, :, None, None], c[:, :, None, None])
        states = tl.reshape(by_bit(states, qubit) * factors, states.shape)
    return states


@triton.jit
def product_vjp(
    grad: tl.tensor, states: tl.tensor, columns: tl.constexpr, qubits: tl.constexpr
) -> tl.tensor:
    """Gradients (images, columns) to the angles."""
    found = tl.full((grad.shape[0], columns), 0.0, grad.dtype)
    for qubit in tl.static_range(qubits):
        own = tl.sum(rotation_overlap(grad, states, qubit), 1)
        found = with_column(found, qubit, 0.5 * own)
    return found


@triton.jit
def with_column(table: tl.tensor, place: tl.constexpr, numbers: tl.tensor) -> tl.tensor:
    """A table with these numbers (rows,) as one of its columns."""
    here = tl.arange(0, table.shape[1]) == place
    return tl.where(here[None, :], numbers[:, None], table)
