"""PennyLane's `default.qubit` in float64: the independent implementation that ours must equal."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial

import numpy as np
import pennylane as qml
import torch
from torch import Tensor

from medqnn.circuits import Circuit

IMPRIMITIVE = {"cnot": qml.CNOT, "cz": qml.CZ}
PAULI = {"X": qml.PauliX, "Y": qml.PauliY, "Z": qml.PauliZ}


def ansatz(
    circuit: Circuit, weights: Tensor | np.ndarray, inputs: Tensor | np.ndarray | None = None
) -> None:
    """Queue the circuit's layers and pooling from one circuit's weights, as PennyLane's gates.

    With ``reupload`` the inputs are embedded before every layer.
    """
    count = math.prod(circuit.ansatz_shape)
    flat = weights.reshape(-1)
    layers = flat[:count].reshape(circuit.ansatz_shape)
    if circuit.ansatz == "strong" and not circuit.reupload:
        _strongly_entangling(circuit, layers)
    else:
        for number, layer in enumerate(layers):
            if circuit.reupload:
                embedding(circuit, inputs)
            LAYER[circuit.ansatz](circuit, layer, number)
    if circuit.pooling:
        for pair, angles in enumerate(flat[count:].reshape(-1, 3)):
            if circuit.entangler == "none":
                qml.Rot(*angles, wires=2 * pair)
            else:
                qml.CRot(*angles, wires=[2 * pair + 1, 2 * pair])


def embedding(circuit: Circuit, inputs: Tensor | np.ndarray) -> None:
    """Queue the embedding of inputs (..., n), as PennyLane's template."""
    wires = range(circuit.qubits)
    if circuit.embedding == "amplitude":
        qml.AmplitudeEmbedding(inputs / inputs.norm(dim=-1, keepdim=True), wires)
    elif circuit.embedding == "iqp":
        qml.IQPEmbedding(inputs, wires)
    else:
        axis = {"angle": "Y", "angle_x": "X", "angle_z": "Z"}[circuit.embedding]
        if axis == "Z":
            for wire in wires:
                qml.Hadamard(wire)
        qml.AngleEmbedding(inputs, wires, rotation=axis)


def _strong(circuit: Circuit, weights: Tensor | np.ndarray, number: int) -> None:
    """Layer ``number`` alone, with the reach that PennyLane gives it among others."""
    wires = range(circuit.qubits)
    if circuit.entangler == "none":
        for wire in wires:
            qml.Rot(*weights[wire], wires=wire)
        return
    ranges = [number % (circuit.qubits - 1) + 1] if circuit.qubits > 1 else None
    imprimitive = IMPRIMITIVE[circuit.entangler]
    qml.StronglyEntanglingLayers(weights[None], wires, ranges=ranges, imprimitive=imprimitive)


def _ry_rz_strong(circuit: Circuit, weights: Tensor | np.ndarray, number: int) -> None:
    wires = range(circuit.qubits)
    _ry_rz(circuit, weights)
    if circuit.qubits > 1:
        _entangle(circuit, [(wire, (wire + 1) % circuit.qubits) for wire in wires])
    _strong(circuit, weights[:, 2:], 0)


def _basic(circuit: Circuit, weights: Tensor | np.ndarray, number: int) -> None:
    if circuit.entangler == "cnot":
        qml.BasicEntanglerLayers(weights[None], range(circuit.qubits))
        return
    for wire in range(circuit.qubits):
        qml.RX(weights[wire], wire)
    _entangle(circuit, _line(circuit))
    if circuit.qubits > 2:
        _entangle(circuit, [(circuit.qubits - 1, 0)])


def _hardware_efficient(circuit: Circuit, weights: Tensor | np.ndarray, number: int) -> None:
    _ry_rz(circuit, weights)
    _entangle(circuit, circuit.coupling or _line(circuit))


def _real_amplitudes(circuit: Circuit, weights: Tensor | np.ndarray, number: int) -> None:
    for wire in range(circuit.qubits):
        qml.RY(weights[wire], wire)
    _entangle(circuit, _line(circuit))


LAYER = {
    "strong": _strong,
    "ry_rz_strong": _ry_rz_strong,
    "basic": _basic,
    "hardware_efficient": _hardware_efficient,
    "real_amplitudes": _real_amplitudes,
}


def _ry_rz(circuit: Circuit, weights: Tensor | np.ndarray) -> None:
    for wire in range(circuit.qubits):
        qml.RY(weights[wire, 0], wire)
        qml.RZ(weights[wire, 1], wire)


def _line(circuit: Circuit) -> list[tuple[int, int]]:
    return [(wire, wire + 1) for wire in range(circuit.qubits - 1)]


def _entangle(circuit: Circuit, pairs: Iterable[tuple[int, int]]) -> None:
    if circuit.entangler != "none":
        for pair in pairs:
            IMPRIMITIVE[circuit.entangler](list(pair))


def _strongly_entangling(circuit: Circuit, weights: Tensor | np.ndarray) -> None:
    """All layers, weights (d, q, 3), as one template: PennyLane chooses their reaches."""
    if circuit.entangler == "none":
        for layer in weights:
            _strong(circuit, layer, 0)
        return
    imprimitive = IMPRIMITIVE[circuit.entangler]
    qml.StronglyEntanglingLayers(weights, range(circuit.qubits), imprimitive=imprimitive)


def ansatz_matrix(circuit: Circuit, weights: np.ndarray) -> np.ndarray:
    """Unitary of the layers and pooling, one circuit's weights."""
    return qml.matrix(ansatz, wire_order=range(circuit.qubits))(circuit, weights)


def _program(circuit: Circuit, inputs: Tensor, weights: Tensor) -> list[object]:
    wires = range(circuit.qubits)
    if not circuit.reupload:
        embedding(circuit, inputs)
    ansatz(circuit, weights, inputs)
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
