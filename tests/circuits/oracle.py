"""PennyLane's `default.qubit` in float64: the independent implementation that ours must equal."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pennylane as qml
import torch
from torch import Tensor

from medqnn.circuits import Circuit

IMPRIMITIVE = {"cnot": qml.CNOT, "cz": qml.CZ}
PAULI = {"X": qml.PauliX, "Y": qml.PauliY, "Z": qml.PauliZ}


def ansatz(circuit: Circuit, weights: Tensor | np.ndarray) -> None:
    """Queue the circuit's layers and pooling from one circuit's weights, as PennyLane's gates."""
    count = math.prod(circuit.ansatz_shape)
    flat = weights.reshape(-1)
    layers = flat[:count].reshape(circuit.ansatz_shape)
    if circuit.ansatz == "strong":
        _strongly_entangling(circuit, layers)
    else:
        for layer in layers:
            for wire in range(circuit.qubits):
                qml.RY(layer[wire, 0], wire)
                qml.RZ(layer[wire, 1], wire)
            if circuit.entangler != "none" and circuit.qubits > 1:
                for wire in range(circuit.qubits):
                    IMPRIMITIVE[circuit.entangler]([wire, (wire + 1) % circuit.qubits])
            _strongly_entangling(circuit, layer[None, :, 2:])
    if circuit.pooling:
        for pair, angles in enumerate(flat[count:].reshape(-1, 3)):
            if circuit.entangler == "none":
                qml.Rot(*angles, wires=2 * pair)
            else:
                qml.CRot(*angles, wires=[2 * pair + 1, 2 * pair])


def _strongly_entangling(circuit: Circuit, weights: Tensor | np.ndarray) -> None:
    """Weights (d, q, 3)."""
    wires = range(circuit.qubits)
    if circuit.entangler != "none":
        imprimitive = IMPRIMITIVE[circuit.entangler]
        qml.StronglyEntanglingLayers(weights, wires, imprimitive=imprimitive)
        return
    for layer in weights:
        for wire in wires:
            qml.Rot(*layer[wire], wires=wire)


def ansatz_matrix(circuit: Circuit, weights: np.ndarray) -> np.ndarray:
    """Unitary of the layers and pooling, one circuit's weights."""
    return qml.matrix(ansatz, wire_order=range(circuit.qubits))(circuit, weights)


def _program(circuit: Circuit, inputs: Tensor, weights: Tensor) -> list[object]:
    wires = range(circuit.qubits)
    if circuit.embedding == "amplitude":
        qml.AmplitudeEmbedding(inputs / inputs.norm(dim=-1, keepdim=True), wires)
    else:
        qml.AngleEmbedding(inputs, wires, rotation="Y")
    ansatz(circuit, weights)
    measured = wires[::2] if circuit.pooling else wires
    return [qml.expval(PAULI[pauli](wire)) for pauli in circuit.readouts for wire in measured]


def expectations(circuit: Circuit, inputs: Tensor, weights: Tensor) -> Tensor:
    """As `medqnn.circuits.expectations`, for inputs (B, c, n) of float64."""
    device = qml.device("default.qubit", wires=circuit.qubits)
    node = qml.QNode(partial(_program, circuit), device, interface="torch", diff_method="backprop")
    columns = [torch.stack(node(inputs[:, k], weights[k]), dim=-1) for k in range(weights.shape[0])]
    return torch.stack(columns, dim=1)


def gradients(
    function: object, circuit: Circuit, inputs: Tensor, weights: Tensor, cotangent: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Values of ``function(circuit, …)`` and the cotangent's pull-back to inputs and weights."""
    inputs, weights = inputs.clone().requires_grad_(), weights.clone().requires_grad_()
    values = function(circuit, inputs, weights)
    pulled = torch.autograd.grad(values, (inputs, weights), cotangent.to(values))
    return values.detach(), *pulled


def draw(
    circuit: Circuit, circuits: int, batch: int, seed: int, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, Tensor, Tensor]:
    """Random inputs (B, c, n), weights (c, …) and cotangent (B, c, outputs)."""
    random = torch.Generator().manual_seed(seed)
    shapes = (
        (batch, circuits, circuit.inputs),
        (circuits, *circuit.weight_shape),
        (batch, circuits, circuit.outputs),
    )
    return tuple(3.0 * torch.randn(s, dtype=dtype, generator=random) for s in shapes)
