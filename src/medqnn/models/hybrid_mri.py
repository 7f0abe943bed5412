"""Hybrid CNN for brain tumour and Alzheimer MRI (Mazher, Qayyum, Khan, Niederer and others)."""

from __future__ import annotations

import math

from torch import Tensor, nn

from medqnn.circuits.circuit import Entangler
from medqnn.layers import QuantumLayer, head
from medqnn.models.output import Output

POOLED = 4  # side of the map that the dense layer reads, whatever the image's size


class HybridMRI(nn.Module):
    """Three convolution blocks, one dense layer, one quantum layer to the classes.

    angles = π/2 tanh(W vec(pool(blocks(x))));  logits = W' ⟨Z⟩(circuit(angles)).

    The paper gives the order of the layers; widths, kernels, the circuit and the angles
    (whose ends, ±π/2, give orthogonal states) are ours.

    Args:
        classes: Number K of classes.
        image_size: Side of the square image in pixels; any from 16, by adaptive pooling.
        channels: Image channels.
        widths: Channels after each block.
        qubits: Qubits of each circuit.
        circuits: Parallel circuits.
        depth: Strongly entangling layers of each circuit.
        entangler: Two-qubit gate of the rings.
        variant: ``hybrid``, or the twin that replaces the quantum layer; see ``layers.twins``.
    """

    def __init__(
        self,
        classes: int = 4,
        image_size: int = 128,
        channels: int = 1,
        widths: tuple[int, int, int] = (16, 32, 64),
        qubits: int = 4,
        circuits: int = 1,
        depth: int = 2,
        entangler: Entangler = "cnot",
        variant: str = "hybrid",
    ) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*map(_Block, (channels, *widths[:-1]), widths))
        self.pool = nn.AdaptiveAvgPool2d(POOLED)
        quantum = QuantumLayer(qubits, circuits, depth, "angle", "Z", entangler)
        self.dense = nn.Linear(widths[-1] * POOLED**2, quantum.in_features)
        self.head, width = head(variant, quantum)
        self.classifier = nn.Linear(width, classes)

    def forward(self, images: Tensor) -> Output:
        """Map images (B, channels, H, W), in [0, 1], to logits and features."""
        maps = self.pool(self.blocks(images))
        features = self.head(math.pi / 2 * self.dense(maps.flatten(1)).tanh())
        return Output(self.classifier(features), features)

    @property
    def last_maps(self) -> nn.Module:
        """The module whose output (B, C, h, w) is the last feature map, before pooling."""
        return self.blocks


class _Block(nn.Sequential):
    """Convolution with ReLU, 2×2 max pooling, batch norm, in the paper's order."""

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__(
            nn.Conv2d(fan_in, fan_out, 3, padding=1),
            nn.MaxPool2d(2),  # before ReLU, with which it commutes: a quarter of the work
            nn.ReLU(),
            nn.BatchNorm2d(fan_out),
        )
