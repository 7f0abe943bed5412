"""Integrated gradients: the logit's change from a black image, shared out over the pixels.

φ_i = x_i ∫₀¹ ∂f(t x)/∂x_i dt, whose sum is f(x) - f(0) (Sundararajan, Taly and Yan 2017).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from captum.attr import IntegratedGradients
from torch import Tensor, nn

from medqnn.explain.relevance import check, logits_of, scaled

STEPS = 32  # of the Gauss-Legendre sum that stands for the integral
AT_ONCE = 32  # evaluations in a batch, so that memory does not grow with the images


class Attributions(NamedTuple):
    """Integrated gradients with their signs.

    Attributes:
        values: float32 (B, C, H, W).
        gap: float32 (B,), the sum of values less f(x) - f(0): what the finite sum gets wrong.
        change: float32 (B,), f(x) - f(0).
    """

    values: Tensor
    gap: Tensor
    change: Tensor


def integrated_gradients(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    """Σ over channels of |φ|, from black. Args, result and errors are those of `methods.Method`."""
    return scaled(_integrate_images(model, images, targets).abs().sum(1))


def attributions(model: nn.Module, images: Tensor, targets: Tensor) -> Attributions:
    """φ itself, and by how much it misses completeness.

    Args and errors are those of `methods.Method`.
    """
    values = _integrate_images(model, images, targets)
    with torch.no_grad():
        ends = [model(end).logits for end in (images, torch.zeros_like(images))]
    at_image, at_black = (logits.gather(1, targets[:, None])[:, 0] for logits in ends)
    change = at_image - at_black
    return Attributions(values, values.flatten(1).sum(1) - change, change)


def integrate(
    function: Callable[[Tensor], Tensor], inputs: Tensor, targets: Tensor, steps: int
) -> Tensor:
    """Integrated gradients of ``function(inputs)[:, target]`` from zero, of inputs' shape."""
    method = IntegratedGradients(function)
    parts = [
        method.attribute(part, target=target, n_steps=steps, internal_batch_size=AT_ONCE).detach()
        for part, target in zip(inputs.split(AT_ONCE), targets.split(AT_ONCE), strict=True)
    ]
    return torch.cat(parts)


def _integrate_images(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    check(model, images, targets)
    return integrate(logits_of(model, targets), images, targets, STEPS).float()
