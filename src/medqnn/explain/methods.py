"""The methods of explanation by name: which pixels an answer rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from torch import Tensor, nn

from medqnn.explain.attention import attends, attention
from medqnn.explain.gradcam import grad_cam
from medqnn.explain.gradients import integrated_gradients
from medqnn.explain.occlusion import occlusion

Method = Callable[[nn.Module, Tensor, Tensor], Tensor]
"""From a model in evaluation mode with frozen weights, images (float32 (B, C, H, W) in [0, 1]) and
the class of each that is to be explained (int64 (B,)) to the relevance of each pixel: float32
(B, H, W) in [0, 1], 0 where nothing speaks for the class. EvaluationError if they do not fit."""

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "attention": attention,
        "grad-cam": grad_cam,
        "integrated gradients": integrated_gradients,
        "occlusion": occlusion,
    }
)


def methods_of(model: nn.Module) -> tuple[str, ...]:
    """Names of the methods that a model can be explained with: attention where it has any."""
    return tuple(name for name in METHODS if name != "attention" or attends(model))


def targets_of(logits: Tensor) -> Tensor:
    """The class, or finding, that is explained: the likeliest. Logits (B, K) to int64 (B,)."""
    return logits.argmax(1)
