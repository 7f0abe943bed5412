"""Residual blocks (He and others 2016), and the top-down path over maps (Lin and others 2017)."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class ConvNorm(nn.Sequential):
    """Convolution without bias, then batch norm."""

    def __init__(self, fan_in: int, fan_out: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(fan_in, fan_out, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(fan_out),
        )


class ResidualBlock(nn.Module):
    """ReLU(conv(ReLU(conv(x))) + x), each convolution 3×3 with batch norm.

    Where width or size change, x is averaged over the stride and passes a 1×1 convolution.

    Args:
        fan_in: Channels of x.
        fan_out: Channels of the result.
        stride: Factor by which the sides shrink.
    """

    def __init__(self, fan_in: int, fan_out: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvNorm(fan_in, fan_out, stride=stride), nn.ReLU(), ConvNorm(fan_out, fan_out)
        )
        alike = fan_in == fan_out and stride == 1
        self.shortcut = (
            nn.Identity()
            if alike
            else nn.Sequential(nn.AvgPool2d(stride), ConvNorm(fan_in, fan_out, 1))
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map features (B, fan_in, H, W) to (B, fan_out, H / stride, W / stride)."""
        return F.relu(self.body(features) + self.shortcut(features))


class TopDown(nn.Module):
    """Merges maps from the coarsest to the finest, each twice the size of the one before.

    The coarsest passes a 1×1 convolution; each finer one, after its own, is added to the doubled
    result so far, and a 3×3 convolution with batch norm and ReLU follows.

    Args:
        widths: Channels of the maps, from the finest to the coarsest.
        width: Channels of the result.
    """

    def __init__(self, widths: Sequence[int], width: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(ConvNorm(own, width, 1) for own in widths)
        self.smooth = nn.ModuleList(
            nn.Sequential(ConvNorm(width, width), nn.ReLU()) for _ in widths[:-1]
        )

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Merge maps (B, C_i, H / 2^i, W / 2^i), the finest first, to (B, width, H, W)."""
        merged: Tensor = self.lateral[-1](maps[-1])
        finer = zip(maps[:-1], self.lateral, self.smooth, strict=False)
        for own, lateral, smooth in reversed(list(finer)):
            merged = smooth(F.interpolate(merged, scale_factor=2.0) + lateral(own))
        return merged
