"""Whether a map stays the same under noise that nobody would see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from medqnn.explain.methods import Method
from medqnn.explain.sanity import rank_correlation
from medqnn.training.sampling import draws

SIGMA = 0.02  # of the noise, share of the grey range
DRAWS = 2


def stability(
    method: Method,
    model: nn.Module,
    images: Tensor,
    targets: Tensor,
    maps: np.ndarray,
    ids: Sequence[str],
    seed: int,
) -> np.ndarray:
    """Mean rank correlation of an image's map with its maps under noise.

    The class that is explained stays that of the image without noise.

    Args:
        method: That made the maps.
        model: In evaluation mode, with fixed weights.
        images: float32 (B, C, H, W) in [0, 1].
        targets: int64 (B,).
        maps: (B, H, W), of the images without noise.
        ids: Of the images; with the seed they decide the noise.
        seed: Of the noise.

    Returns:
        float64 (B,) in [-1, 1]; see `sanity.rank_correlation`. Draws with an undefined correlation
        are left out, and NaN is given where all are.
    """
    found = np.stack(
        [
            rank_correlation(maps, method(model, noisy(images, ids, seed, draw), targets).numpy())
            for draw in range(DRAWS)
        ]
    )
    known = (~np.isnan(found)).sum(axis=0)
    undefined = np.full(len(maps), np.nan)
    return np.divide(np.nansum(found, axis=0), known, out=undefined, where=known > 0)


def noisy(images: Tensor, ids: Sequence[str], seed: int, draw: int) -> Tensor:
    """Images with normal noise of `SIGMA` added to each pixel, cut off at 0 and 1."""
    shape = tuple(images.shape[1:])
    noise = np.stack(
        [
            one.standard_normal(shape, dtype=np.float32)
            for one in draws(f"explain, noise {draw}", ids, seed)
        ]
    )
    changed = (images + SIGMA * torch.from_numpy(noise)).clamp(0, 1)
    return changed.contiguous(memory_format=torch.channels_last)
