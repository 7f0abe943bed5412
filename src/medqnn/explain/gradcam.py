"""Grad-CAM: which places of the last feature map raise a number (Selvaraju et al. 2017).

L = ReLU(Σ_k α_k A_k), where α_k is the mean over places of ∂y/∂A_k, A the map that a model names by
``last_maps`` and y a logit or an expectation value. The gradient passes through the quantum layer.
"""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F  # noqa: N812
from captum.attr import LayerGradCam
from torch import Tensor, nn

from medqnn.errors import EvaluationError
from medqnn.explain.relevance import check, logits_of, scaled, through_head


def grad_cam(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    """Places that raise the target's logit, brought to image size bilinearly.

    Args and result are those of `methods.Method`.

    Raises:
        EvaluationError: If images or targets do not fit.
    """
    check(model, images, targets)
    return _map(model, images, logits_of(model, targets), targets)


def for_readout(model: nn.Module, images: Tensor, index: int) -> Tensor:
    """Places that raise one expectation value: what a qubit looks at.

    Of a quantum convolution, whose values are a map themselves, it is that map's positive part.

    Args:
        model: In evaluation mode with frozen weights.
        images: float32 (B, C, H, W) in [0, 1].
        index: Which, in the order of `quantum.Contributions.names`.

    Returns:
        float32 (B, H, W) in [0, 1].

    Raises:
        EvaluationError: If the images do not fit, or there is no such value.
    """
    check(model, images, images.new_zeros(len(images)).long())

    def value(batch: Tensor) -> Tensor:
        values = through_head(model, batch)[1]
        summed = values.flatten(2).sum(-1) if values.ndim == 4 else values
        if not 0 <= index < summed.shape[1]:
            raise EvaluationError(f"index is {index}: give 0 to {summed.shape[1] - 1}")
        return summed[:, index]

    return _map(model, images, value, None)


def _map(
    model: nn.Module,
    images: Tensor,
    function: Callable[[Tensor], Tensor],
    targets: Tensor | None,
) -> Tensor:
    cam = LayerGradCam(function, model.get_submodule("last_maps"))
    maps = cam.attribute(images.detach(), targets, relu_attributions=True)  # no graph before these
    size = (images.shape[-2], images.shape[-1])
    return scaled(F.interpolate(maps.detach(), size, mode="bilinear", align_corners=False)[:, 0])
