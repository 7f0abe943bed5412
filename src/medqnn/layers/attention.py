"""Channel and spatial attention (HQCM-EBTC, Ait Haddou and Bennai 2025, section 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ChannelAttention(nn.Module):
    """T_c = σ(W_2 ReLU(W_1 GAP(F))): one weight in (0, 1) for each channel.

    Args:
        channels: Channels C of the feature map.
        reduction: Factor by which the hidden layer is narrower.
    """

    def __init__(self, channels: int, reduction: int = 4) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, hidden, 1),
            nn.ReLU(),
            nn.Conv2d(hidden, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map features (B, C, H, W) to F ⊙ T_c of the same shape."""
        return features * self.gate(features)


class SpatialAttention(nn.Module):
    """T_s as logits: 1×1, 3×3 and 5×5 convolutions averaged, then 7×7 to one channel.

    Args:
        channels: Channels C of the feature map.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            nn.Conv2d(channels, channels, size, padding=size // 2) for size in (1, 3, 5)
        )
        self.to_map = nn.Conv2d(channels, 1, 7, padding=3)

    def forward(self, features: Tensor) -> Tensor:
        """Map features (B, C, H, W) to logits (B, 1, H, W); their sigmoid is T_s."""
        averaged = torch.stack([scale(features) for scale in self.scales]).mean(dim=0)
        logits: Tensor = self.to_map(averaged)
        return logits
