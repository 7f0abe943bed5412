"""Random rotation and flips of a batch, each mask moving with its image."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample


@dataclass(frozen=True)
class Augmenter:
    """Draws one rotation and flip for each image and applies it to image and mask.

    The draw (`draw`) and what it does (`warp`) are apart, so that a batch can be replayed. One
    sampling grid serves both, which is several times faster on a CPU than two separate warps.

    Attributes:
        rotation_degrees: rotations are uniform between minus and plus this angle.
        horizontal_flip: probability of a flip left to right.
        vertical_flip: probability of a flip upside down.
    """

    rotation_degrees: float = 15.0
    horizontal_flip: float = 0.5
    vertical_flip: float = 0.5

    def __call__(self, images: Tensor, masks: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """Augment a batch; the same seed gives the same result.

        Args:
            images: float (B, C, H, W).
            masks: float (B, 1, H, W), 0 or 1.
            seed: of this batch's draw.

        Returns:
            Images (bilinear) and masks (nearest) of the given shapes; 0 where the rotation
            brings in what lay outside.
        """
        turns = self.draw(len(images), seed).to(images.device, images.dtype)
        return warp(images, masks, turns)

    def draw(self, batch: int, seed: int) -> Tensor:
        """Draw orthogonal matrices (B, 2, 2), on the CPU so that devices agree."""
        uniform = torch.rand(batch, 3, generator=torch.Generator().manual_seed(seed))
        angles = (2 * uniform[:, 0] - 1) * math.radians(self.rotation_degrees)
        across = 1 - 2 * (uniform[:, 1] < self.horizontal_flip).float()
        down = 1 - 2 * (uniform[:, 2] < self.vertical_flip).float()
        rows = [
            torch.stack([across * angles.cos(), -across * angles.sin()], -1),
            torch.stack([down * angles.sin(), down * angles.cos()], -1),
        ]
        return torch.stack(rows, dim=1)


def warp(images: Tensor, masks: Tensor, turns: Tensor) -> tuple[Tensor, Tensor]:
    """Turn each image and its mask about the centre.

    Args:
        images: float (B, C, H, W).
        masks: float (B, 1, H, W).
        turns: (B, 2, 2), from a pixel's place (x right, y down, from the centre) to the place
            that its value comes from.
    """
    height, width = images.shape[-2:]
    aspect = torch.tensor([[1.0, height / width], [width / height, 1.0]]).to(turns)
    centred = torch.nn.functional.pad(turns * aspect, (0, 1))
    grid = affine_grid(centred, [len(images), 1, height, width], align_corners=False)
    return (
        grid_sample(images, grid, mode="bilinear", align_corners=False),
        grid_sample(masks, grid, mode="nearest", align_corners=False),
    )
