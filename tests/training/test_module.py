from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from medqnn.training.batches import Batch
from medqnn.training.fit import build_model
from medqnn.training.losses import attention_loss
from medqnn.training.module import ClassifierModule
from training.tiny import tiny_recipe

WEIGHTS = torch.tensor([0.5, 2.0, 1.0])


@pytest.fixture
def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(6, 1, 16, 16, generator=generator)
    return Batch(images, (images > 0.8).float(), torch.arange(6) > 0, torch.arange(6) % 3)


def module(variant: str, *overrides: str) -> ClassifierModule:
    recipe = tiny_recipe(*overrides)
    return ClassifierModule(build_model(recipe, variant, 3), recipe, 3, weights=WEIGHTS)


def test_loss_is_the_weighted_sum_of_its_parts(batch: Batch) -> None:
    attention = "loss.attention={weight: 3, bce: 0.2, dice: 0.6, epsilon: 2}"
    subject = module("hybrid", "loss.classification=0.5", attention).eval()
    losses, logits = subject.losses(batch)
    output = subject.model(batch.images)
    entropy = F.cross_entropy(output.logits, batch.labels, WEIGHTS)
    attention = attention_loss(output.attention, batch.masks, batch.annotated, 0.2, 0.6, 2.0)
    torch.testing.assert_close(logits, output.logits)
    torch.testing.assert_close(losses.classification, entropy)
    torch.testing.assert_close(losses.attention, attention)
    torch.testing.assert_close(losses.total, 0.5 * entropy + 3 * attention)


def test_masks_do_not_reach_the_classifier(batch: Batch) -> None:
    subject = module("hybrid").eval()
    blank = batch._replace(masks=torch.zeros_like(batch.masks))
    assert torch.equal(subject.losses(batch)[1], subject.losses(blank)[1])


def test_autocast_leaves_the_loss_in_single_precision(batch: Batch) -> None:
    subject = module("hybrid").eval()
    with torch.autocast("cpu", torch.bfloat16):
        losses, logits = subject.losses(batch)
    assert logits.dtype == losses.total.dtype == torch.float32
    torch.testing.assert_close(losses.total, subject.losses(batch)[0].total, rtol=0.05, atol=0.05)


def test_frozen_twins_circuit_is_not_trained() -> None:
    circuits = ("model.circuits=3", "model.depth=2", "model.qubits=4")
    frozen, hybrid = (
        sum(w.numel() for group in m.configure_optimizers().param_groups for w in group["params"])
        for m in (module("frozen", *circuits), module("hybrid", *circuits))
    )
    assert hybrid - frozen == 3 * 2 * 4 * 3  # circuits, layers, qubits, angles


def test_optimiser_has_the_recipes_settings() -> None:
    optimiser = module(
        "hybrid", "training.learning_rate=0.025", "training.weight_decay=0.5"
    ).configure_optimizers()
    assert isinstance(optimiser, torch.optim.AdamW)
    assert {group["lr"] for group in optimiser.param_groups} == {0.025}
    assert {group["weight_decay"] for group in optimiser.param_groups} == {0.5}


def test_class_weights_are_not_part_of_the_weights() -> None:
    assert not [name for name in module("hybrid").state_dict() if name == "weights"]


def test_findings_are_learnt_each_on_its_own(batch: Batch) -> None:
    recipe = tiny_recipe("loss.attention=null")
    subject = ClassifierModule(build_model(recipe, "hybrid", 3), recipe, 3, multilabel=True).eval()
    findings = torch.eye(3).repeat(2, 1)
    losses, logits = subject.losses(batch._replace(labels=findings))
    expected = F.binary_cross_entropy_with_logits(logits, findings)
    torch.testing.assert_close(losses.total, expected)
    share = subject.val_accuracy(logits, findings.long())
    torch.testing.assert_close(share, ((logits > 0) == (findings > 0)).float().mean())


def test_attention_is_left_alone_if_the_recipe_says_so(batch: Batch) -> None:
    losses, _ = module("hybrid", "loss.attention=null").eval().losses(batch)
    assert losses.attention is None
    torch.testing.assert_close(losses.total, losses.classification)
