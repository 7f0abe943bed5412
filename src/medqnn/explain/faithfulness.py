"""Whether a map marks the pixels that the answer rests on: deletion and insertion.

Pixels are taken in the order of their relevance, the most relevant first. *Deletion* replaces them
in the image, *insertion* puts them back into an image without any, and both watch the probability
of the explained class (Petsiuk et al. 2018, arXiv:1806.07421). A faithful map makes it fall soon
and rise soon: a small area below the first curve, a large one below the second. A pixel is replaced
by that of the image strongly blurred, which keeps brightness and outline and makes no edges.

How low or high an area is depends on the network as much as on the map, so it says something only
beside that of pixels taken in a random order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

from medqnn.training.sampling import draws

STEPS = 20
SHARES = np.linspace(0.0, 1.0, STEPS + 1)  # of the pixels, at each point of a curve
BLUR = 0.1  # standard deviation as a share of the image's side


class Curves(NamedTuple):
    """Probability of the explained class at each of `SHARES`, float64 (B, STEPS + 1) each."""

    deletion: np.ndarray
    insertion: np.ndarray


def ranks_of(maps: np.ndarray, ids: Sequence[str], seed: int) -> np.ndarray:
    """The place of each pixel in order of relevance, 0 the most relevant; ties at random.

    Args:
        maps: (B, H, W) float. A map of one value gives a random order.
        ids: Of the images; with the seed they decide how ties fall.
        seed: Of the draw.

    Returns:
        int64 (B, H, W), each number below H·W once an image.
    """
    ranks = np.empty(maps.shape, dtype=np.int64)
    for one, image, draw in zip(ranks, maps, draws("order", ids, seed), strict=True):
        order = np.lexsort((draw.random(image.size), -image.ravel()))
        one.ravel()[order] = np.arange(image.size)
    return ranks


def curves(
    model: nn.Module, images: Tensor, ranks: np.ndarray, targets: Tensor, multilabel: bool = False
) -> Curves:
    """Delete and insert the pixels of each image in the order of their ranks.

    Args:
        model: In evaluation mode.
        images: float32 (B, C, H, W) in [0, 1].
        ranks: int64 (B, H, W), as `ranks_of` gives them.
        targets: int64 (B,), the class whose probability is watched.
        multilabel: Whether the classes are findings that may stand together.
    """
    place, replaced = torch.from_numpy(ranks)[:, None], blurred(images)
    points = []
    for share in SHARES:
        taken = place < round(share * ranks[0].size)
        both = torch.cat([images.where(~taken, replaced), images.where(taken, replaced)])
        points.append(probabilities(model, both, targets.repeat(2), multilabel))
    deletion, insertion = np.stack(points, axis=1).reshape(2, len(images), -1)
    return Curves(deletion, insertion)


def area(curve: np.ndarray) -> np.ndarray:
    """Area below each curve by the trapezoidal rule: (B, STEPS + 1) to (B,), from 0 to 1."""
    return np.asarray(np.trapezoid(curve, SHARES, axis=1))


def blurred(images: Tensor) -> Tensor:
    """Images (B, C, H, W) under a Gaussian blur of `BLUR` times their side."""
    sigma = BLUR * images.shape[-1]
    return torch.from_numpy(gaussian_filter(images.numpy(), sigma, mode="nearest", axes=(2, 3)))


def probabilities(
    model: nn.Module, images: Tensor, targets: Tensor, multilabel: bool
) -> np.ndarray:
    """Probability of each image's target, float64 (B,)."""
    with torch.inference_mode():
        logits = model(images.contiguous(memory_format=torch.channels_last)).logits.double()
    every = logits.sigmoid() if multilabel else logits.softmax(dim=1)
    return every.gather(1, targets[:, None])[:, 0].numpy()
