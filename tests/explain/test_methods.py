"""What every method must do with every system and every twin of it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from explain.toys import SquareMean, frozen, noise
from medqnn.errors import EvaluationError
from medqnn.explain.methods import METHODS, methods_of, targets_of
from medqnn.layers import VARIANTS
from medqnn.models import SYSTEMS
from models.small import images, small

every_method = pytest.mark.parametrize("method", METHODS)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_maps_of_every_system_and_twin(system: str, variant: str) -> None:
    model = frozen(small(system, variant))
    batch = images(system, 1)
    before = model(batch)
    targets = targets_of(before.logits)
    assert ("attention" in methods_of(model)) == (before.attention is not None)
    for name in methods_of(model):
        maps = METHODS[name](model, batch, targets)
        assert maps.shape == (1, *batch.shape[-2:]), name
        assert maps.dtype == torch.float32
        assert not maps.requires_grad
        assert 0.0 <= maps.min() <= maps.max() <= 1.0, name
        if name != "attention" and maps.any():
            assert maps.max() == 1.0, name
    assert torch.equal(model(batch).logits, before.logits)
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())
    assert all(weight.grad is None for weight in model.parameters())


@every_method
def test_a_map_does_not_depend_on_the_batch(method: str) -> None:
    model, batch = frozen(small("hqcm-ebtc")), images("hqcm-ebtc", 3)
    targets = torch.tensor([0, 3, 1])
    together = METHODS[method](model, batch, targets)
    assert not torch.equal(together[0], together[1])
    for image, target, expected in zip(batch, targets, together, strict=True):
        alone = METHODS[method](model, image[None], target[None])[0]
        torch.testing.assert_close(alone, expected, atol=1e-4, rtol=1e-3)


@every_method
def test_images_in_colour_have_one_map(method: str) -> None:
    model = frozen(small("hqcm-ebtc", channels=3))
    maps = METHODS[method](model, images("hqcm-ebtc", 2, channels=3), torch.tensor([1, 2]))
    assert maps.shape == (2, 32, 32)


@every_method
def test_the_callers_tensors_are_left_alone(method: str) -> None:
    model, batch, targets = frozen(small("hqcm-ebtc")), images("hqcm-ebtc", 1), torch.tensor([1])
    copy = batch.clone()
    METHODS[method](model, batch, targets)
    assert torch.equal(batch, copy)
    assert not batch.requires_grad
    assert batch.grad is None


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"attention"}))
def test_the_target_decides(method: str) -> None:
    image = noise(1, 1, 16, 16)
    maps = [METHODS[method](SquareMean(), image, torch.tensor([target])) for target in (0, 1)]
    assert maps[0].any()
    if method == "integrated gradients":  # both signs count
        torch.testing.assert_close(maps[0], maps[1])
    elif method == "grad-cam":
        assert not maps[1].any()
    else:
        assert not torch.equal(maps[0], maps[1])


def test_targets_are_the_likeliest_classes() -> None:
    assert targets_of(torch.tensor([[0.1, 2.0, -3.0], [5.0, 2.0, 4.9]])).tolist() == [1, 0]


def test_a_model_without_attention_is_told() -> None:
    model = frozen(small("hybrid-mri"))
    assert methods_of(model) == ("grad-cam", "integrated gradients", "occlusion")
    with pytest.raises(EvaluationError, match="no attention map"):
        METHODS["attention"](model, images("hybrid-mri", 1), torch.tensor([0]))


@every_method
def test_images_that_do_not_fit_are_refused(method: str) -> None:
    model, targets = frozen(small("hqcm-ebtc")), torch.tensor([0])
    with pytest.raises(EvaluationError, match=r"\(1, 3, 32, 32\): give float32 \(B, 1, H, W\)"):
        METHODS[method](model, noise(1, 3, 32, 32), targets)
    with pytest.raises(EvaluationError, match=r"\(1, 32, 32\): give"):
        METHODS[method](model, noise(1, 32, 32), targets)
    with pytest.raises(EvaluationError, match=r"torch.uint8 of shape"):
        METHODS[method](model, torch.zeros(1, 1, 32, 32, dtype=torch.uint8), targets)


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"attention"}))
@pytest.mark.parametrize("target", [-1, 4])
def test_a_target_that_is_no_class_is_refused(method: str, target: int) -> None:
    model = frozen(small("hqcm-ebtc"))
    with pytest.raises(EvaluationError, match=f"targets are {target} to .* classes 0 to 3"):
        METHODS[method](model, images("hqcm-ebtc", 1), torch.tensor([target]))
    assert not any(part._forward_hooks for part in model.modules())


@every_method
@pytest.mark.parametrize("targets", [torch.tensor([0, 1]), torch.tensor([0.0])])
def test_one_whole_target_an_image(method: str, targets: torch.Tensor) -> None:
    model: nn.Module = frozen(small("hqcm-ebtc"))
    with pytest.raises(EvaluationError, match="give one class for each of 1 images"):
        METHODS[method](model, images("hqcm-ebtc", 1), targets)
