"""Data to real state vectors, each with its vector-Jacobian product in closed form.

An embedding returns the states and what its product needs. The batch is the last dimension, so
that every step runs along contiguous memory.
"""

from __future__ import annotations

import torch
from torch import Tensor

LEAST_SQUARED_NORM = 1e-24
"""A vector shorter than its root, 1e-12, is divided by that instead of by its own norm."""


def amplitude(inputs: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """L2-normalise vectors into amplitudes.

    A zero vector has no state: it gives the null vector, whose expectation values and gradients
    are all zero.

    Args:
        inputs: Real, shape (..., 2^q, B).

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
