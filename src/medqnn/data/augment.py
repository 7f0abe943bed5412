"""Random rotation, flips, zoom, shift and gamma of a batch, each mask moving with its image."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample


@dataclass(frozen=True)
class Changes:
    """What is done to each of B images.

    Attributes:
        places: (B, 2, 3), from a pixel's place (x right, y down, in half sides from the centre) to
            the place that its value comes from.
        gamma: (B,), the power that intensities in [0, 1] are raised to; None leaves them.
    """

    places: Tensor
    gamma: Tensor | None = None

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, part: slice) -> Changes:
        """Those of some of the images."""
        return Changes(self.places[part], None if self.gamma is None else self.gamma[part])


@dataclass(frozen=True)
class Augmenter:
    """Draws one change for each image and applies it to image and mask.

    The draw (`draw`) and what it does (`change`) are apart, so that a batch can be replayed. One
    sampling grid serves both, which is several times faster on a CPU than two separate warps.

    Attributes:
        rotation_degrees: rotations are uniform between minus and plus this angle.
        horizontal_flip: probability of a flip left to right.
        vertical_flip: probability of a flip upside down.
        zoom: sizes are multiplied by 1 / (1 + zoom) to 1 + zoom, uniform in the logarithm.
        shift: shifts are uniform up to this share of the side, along each axis.
        gamma: intensities are raised to a power of 1 / (1 + gamma) to 1 + gamma, uniform in the
            logarithm.
    """

    rotation_degrees: float = 15.0
    horizontal_flip: float = 0.5
    vertical_flip: float = 0.5
    zoom: float = 0.0
    shift: float = 0.0
    gamma: float = 0.0

    def __call__(self, images: Tensor, masks: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """Augment a batch; the same seed gives the same result.

        Args:
            images: float (B, C, H, W), in [0, 1].
            masks: float (B, 1, H, W), 0 or 1.
            seed: of this batch's draw.

        Returns:
            Images (bilinear) and masks (nearest) of the given shapes; 0 where the change
            brings in what lay outside.
        """
        return change(images, masks, self.draw(len(images), seed))

    def draw(self, batch: int, seed: int) -> Changes:
        """Draw the changes of a batch, on the CPU so that devices agree."""
        random = torch.Generator().manual_seed(seed)
        turned = torch.rand(batch, 3, generator=random)
        angles = _between(turned[:, 0]) * math.radians(self.rotation_degrees)
        across = 1 - 2 * (turned[:, 1] < self.horizontal_flip).float()
        down = 1 - 2 * (turned[:, 2] < self.vertical_flip).float()
        moved = _between(torch.rand(batch, 4, generator=random))
        shrink = _factor(-moved[:, 0], self.zoom)  # a place nearer the centre shows it larger
        aside = 2 * self.shift * moved[:, 1:3]
        rows = [
            torch.stack(
                [across * shrink * angles.cos(), -across * shrink * angles.sin(), aside[:, 0]], -1
            ),
            torch.stack(
                [down * shrink * angles.sin(), down * shrink * angles.cos(), aside[:, 1]], -1
            ),
        ]
        gamma = _factor(moved[:, 3], self.gamma) if self.gamma else None
        return Changes(torch.stack(rows, dim=1), gamma)


def change(images: Tensor, masks: Tensor, changes: Changes) -> tuple[Tensor, Tensor]:
    """Warp images and masks, and raise the images' intensities to their powers.

    Args:
        images: float (B, C, H, W), in [0, 1].
        masks: float (B, 1, H, W).
        changes: of B images.
    """
    images, masks = warp(images, masks, changes.places)
    if changes.gamma is not None:
        images = images.clamp(0, 1) ** changes.gamma.to(images)[:, None, None, None]
    return images, masks


def warp(images: Tensor, masks: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """Turn, size and shift each image and its mask.

    Args:
        images: float (B, C, H, W).
        masks: float (B, 1, H, W).
        places: (B, 2, 3), see `Changes`; its rotation is one of pixels, also where H is not W.
    """
    height, width = images.shape[-2:]
    aspect = torch.tensor([[1.0, height / width, 1.0], [width / height, 1.0, 1.0]])
    own = (places * aspect.to(places)).to(images.device, images.dtype)
    grid = affine_grid(own, [len(images), 1, height, width], align_corners=False)
    return (
        grid_sample(images, grid, mode="bilinear", align_corners=False),
        grid_sample(masks, grid, mode="nearest", align_corners=False),
    )


def _between(uniform: Tensor) -> Tensor:
    """From [0, 1) to [-1, 1)."""
    return 2 * uniform - 1


def _factor(uniform: Tensor, extent: float) -> Tensor:
    """From [-1, 1] to 1 / (1 + extent) … 1 + extent, by the logarithm."""
    return torch.exp(uniform * math.log1p(extent))
