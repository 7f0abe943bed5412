"""Losses: classification, and for HQCM-EBTC attention against masks."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor


class Losses(NamedTuple):
    """Scalars: the weighted sum, and its unweighted parts (None: no attention is trained)."""

    total: Tensor
    classification: Tensor
    attention: Tensor | None


def upsample(attention: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring attention logits (B, 1, h, w) to (B, 1, *size), bilinearly.

    On the logit scale, where a pixel between two cells may be decided as sharply as they are.
    """
    return F.interpolate(attention, size=size, mode="bilinear", align_corners=False)


def soft_dice(probabilities: Tensor, masks: Tensor, epsilon: float) -> Tensor:
    """Dice coefficient of each image, (B,): (2 Σ A T + ε) / (Σ A + Σ T + ε), ε in pixels."""
    overlap = (probabilities * masks).flatten(1).sum(1)
    total = probabilities.flatten(1).sum(1) + masks.flatten(1).sum(1)
    return (2.0 * overlap + epsilon) / (total + epsilon)


def attention_loss(
    attention: Tensor,
    masks: Tensor,
    annotated: Tensor,
    bce: float = 0.3,
    dice: float = 0.7,
    epsilon: float = 1.0,
    temperature: float = 1.0,
) -> Tensor:
    """ζ·BCE(A_t, T) + γ·(1 - Dice(A, T)), A being the attention map upsampled to the mask T.

    A is the map σ(logits), A_t the softened one σ(logits / t). Cross-entropy asks a map to be
    no surer than it is right, so at t = 1 few pixels pass a level of 0.99; at t > 1 it asks
    that of A_t, and A is sharper.

    Args:
        attention: Logits of the map (B, 1, h, w).
        masks: 0 or 1 (B, 1, H, W).
        annotated: Boolean (B,); images without a mask annotation contribute nothing (an empty mask
            is an annotation).
        bce: ζ.
        dice: γ.
        epsilon: ε of the Dice coefficient, pixels.
        temperature: t.

    Returns:
        Mean over the annotated images; 0 if there are none.
    """
    logits = upsample(attention.float(), (masks.shape[-2], masks.shape[-1]))
    softened = logits / temperature
    entropy = F.binary_cross_entropy_with_logits(softened, masks, reduction="none")
    overlap = soft_dice(logits.sigmoid(), masks, epsilon)
    each = bce * entropy.flatten(1).mean(1) + dice * (1.0 - overlap)
    weights = annotated.to(each.dtype)
    return (each * weights).sum() / weights.sum().clamp_min(1.0)


def classification_loss(
    logits: Tensor, labels: Tensor, weights: Tensor | None, smoothing: float = 0.0
) -> Tensor:
    """Cross-entropy of classes, or binary cross-entropy of findings, a scalar.

    Args:
        logits: (B, K).
        labels: int64 (B,), the class; or float (B, K), 1 where a finding is present.
        weights: Of classes, or of findings where they are present, (K,); see ``class_weights``.
        smoothing: Share of each label that is spread over all classes, or over presence and
            absence.
    """
    if labels.ndim == 1:
        return F.cross_entropy(logits, labels, weight=weights, label_smoothing=smoothing)
    smoothed = labels * (1.0 - smoothing) + smoothing / 2.0
    return F.binary_cross_entropy_with_logits(logits, smoothed, pos_weight=weights)


def classification_mass(labels: Tensor, weights: Tensor | None) -> Tensor:
    """What ``classification_loss`` divides a sum over images by, up to a constant, a scalar."""
    if labels.ndim == 2 or weights is None:
        return torch.tensor(float(len(labels)), device=labels.device)
    return weights[labels].sum()


def class_weights(labels: Tensor, classes: int) -> Tensor:
    """What makes every class, or the presence and absence of a finding, weigh the same in all.

    Args:
        labels: int64 (n,), the class; or float (n, K), 1 where a finding is present.
        classes: K.

    Returns:
        float32 (K,): n / (K n_k), of mean 1 over the images; for findings (n - n_k) / n_k.
    """
    if labels.ndim == 2:
        present = labels.sum(0)
        return (len(labels) - present) / present.clamp_min(1.0)
    counts = torch.bincount(labels, minlength=classes)
    return labels.numel() / (classes * counts.clamp_min(1).float())
