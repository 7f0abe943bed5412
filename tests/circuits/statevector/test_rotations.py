from __future__ import annotations

import numpy as np
import pennylane as qml
import pytest
import torch

from medqnn.circuits import ansatze
from medqnn.circuits.circuit import Circuit
from medqnn.circuits.statevector import rotations

ANGLES = torch.tensor([[0.3, -1.2, 2.5], [0.0, 4.0, -0.7]], dtype=torch.float64)


@pytest.mark.parametrize(("axis", "gate"), [("Y", qml.RY), ("X", qml.RX)])
def test_a_layers_gates_are_pennylanes(axis: str, gate: type) -> None:
    slots = torch.eye(6, dtype=torch.float64).view(6, 2, 3)
    slopes, offsets = rotations.of_layer(ansatze.Layer(slots, "none", [], axis))
    gates = rotations.gates(torch.einsum("p,pqk->qk", ANGLES.flatten(), slopes) + offsets)
    for own, (phi, theta, omega) in zip(gates, ANGLES.tolist(), strict=True):
        expected = qml.RZ(omega, 0).matrix() @ gate(theta, 0).matrix() @ qml.RZ(phi, 0).matrix()
        np.testing.assert_allclose(own.numpy(), expected, atol=1e-15)


@pytest.mark.parametrize(
    ("embedding", "gate"),
    [
        ("angle", lambda x: qml.RY(x, 0).matrix()),
        ("angle_x", lambda x: qml.RX(x, 0).matrix()),
        ("angle_z", lambda x: qml.RZ(x, 0).matrix() @ qml.Hadamard(0).matrix()),
        ("iqp", lambda x: qml.Hadamard(0).matrix()),
    ],
)
def test_an_uploads_gates_are_pennylanes(embedding: str, gate: object) -> None:
    slope, offset = rotations.of_upload(ansatze.upload(Circuit(2, 1, embedding)))
    for x in (0.0, 0.8, -5.0):
        np.testing.assert_allclose(rotations.gates(offset + x * slope).numpy(), gate(x), atol=1e-15)


def test_gradients_are_those_of_autograd() -> None:
    numbers = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
    gates = rotations.gates(numbers)
    grad = torch.randn_like(gates)
    (expected,) = torch.autograd.grad(gates, numbers, grad)
    torch.testing.assert_close(rotations.gates_vjp(grad, numbers.detach()), expected)
