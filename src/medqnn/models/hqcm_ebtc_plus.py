"""HQCM-EBTC+: the quantum head of HQCM-EBTC behind a finer attention map. Ours, not published."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from medqnn.circuits.circuit import Entangler
from medqnn.layers import ConvNorm, QuantumLayer, ResidualBlock, TopDown, head
from medqnn.models.output import Output

STEM = 2  # the stem halves the sides once before the first stage
FLOOR = 0.05  # of the mass of an attention map, in pixels: an empty map pools to almost nothing


class HQCMEBTCPlus(nn.Module):
    """Residual stages, attention as fine as the first of them, attended pooling, parallel circuits.

    F_1 … F_4 = stages(stem(x));  P = top_down(F_1 … F_4);  A = conv(P);
    z = ReLU(W [mean(F_4), pool_A(F_2), pool_A(F_3), pool_A(F_4), pool_A(P)]);
    logits = W' ⟨Y⟩(circuits(z)).

    pool_A(F) = Σ σ(A) F / Σ σ(A), over places, A being averaged to F's size: the classifier reads
    the attended region at every scale, and the whole image at the coarsest. HQCM-EBTC weighs a
    16×16 map by 1 + σ(A) and flattens it, so that position is learned by heart and a tumour's
    edge is lost.

    Args:
        classes: Number K of classes.
        image_size: Side of the square image in pixels, a multiple of 16.
        channels: Image channels.
        widths: Channels after each stage; each but the first halves the sides.
        blocks: Residual blocks of each stage.
        attention_width: Channels of P.
        attention_stage: Stage whose size P and A have, from 1 (half the image's side) to 4 (a
            sixteenth); finer stages do not reach A.
        attended_pooling: Whether z reads pool_A, or mean(F_4) alone.
        dropout: Probability, before the projection.
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
        widths: tuple[int, int, int, int] = (32, 64, 128, 192),
        blocks: tuple[int, int, int, int] = (1, 2, 2, 2),
        attention_width: int = 48,
        attention_stage: int = 1,
        attended_pooling: bool = True,
        dropout: float = 0.4,
        qubits: int = 5,
        circuits: int = 5,
        depth: int = 2,
        entangler: Entangler = "cnot",
        variant: str = "hybrid",
    ) -> None:
        super().__init__()
        _require(image_size, attention_stage)
        self.stem = nn.Sequential(ConvNorm(channels, widths[0], 5, STEM), nn.ReLU())
        steps = zip((widths[0], *widths[:-1]), widths, blocks, (1, 2, 2, 2), strict=True)
        self.stages = nn.ModuleList(_stage(*step) for step in steps)
        self.finest = attention_stage - 1
        self.top_down = TopDown(widths[self.finest :], attention_width)
        self.to_map = nn.Conv2d(attention_width, 1, 3, padding=1)
        self.attended_pooling = attended_pooling
        pooled = sum(widths[1:]) + attention_width if attended_pooling else 0
        self.dropout = nn.Dropout(dropout)
        quantum = QuantumLayer(qubits, circuits, depth, "amplitude", "Y", entangler)
        self.projection = nn.Linear(widths[-1] + pooled, quantum.in_features)
        self.head, width = head(variant, quantum)
        self.classifier = nn.Linear(width, classes)

    def forward(self, images: Tensor) -> Output:
        """Map images (B, channels, H, W), in [0, 1], to logits, attention and features."""
        maps, stage = [], self.stem(images)
        for layers in self.stages:
            stage = layers(stage)
            maps.append(stage)
        merged = self.top_down(maps[self.finest :])
        attention = self.to_map(merged)
        read = [stage.mean(dim=(2, 3))]
        if self.attended_pooling:
            read += [attended_mean(own, attention) for own in (*maps[1:], merged)]
        projected = F.relu(self.projection(self.dropout(torch.cat(read, dim=1))))
        features = self.head(projected)
        return Output(self.classifier(features), features, attention)

    @property
    def last_maps(self) -> nn.Module:
        """The module that makes the last and finest feature map, P."""
        return self.top_down


def attended_mean(maps: Tensor, attention: Tensor) -> Tensor:
    """Mean over places, weighted by attention.

    Args:
        maps: (B, C, h, w).
        attention: Logits (B, 1, H, W), brought to h×w by averaging or repetition.

    Returns:
        (B, C).
    """
    weights = F.adaptive_avg_pool2d(attention.sigmoid(), (maps.shape[-2], maps.shape[-1]))
    return (maps * weights).sum(dim=(2, 3)) / (weights.sum(dim=(2, 3)) + FLOOR)


def _stage(fan_in: int, fan_out: int, blocks: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        ResidualBlock(fan_in, fan_out, stride),
        *(ResidualBlock(fan_out, fan_out) for _ in range(blocks - 1)),
    )


def _require(image_size: int, attention_stage: int) -> None:
    """Refuse sizes that the stages cannot halve, and stages that are not there."""
    if image_size % 16:
        raise ValueError(f"image_size is {image_size}, not a multiple of 16")
    if attention_stage not in (1, 2, 3, 4):
        raise ValueError(f"attention_stage is {attention_stage}, not 1, 2, 3 or 4")
