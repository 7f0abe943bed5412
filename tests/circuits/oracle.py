"""PennyLane's `default.qubit` in float64: the independent implementation that ours must equal."""

from __future__ import annotations

from functools import partial

import numpy as np
import pennylane as qml
import torch
from torch import Tensor

from medqnn.circuits import Circuit

IMPRIMITIVE = {"cnot": qml.CNOT, "cz": qml.CZ}
PAULI = {"X": qml.PauliX, "Y": qml.PauliY, "Z": qml.PauliZ}


def ansatz(circuit: Circuit, weights: Tensor | np.ndarray) -> None:
    """Queue the circuit's strongly entangling layers, weights (d, q, 3)."""
    wires = range(circuit.qubits)
    if circuit.entangler != "none":
        imprimitive = IMPRIMITIVE[circuit.entangler]
        qml.StronglyEntanglingLayers(weights, wires, imprimitive=imprimitive)
        return
    for layer in weights:
        for wire in wires:
            qml.Rot(*layer[wire], wires=wire)


def ansatz_matrix(circuit: Circuit, weights: np.ndarray) -> np.ndarray:
    """Unitary of the layers, weights (d, q, 3)."""
    return qml.matrix(ansatz, wire_order=range(circuit.qubits))(circuit, weights)


def ring_matrix(circuit: Circuit, layer: int) -> np.ndarray:
    """Unitary of one layer's ring: with all angles 0 the rotations are identities."""
    before = np.eye(circuit.dimension)
    if layer:
        before = ansatz_matrix(circuit, np.zeros((layer, circuit.qubits, 3)))
    return ansatz_matrix(circuit, np.zeros((layer + 1, circuit.qubits, 3))) @ before.T


def _program(circuit: Circuit, inputs: Tensor, weights: Tensor) -> list[object]:
    wires = range(circuit.qubits)
    if circuit.embedding == "amplitude":
        qml.AmplitudeEmbedding(inputs / inputs.norm(dim=-1, keepdim=True), wires)
    else:
        qml.AngleEmbedding(inputs, wires, rotation="Y")
    ansatz(circuit, weights)
    return [qml.expval(PAULI[pauli](wire)) for pauli in circuit.readouts for wire in wires]


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
    """Random inputs (B, c, n), weights (c, d, q, 3) and cotangent (B, c, outputs)."""
    random = torch.Generator().manual_seed(seed)
    shapes = (
        (batch, circuits, circuit.inputs),
        (circuits, *circuit.weight_shape),
        (batch, circuits, circuit.outputs),
    )
    return tuple(3.0 * torch.randn(s, dtype=dtype, generator=random) for s in shapes)
