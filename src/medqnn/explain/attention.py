"""The attention map that a network makes itself."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from medqnn.errors import EvaluationError
from medqnn.explain.relevance import check
from medqnn.training.losses import upsample


def attends(model: nn.Module) -> bool:
    """Whether a model has a spatial attention map, which is made by a module named ``to_map``."""
    return any(name.rpartition(".")[2] == "to_map" for name, _ in model.named_modules())


def attention(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    """σ of the upsampled logits of the spatial attention map, as it is scored against masks.

    Args and result are those of `methods.Method`; the map is the same whatever the targets.

    Raises:
        EvaluationError: If the model has no attention, or the images do not fit.
    """
    check(model, images, targets)
    with torch.no_grad():
        logits = model(images).attention
    if logits is None:
        raise EvaluationError("the model has no attention map: choose one of its methods_of(model)")
    return upsample(logits.float(), (images.shape[-2], images.shape[-1])).sigmoid()[:, 0]
