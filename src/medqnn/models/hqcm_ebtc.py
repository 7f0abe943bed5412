"""HQCM-EBTC: explainable brain tumour classification (Ait Haddou and Bennai 2025)."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from medqnn.circuits.circuit import Entangler
from medqnn.layers import ChannelAttention, QuantumLayer, SpatialAttention, head
from medqnn.models.output import Output


class HQCMEBTC(nn.Module):
    """Three convolution blocks, dual attention, parallel quantum circuits, a linear classifier.

    F = blocks(x);  F_final = F ⊙ (1 + T_s(F ⊙ T_c(F)));  z = W vec(F_final);
    logits = W' ⟨Y⟩(circuits(z)).

    Args:
        classes: Number K of classes.
        image_size: Side of the square image in pixels, a multiple of 8.
        channels: Image channels.
        widths: Channels after each block (the paper's 128, 64, 32).
        kernels: Kernel of each block's convolution. The paper gives only the first; the other two
            are those of the authors' released model.
        dropout: Probability, on the features and before the projection (released model).
        qubits: Qubits of each circuit.
        circuits: Parallel circuits.
        depth: Strongly entangling layers of each circuit.
        entangler: ``cnot`` (paper) or ``cz`` (released model).
        variant: ``hybrid``, or the twin that replaces the quantum layer; see ``layers.twins``.
    """

    def __init__(
        self,
        classes: int = 4,
        image_size: int = 128,
        channels: int = 1,
        widths: tuple[int, int, int] = (128, 64, 32),
        kernels: tuple[int, int, int] = (3, 5, 7),
        dropout: float = 0.5,
        qubits: int = 5,
        circuits: int = 5,
        depth: int = 2,
        entangler: Entangler = "cnot",
        variant: str = "hybrid",
    ) -> None:
        super().__init__()
        fan_in = (channels, *widths[:-1])
        self.blocks = nn.Sequential(*map(ConvBlock, fan_in, widths, kernels))
        self.channel_attention = ChannelAttention(widths[-1])
        self.spatial_attention = SpatialAttention(widths[-1])
        self.dropout = nn.Dropout(dropout)
        quantum = QuantumLayer(qubits, circuits, depth, "amplitude", "Y", entangler)
        flat = widths[-1] * (image_size // 8) ** 2
        self.projection = nn.Linear(flat, quantum.in_features)
        self.head, width = head(variant, quantum)
        self.classifier = nn.Linear(width, classes)

    def forward(self, images: Tensor) -> Output:
        """Map images (B, channels, H, W), in [0, 1], to logits, attention and features."""
        maps = self.dropout(self.blocks(images))
        attention = self.spatial_attention(self.channel_attention(maps))
        attended = maps * (1.0 + attention.sigmoid())
        projected = F.relu(self.projection(self.dropout(attended.flatten(1))))
        features = self.head(projected)
        return Output(self.classifier(features), features, attention)

    @property
    def last_maps(self) -> nn.Module:
        """The module whose output (B, C, h, w) is the last feature map, before attention."""
        return self.blocks


class ConvBlock(nn.Sequential):
    """Convolution, batch norm, ReLU and 2×2 max pooling: H×W to H/2×W/2.

    ReLU and the maximum commute, so pooling comes first, on which ReLU has a quarter to do.
    """

    def __init__(self, fan_in: int, fan_out: int, kernel: int) -> None:
        super().__init__(
            nn.Conv2d(fan_in, fan_out, kernel, padding=kernel // 2),
            nn.BatchNorm2d(fan_out),
            nn.MaxPool2d(2),
            nn.ReLU(),
        )
