"""Whether a map depends on what the network learnt (Adebayo et al. 2018, arXiv:1810.03292).

The network's weights are drawn anew, as they are before training, from the top downwards in two
stages: first the *head* (the quantum layer, or what stands in its place, and the classifier), then
*all*. A map that ranks the pixels as before did not need them: it shows the image, not what the
network learnt of it. Batch norm starts with the statistics of a network before training, too.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from scipy import stats
from torch import nn

from medqnn.training.fit import build_model
from medqnn.training.sections import Recipe

STAGES = ("head", "all")


def redrawn(
    model: nn.Module, recipe: Recipe, variant: str, classes: int, seed: int
) -> dict[str, nn.Module]:
    """The model with new weights, by stage.

    Args:
        model: Trained, of ``models.SYSTEMS``.
        recipe: It was made from; the new weights come from another seed than its own.
        variant: Its variant.
        classes: How many it tells.
        seed: Of the draw.

    Returns:
        A model each of `STAGES`, in evaluation mode and with fixed weights.
    """
    other = recipe.model_copy(update={"seed": recipe.seed + seed + 1})
    with torch.random.fork_rng(devices=[]):
        fresh = build_model(other, variant, classes)
    top = copy.deepcopy(model)
    for name in ("head", "classifier"):
        top.get_submodule(name).load_state_dict(fresh.get_submodule(name).state_dict())
    fresh.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    both = dict(zip(STAGES, (top, fresh), strict=True))
    return {stage: one.eval().requires_grad_(False) for stage, one in both.items()}


def rank_correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Spearman's ρ between the pixels of two maps of each image.

    A map of one value ranks nothing: with any other map it has ρ = 0. Of two such maps, as of a
    Grad-CAM that is dead before and after, ρ is undefined.

    Args:
        a: (n, H, W) float.
        b: likewise.

    Returns:
        float64 (n,) in [-1, 1], NaN for two maps of one value each.
    """
    found = np.empty(len(a))
    for i, (one, other) in enumerate(zip(a, b, strict=True)):
        flat = [bool(np.ptp(image) == 0) for image in (one, other)]
        if any(flat):
            found[i] = np.nan if all(flat) else 0.0
        else:
            found[i] = stats.spearmanr(one, other, axis=None).statistic
    return found
