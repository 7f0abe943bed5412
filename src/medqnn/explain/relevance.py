"""What every method needs: fitting input, the logits alone, one scale for all maps."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from medqnn.errors import EvaluationError


def logits_of(model: nn.Module, targets: Tensor) -> Callable[[Tensor], Tensor]:
    """A system's model as a function from images to logits (B, K), as Captum wants it.

    Raises:
        EvaluationError: By the function, if a target is none of the K classes.
    """

    def logits(images: Tensor) -> Tensor:
        answer: Tensor = model(images).logits
        require_classes(targets, answer.shape[1])
        return answer

    return logits


def require_classes(targets: Tensor, classes: int) -> None:
    """Refuse targets (B,) that are none of the classes.

    Raises:
        EvaluationError: If one is not.
    """
    if len(targets) and not 0 <= targets.min() <= targets.max() < classes:
        raise EvaluationError(
            f"targets are {targets.min()} to {targets.max()}: the model has classes 0 to "
            f"{classes - 1}"
        )


def check(model: nn.Module, images: Tensor, targets: Tensor) -> None:
    """Refuse images that the model cannot read, and targets that are not one class an image.

    Raises:
        EvaluationError: If a shape or dtype does not fit.
    """
    first = next((part for part in model.modules() if isinstance(part, nn.Conv2d)), None)
    channels = first.in_channels if first is not None else images.shape[1]
    if images.ndim != 4 or images.shape[1] != channels or not images.is_floating_point():
        raise EvaluationError(
            f"images are {images.dtype} of shape {tuple(images.shape)}: give float32 "
            f"(B, {channels}, H, W)"
        )
    if targets.shape != images.shape[:1] or targets.is_floating_point():
        raise EvaluationError(
            f"targets are {targets.dtype} of shape {tuple(targets.shape)}: give one class for "
            f"each of {len(images)} images, int64 ({len(images)},)"
        )


def scaled(maps: Tensor) -> Tensor:
    """Negative parts cut off, each map divided by its maximum; a map of zeros stays zeros.

    Args:
        maps: (B, H, W).

    Returns:
        float32 (B, H, W) in [0, 1].
    """
    positive = maps.detach().float().clamp_min(0.0)
    largest = positive.amax((1, 2), keepdim=True)
    return positive / largest.where(largest > 0, 1.0)


def through_head(model: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """What a model's head, the quantum layer or its twin, reads of images and gives.

    Returns:
        (B, …) each: vectors, or maps (B, C, h, w) of a quantum convolution and its twins.
    """
    seen: list[tuple[Tensor, Tensor]] = []
    head = model.get_submodule("head")
    hook = head.register_forward_hook(lambda _, inputs, output: seen.append((inputs[0], output)))
    try:
        model(images)
    finally:
        hook.remove()
    return seen[0]
