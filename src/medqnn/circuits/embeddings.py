"""Data to real state vectors, each with its vector-Jacobian product in closed form."""

from __future__ import annotations

import torch
from torch import Tensor

LEAST_SQUARED_NORM = 1e-24
"""A vector shorter than its root, 1e-12, is divided by that instead of by its own norm."""


def amplitude(inputs: Tensor) -> tuple[Tensor, Tensor]:
    """L2-normalise vectors into amplitudes.

    A zero vector has no state: it gives the null vector, whose expectation values and gradients
    are all zero.

    Args:
        inputs: Real, shape (..., 2^q).

    Returns:
        Amplitudes of the same shape, and the inverse norms (..., 1).
    """
    squared_norm = (inputs * inputs).sum(-1, keepdim=True)
    inverse_norm = squared_norm.clamp_min(LEAST_SQUARED_NORM).rsqrt()
    return inputs * inverse_norm, inverse_norm


def amplitude_vjp(grad: Tensor, states: Tensor, inverse_norm: Tensor) -> Tensor:
    """Gradient to the inputs: (grad - ψ ⟨ψ, grad⟩) / norm, shape (..., 2^q)."""
    radial = (grad * states).sum(-1, keepdim=True)
    return torch.addcmul(grad, states, radial, value=-1).mul_(inverse_norm)


def angle(angles: Tensor) -> Tensor:
    """R_y(x_j) on qubit j of |0…0⟩: the product of (cos x_j/2, sin x_j/2).

    Args:
        angles: Radians, shape (..., q).

    Returns:
        Real amplitudes (..., 2^q).
    """
    half = 0.5 * angles
    factors = torch.stack((half.cos(), half.sin()), dim=-1)
    state = factors[..., 0, :]
    for qubit in range(1, angles.shape[-1]):
        state = (state[..., :, None] * factors[..., qubit, None, :]).flatten(-2)
    return state


def angle_vjp(grad: Tensor, states: Tensor, flipped: Tensor, eigenvalues: Tensor) -> Tensor:
    """Gradient to the angles, shape (..., q).

    R_y(x) = exp(x/2 · J) with J = [[0, -1], [1, 0]], so the derivative is half the state with
    that qubit flipped, negative where the qubit is 0.

    Args:
        grad: Gradient to the amplitudes (..., 2^q).
        states: The amplitudes (..., 2^q).
        flipped: int64 (q, 2^q), see ``gates.flipped``.
        eigenvalues: (2^q, q), see ``gates.z_eigenvalues``.
    """
    turned = states[..., flipped] * grad[..., None, :]
    return -0.5 * torch.einsum("...qn,nq->...q", turned, eigenvalues)
