from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch import Tensor

from medqnn.training.losses import (
    attention_loss,
    class_weights,
    classification_loss,
    soft_dice,
    upsample,
)

FULL = torch.ones(1, 1, 4, 4)
ONE = torch.tensor([True])


def oracle(logits: np.ndarray, mask: np.ndarray, zeta: float, gamma: float, eps: float) -> float:
    """ζ·BCE + γ·(1 - Dice) of one image in NumPy, from the formulas."""
    a = 1 / (1 + np.exp(-logits))
    bce = -(mask * np.log(a) + (1 - mask) * np.log(1 - a)).mean()
    dice = (2 * (a * mask).sum() + eps) / (a.sum() + mask.sum() + eps)
    return zeta * bce + gamma * (1 - dice)


@pytest.fixture
def batch() -> tuple[Tensor, Tensor]:
    """Logits (3, 1, 6, 6), at the masks' own size, and masks."""
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(3, 1, 6, 6, generator=generator)
    return logits, (torch.rand(3, 1, 6, 6, generator=generator) < 0.4).float()


@pytest.mark.parametrize("weights", [(1, 0, 1), (0, 1, 1), (0.3, 0.7, 1.0), (2.0, 0.5, 0.01)])
def test_attention_loss_is_the_formula(batch: tuple, weights: tuple) -> None:
    logits, masks = batch
    expected = np.mean(
        [oracle(a, t, *weights) for a, t in zip(logits.numpy(), masks.numpy(), strict=True)]
    )
    loss = attention_loss(logits, masks, torch.ones(3, dtype=torch.bool), *weights)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("temperature", [0.5, 8.0])
def test_temperature_softens_the_entropy_alone(batch: tuple, temperature: float) -> None:
    logits, masks = batch
    every = torch.ones(3, dtype=torch.bool)
    entropy = attention_loss(logits / temperature, masks, every, bce=0.3, dice=0.0)
    dice = attention_loss(logits, masks, every, bce=0.0, dice=0.7)
    loss = attention_loss(logits, masks, every, temperature=temperature)
    assert loss.item() == pytest.approx((entropy + dice).item(), rel=1e-6)


def test_images_without_annotation_contribute_nothing(batch: tuple) -> None:
    logits, masks = batch
    logits.requires_grad_()
    loss = attention_loss(logits, masks, torch.tensor([True, False, True]))
    both = attention_loss(logits[[0, 2]], masks[[0, 2]], torch.tensor([True, True]))
    assert loss.item() == pytest.approx(both.item(), rel=1e-6)
    loss.backward()
    assert (logits.grad[1] == 0).all()
    assert (logits.grad[[0, 2]] != 0).all()


