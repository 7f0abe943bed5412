from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from sklearn.metrics import auc
from torch import Tensor, nn

from medqnn.explain.faithfulness import SHARES, STEPS, area, blurred, curves, ranks_of
from medqnn.models.output import Output

IDS = ["a", "b", "c"]


class Corner(nn.Module):
    """Logits (0, slope · (the mean of the upper left 4×4 pixels - middle))."""

    def __init__(self, slope: float = 8.0, middle: float = 0.0) -> None:
        super().__init__()
        self.slope, self.middle = slope, middle

    def forward(self, images: Tensor) -> Output:
        seen = self.slope * (images[:, 0, :4, :4].mean((1, 2)) - self.middle)
        logits = torch.stack([torch.zeros_like(seen), seen], dim=1)
        return Output(logits, logits)


def pictures() -> Tensor:
    return torch.rand(3, 1, 16, 16, generator=torch.Generator().manual_seed(0))


def test_curves_are_those_of_a_loop_over_pixels() -> None:
    images, targets = pictures(), torch.tensor([1, 0, 1])
    maps = np.random.default_rng(0).random((3, 16, 16))
    found = curves(Corner(), images, ranks_of(maps, IDS, 0), targets)
    for i, share in [(0, 1), (1, 7), (2, 20), (2, 0)]:
        pixels = images[i, 0].numpy().copy()
        soft = gaussian_filter(pixels, 1.6, mode="nearest")
        deleted, inserted = pixels.copy(), soft.copy()
        order = sorted(np.ndindex(16, 16), key=lambda p, i=i: -maps[i][p])
        for place in order[: round(256 * share / 20)]:
            deleted[place], inserted[place] = soft[place], pixels[place]
        for curve, seen in zip(found, (deleted, inserted), strict=True):
            one = 1 / (1 + np.exp(-8 * seen[:4, :4].mean(dtype=float)))
            assert curve[i, share] == pytest.approx(one if targets[i] else 1 - one, abs=1e-6)


def test_the_pixels_that_decide_are_told_from_those_that_do_not() -> None:
    images = torch.zeros(1, 1, 16, 16)
    images[:, :, :4, :4] = 1.0
    right = np.zeros((1, 16, 16))
    right[:, :4, :4] = 1
    model, targets = Corner(20.0, 0.85), torch.tensor([1])
    good, bad = (
        curves(model, images, ranks_of(maps, ["a"], 0), targets) for maps in (right, 1 - right)
    )
    assert good.deletion[0, 2] == pytest.approx(good.deletion[0, -1])  # 16 of 256 are 6%
    assert good.insertion[0, 2] == pytest.approx(good.insertion[0, -1])
    assert bad.deletion[0, 18] == pytest.approx(bad.deletion[0, 0])
    assert area(good.deletion) < area(bad.deletion) - 0.3
    assert area(good.insertion) > area(bad.insertion) + 0.3


def test_the_ends_are_the_image_and_its_blur_and_chances_of_findings_are_apart() -> None:
    images, targets = pictures(), torch.tensor([1, 1, 0])
    maps = np.random.default_rng(0).random((3, 16, 16))
    found = curves(Corner(), images, ranks_of(maps, IDS, 0), targets, multilabel=True)
    assert found.deletion.shape == found.insertion.shape == (3, STEPS + 1)
    chances = [Corner()(one).logits.sigmoid() for one in (images, blurred(images))]
    whole, soft = (each[torch.arange(3), targets].numpy() for each in chances)
    for curve, ends in zip(found, [(whole, soft), (soft, whole)], strict=True):
        assert curve[:, 0] == pytest.approx(ends[0])
        assert curve[:, -1] == pytest.approx(ends[1])
    assert found.deletion[2] == pytest.approx(0.5)


def test_ranks_follow_relevance_and_ties_fall_by_id_and_seed() -> None:
    maps = np.zeros((3, 8, 8))
    maps[:, 2, 3], maps[:, 5, 5] = 0.5, 1.0
    ranks = ranks_of(maps, IDS, 0)
    assert all(sorted(one.ravel()) == list(range(64)) for one in ranks)
    assert (ranks[:, 5, 5] == 0).all()
    assert (ranks[:, 2, 3] == 1).all()
    assert not np.array_equal(ranks[0], ranks[1])
    assert np.array_equal(ranks[1:2], ranks_of(maps[1:2], ["b"], 0))
    assert not np.array_equal(ranks, ranks_of(maps, IDS, 1))
    rest = np.sort(ranks[0][0])  # ties do not run along the rows
    assert rest.max() > 16


def test_area_is_by_trapezoids() -> None:
    draw = np.random.default_rng(3).random((4, STEPS + 1))
    assert area(draw) == pytest.approx([auc(SHARES, one) for one in draw])
    assert area(np.ones((1, STEPS + 1))) == pytest.approx(1.0)
