from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from medqnn.data.augment import Augmenter, Changes, change, warp


def batch(count: int = 6, height: int = 32, width: int = 32) -> tuple[Tensor, Tensor]:
    """Smooth images, and as mask the bright part of each."""
    noise = np.random.default_rng(0).random((count, height, width))
    smooth = ndimage.gaussian_filter(noise, (0, 3, 3))
    images = torch.tensor(smooth / smooth.max(), dtype=torch.float32)[:, None]
    return images, (images > 0.8).float()


def turn(degrees: float) -> Tensor:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.tensor([[[cos, -sin, 0.0], [sin, cos, 0.0]]])


def test_mask_moves_with_its_image() -> None:
    _, masks = batch(64)
    images, moved = Augmenter(rotation_degrees=40)(masks, masks, seed=3)
    assert not torch.equal(moved, masks)
    overlap = ((images > 0.5) == (moved > 0.5)).float().mean()
    assert overlap > 0.97  # bilinear and nearest differ on the edge alone
    assert set(moved.unique().tolist()) == {0.0, 1.0}


def test_seed_replays_the_batch_and_another_seed_does_not() -> None:
    images, masks = batch()
    first, second = (Augmenter()(images, masks, seed=5) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not torch.equal(Augmenter()(images, masks, seed=6)[0], first[0])


def test_draw_leaves_the_global_generator_alone() -> None:
    state = torch.get_rng_state()
    Augmenter().draw(8, seed=1)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(("across", "down"), [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
def test_sure_flips_are_exact(across: float, down: float) -> None:
    images, masks = batch(3, 17, 20)
    flipped = Augmenter(0.0, across, down)(images, masks, seed=0)
    axes = [axis for axis, sure in ((-1, across), (-2, down)) if sure]
    torch.testing.assert_close(flipped[0], images.flip(axes), rtol=0, atol=1e-5)
    assert torch.equal(flipped[1], masks.flip(axes))


def test_nothing_to_do_gives_the_batch_back() -> None:
    images, masks = batch()
    same = Augmenter(0.0, 0.0, 0.0)(images, masks, seed=0)
    torch.testing.assert_close(same[0], images, rtol=0, atol=1e-5)
    assert torch.equal(same[1], masks)


@pytest.mark.parametrize("degrees", [-31.0, 12.0])
@pytest.mark.parametrize("shape", [(33, 33), (24, 40)])
def test_rotation_agrees_with_scipy(degrees: float, shape: tuple[int, int]) -> None:
    images, masks = batch(1, *shape)
    turned = warp(images, masks, turn(degrees))
    # SciPy's matrix takes (row, column); the place that a pixel's value comes from, as here.
    matrix = turn(degrees)[0, :, :2].flip(0, 1).double().numpy()
    centre = (np.array(shape) - 1) / 2
    for ours, source, order in zip(turned, (images, masks), (1, 0), strict=True):
        oracle = ndimage.affine_transform(
            source[0, 0].double().numpy(), matrix, centre - matrix @ centre, order=order
        )
        inside = ndimage.affine_transform(np.ones(shape), matrix, centre - matrix @ centre, order=1)
        agree = np.isclose(ours[0, 0].numpy(), oracle, atol=1e-4) | (inside < 1)
        assert agree.mean() > (0.99 if order == 0 else 0.9999)  # nearest: ties at half a pixel


def test_angles_and_flips_are_drawn_as_asked() -> None:
    turns = Augmenter(15.0, 0.5, 0.25).draw(4000, seed=2).places[..., :2]
    assert torch.allclose(turns @ turns.mT, torch.eye(2).expand(4000, 2, 2), atol=1e-6)
    flipped_across = turns[:, 0, 0] < 0
    flipped_down = turns[:, 1, 1] < 0
    assert flipped_across.float().mean() == pytest.approx(0.5, abs=0.03)
    assert flipped_down.float().mean() == pytest.approx(0.25, abs=0.03)
    angles = torch.rad2deg(torch.asin(turns[:, 1, 0] * torch.where(flipped_down, -1, 1)))
    assert angles.abs().max() <= 15.0
    assert angles.std() == pytest.approx(15 / math.sqrt(3), abs=0.4)


def test_every_image_of_a_batch_has_its_own_turn() -> None:
    turns = Augmenter().draw(16, seed=0).places
    assert len(torch.unique(turns, dim=0)) == 16
    assert torch.equal(Augmenter().draw(0, seed=0).places, torch.empty(0, 2, 3))


def test_channels_and_double_precision_are_kept() -> None:
    images, masks = batch(2)
    colours = images.double().expand(-1, 3, -1, -1)
    moved, mask = Augmenter()(colours, masks.double(), seed=1)
    assert moved.shape == colours.shape
    assert moved.dtype == mask.dtype == torch.float64
    assert torch.equal(moved[:, 0], moved[:, 2])


def test_zoom_and_shift_move_a_spot_to_where_they_say() -> None:
    spot = torch.zeros(1, 1, 64, 64)
    spot[..., 39:41, 31:33] = 1.0  # 8 pixels below the centre
    places = torch.tensor([[[0.5, 0.0, 0.25], [0.0, 0.5, 0.0]]])
    grown, mask = warp(spot, spot, places)
    centre = torch.nonzero(mask[0, 0]).float().mean(dim=0) + 0.5
    assert mask.sum() == 4 * spot.sum(), "twice as large along each axis"
    assert centre.tolist() == [48.0, 16.0]  # (y, x): twice as far down, a quarter to the left
    assert grown.sum() == pytest.approx(4 * spot.sum().item(), rel=0.01)


def test_zooms_shifts_and_gammas_are_drawn_as_asked() -> None:
    drawn = Augmenter(0.0, 0.0, 0.0, zoom=0.25, shift=0.1, gamma=0.5).draw(4000, seed=0)
    sizes = drawn.places[:, 0, 0].log() / math.log(1.25)
    assert sizes.abs().max() <= 1
    assert sizes.std() == pytest.approx(3**-0.5, abs=0.02)
    shifts = drawn.places[..., 2] / 0.2  # coordinates span two half sides
    assert shifts.abs().max() <= 1
    assert shifts.std(0).tolist() == pytest.approx([3**-0.5] * 2, abs=0.02)
    assert drawn.gamma is not None
    powers = drawn.gamma.log() / math.log(1.5)
    assert powers.abs().max() <= 1
    assert powers.mean() == pytest.approx(0, abs=0.03)
    assert len(drawn[1:4]) == 3
    assert torch.equal(drawn[1:4].gamma, drawn.gamma[1:4])


def test_gamma_changes_intensities_and_leaves_masks() -> None:
    images, masks = batch(2)
    still = turn(0.0).expand(2, -1, -1)
    changed, same = change(images, masks, Changes(still, torch.tensor([2.0, 0.5])))
    torch.testing.assert_close(changed[0], images[0] ** 2, rtol=0, atol=1e-4)
    torch.testing.assert_close(changed[1], images[1] ** 0.5, rtol=0, atol=1e-3)
    assert torch.equal(same, masks)


def test_new_changes_leave_the_old_draws_alone() -> None:
    old, new = Augmenter().draw(8, seed=4), Augmenter(zoom=0.0, shift=0.1, gamma=0.3)
    assert torch.equal(old.places[..., :2], new.draw(8, seed=4).places[..., :2])
