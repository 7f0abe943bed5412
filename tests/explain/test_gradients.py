from __future__ import annotations

import pytest
import torch

from explain.toys import SQUARE, SquareMean, frozen, noise
from medqnn.explain import gradients
from medqnn.explain.gradients import attributions, integrated_gradients
from medqnn.models import SYSTEMS
from models.small import images, small


@pytest.mark.parametrize("target", [0, 1])
def test_a_mean_is_shared_out_over_its_pixels(target: int) -> None:
    image = noise(2, 1, 16, 16)
    expected = torch.zeros_like(image)
    expected[..., SQUARE, SQUARE] = image[..., SQUARE, SQUARE] / 16 * (1 - 2 * target)
    found = attributions(SquareMean(), image, torch.full((2,), target))
    torch.testing.assert_close(found.values, expected)
    torch.testing.assert_close(found.gap, torch.zeros(2), atol=1e-6, rtol=0)
    largest = expected.abs().amax((2, 3), keepdim=True)
    maps = integrated_gradients(SquareMean(), image, torch.full((2,), target))
    torch.testing.assert_close(maps, (expected.abs() / largest)[:, 0])


@pytest.mark.parametrize("system", SYSTEMS)
def test_attributions_add_up_to_the_change_of_the_logit(system: str) -> None:
    model, batch = frozen(small(system).double()), images(system, 2).double()
    model(batch)
    targets = torch.tensor([1, 2])
    found = attributions(model, batch, targets)
    ends = model(batch).logits - model(torch.zeros_like(batch)).logits
    change = torch.stack((ends[0, 1], ends[1, 2]))
    torch.testing.assert_close(found.change, change)
    torch.testing.assert_close(found.values.double().sum((1, 2, 3)) - change, found.gap)
    scale = found.values.abs().sum((1, 2, 3))
    assert (found.gap.abs() / scale).max() < 0.05


def test_both_signs_and_all_channels_count() -> None:
    model, batch = frozen(small("hqcm-ebtc", channels=3)), images("hqcm-ebtc", 1, channels=3)
    values = attributions(model, batch, torch.tensor([2])).values
    assert values.min() < 0 < values.max()
    summed = values.abs().sum(1)
    maps = integrated_gradients(model, batch, torch.tensor([2]))
    torch.testing.assert_close(maps, summed / summed.max())


def test_more_images_than_a_batch_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    batch, targets = noise(5, 1, 16, 16), torch.tensor([0, 1, 0, 1, 1])
    whole = attributions(SquareMean(), batch, targets).values
    monkeypatch.setattr(gradients, "AT_ONCE", 2)
    torch.testing.assert_close(attributions(SquareMean(), batch, targets).values, whole)
