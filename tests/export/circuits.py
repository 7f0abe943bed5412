"""Layers of every form that circuits have, small."""

from __future__ import annotations

import torch
from torch import Tensor

from medqnn.circuits import Circuit
from medqnn.layers import QuantumLayer

CIRCUITS = {
    "amplitude": Circuit(3, 2, "amplitude", "Y"),
    "amplitude, three readouts": Circuit(2, 1, "amplitude", "XYZ"),
    "angle, cz": Circuit(3, 2, "angle", "Z", "cz"),
    "angle_x, basic": Circuit(3, 2, "angle_x", "ZX", ansatz="basic"),
    "angle_z, ry_rz_strong": Circuit(3, 1, "angle_z", "Y", ansatz="ry_rz_strong"),
    "iqp, real_amplitudes": Circuit(3, 1, "iqp", "Z", ansatz="real_amplitudes"),
    "pooling": Circuit(5, 1, "angle", "X", pooling=True),
    "product": Circuit(2, 2, "angle", "Y", "none"),
    "coupling": Circuit(3, 1, "angle", "Y", ansatz="hardware_efficient", coupling=((2, 0), (1, 2))),
    "reupload": Circuit(2, 2, "angle_x", "Y", reupload=True),
}


def layer_of(circuit: Circuit, circuits: int = 2) -> QuantumLayer:
    """A layer of so many of these circuits, float64, its weights drawn at random."""
    layer = QuantumLayer(circuit.qubits, circuits)
    layer.circuit = circuit
    layer.in_features = circuits * circuit.inputs
    layer.out_features = circuits * circuit.outputs
    generator = torch.Generator().manual_seed(1)
    shape = (circuits, *circuit.weight_shape)
    layer.weight = torch.nn.Parameter(6 * torch.rand(shape, generator=generator).double())
    return layer


def draw(layer: QuantumLayer, batch: int = 1) -> Tensor:
    """Numbers to embed, float64 (B, c, n)."""
    generator = torch.Generator().manual_seed(2)
    shape = (batch, layer.circuits, layer.circuit.inputs)
    return torch.randn(shape, generator=generator).double()


def values(layer: QuantumLayer, inputs: Tensor) -> Tensor:
    """What the layer makes of inputs (B, c, n): (B, c, readouts, measured qubits)."""
    spec = layer.circuit
    found = layer(inputs.flatten(1)).detach()
    return found.view(len(inputs), layer.circuits, len(spec.readouts), len(spec.measured))
