"""HQCNN-GVCO: quantum convolution for brain tumours (Yousif and Kamal 2025)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from medqnn.circuits.circuit import Entangler
from medqnn.layers import QuantumConv2d, conv_head
from medqnn.models.output import Output

PATCH = 2  # side of a patch in pixels: one qubit a pixel


class HQCNNGVCO(nn.Module):
    """Two convolutions, a quantum convolution over 2×2 patches, two dense layers.

    angles = π σ(reduce(convs(x)));  logits = W' ReLU(W vec(⟨Z⟩(circuits(patches(angles))))).

    The paper names the parts; their sizes are ours, and so is π·sigmoid, which maps a patch to
    rotation angles. Each of the ``groups`` channels that the quantum convolution reads has a
    circuit of its own.

    Args:
        classes: Number K of classes.
        image_size: Side of the square image in pixels.
        channels: Image channels.
        widths: Channels after each convolution.
        groups: Channels g that the quantum convolution reads.
        depth: Strongly entangling layers of each circuit.
        pooling: Quantum pooling: two of the four qubits are measured and turn their neighbours,
            which alone are read out, so that the quantum convolution gives 2g channels, not 4g.
        hidden: Width of the first dense layer.
        entangler: Two-qubit gate of the rings.
        variant: ``hybrid``, or the twin that replaces the quantum convolution.
    """

    def __init__(
        self,
        classes: int = 4,
        image_size: int = 64,
        channels: int = 1,
        widths: tuple[int, int] = (8, 16),
        groups: int = 4,
        depth: int = 2,
        pooling: bool = False,
        hidden: int = 128,
        entangler: Entangler = "cnot",
        variant: str = "hybrid",
    ) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            *_convolution(channels, widths[0]), *_convolution(*widths)
        )
        self.reduce = nn.Conv2d(widths[1], groups, 1)
        readouts = PATCH**2 // 2 if pooling else PATCH**2
        quantum = QuantumConv2d(
            groups,
            groups * readouts,
            PATCH,
            stride=PATCH,
            depth=depth,
            entangler=entangler,
            pooling=pooling,
        )
        self.head = conv_head(variant, quantum)
        with torch.no_grad():
            maps = self.head(torch.zeros(1, groups, image_size // 4, image_size // 4))
        self.classifier = nn.Sequential(
            nn.Linear(maps.numel(), hidden), nn.ReLU(), nn.Linear(hidden, classes)
        )

    def forward(self, images: Tensor) -> Output:
        """Map images (B, channels, H, W), in [0, 1], to logits and features."""
        angles = math.pi * self.reduce(self.convolutions(images)).sigmoid()
        features = self.head(angles).flatten(1)
        return Output(self.classifier(features), features)

    @property
    def last_maps(self) -> nn.Module:
        """The module whose output (B, C, h, w) is the last feature map: the quantum convolution."""
        return self.head


def _convolution(fan_in: int, fan_out: int) -> tuple[nn.Module, ...]:
    """3×3 with ReLU and 2×2 max pooling, which commute: pooling first, a quarter of the work."""
    return nn.Conv2d(fan_in, fan_out, 3, padding=1), nn.MaxPool2d(2), nn.ReLU()
