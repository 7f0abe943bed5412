# mypy: disallow-untyped-decorators=False
"""Expectation values of a tile of states, and the costate behind them, in a Triton kernel.

⟨P⟩ = Re Σ_n ψ̄_n (Pψ)_n. With σ = -1 where the qubit's bit is 0 and 1 where it is 1, and ψ' for the
halves exchanged: Xψ = ψ', Yψ = iσ ψ', Zψ = -σ ψ.
"""

import triton
import triton.language as tl

from medqnn.circuits.gpu.states import by_bit, signs, swapped


@triton.jit
def measure(
    real: tl.tensor,
    imag: tl.tensor,
    values: tl.tensor,
    stride: tl.tensor,
    inside: tl.tensor,
    qubits: tl.constexpr,
    every: tl.constexpr,
    row_x: tl.constexpr,
    row_y: tl.constexpr,
    row_z: tl.constexpr,
) -> None:
    """Store the values from each image's place (images,) on, of every first or second qubit."""
    measured: tl.constexpr = (qubits + every - 1) // every
    for number in tl.static_range(measured):
        re, im = by_bit(real, number * every), by_bit(imag, number * every)
        if row_x >= 0:
            place = values + (row_x * measured + number) * stride
            _store(place, re * swapped(re) + im * swapped(im), inside)
        if row_y >= 0:
            place = values + (row_y * measured + number) * stride
            _store(place, signs(re) * (im * swapped(re) - re * swapped(im)), inside)
        if row_z >= 0:
            place = values + (row_z * measured + number) * stride
            _store(place, -signs(re) * (re * re + im * im), inside)


@triton.jit
def _store(place: tl.tensor, terms: tl.tensor, inside: tl.tensor) -> None:
    """Their sums over states."""
    size: tl.constexpr = terms.shape[1] * terms.shape[2] * terms.shape[3]
    tl.store(place, tl.sum(tl.reshape(terms, (terms.shape[0], size)), 1), mask=inside)


@triton.jit
def costate(
    real: tl.tensor,
    imag: tl.tensor,
    grads: tl.tensor,
    stride: tl.tensor,
    inside: tl.tensor,
    qubits: tl.constexpr,
    every: tl.constexpr,
    row_x: tl.constexpr,
    row_y: tl.constexpr,
    row_z: tl.constexpr,
) -> tuple[tl.tensor, tl.tensor]:
    """∂L/∂Re ψ and ∂L/∂Im ψ, of 2 Σ_P g_P P ψ; zeros behind the last image."""
    to_real, to_imag = tl.zeros_like(real), tl.zeros_like(imag)
    measured: tl.constexpr = (qubits + every - 1) // every
    for number in tl.static_range(measured):
        re, im = by_bit(real, number * every), by_bit(imag, number * every)
        up, across = tl.zeros_like(re), tl.zeros_like(im)
        if row_x >= 0:
            x = _load(grads + (row_x * measured + number) * stride, inside, real.dtype)
            up += x * swapped(re)
            across += x * swapped(im)
        if row_y >= 0:
            y = _load(grads + (row_y * measured + number) * stride, inside, real.dtype)
            up -= y * signs(re) * swapped(im)
            across += y * signs(re) * swapped(re)
        if row_z >= 0:
            z = _load(grads + (row_z * measured + number) * stride, inside, real.dtype)
            up -= z * signs(re) * re
            across -= z * signs(re) * im
        to_real += tl.reshape(up, real.shape)
        to_imag += tl.reshape(across, imag.shape)
    return to_real, to_imag


@triton.jit
def _load(place: tl.tensor, inside: tl.tensor, dtype: tl.constexpr) -> tl.tensor:
    """Twice the gradients to one value, (images, 1, 1, 1)."""
    return 2.0 * tl.load(place, mask=inside, other=0.0).to(dtype)[:, None, None, None]
