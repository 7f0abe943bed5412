"""Occlusion: how far the logit falls when a square is hidden (Zeiler and Fergus 2014)."""

from __future__ import annotations

import torch
from captum.attr import Occlusion
from torch import Tensor, nn

from medqnn.explain.relevance import check, logits_of, scaled

WINDOW = 8  # the side of the square is the image's, divided by this
AT_ONCE = 32  # hidden images in a batch


def occlusion(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    """Fall of the target's logit with a square set to the image's mean, where it falls.

    The square moves by half its side; a pixel has the mean over the squares that hide it.

    Args and result are those of `methods.Method`.

    Raises:
        EvaluationError: If images or targets do not fit.
    """
    check(model, images, targets)
    parts = zip(images.split(AT_ONCE), targets.split(AT_ONCE), strict=True)
    return scaled(torch.cat([_falls(model, *part).sum(1) for part in parts]))


def _falls(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    """(B, C, H, W), alike in all channels."""
    side = max(2, min(images.shape[-2:]) // WINDOW)
    step = (side + 1) // 2
    channels = images.shape[1]
    with torch.no_grad():
        falls: Tensor = Occlusion(logits_of(model, targets)).attribute(
            images,
            sliding_window_shapes=(channels, side, side),
            strides=(channels, step, step),
            baselines=images.mean((2, 3), keepdim=True).expand_as(images),
            target=targets,
            perturbations_per_eval=max(1, AT_ONCE // len(images)),
        )
    return falls
