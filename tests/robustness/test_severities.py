from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from torch import Tensor

from medqnn.robustness.severities import CORRUPTIONS, Corruption, corrupt

NAMED = pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda one: one.name)
RANDOM = {"Gaussian noise", "Rician noise", "Bias field", "Rotation", "Missing corner"}
IDS = [f"image-{number}" for number in range(8)]


def some_images(channels: int = 1, size: int = 32) -> tuple[Tensor, Tensor]:
    """Smooth images over the whole range, masks where they are bright."""
    noise = np.random.default_rng(0).standard_normal((len(IDS), channels, size, size))
    smooth = gaussian_filter(noise, 2, axes=(2, 3))
    low, high = (getattr(smooth, end)((1, 2, 3), keepdims=True) for end in ("min", "max"))
    images = torch.from_numpy((smooth - low) / (high - low)).float()
    return images, (images[:, :1] > 0.7).float()


@NAMED
@pytest.mark.parametrize("channels", [1, 3])
def test_the_result_is_such_images_and_masks(corruption: Corruption, channels: int) -> None:
    images, masks = some_images(channels)
    kept = images.clone(), masks.clone()
    for value in corruption.values:
        changed, changed_masks = corrupt(corruption, value, images, masks, IDS)
        assert changed.shape == images.shape
        assert changed_masks.shape == masks.shape
        assert changed.dtype == changed_masks.dtype == torch.float32
        assert changed.min() >= 0
        assert changed.max() <= 1
        assert set(changed_masks.unique().tolist()) <= {0.0, 1.0}
    assert torch.equal(images, kept[0])
    assert torch.equal(masks, kept[1])


@NAMED
def test_a_higher_severity_changes_more(corruption: Corruption) -> None:
    images, masks = some_images()
    assert len(corruption.values) == 5
    changed = [corrupt(corruption, value, images, masks, IDS)[0] for value in corruption.values]
    distances = [float((one - images).square().mean()) for one in changed]
    assert distances[0] > 0
    assert distances == sorted(distances)


@NAMED
@settings(max_examples=5, deadline=None)
@given(batch=st.integers(1, 7), order=st.permutations(range(len(IDS))))
def test_an_image_is_corrupted_alike_in_any_batch(
    corruption: Corruption, batch: int, order: list[int]
) -> None:
    images, masks = some_images()
    value = corruption.values[2]
    whole = corrupt(corruption, value, images, masks, IDS, seed=3)
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        ids = [IDS[row] for row in rows]
        part = corrupt(corruption, value, images[rows], masks[rows], ids, seed=3)
        assert torch.allclose(part[0], whole[0][rows], atol=1e-6)
        assert torch.equal(part[1], whole[1][rows])


@NAMED
def test_the_seed_decides_what_is_random(corruption: Corruption) -> None:
    images, masks = some_images()
    first, again, other = (
        corrupt(corruption, corruption.values[3], images, masks, IDS, seed)[0] for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert torch.equal(first, other) == (corruption.name not in RANDOM)


def test_only_rotation_moves_the_mask() -> None:
    images, masks = some_images()
    moved = {
        one.name
        for one in CORRUPTIONS
        if not torch.equal(corrupt(one, one.values[-1], images, masks, IDS)[1], masks)
    }
    assert moved == {"Rotation"}


def test_a_severity_is_the_same_draw_but_stronger() -> None:
    images, masks = torch.full((8, 1, 16, 16), 0.5), torch.zeros(8, 1, 16, 16)
    noise = next(one for one in CORRUPTIONS if one.name == "Gaussian noise")
    weak, strong = (corrupt(noise, s, images, masks, IDS)[0] - 0.5 for s in (0.02, 0.04))
    assert torch.allclose(2 * weak, strong, atol=1e-6)


def test_the_documentation_lists_every_severity() -> None:
    text = (Path(__file__).parents[2] / "docs" / "robustness.md").read_text()
    for one in CORRUPTIONS:
        line = next(line for line in text.splitlines() if line.startswith(f"| {one.name} |"))
        assert ", ".join(f"{value:g}" for value in one.values) in line
        assert one.measure in line
