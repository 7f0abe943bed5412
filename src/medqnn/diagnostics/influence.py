"""How much of what a network says its head's weights decide.

With probabilities f(x, θ) of an image x and a head's weights θ, drawn anew as before training, the
variance of f splits (Hoeffding; Sobol' 1993) into that of x, of θ, and of both together:

    Var f = V_x + V_θ + V_xθ,    S_T = (V_θ + V_xθ) / Var f = E_x[Var_θ f] / Var f.

S_T is the total-effect index of θ. Its part V_θ / Var f moves all images alike, as a bias would;
V_xθ / Var f changes how images differ. V_x / Var f = 1 - S_T is left to the image whatever θ.
Variances of several classes are added (Gamboa et al. 2014).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from medqnn.diagnostics.heads import Head


class Shares(NamedTuple):
    """Of Var f; ``weights`` and ``interaction`` add up to ``total``."""

    total: float  # S_T
    weights: float  # V_θ / Var f
    interaction: float  # V_xθ / Var f


class Influence(NamedTuple):
    """What a trained network is without its head's trained weights.

    Attributes:
        shares: Of the variance of probabilities; None of a head without weights, or where nothing
            varies.
        trained: Accuracy on the images with the trained weights.
        redrawn: Accuracy at each redraw of the weights; none of a head without weights.
        bypassed: Accuracy with the head's output replaced by its mean over the images. In these
            networks nothing else tells images apart, so it is that of one answer to all.
    """

    shares: Shares | None
    trained: float
    redrawn: tuple[float, ...]
    bypassed: float


def variance_shares(values: Tensor) -> Shares | None:
    """Estimate the shares from every draw on every image, by two-way analysis of variance.

    With mean squares M_θ, M_x and M_xθ of D draws and M images the unbiased estimates are
    V_θ = (M_θ - M_xθ) / M, V_x = (M_x - M_xθ) / D, V_xθ = M_xθ (Searle, Casella, McCulloch 1992);
    one below zero counts as zero.

    Args:
        values: f, float64 (D, M, K), of two draws and two images at least.

    Returns:
        None if f does not vary.
    """
    draws, images, _ = values.shape
    grand = values.mean((0, 1), keepdim=True)
    by_draw = values.mean(1, keepdim=True)
    by_image = values.mean(0, keepdim=True)
    rest = values - by_draw - by_image + grand
    together = rest.square().sum() / ((draws - 1) * (images - 1))
    of_draw = images * (by_draw - grand).square().sum() / (draws - 1)
    of_image = draws * (by_image - grand).square().sum() / (images - 1)
    weights = ((of_draw - together) / images).clamp_min(0)
    total = weights + together + ((of_image - together) / draws).clamp_min(0)
    if total == 0:
        return None
    one, both = float(weights / total), float(together / total)
    return Shares(one + both, one, both)


def influence(head: Head, labels: np.ndarray, redrawn: Iterable[dict[str, Tensor]]) -> Influence:
    """Compare a trained head with itself redrawn, and with its mean.

    Args:
        head: Of a trained network, with the inputs of M images.
        labels: As ``training.inputs.Inputs.labels``, of these images.
        redrawn: Weights as before training, by name; see ``heads.redrawn``.
    """
    features = head.features(head.weights)
    average = features.mean(0).expand_as(features)
    draws = [head.probabilities(head.features(weights)) for weights in redrawn if weights]
    return Influence(
        variance_shares(torch.stack(draws)) if draws else None,
        accuracy(head.probabilities(features), labels, head.multilabel),
        tuple(accuracy(draw, labels, head.multilabel) for draw in draws),
        accuracy(head.probabilities(average), labels, head.multilabel),
    )


def accuracy(probabilities: Tensor, labels: np.ndarray, multilabel: bool) -> float:
    """Share of images whose likeliest class is right, or of findings right at 1/2."""
    truth = torch.from_numpy(labels)
    answer = probabilities > 0.5 if multilabel else probabilities.argmax(1)
    return float((answer == truth).double().mean())
