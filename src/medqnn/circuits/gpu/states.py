# mypy: disallow-untyped-decorators=False
"""What moves the amplitudes of a tile of images, as functions of a Triton kernel.

A tile is two tensors (images, N) in registers, real and imaginary parts; one warp holds it, so no
two threads need to wait for each other. Qubit 0 is the most significant bit of a basis state.
"""

import triton
import triton.language as tl


@triton.jit
def by_bit(rows: tl.tensor, qubit: tl.constexpr) -> tl.tensor:
    """(images, N) as (images, states of the qubits before, 2, states of those behind)."""
    behind: tl.constexpr = rows.shape[1] // 2 ** (qubit + 1)
    return tl.reshape(rows, (rows.shape[0], 2**qubit, 2, behind))


@triton.jit
def swapped(halves: tl.tensor) -> tl.tensor:
    """What ``by_bit`` gave, with the bit's halves exchanged.

    One of two is their sum less the other, which integers of the same bits make exact whatever the
    numbers are; the compiler leaves a shuffle, or nothing where a thread holds both.
    """
    if halves.dtype == tl.float32:
        bits = halves.to(tl.int32, bitcast=True)
    else:
        bits = halves.to(tl.int64, bitcast=True)
    return (tl.sum(bits, 2, keep_dims=True) - bits).to(halves.dtype, bitcast=True)


@triton.jit
def signs(like: tl.tensor) -> tl.tensor:
    """-1 where the bit of ``by_bit`` is 0, and 1 where it is 1."""
    return tl.reshape(2 * tl.arange(0, 2) - 1, (1, 1, 2, 1)).to(like.dtype)


@triton.jit
def rotated(rows: tl.tensor, qubit: tl.constexpr, cos: tl.tensor, sin: tl.tensor) -> tl.tensor:
    """R_y on a qubit; cosine and sine of half its angle are (images or 1, 1)."""
    halves = by_bit(rows, qubit)
    cross = sin[:, :, None, None] * signs(rows)
    return tl.reshape(cos[:, :, None, None] * halves + cross * swapped(halves), rows.shape)


@triton.jit
def rotation_overlap(grad: tl.tensor, rows: tl.tensor, qubit: tl.constexpr) -> tl.tensor:
    """(images, N) of which the sum is ∂L/∂(θ/2): g_1 ψ_0 and -g_0 ψ_1, ψ and g on one side of R_y.

    Of real parts; imaginary ones add the same.
    """
    terms = signs(rows) * by_bit(grad, qubit) * swapped(by_bit(rows, qubit))
    return tl.reshape(terms, rows.shape)


@triton.jit
def moved(rows: tl.tensor, packed: tl.tensor) -> tl.tensor:
    """Two-qubit gates: amplitude n comes from place packed[n] mod N, negated from N on."""
    size: tl.constexpr = rows.shape[1]
    places = tl.broadcast_to((packed % size)[None, :], rows.shape)
    sign = 1 - 2 * (packed // size)
    return tl.gather(rows, places, 1) * sign.to(rows.dtype)[None, :]


@triton.jit
def times(
    real: tl.tensor, imag: tl.tensor, cos: tl.tensor, sin: tl.tensor
) -> tuple[tl.tensor, tl.tensor]:
    """(real + i imag)(cos + i sin)."""
    return real * cos - imag * sin, real * sin + imag * cos


@triton.jit
def column(table: tl.tensor, number: tl.constexpr) -> tl.tensor:
    """Column of a table (rows, columns), as (rows, 1)."""
    return tl.gather(table, tl.full((table.shape[0], 1), number, tl.int32), 1)
