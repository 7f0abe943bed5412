"""What scanners, files and screens do to images, in graded strengths, the same for every network.

Each function changes a batch of float32 images (B, C, H, W) in [0, 1] and returns the like. What is
random is drawn from one generator an image, which `training.sampling.draws` makes from the seed,
the corruption and the image's id. So an image is corrupted alike for all networks and in any batch,
and a higher severity is the same draw, stronger.
"""

from __future__ import annotations

import math
from io import BytesIO

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from torch import Tensor

from medqnn.data.augment import warp
from medqnn.training.sampling import Draws

WAVES = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0))  # half periods over the image, down and across


def gaussian_noise(images: Tensor, sigma: float, random: Draws) -> Tensor:
    """Add normal noise of standard deviation ``sigma``, then cut off at 0 and 1."""
    return (images + sigma * _normal(images, random)).clamp(0, 1)


def rician_noise(images: Tensor, sigma: float, random: Draws) -> Tensor:
    """Magnitude of the image with complex normal noise: √((x + σ n₁)² + (σ n₂)²), cut off at 1.

    The noise of magnitude MRI (Gudbjartsson & Patz 1995, Magn. Reson. Med. 34:910). Where x = 0,
    it brightens the background, to a mean of σ √(π/2).
    """
    in_phase = images + sigma * _normal(images, random)
    return torch.hypot(in_phase, sigma * _normal(images, random)).clamp(0, 1)


def blur(images: Tensor, share: float, random: Draws) -> Tensor:
    """Gaussian blur whose standard deviation is a ``share`` of the image's side."""
    sigma = share * images.shape[-1]
    blurred = gaussian_filter(images.numpy(), sigma, mode="nearest", axes=(2, 3))
    return torch.from_numpy(blurred)


def contrast(images: Tensor, factor: float, random: Draws) -> Tensor:
    """Bring every pixel closer to the image's mean: m + ``factor`` · (x − m)."""
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return mean + factor * (images - mean)


def bias_field(images: Tensor, strength: float, random: Draws) -> Tensor:
    """Multiply by a smooth field from 1 − ``strength`` to 1 + ``strength``.

    The field is a sum of the five lowest cosine waves with normal weights, the uneven sensitivity
    of a receiver coil. An image that grows brighter than 1 is scaled down to 1, as a reader does.
    """
    height, width = images.shape[-2:]
    down, across = (math.pi * (torch.arange(n) + 0.5) / n for n in (height, width))
    waves = torch.stack([torch.outer((i * down).cos(), (j * across).cos()) for i, j in WAVES])
    weights = torch.from_numpy(np.stack([draw.standard_normal(len(WAVES)) for draw in random]))
    fields = torch.einsum("bw,whv->bhv", weights.float(), waves)
    low, high = fields.amin((1, 2), True), fields.amax((1, 2), True)
    changed = images * (1 + strength * (2 * (fields - low) / (high - low) - 1))[:, None]
    return changed / changed.amax((1, 2, 3), True).clamp_min(1)


def rotation(images: Tensor, masks: Tensor, degrees: float, random: Draws) -> tuple[Tensor, Tensor]:
    """Turn image (bilinear) and mask (nearest) by ``degrees``, to the side that is drawn.

    Args:
        images: (B, C, H, W).
        masks: (B, 1, H, W).
        degrees: of the turn; what comes in from outside is 0.
        random: one generator an image.
    """
    signs = torch.tensor([1.0 if draw.random() < 0.5 else -1.0 for draw in random])
    angles = math.radians(degrees) * signs
    still = torch.zeros_like(angles)
    rows = [(angles.cos(), -angles.sin(), still), (angles.sin(), angles.cos(), still)]
    turns = torch.stack([torch.stack(row, -1) for row in rows], dim=1)
    return warp(images, masks, turns)


def jpeg(images: Tensor, quality: float, random: Draws) -> Tensor:
    """Write and read each image as an 8-bit JPEG of that quality, 1 to 95 (Pillow's codec)."""
    pixels = images.mul(255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    read = np.stack([_through_jpeg(image, round(quality)) for image in pixels])
    return torch.from_numpy(read).permute(0, 3, 1, 2).float().div(255).contiguous()


def missing_corner(images: Tensor, share: float, random: Draws) -> Tensor:
    """Blacken a square in one corner, drawn for each image; its side is a ``share`` of the image's.

    The mask stays: what it marks is still there, but cannot be seen.
    """
    height, width = images.shape[-2:]
    rows, columns = round(share * height), round(share * width)
    kept = torch.ones(len(images), 1, height, width)
    for mask, draw in zip(kept, random, strict=True):
        low, right = draw.integers(2, size=2)
        top, left = low * (height - rows), right * (width - columns)
        mask[:, top : top + rows, left : left + columns] = 0
    return images * kept


def _normal(images: Tensor, random: Draws) -> Tensor:
    """Standard normal numbers in the images' shape; the same in all channels of a grey image."""
    shape = tuple(images.shape[1:])
    drawn = np.stack([draw.standard_normal(shape, dtype=np.float32) for draw in random])
    noise = torch.from_numpy(drawn)
    grey = (images == images[:, :1]).flatten(1).all(1)
    return torch.where(grey[:, None, None, None], noise[:, :1], noise)


def _through_jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    """Uint8 (H, W, C) to the like."""
    file = BytesIO()
    Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels).save(
        file, "JPEG", quality=quality
    )
    read = np.asarray(Image.open(file))
    return read.reshape(pixels.shape)
