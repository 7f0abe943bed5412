from __future__ import annotations

import numpy as np
import pennylane as qml
import pytest
import torch

from medqnn.circuits import embeddings, gates


def test_amplitudes_are_the_input_over_its_norm() -> None:
    states, inverse_norm = embeddings.amplitude(torch.tensor([[3.0, 0.0, 0.0, -4.0]]))
    torch.testing.assert_close(states, torch.tensor([[0.6, 0.0, 0.0, -0.8]]))
    torch.testing.assert_close(inverse_norm, torch.tensor([[0.2]]))


@pytest.mark.parametrize("scale", [1e-10, 1e-5, 1.0, 1e5, 1e15])
def test_amplitudes_do_not_depend_on_the_scale(scale: float) -> None:
    vector = torch.randn(5, 8, generator=torch.Generator().manual_seed(0))
    states, _ = embeddings.amplitude(scale * vector)
    torch.testing.assert_close(states, vector / vector.norm(dim=-1, keepdim=True))


def test_a_zero_vector_gives_the_null_vector() -> None:
    states, inverse_norm = embeddings.amplitude(torch.zeros(2, 4))
    assert torch.equal(states, torch.zeros(2, 4))
    assert inverse_norm.isfinite().all()
    grad = embeddings.amplitude_vjp(torch.zeros(2, 4), states, inverse_norm)
    assert torch.equal(grad, torch.zeros(2, 4))


@pytest.mark.parametrize("qubits", [1, 2, 4])
def test_angles_give_pennylanes_state(qubits: int) -> None:
    angles = torch.randn(3, qubits, dtype=torch.float64)
    states = embeddings.angle(angles)

    @qml.qnode(qml.device("default.qubit", wires=qubits))
    def expected() -> object:
        qml.AngleEmbedding(angles.numpy(), range(qubits), rotation="Y")
        return qml.state()

    np.testing.assert_allclose(states.numpy(), expected(), atol=1e-14)


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)])
def test_vjps_are_those_of_autograd(shape: tuple[int, ...]) -> None:
    inputs = torch.randn(shape, dtype=torch.float64, requires_grad=True)

    states, inverse_norm = embeddings.amplitude(inputs)
    grad = torch.randn_like(states)
    (expected,) = torch.autograd.grad(states, inputs, grad)
    torch.testing.assert_close(embeddings.amplitude_vjp(grad, states, inverse_norm), expected)

    states = embeddings.angle(inputs)
    grad = torch.randn_like(states)
    (expected,) = torch.autograd.grad(states, inputs, grad)
    vjp = embeddings.angle_vjp(grad, states, gates.flipped(4), gates.z_eigenvalues(4))
    torch.testing.assert_close(vjp, expected)
