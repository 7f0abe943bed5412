from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from medqnn.models import SYSTEMS
from medqnn.models.output import Output
from medqnn.robustness.attacks import ATTACKS, EPSILONS, PGD_STEPS, fgsm, losses, pgd

BOTH = pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
Attack = Callable[[nn.Module, Tensor, Tensor, float], Tensor]


class Linear(nn.Module):
    """logits = scale · W vec(x)."""

    def __init__(self, classes: int = 3, scale: float = 1.0) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.weight = nn.Parameter(scale * torch.randn(classes, 16))
        self.calls = 0

    def forward(self, images: Tensor) -> Output:
        self.calls += 1
        logits = images.flatten(1) @ self.weight.T
        return Output(logits, logits)


def some_images(count: int = 6) -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    return torch.rand(count, 1, 4, 4), torch.arange(count) % 3


def hybrid() -> nn.Module:
    torch.manual_seed(0)
    model = SYSTEMS["hqcnn-medmnist"](classes=3, channels=1, hidden=8)
    return model.eval().requires_grad_(False)


def test_fgsm_follows_the_sign_of_the_gradient_by_hand() -> None:
    model, (images, labels) = Linear(), some_images()
    logits = images.flatten(1) @ model.weight.T
    error = logits.softmax(1) - torch.eye(3)[labels]
    gradient = (error @ model.weight).reshape(images.shape)
    expected = (images + 0.03 * gradient.sign()).clamp(0, 1).detach()
    assert torch.allclose(fgsm(model, images, labels, 0.03), expected, atol=1e-7)


def test_pgd_reaches_the_corner_that_is_worst_for_two_linear_classes() -> None:
    model = Linear(classes=2)
    images, labels = some_images()[0], torch.tensor([0, 1, 0, 1, 0, 1])
    away = (model.weight[1] - model.weight[0]).reshape(1, 1, 4, 4).sign()
    side = (1 - 2 * labels)[:, None, None, None]
    expected = (images + 0.03 * side * away).clamp(0, 1).detach()
    assert torch.allclose(pgd(model, images, labels, 0.03), expected, atol=1e-6)


def test_pgd_takes_ten_steps_of_a_quarter() -> None:
    model = Linear(classes=2)
    images, labels = torch.full((2, 1, 4, 4), 0.5), torch.tensor([0, 1])
    seen: list[Tensor] = []
    model.register_forward_pre_hook(lambda _, args: seen.append(args[0].detach().clone()))
    pgd(model, images, labels, 0.04)
    assert len(seen) == PGD_STEPS == 10
    assert torch.equal(seen[0], images)  # no random start
    distances = [float((one - images).abs().max()) for one in seen]
    assert distances[:6] == pytest.approx([0, 0.01, 0.02, 0.03, 0.04, 0.04], abs=1e-6)


@BOTH
@pytest.mark.parametrize("epsilon", EPSILONS)
def test_no_pixel_moves_by_more_than_epsilon_or_leaves_the_range(
    attack: Attack, epsilon: float
) -> None:
    model, (images, labels) = Linear(), some_images()
    images[0], images[1] = 0.0, 1.0
    moved = attack(model, images, labels, epsilon)
    assert (moved - images).abs().max() <= epsilon + 1e-6
    assert moved.min() >= 0
    assert moved.max() <= 1


@BOTH
def test_the_gradient_comes_through_the_circuit_and_the_loss_rises(attack: Attack) -> None:
    model = hybrid()
    torch.manual_seed(2)
    images, labels = torch.rand(6, 1, 28, 28), torch.arange(6) % 3
    moved = attack(model, images, labels, 8 / 255)
    assert ((moved != images).flatten(1).float().mean(1) > 0.9).all()
    before, after = (losses(model(x).logits, labels) for x in (images, moved))
    assert after.mean() > before.mean()
    assert (after > before).float().mean() > 0.8


def test_pgd_is_the_stronger_attack() -> None:
    model = hybrid()
    torch.manual_seed(2)
    images, labels = torch.rand(6, 1, 28, 28), torch.arange(6) % 3
    one, ten = (
        losses(model(attack(model, images, labels, 8 / 255)).logits, labels).mean()
        for attack in (fgsm, pgd)
    )
    assert ten > one


@BOTH
def test_a_network_that_is_very_sure_of_itself_is_attacked_all_the_same(attack: Attack) -> None:
    model, (images, _) = Linear(scale=12.0), some_images()
    logits = model(images).logits
    margins = logits.topk(2).values.diff(dim=1).abs()
    assert margins.max() > 17  # 1 - p rounds to zero in single precision
    moved = attack(model, images, logits.argmax(1), 0.03)
    assert ((moved - images).abs() > 0.02).flatten(1).any(1).all()


def test_a_sure_networks_gradient_keeps_the_part_of_the_true_class() -> None:
    model, (images, _) = Linear(scale=12.0), some_images()
    logits = model(images).logits.double()
    labels = logits.argmax(1)
    error = logits.softmax(1) - torch.eye(3)[labels]
    gradient = (error @ model.weight.double()).reshape(images.shape)
    expected = (images + 0.03 * gradient.sign()).clamp(0, 1).float().detach()
    assert torch.allclose(fgsm(model, images, labels, 0.03), expected, atol=1e-6)


@BOTH
def test_one_images_attack_does_not_depend_on_its_batch(attack: Attack) -> None:
    model, (images, labels) = Linear(), some_images()
    together = attack(model, images, labels, 0.03)
    alone = [attack(model, x[None], y[None], 0.03) for x, y in zip(images, labels, strict=True)]
    assert torch.allclose(together, torch.cat(alone), atol=1e-6)


@BOTH
def test_findings_are_attacked_too(attack: Attack) -> None:
    model, (images, _) = Linear(), some_images()
    labels = (torch.rand(6, 3) < 0.5).float()
    moved = attack(model, images, labels, 0.03)
    before, after = (losses(model(x).logits, labels) for x in (images, moved))
    assert (after > before).all()


@BOTH
def test_what_was_given_is_left_as_it_was(attack: Attack) -> None:
    model, (images, labels) = Linear(), some_images()
    kept = images.clone()
    moved = attack(model, images, labels, 0.03)
    assert torch.equal(images, kept)
    assert not images.requires_grad
    assert not moved.requires_grad
    assert model.weight.grad is None


def test_losses_are_each_images_cross_entropy() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 0.0]])
    assert losses(logits, torch.tensor([0, 1])).tolist() == pytest.approx(
        [0.126928, 0.693147], abs=1e-6
    )
    findings = losses(logits, torch.tensor([[1.0, 0.0], [1.0, 1.0]]))
    assert findings.tolist() == pytest.approx([(0.126928 + 0.693147) / 2, 0.693147], abs=1e-6)
