"""Every system at a size that tests can afford."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from medqnn.models import SYSTEMS

SMALL: dict[str, dict[str, Any]] = {
    "hqcm-ebtc": {"image_size": 32, "widths": (8, 8, 32), "dropout": 0.0},
    "hqcm-ebtc-plus": {
        "image_size": 32,
        "widths": (8, 8, 16, 32),
        "attention_width": 8,
        "dropout": 0.0,
    },
    "hqcnn-medmnist": {"image_size": 28, "channels": 1, "classes": 4, "hidden": 16},
    "hybrid-mri": {"image_size": 32, "widths": (8, 8, 16)},
    "hqcnn-gvco": {"image_size": 32, "hidden": 16},
}


def small(system: str, variant: str = "hybrid", seed: int = 0, **arguments: Any) -> nn.Module:
    """A small model of four classes, grey images."""
    torch.manual_seed(seed)
    return SYSTEMS[system](variant=variant, **(SMALL[system] | arguments))


def images(system: str, count: int, channels: int = 1) -> Tensor:
    """Noise of the system's size."""
    size = SMALL[system]["image_size"]
    return torch.rand(count, channels, size, size, generator=torch.Generator().manual_seed(5))
