"""One-qubit gates from numbers, and gradients to these.

Every gate here is [[c e^{i p_1}, s e^{i p_2}], [s e^{i p_3}, c e^{i p_4}]], with c and s the cosine
and sine of h. A gate's five numbers h, p_1 … p_4 are affine in what turns it: weights, or data.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from medqnn.circuits.ansatze import Layer, Upload

NUMBERS = 5

_FROM_ANGLES = 0.5 * torch.tensor(
    [[0, -1, 1, -1, 1], [1, 0, 0, 0, 0], [0, -1, -1, 1, 1]], dtype=torch.float64
)
"""φ, θ, ω to the numbers of R_z(ω) R_axis(θ) R_z(φ)."""

_OFFSETS = {
    "Y": torch.tensor([0, 0, math.pi, 0, 0], dtype=torch.float64),
    "X": torch.tensor([0, 0, -math.pi / 2, -math.pi / 2, 0], dtype=torch.float64),
    "H": torch.tensor([math.pi / 4, 0, 0, 0, math.pi], dtype=torch.float64),
}
"""Numbers of R_y(0), R_x(0) and H."""


def of_layer(layer: Layer) -> tuple[Tensor, Tensor]:
    """Slopes (P, q, 5) and offsets (q, 5), float64: a layer's numbers from its weights."""
    slopes = layer.rotations @ _FROM_ANGLES
    return slopes, _OFFSETS[layer.axis].expand(slopes.shape[1:])


def of_upload(upload: Upload) -> Tensor:
    """Slope and offset, float64 (2, 5): the numbers of a qubit's gate from its x.

    Where gates on pairs follow, R_z goes with these (see ``embeddings.iqp_phases``) and H is left.
    """
    if not upload.hadamard:
        return torch.stack((_FROM_ANGLES[1], _OFFSETS[upload.axis]))
    turned = torch.zeros_like(_FROM_ANGLES[1]) if upload.pairs else _OF_Z
    return torch.stack((turned, _OFFSETS["H"]))


_OF_Z = 0.5 * torch.tensor([0, -1, -1, 1, 1], dtype=torch.float64)


def gates(numbers: Tensor) -> Tensor:
    """Gates (..., 2, 2) of real numbers (..., 5)."""
    magnitudes, _, unit = _parts(numbers)
    return torch.unflatten(magnitudes * unit, -1, (2, 2))


def gates_vjp(grad: Tensor, numbers: Tensor) -> Tensor:
    """Gradient to the numbers, from ∂L/∂Re + i ∂L/∂Im of the gates (..., 2, 2)."""
    magnitudes, slopes, unit = _parts(numbers)
    along = grad.flatten(-2).conj() * unit
    to_half = (along.real * slopes).sum(-1, keepdim=True)
    return torch.cat((to_half, -along.imag * magnitudes), dim=-1)


def _parts(numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Magnitudes, their slopes by h, and phase factors, each (..., 4)."""
    half, phases = numbers[..., :1], numbers[..., 1:]
    cos, sin = half.cos(), half.sin()
    unit = torch.polar(torch.ones((), dtype=numbers.dtype, device=numbers.device), phases)
    magnitudes = torch.cat((cos, sin, sin, cos), dim=-1)
    return magnitudes, torch.cat((-sin, cos, cos, -sin), dim=-1), unit
