"""The Fisher information of class probabilities with respect to a head's weights θ.

F(θ) = mean over images x of Σ_y p(y|x; θ) ∇ln p(y|x; θ) ∇ln p(y|x; θ)ᵀ: how strongly each direction
of θ moves what the network says. The sum over classes is exact, not sampled, and the classifier
behind the head is held fixed. Many directions of like weight learn evenly; a few large eigenvalues
among zeros mean that most weights, or most directions, say nothing (Abbas et al. 2021).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.diagnostics.heads import Head


class Spectrum(NamedTuple):
    """Eigenvalues of F(θ), largest first.

    Attributes:
        values: float64, min(M K, P) of the P, for M images and K classes; the others are zero.
        rank: Number of them that are not zero; at most M (K - 1), or of findings M K.
    """

    values: Tensor
    rank: int

    @property
    def trace(self) -> float:
        """Their sum."""
        return float(self.values.sum())

    @property
    def shares(self) -> list[float]:
        """Each non-zero eigenvalue's share of the trace."""
        found: list[float] = (self.values[: self.rank] / self.values.sum()).tolist()
        return found

    def needed(self, share: float) -> int:
        """How many eigenvalues hold a share of the trace; 0 of a vanishing F."""
        held = torch.tensor(self.shares).cumsum(0)
        return int((held < share).sum()) + 1 if self.rank else 0


def factor(head: Head, weights: dict[str, Tensor]) -> Tensor:
    """A with AᵀA = F(θ), for M images, K classes and P weights.

    Of classes, row (x, y) is √(p_y / M) (∇l_y - Σ_z p_z ∇l_z), where l are the logits; of findings
    that may stand together √(p_y (1 - p_y) / M) ∇l_y.

    Args:
        head: Gives images and classifier.
        weights: θ, by name, of P numbers in all.

    Returns:
        float64 (M K, P).
    """

    def logits(weights: dict[str, Tensor], one: Tensor) -> Tensor:
        values = torch.func.functional_call(head.head, weights, (one[None],))
        found: Tensor = head.classifier(values.flatten(1))[0]
        return found

    by_image = torch.func.vmap(torch.func.jacrev(logits), in_dims=(None, 0), chunk_size=16)
    jacobian = torch.cat([part.flatten(2) for part in by_image(weights, head.inputs).values()], 2)
    p = head.probabilities(head.features(weights))[:, :, None]
    if head.multilabel:
        rows = (p * (1.0 - p)).sqrt() * jacobian
    else:
        rows = p.sqrt() * (jacobian - (p * jacobian).sum(1, keepdim=True))
    return rows.flatten(0, 1) / math.sqrt(len(p))


def spectrum(factor: Tensor) -> Spectrum:
    """Eigenvalues of F = AᵀA from A (rows, P).

    A singular value below the largest's rounding error counts as zero, as in
    ``numpy.linalg.matrix_rank``.
    """
    singular = torch.linalg.svdvals(factor)
    rounding = singular.max() * max(factor.shape) * torch.finfo(factor.dtype).eps
    return Spectrum(singular.square(), int((singular > rounding).sum()))


def effective_dimension(spectra: Sequence[Spectrum], weights: int, images: int) -> float | None:
    """How many of a model's P weights n images can tell apart (Abbas et al. 2021, with γ = 1).

    d = 2 ln( mean over θ of √det(1 + κ F̂(θ)) ) / ln κ with κ = n / (2π ln n), where
    F̂ = P F / (mean over θ of Tr F). θ is drawn as before training, where the paper draws it
    uniformly from a cube. It grows with n towards the largest rank, and may pass P a little where
    n is small.

    Args:
        spectra: Of F(θ) at draws of θ.
        weights: P, at least 1.
        images: n, on which the model is trained.

    Returns:
        The dimension; None where κ is 1 or less (n below 19), or F vanishes.
    """
    kappa = images / (2 * math.pi * math.log(images)) if images > 1 else 0.0
    trace = sum(one.trace for one in spectra) / len(spectra)
    if kappa <= 1.0 or trace == 0.0:
        return None
    logs = [torch.log1p(kappa * weights / trace * one.values).sum() / 2 for one in spectra]
    mean = torch.stack(logs).logsumexp(0) - math.log(len(logs))
    return float(2 * mean / math.log(kappa))
