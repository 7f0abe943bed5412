"""Networks whose quantum layers are constants: real matrices that any runtime can multiply.

The weights of a trained circuit do not change, so it is one unitary U; the embedded states ψ are
real, so [Re U; Im U] ψ holds its amplitudes, and a table of signs makes expectation values of
their squares. No runtime has to know complex numbers, or circuits.
"""

from __future__ import annotations

import copy
import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from medqnn.circuits import Circuit, compiled, embeddings, readout
from medqnn.circuits.circuit import COMPILED_QUBITS
from medqnn.errors import CircuitError
from medqnn.layers import QuantumConv2d, QuantumLayer


class ConstantCircuits(nn.Module):
    """Circuits with their weights multiplied out, computed in float64 and kept in float32.

    Args:
        circuit: Of c circuits.
        weights: Real (c, *circuit.weight_shape).

    Raises:
        CircuitError: If the circuit is no real matrix behind real states: too wide, or with data
            between its layers, or with complex states.
    """

    matrix: Tensor  # (c, 2rN, N): [Re U; Im U] for r readouts and N = 2^q
    signs: Tensor  # (outputs, rN)

    def __init__(self, circuit: Circuit, weights: Tensor) -> None:
        super().__init__()
        _require_matrix(circuit)
        self.embedding = circuit.embedding
        blank = torch.zeros(len(weights), circuit.inputs, dtype=torch.float64)
        _, saved = compiled.evaluate(circuit, blank, weights.detach().double().cpu())
        self.register_buffer("matrix", saved.matrix.float())
        self.register_buffer("signs", readout.readout_signs(circuit).float())

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (c, circuit.inputs, B) to expectation values (c, circuit.outputs, B)."""
        embed = embeddings.amplitude if self.embedding == "amplitude" else embeddings.angle
        states, _ = embed(inputs)
        real, imag = torch.matmul(self.matrix, states).chunk(2, dim=1)
        return torch.matmul(self.signs, real * real + imag * imag)


class ConstantLayer(nn.Module):
    """What a trained ``QuantumLayer`` computes.

    Args:
        layer: Whose weights are taken as they are.
    """

    def __init__(self, layer: QuantumLayer) -> None:
        super().__init__()
        self.circuits = ConstantCircuits(layer.circuit, layer.weight)
        self.count = layer.circuits

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, in_features) to expectation values (B, out_features)."""
        grouped = inputs.unflatten(-1, (self.count, -1)).permute(1, 2, 0)
        return self.circuits(grouped).permute(2, 0, 1).flatten(1)


class ConstantConv2d(nn.Module):
    """What a trained ``QuantumConv2d`` computes.

    Args:
        layer: Whose weights are taken as they are.
    """

    def __init__(self, layer: QuantumConv2d) -> None:
        super().__init__()
        self.circuits = ConstantCircuits(layer.circuit, layer.weight)
        self.kernel_size, self.stride = layer.kernel_size, layer.stride
        self.padding = layer.padding
        self.in_channels = layer.in_channels
        self.per_channel = len(layer.weight) // layer.in_channels

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to values (B, out_channels, H', W')."""
        patches = F.unfold(images, self.kernel_size, padding=self.padding, stride=self.stride)
        by_channel = patches.unflatten(1, (self.in_channels, math.prod(self.kernel_size)))
        angles = by_channel.permute(1, 2, 0, 3).flatten(2)
        if self.per_channel > 1:
            angles = angles.repeat_interleave(self.per_channel, dim=0)
        values = self.circuits(angles).flatten(0, 1)
        return values.unflatten(1, (-1, *self._size(images))).transpose(0, 1)

    def _size(self, images: Tensor) -> tuple[int, int]:
        """H' and W'."""
        geometry = zip(images.shape[-2:], self.kernel_size, self.stride, self.padding, strict=True)
        height, width = (
            (size + 2 * pad - kernel) // stride + 1 for size, kernel, stride, pad in geometry
        )
        return height, width


def constant(model: nn.Module) -> nn.Module:
    """A copy of a model with constants in the place of its quantum layers, in evaluation mode.

    Raises:
        CircuitError: If one of them is no real matrix; see ``ConstantCircuits``.
    """
    model = copy.deepcopy(model).eval().requires_grad_(False)
    for name, module in list(model.named_modules()):
        if isinstance(module, QuantumLayer):
            model.set_submodule(name, ConstantLayer(module))
        elif isinstance(module, QuantumConv2d):
            model.set_submodule(name, ConstantConv2d(module))
    return model


def _require_matrix(circuit: Circuit) -> None:
    mend = "export it as OpenQASM or Qiskit instead (--format qasm, qiskit)"
    if circuit.reupload:
        raise CircuitError(
            f"this circuit uploads its data {circuit.depth} times, so it is no constant matrix: "
            f"{mend}"
        )
    if circuit.qubits > COMPILED_QUBITS:
        raise CircuitError(
            f"a circuit of {circuit.qubits} qubits is too large a matrix (at most "
            f"{COMPILED_QUBITS} qubits): {mend}"
        )
    if circuit.embedding == "iqp":
        raise CircuitError(f"embedding 'iqp' gives complex states, which ONNX lacks: {mend}")
