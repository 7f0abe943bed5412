from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from explain.toys import SquareMean, frozen, noise
from medqnn.explain import occlusion as module
from medqnn.explain.occlusion import occlusion
from models.small import images, small


def by_loop(model: nn.Module, image: Tensor, target: int, side: int, step: int) -> Tensor:
    """Hide one square after another; a pixel has the mean fall over the squares that hide it."""
    _, height, width = image.shape
    clean = model(image[None]).logits[0, target]
    total, times = torch.zeros(height, width), torch.zeros(height, width)
    for row in range(0, height - side + step, step):
        for column in range(0, width - side + step, step):
            here = slice(row, row + side), slice(column, column + side)
            hidden = image.clone()
            hidden[:, *here] = image.mean((1, 2))[:, None, None]
            total[here] += clean - model(hidden[None]).logits[0, target]
            times[here] += 1
    fall = (total / times).relu()
    return fall / fall.max() if fall.any() else fall


@pytest.mark.parametrize(
    ("system", "channels", "side", "step"),
    [("hqcm-ebtc", 3, 4, 2), ("hqcnn-medmnist", 1, 3, 2)],  # 28 is no multiple of the step
)
def test_occlusion_by_a_loop(system: str, channels: int, side: int, step: int) -> None:
    model, batch = frozen(small(system, channels=channels)), images(system, 2, channels)
    maps = occlusion(model, batch, torch.tensor([1, 3]))
    for map_, image, target in zip(maps, batch, (1, 3), strict=True):
        expected = by_loop(model, image, target, side, step)
        assert expected.any()
        torch.testing.assert_close(map_, expected, atol=2e-3, rtol=0)


def test_a_bright_square_is_found() -> None:
    image = torch.zeros(1, 1, 32, 32)
    image[..., 4:8, 4:8] = 1.0
    map_ = occlusion(SquareMean(), image, torch.tensor([0]))[0]
    assert map_[4:8, 4:8].min() > 0.2
    assert not map_[12:].any()
    assert not map_[:, 12:].any()


def test_more_images_than_a_batch_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    batch, targets = noise(5, 1, 16, 16), torch.tensor([0, 1, 0, 1, 1])
    whole = occlusion(SquareMean(), batch, targets)
    monkeypatch.setattr(module, "AT_ONCE", 2)
    torch.testing.assert_close(occlusion(SquareMean(), batch, targets), whole)
