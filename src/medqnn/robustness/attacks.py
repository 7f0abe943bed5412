"""Changes of an image, too small to see, that a network's own gradient chooses to mislead it.

The attacks are Captum's. Two of its habits are set aside. It takes gradients below 10⁻⁶ for zero,
which would make a network that is very sure of itself look robust; here every sign counts. And the
loss is computed in double precision, where the true class's part of such a network's gradient does
not round to zero.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch.nn.functional as F  # noqa: N812
from captum.robust import FGSM, PGD
from torch import Tensor, nn

EPSILONS = (1 / 255, 2 / 255, 4 / 255, 8 / 255)
PGD_STEPS = 10
PGD_STEP = 2.5 / PGD_STEPS  # of ε: together enough to reach the border (Madry et al. 2018)

Attack = Callable[[nn.Module, Tensor, Tensor, float], Tensor]


def fgsm(model: nn.Module, images: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    """One step up the loss: x + ε · sign(∂L/∂x), cut off at 0 and 1 (Goodfellow et al. 2015).

    Args:
        model: Maps images to ``models.Output``; in evaluation mode.
        images: float32 (B, C, H, W) in [0, 1].
        labels: int64 (B,), the class; or float (B, L), 1 where a finding is present.
        epsilon: Largest change of a pixel.

    Returns:
        Images of the same shape, none of whose pixels is moved by more than ε.
    """
    attack = FGSM(_logits_of(model), losses, lower_bound=0.0, upper_bound=1.0)
    attack.zero_thresh = 0.0
    return _quietly(attack.perturb, images, epsilon=epsilon, target=labels)


def pgd(model: nn.Module, images: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    """Ten steps of ε/4 up the loss, each cut off at ε from the image and at 0 and 1.

    Projected gradient descent (Madry et al. 2018, arXiv:1706.06083) in the maximum norm. It starts
    at the image itself, not at a random point, so that nothing about it is random.

    Args and result are those of `fgsm`.
    """
    attack = PGD(_logits_of(model), losses, lower_bound=0.0, upper_bound=1.0)
    attack.fgsm.zero_thresh = 0.0
    return _quietly(
        attack.perturb,
        images,
        radius=epsilon,
        step_size=PGD_STEP * epsilon,
        step_num=PGD_STEPS,
        target=labels,
    )


ATTACKS: dict[str, Attack] = {"FGSM": fgsm, "PGD": pgd}


def losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of each image, float64 (B,); of findings, the mean over them."""
    logits = logits.double()
    if labels.ndim == 1:
        return F.cross_entropy(logits, labels, reduction="none")
    each = F.binary_cross_entropy_with_logits(logits, labels.double(), reduction="none")
    return each.mean(1)


def _logits_of(model: nn.Module) -> Callable[[Tensor], Tensor]:
    def logits(images: Tensor) -> Tensor:
        answer: Tensor = model(images).logits
        return answer

    return logits


def _quietly(perturb: Callable[..., Tensor], images: Tensor, **options: object) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Input Tensor 0 did not already require")
        return perturb(images.clone(), **options).detach()
