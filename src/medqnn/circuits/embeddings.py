"""Data to state vectors, each with its vector-Jacobian product in closed form.

An embedding returns the states and what its product needs. The batch is the last dimension, so
that every step runs along contiguous memory. States are real wherever a constant gate on every
qubit, which costs a batch nothing, can make them so: R_x(t) |0⟩ is S† R_y(t) |0⟩, and R_z(t) H |0⟩
is V R_y(t) |0⟩ with V = ``BASIS_CHANGE["Y"]``.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits import gates
from medqnn.circuits.circuit import Circuit
from medqnn.kernels.contract import LEAST_SQUARED_NORM


def amplitude(inputs: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """L2-normalise vectors into amplitudes.

    A zero vector has no state: it gives the null vector, whose expectation values and gradients
    are all zero. Norms from 1e-12 to 1.8e19 in float32, to 1.3e154 in float64, give unit vectors.
    Shorter ones give ψ of length norm / 1e-12, and values smaller by its square; longer ones, whose
    square is no longer finite, give the null vector.

    Args:
        inputs: Real, shape (..., 2^q, B), of norms in this range.

    Returns:
        Amplitudes ψ of the same shape; for the product ψ and the inverse norms (..., 1, B).
    """
    squared_norm = (inputs * inputs).sum(-2, keepdim=True)
    inverse_norm = squared_norm.clamp_min(LEAST_SQUARED_NORM).rsqrt()
    states = inputs * inverse_norm
    return states, (states, inverse_norm)


def amplitude_vjp(grad: Tensor, saved: tuple[Tensor, ...]) -> Tensor:
    """Gradient to the inputs: (grad - ψ ⟨ψ, grad⟩) / norm, shape (..., 2^q, B)."""
    states, inverse_norm = saved
    radial = (grad * states).sum(-2, keepdim=True)
    return torch.addcmul(grad, states, radial, value=-1).mul_(inverse_norm)


def angle(angles: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
    """R_y(x_j) on qubit j of |0…0⟩: the product of (cos x_j/2, sin x_j/2).

    Args:
        angles: Radians, shape (..., q, B).

    Returns:
        Real amplitudes (..., 2^q, B); for the product the qubits' own (..., q, 2, B), and those
        of the first 1, 2, … q - 1 qubits together.
    """
    half = 0.5 * angles
    factors = torch.stack((half.cos(), half.sin()), dim=-2)
    states, *rest = factors.unbind(-3)
    partial = []
    for factor in rest:
        partial.append(states)
        states = (states[..., :, None, :] * factor[..., None, :, :]).flatten(-3, -2)
    return states, (factors, *partial)


def angle_vjp(grad: Tensor, saved: tuple[Tensor, ...]) -> Tensor:
    """Gradient to the angles, shape (..., q, B): the products undone from the last qubit on."""
    factors, *partial = saved
    _, *rest = factors.unbind(-3)
    to_factors = []
    for states, factor in zip(partial[::-1], rest[::-1], strict=True):
        grad = grad.reshape(*states.shape[:-1], 2, states.shape[-1])
        to_factors.append((grad * states[..., :, None, :]).sum(-3))
        beside_cos, beside_sin = grad.unbind(-2)
        cos, sin = factor.unsqueeze(-3).unbind(-2)
        grad = (beside_cos * cos).addcmul_(beside_sin, sin)
    to_cos, to_sin = torch.stack((grad, *to_factors[::-1]), dim=-3).unbind(-2)
    cos, sin = factors.unbind(-2)
    return (cos * to_sin).addcmul_(sin, to_cos, value=-1).mul_(0.5)


def iqp(inputs: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The complex amplitudes 2^{-q/2} exp(-i p_b), p being ``iqp_phases``.

    Args:
        inputs: Real, shape (..., q, B).

    Returns:
        Amplitudes (..., 2^q, B), up to the global phase that ``iqp_phases`` leaves out; for the
        product, these and what the phases save.
    """
    phases, saved = iqp_phases(inputs)
    magnitude = inputs.new_full((), 2.0 ** (-inputs.shape[-2] / 2))
    states = torch.polar(magnitude, -phases)
    return states, (states, *saved)


def iqp_vjp(grad: Tensor, saved: tuple[Tensor, ...]) -> Tensor:
    """Gradient to the inputs (..., q, B), from ∂L/∂Re ψ + i ∂L/∂Im ψ: ∂L/∂p = Im(ḡ ψ)."""
    states, *phases_saved = saved
    return iqp_phases_vjp((grad.conj() * states).imag, tuple(phases_saved))


def iqp_phases(inputs: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Phases p_b of IQP's diagonal gates exp(-i p_b), from the field s_b = Σ_j z_j(b) x_j.

    z_j(b) = ±1 is the eigenvalue of Z on qubit j. Since s² = ‖x‖² + 2 Σ_{j<k} x_j x_k z_j z_k,
    Σ_j x_j z_j / 2 + Σ_{j<k} x_j x_k z_j z_k / 2 is s / 2 + s² / 4 less the global phase ‖x‖² / 4,
    which no measurement sees; it is left out.

    Args:
        inputs: Real, shape (..., q, B).

    Returns:
        Phases (..., 2^q, B) in radians, and for the product s.
    """
    field, *rest = torch.stack((inputs, -inputs), dim=-2).unbind(-3)
    for signed in rest:
        field = (field[..., :, None, :] + signed[..., None, :, :]).flatten(-3, -2)
    return field * (0.5 + 0.25 * field), (field,)


def iqp_phases_vjp(grad: Tensor, saved: tuple[Tensor, ...]) -> Tensor:
    """Gradient to the inputs, shape (..., q, B): the sums undone from the last qubit on."""
    (field,) = saved
    grad = grad * (0.5 + 0.5 * field)
    to_inputs = []
    while grad.shape[-2] > 1:
        zero, one = grad.unflatten(-2, (-1, 2)).unbind(-2)
        to_inputs.append((zero - one).sum(-2))
        grad = zero + one
    return torch.stack(to_inputs[::-1], dim=-2)


class Form(NamedTuple):
    """An embedding: states and what its product needs, then the same gate on every qubit."""

    embed: Callable[[Tensor], tuple[Tensor, tuple[Tensor, ...]]]
    vjp: Callable[[Tensor, tuple[Tensor, ...]], Tensor]
    turn: Tensor = gates.BASIS_CHANGE["Z"]  # complex128 (2, 2); the identity


FORMS = MappingProxyType(
    {
        "amplitude": Form(amplitude, amplitude_vjp),
        "angle": Form(angle, angle_vjp),
        "angle_x": Form(angle, angle_vjp, torch.tensor([1, -1j], dtype=torch.complex128).diag()),
        "angle_z": Form(angle, angle_vjp, gates.BASIS_CHANGE["Y"]),
        "iqp": Form(iqp, iqp_vjp),
    }
)
"""Every embedding by its name in ``Circuit``."""


def turn_of(circuit: Circuit) -> Tensor:
    """The constant gate on every qubit behind the embedded state, complex128 (2, 2)."""
    return FORMS[circuit.embedding].turn