def test_no_annotation_at_all_gives_zero_with_a_gradient(batch: tuple) -> None:
    logits, masks = batch
    logits.requires_grad_()
    loss = attention_loss(logits, masks, torch.zeros(3, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0
    assert (logits.grad == 0).all()


def test_empty_mask_is_an_annotation_that_says_nothing_is_there() -> None:
    empty = torch.zeros_like(FULL)
    nowhere, everywhere = (attention_loss(s * 20 * FULL, empty, ONE).item() for s in (-1, 1))
    assert nowhere == pytest.approx(0, abs=1e-5)
    assert everywhere > 1


@pytest.mark.parametrize(
    ("attended", "masked", "epsilon", "dice"),
    [
        ([1, 1, 0, 0], [1, 1, 0, 0], 1.0, 1.0),
        ([0, 0, 0, 0], [0, 0, 0, 0], 1.0, 1.0),
        ([1, 1, 0, 0], [0, 1, 1, 0], 1.0, 3 / 5),
        ([1, 1, 0, 0], [0, 0, 1, 1], 1.0, 1 / 5),
        ([0.5, 0.5, 0.5, 0.5], [1, 1, 0, 0], 2.0, 4 / 6),
    ],
)
def test_dice_worked_examples(attended: list, masked: list, epsilon: float, dice: float) -> None:
    a, t = (torch.tensor(v, dtype=torch.float32).view(1, 1, 2, 2) for v in (attended, masked))
    assert soft_dice(a, t, epsilon).tolist() == pytest.approx([dice])


def test_dice_is_taken_image_by_image() -> None:
    a = torch.tensor([1.0, 0.0]).view(2, 1, 1, 1)
    assert soft_dice(a, torch.ones(2, 1, 1, 1), 1.0).tolist() == pytest.approx([1, 1 / 2])


def test_upsampling_keeps_constants_and_weighs_between_cells() -> None:
    constant = torch.full((2, 1, 3, 3), 1.75)
    assert (upsample(constant, (24, 24)) == 1.75).all()
    step = upsample(torch.tensor([0.0, 4.0]).view(1, 1, 1, 2), (1, 4))
    assert step.flatten().tolist() == [0, 1, 3, 4]


@pytest.mark.parametrize("size", [1e2, 1e4, 1e30])
@pytest.mark.parametrize("truth", [0.0, 1.0])
def test_extreme_logits_give_finite_loss_and_gradient(size: float, truth: float) -> None:
    logits = torch.tensor([size, -size]).view(2, 1, 1, 1).requires_grad_()
    masks = torch.full((2, 1, 8, 8), truth)
    loss = attention_loss(logits, masks, torch.ones(2, dtype=torch.bool))
    loss.backward()
    assert loss.isfinite()
    assert logits.grad.isfinite().all()


def test_half_precision_maps_are_scored_in_single_precision(batch: tuple) -> None:
    logits, masks = batch
    loss = attention_loss(logits.bfloat16(), masks, torch.ones(3, dtype=torch.bool))
    assert loss.dtype == torch.float32
    same = attention_loss(logits.bfloat16().float(), masks, torch.ones(3, dtype=torch.bool))
    assert loss == same


def test_class_weights_worked_example() -> None:
    weights = class_weights(torch.tensor([0, 0, 0, 1]), 2)
    assert weights.dtype == torch.float32
    assert weights.tolist() == pytest.approx([4 / (2 * 3), 4 / (2 * 1)])


def test_class_weights_are_balanced_ones() -> None:
    labels = torch.tensor([0] * 7 + [1] * 2 + [2] * 11)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels.numpy())
    weights = class_weights(labels, 3)
    np.testing.assert_allclose(weights, expected, rtol=1e-6)
    assert weights[labels].mean().item() == pytest.approx(1)


def test_class_without_images_has_a_finite_weight() -> None:
    assert class_weights(torch.tensor([0, 1]), 3).isfinite().all()


def test_findings_weigh_as_much_present_as_absent() -> None:
    labels = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    assert class_weights(labels, 2).tolist() == pytest.approx([4 / 1, 3 / 2])
    assert class_weights(torch.zeros(3, 2), 2).isfinite().all()


def test_classification_loss_worked_examples() -> None:
    logits = torch.tensor([[0.0, math.log(3.0)], [math.log(3.0), 0.0]])
    of_classes = classification_loss(logits, torch.tensor([1, 1]), torch.tensor([1.0, 2.0]))
    assert of_classes.item() == pytest.approx(-(math.log(3 / 4) + math.log(1 / 4)) / 2)
    findings = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    plain = classification_loss(logits, findings, None).item()
    assert plain == pytest.approx((2 * math.log(2) + 2 * math.log(4 / 3)) / 4)
    weighted = classification_loss(logits, findings, torch.tensor([3.0, 1.0])).item()
    assert weighted == pytest.approx((2 * math.log(2) + 4 * math.log(4 / 3)) / 4)


def test_smoothing_spreads_a_share_of_each_label() -> None:
    logits, labels = torch.tensor([[2.0, 0.0, -1.0]]), torch.tensor([0])
    truth = torch.tensor([[0.9 + 0.1 / 3, 0.1 / 3, 0.1 / 3]])
    expected = -(truth * logits.log_softmax(1)).sum()
    torch.testing.assert_close(classification_loss(logits, labels, None, 0.1), expected)
    findings = torch.tensor([[1.0, 0.0, 1.0]])
    softer = torch.tensor([[0.95, 0.05, 0.95]])
    torch.testing.assert_close(
        classification_loss(logits, findings, None, 0.1), classification_loss(logits, softer, None)
    )
