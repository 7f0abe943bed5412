"""Networks whose explanation is known."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from medqnn.models import Output

SQUARE = slice(4, 8)  # rows and columns


class SquareMean(nn.Module):
    """Logits: the mean of a square of the image, and minus that. Its map is the image itself."""

    def __init__(self) -> None:
        super().__init__()
        self.last_maps = nn.Conv2d(1, 1, 1, bias=False)
        nn.init.ones_(self.last_maps.weight)
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> Output:
        mean = self.last_maps(images)[..., SQUARE, SQUARE].mean((1, 2, 3))
        logits = torch.stack((mean, -mean), dim=1)
        return Output(logits, logits)


def frozen(model: nn.Module) -> nn.Module:
    """As a run's models are loaded."""
    return model.eval().requires_grad_(False)


def noise(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(3))
