from __future__ import annotations

import math
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import fft, ndimage, stats

from medqnn.robustness.corruptions import (
    WAVES,
    bias_field,
    blur,
    contrast,
    gaussian_noise,
    jpeg,
    missing_corner,
    rician_noise,
    rotation,
)
from medqnn.training.sampling import draws

IDS = [f"image-{number}" for number in range(16)]


def flat(value: float, size: int = 64, channels: int = 1) -> torch.Tensor:
    return torch.full((len(IDS), channels, size, size), value)


def random(seed: int = 0) -> list[np.random.Generator]:
    return draws("a name", IDS, seed)


def blob(size: int = 48) -> torch.Tensor:
    """A smooth spot off the centre, (16, 1, size, size)."""
    y, x = torch.meshgrid(*[torch.arange(size) / size - 0.5] * 2, indexing="ij")
    spot = torch.exp(-((x - 0.15) ** 2 + (y + 0.1) ** 2) / 0.01)
    return (0.8 * spot).expand(len(IDS), 1, -1, -1).clone()


def test_gaussian_noise_has_its_standard_deviation() -> None:
    noise = gaussian_noise(flat(0.5), 0.05, random()) - 0.5
    assert noise.mean().abs() < 1e-3
    assert noise.std() == pytest.approx(0.05, rel=0.02)
    assert stats.kstest(noise.numpy().ravel() / 0.05, "norm").pvalue > 0.001


@pytest.mark.parametrize("level", [0.0, 0.1, 0.5])
def test_rician_noise_follows_rices_distribution(level: float) -> None:
    noisy = rician_noise(flat(level), 0.1, random()).numpy().ravel()
    assert stats.kstest(noisy, stats.rice(level / 0.1, scale=0.1).cdf).pvalue > 0.001


def test_rician_noise_brightens_the_background() -> None:
    noisy = rician_noise(flat(0.0), 0.1, random())
    assert noisy.mean() == pytest.approx(0.1 * math.sqrt(math.pi / 2), rel=0.02)


def test_blur_spreads_a_point_by_its_standard_deviation() -> None:
    point = torch.zeros(1, 1, 65, 65)
    point[..., 32, 32] = 1
    spread = blur(point, 0.04, [])[0, 0].numpy()
    place = np.arange(65) - 32
    assert spread.sum() == pytest.approx(1, abs=1e-4)
    for axis in (0, 1):
        assert (spread.sum(axis) * place**2).sum() == pytest.approx((0.04 * 65) ** 2, rel=0.02)


def test_blur_keeps_images_and_channels_apart() -> None:
    images = torch.rand(3, 3, 16, 16)
    images[1, 2] = 0.25
    blurred = blur(images, 0.05, [])
    assert torch.allclose(blurred[1, 2], images[1, 2])
    assert torch.allclose(blurred[2], blur(images[2:], 0.05, [])[0])


def test_contrast_shrinks_about_each_images_mean() -> None:
    images = torch.rand(4, 3, 8, 8)
    changed = contrast(images, 0.4, [])
    assert torch.allclose(changed.mean((1, 2, 3)), images.mean((1, 2, 3)))
    assert torch.allclose(changed.std((1, 2, 3)), 0.4 * images.std((1, 2, 3)))


def test_bias_field_is_made_of_the_lowest_waves_and_has_its_range() -> None:
    fields = (bias_field(flat(0.5, 32), 0.4, random()) / 0.5)[:, 0].numpy()
    assert fields.min((1, 2)) == pytest.approx(0.6, abs=1e-5)
    assert fields.max((1, 2)) == pytest.approx(1.4, abs=1e-5)
    spectrum = np.abs(fft.dctn(fields, axes=(1, 2), norm="ortho"))
    for wave in ((0, 0), *WAVES):
        spectrum[:, *wave] = 0
    assert spectrum.max() < 1e-4
    assert np.ptp(fields, axis=0).max() > 0.3  # a field of its own for each image


def test_bias_field_saturates_nothing() -> None:
    images = 0.5 + 0.5 * torch.rand(len(IDS), 3, 32, 32)
    changed = bias_field(images, 0.6, random())
    assert torch.allclose(changed.amax((1, 2, 3)), torch.ones(len(IDS)))
    field = bias_field(flat(0.5, 32), 0.6, random()) / 0.5
    ratio = changed / images / field
    assert torch.allclose(ratio, ratio[:, :1, :1, :1].expand_as(ratio), rtol=1e-4)


@pytest.mark.parametrize("degrees", [5.0, 30.0])
def test_rotation_turns_by_its_angle_to_either_side(degrees: float) -> None:
    images = blob()
    turned, _ = rotation(images, images, degrees, random())
    sides = [ndimage.rotate(images[0, 0], s * degrees, order=1, reshape=False) for s in (1, -1)]
    errors = np.array([[np.abs(one[0].numpy() - side).max() for side in sides] for one in turned])
    assert errors.min(1).max() < 0.02
    assert {0, 1} == set(errors.argmin(1))
    assert errors.max(1).min() > 0.05


def test_rotation_turns_the_mask_with_the_image() -> None:
    images = blob()
    masks = (images > 0.3).float()
    turned, turned_masks = rotation(images, masks, 30.0, random())
    seen = turned > 0.3
    overlap = (seen & (turned_masks > 0)).sum((1, 2, 3)) / (seen | (turned_masks > 0)).sum(
        (1, 2, 3)
    )
    assert overlap.min() > 0.8
    assert set(turned_masks.unique().tolist()) == {0, 1}


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_is_pillows_own_round_trip(channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 24, 24, channels), dtype=np.uint8)
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    found = jpeg(images, 20.0, [])
    for one, own in zip(found, pixels, strict=True):
        file = BytesIO()
        Image.fromarray(own[..., 0] if channels == 1 else own).save(file, "JPEG", quality=20)
        read = np.asarray(Image.open(file)).reshape(own.shape)
        assert np.array_equal((one.permute(1, 2, 0) * 255).round().byte().numpy(), read)


def test_a_missing_corner_is_black_and_the_rest_as_it_was() -> None:
    images = 0.2 + 0.8 * torch.rand(len(IDS), 3, 20, 20)
    changed = missing_corner(images, 0.3, random())
    corners = set()
    for before, after in zip(images, changed, strict=True):
        gone = (after == 0).all(0)
        assert gone.sum() == 36
        rows, columns = gone.any(1).nonzero()[:, 0], gone.any(0).nonzero()[:, 0]
        assert len(rows) == len(columns) == 6
        assert torch.equal(after[:, ~gone], before[:, ~gone])
        corners.add((int(rows[0]), int(columns[0])))
    assert corners == {(0, 0), (0, 14), (14, 0), (14, 14)}


@pytest.mark.parametrize("noise", [gaussian_noise, rician_noise])
def test_noise_keeps_grey_images_grey_and_is_each_channels_own_in_colour(noise: object) -> None:
    images = flat(0.5, 16, channels=3)
    images[0, 0] = 0.4
    noisy = noise(images, 0.05, random())  # type: ignore[operator]
    assert torch.equal(noisy[1, 0], noisy[1, 2])
    colour = np.corrcoef(noisy[0].flatten(1).numpy())
    assert np.abs(colour[np.triu_indices(3, 1)]).max() < 0.3
