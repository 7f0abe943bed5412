"""The corruptions that are measured, each in five strengths with a physical meaning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch import Tensor

from medqnn.robustness import corruptions
from medqnn.training.sampling import Draws, draws

Pair = tuple[Tensor, Tensor]


class Corruption(NamedTuple):
    """One kind of damage.

    Attributes:
        name: As tables call it.
        measure: What its values are.
        values: Of severities 1 to 5.
        apply: From images (B, C, H, W), masks (B, 1, H, W), a value and generators to both.
    """

    name: str
    measure: str
    values: tuple[float, ...]
    apply: Callable[[Tensor, Tensor, float, Draws], Pair]


def _in_place(
    change: Callable[[Tensor, float, Draws], Tensor],
) -> Callable[[Tensor, Tensor, float, Draws], Pair]:
    """A change of pixels that leaves what they show in its place, so the masks too."""
    return lambda images, masks, value, random: (change(images, value, random), masks)


CORRUPTIONS = (
    Corruption(
        "Gaussian noise",
        "σ, share of the grey range",
        (0.02, 0.05, 0.10, 0.15, 0.20),
        _in_place(corruptions.gaussian_noise),
    ),
    Corruption(
        "Rician noise",
        "σ, share of the grey range",
        (0.02, 0.05, 0.10, 0.15, 0.20),
        _in_place(corruptions.rician_noise),
    ),
    Corruption(
        "Blur",
        "σ, share of the image's side",
        (0.005, 0.01, 0.015, 0.02, 0.03),
        _in_place(corruptions.blur),
    ),
    Corruption(
        "Low contrast",
        "share of the contrast that is left",
        (0.8, 0.6, 0.4, 0.3, 0.2),
        _in_place(corruptions.contrast),
    ),
    Corruption(
        "Bias field",
        "largest gain or loss, share",
        (0.1, 0.2, 0.3, 0.4, 0.6),
        _in_place(corruptions.bias_field),
    ),
    Corruption("Rotation", "degrees", (5.0, 10.0, 15.0, 20.0, 30.0), corruptions.rotation),
    Corruption(
        "JPEG", "quality (95 is best)", (50.0, 30.0, 20.0, 10.0, 5.0), _in_place(corruptions.jpeg)
    ),
    Corruption(
        "Missing corner",
        "side, share of the image's",
        (0.1, 0.2, 0.3, 0.4, 0.5),
        _in_place(corruptions.missing_corner),
    ),
)


def corrupt(
    corruption: Corruption,
    value: float,
    images: Tensor,
    masks: Tensor,
    ids: Sequence[str],
    seed: int = 0,
) -> Pair:
    """Corrupt a batch; an image's result depends on its pixels, its id and the seed alone.

    Args:
        corruption: Which.
        value: How much, in the corruption's own measure.
        images: float32 (B, C, H, W) in [0, 1].
        masks: float32 (B, 1, H, W), 0 or 1.
        ids: B names.
        seed: Of what is random.

    Returns:
        Images and masks of the same shapes.
    """
    return corruption.apply(images, masks, value, draws(corruption.name, ids, seed))
