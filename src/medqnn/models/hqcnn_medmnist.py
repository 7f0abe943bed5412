"""HQCNN-MedMNIST: binary tasks on MedMNIST (student project, Comilla University, 2025)."""

from __future__ import annotations

import math

from torch import Tensor, nn

from medqnn.circuits.circuit import Entangler
from medqnn.layers import QuantumLayer, head
from medqnn.models.output import Output

MEAN = SD = 0.5


class HQCNNMedMNIST(nn.Module):
    """Five convolutions, one angle-embedded circuit, two dense layers.

    angles = π/2 tanh(FC1 vec(convs((x - 0.5) / 0.5)));
    logits = FC3 ReLU(FC2 ⟨Z⟩(circuit(angles))).

    The convolutions are those of MedMNIST's introductory CNN, of which only the last is padded. The
    circuit's layers are trainable R_y and R_z on each qubit, a ring of CNOTs, and one strongly
    entangling layer. The paper scales the angles in no stated way; π/2·tanh is
    ours: its ends give orthogonal states, where those of π·tanh give the same one.

    Args:
        classes: Number K of classes, or of findings.
        image_size: Side of the square image in pixels, at least 16.
        channels: Image channels, 1 or 3.
        qubits: Qubits of the circuit, and outputs of FC1.
        depth: Layers of the circuit.
        hidden: Outputs of FC2.
        entangler: Two-qubit gate of the rings.
        variant: ``hybrid``, or the twin that replaces the quantum layer; see ``layers.twins``.
    """

    def __init__(
        self,
        classes: int = 2,
        image_size: int = 28,
        channels: int = 3,
        qubits: int = 4,
        depth: int = 3,
        hidden: int = 128,
        entangler: Entangler = "cnot",
        variant: str = "hybrid",
    ) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            *_convolution(channels, 16),
            *_convolution(16, 16),
            nn.MaxPool2d(2),
            *_convolution(16, 64),
            *_convolution(64, 64),
            *_convolution(64, 64, padding=1),
            nn.MaxPool2d(2),
        )
        side = ((image_size - 4) // 2 - 4) // 2
        self.fc1 = nn.Linear(64 * side**2, qubits)
        quantum = QuantumLayer(qubits, 1, depth, "angle", "Z", entangler, ansatz="ry_rz_strong")
        self.head, width = head(variant, quantum)
        self.classifier = nn.Sequential(
            nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, classes)
        )

    def forward(self, images: Tensor) -> Output:
        """Map images (B, channels, H, W), in [0, 1], to logits and features."""
        maps = self.convolutions((images - MEAN) / SD)
        features = self.head(math.pi / 2 * self.fc1(maps.flatten(1)).tanh())
        return Output(self.classifier(features), features)

    @property
    def last_maps(self) -> nn.Module:
        """The module whose output (B, 64, h, w) is the last feature map."""
        return self.convolutions


def _convolution(fan_in: int, fan_out: int, padding: int = 0) -> tuple[nn.Module, ...]:
    return nn.Conv2d(fan_in, fan_out, 3, padding=padding), nn.BatchNorm2d(fan_out), nn.ReLU()
