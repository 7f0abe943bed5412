# mypy: disallow-untyped-decorators=False
"""The angles of a step, and its diagonals of phases, as functions of a Triton kernel.

exp(-i Σ_j z_j(n) a_j) over all states n is the Kronecker product of the first half of the qubits'
phases and the second half's, which a warp holds in a register each.
"""

import triton
import triton.language as tl

from medqnn.circuits.gpu.states import column


@triton.jit
def half_angles(
    weights: tl.tensor,
    reals: tl.tensor,
    integers: tl.tensor,
    width: tl.constexpr,
    dtype: tl.constexpr,
) -> tuple[tl.tensor, tl.tensor]:
    """Cosines and sines (1, width) of a step's φ/2, θ/2, ω/2, by its rows of ``tables``."""
    place = tl.arange(0, width)
    half = tl.load(reals + place)
    for term in tl.static_range(2):
        source = tl.load(integers + term * width + place)
        weight = tl.load(weights + source, mask=source >= 0, other=0.0).to(dtype)
        half += tl.load(reals + (term + 1) * width + place) * weight
    return tl.cos(half)[None, :], tl.sin(half)[None, :]


@triton.jit
def phases(
    cos: tl.tensor, sin: tl.tensor, first: tl.constexpr, qubits: tl.constexpr
) -> tuple[tl.tensor, tl.tensor]:
    """Real and imaginary parts (1, N) of exp(-i Σ_j z_j a_j), a from column ``first`` on."""
    upper: tl.constexpr = qubits // 2
    a, b = _product(cos, sin, first, upper)
    c, d = _product(cos, sin, first + upper, qubits - upper)
    real = a[:, None] * c[None, :] - b[:, None] * d[None, :]
    imag = a[:, None] * d[None, :] + b[:, None] * c[None, :]
    return tl.reshape(real, (1, 2**qubits)), tl.reshape(imag, (1, 2**qubits))


@triton.jit
def _product(
    cos: tl.tensor, sin: tl.tensor, first: tl.constexpr, qubits: tl.constexpr
) -> tuple[tl.tensor, tl.tensor]:
    """``phases`` of some of the qubits, (2^qubits,)."""
    real = tl.full((2**qubits,), 1.0, cos.dtype)
    imag = tl.full((2**qubits,), 0.0, cos.dtype)
    for qubit in tl.static_range(qubits):
        c = tl.reshape(column(cos, first + qubit), (1,))
        s = tl.reshape(column(sin, first + qubit), (1,)) * eigenvalues(qubit, qubits, cos.dtype)
        turned = real * c + imag * s
        imag = imag * c - real * s
        real = turned
    return real, imag


@triton.jit
def eigenvalues(qubit: tl.constexpr, qubits: tl.constexpr, dtype: tl.constexpr) -> tl.tensor:
    """1 or -1: Z on a qubit in each basis state."""
    state = tl.arange(0, 2**qubits)
    return (1 - 2 * ((state >> (qubits - 1 - qubit)) & 1)).to(dtype)


@triton.jit
def phase_gradients(
    grad_real: tl.tensor,
    grad_imag: tl.tensor,
    real: tl.tensor,
    imag: tl.tensor,
    into: tl.tensor,
    first: tl.constexpr,
    qubits: tl.constexpr,
) -> tl.tensor:
    """``into`` (width,) with ∂L/∂a_j from column ``first`` on, states and costates on one side.

    Where exp(-i p) scales an amplitude to ψ, with gradient g to ψ, ∂L/∂p = Im(ḡ ψ).
    """
    upper: tl.constexpr = qubits // 2
    overlap = tl.sum(grad_real * imag - grad_imag * real, 0)
    overlap = tl.reshape(overlap, (2**upper, 2 ** (qubits - upper)))
    into = _signed_sums(tl.sum(overlap, 1), into, first, upper)
    return _signed_sums(tl.sum(overlap, 0), into, first + upper, qubits - upper)


@triton.jit
def _signed_sums(
    terms: tl.tensor, into: tl.tensor, first: tl.constexpr, qubits: tl.constexpr
) -> tl.tensor:
    place = tl.arange(0, into.shape[0])
    for qubit in tl.static_range(qubits):
        total = tl.sum(terms * eigenvalues(qubit, qubits, terms.dtype), 0)
        into = tl.where(place == first + qubit, total, into)
    return into
