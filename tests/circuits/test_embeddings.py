from __future__ import annotations

import numpy as np
import pennylane as qml
import pytest
import torch

from medqnn.circuits import Circuit, embeddings, gates

from . import oracle


def test_amplitudes_are_the_input_over_its_norm() -> None:
    inputs = torch.tensor([[3.0, 0.0], [0.0, 0.0], [0.0, 2.0], [-4.0, 0.0]])
    states, (saved, inverse_norm) = embeddings.amplitude(inputs)
    expected = torch.tensor([[0.6, 0.0], [0.0, 0.0], [0.0, 1.0], [-0.8, 0.0]])
    torch.testing.assert_close(states, expected)
    torch.testing.assert_close(saved, expected)
    torch.testing.assert_close(inverse_norm, torch.tensor([[0.2, 0.5]]))


@pytest.mark.parametrize("scale", [1e-10, 1e-5, 1.0, 1e5, 1e15])
def test_amplitudes_do_not_depend_on_the_scale(scale: float) -> None:
    vector = torch.randn(8, 5, generator=torch.Generator().manual_seed(0))
    states, _ = embeddings.amplitude(scale * vector)
    torch.testing.assert_close(states, vector / vector.norm(dim=-2, keepdim=True))


@pytest.mark.parametrize(
    ("norm", "length"), [(1e-13, 0.1), (1.01e-12, 1.0), (1.8e19, 1.0), (1.9e19, 0.0)]
)
def test_amplitudes_are_unit_vectors_in_the_range_that_is_told(norm: float, length: float) -> None:
    states, _ = embeddings.amplitude(torch.full((4, 1), norm / 2))
    torch.testing.assert_close(states.norm(), torch.tensor(length))


def test_a_zero_vector_gives_the_null_vector() -> None:
    states, saved = embeddings.amplitude(torch.zeros(4, 2))
    assert torch.equal(states, torch.zeros(4, 2))
    assert all(tensor.isfinite().all() for tensor in saved)
    grad = embeddings.amplitude_vjp(torch.zeros(4, 2), saved)
    assert torch.equal(grad, torch.zeros(4, 2))


@pytest.mark.parametrize("qubits", [1, 2, 4])
@pytest.mark.parametrize("embedding", ["angle", "angle_x", "angle_z", "iqp"])
def test_angles_give_pennylanes_state(embedding: str, qubits: int) -> None:
    angles = torch.randn(3, qubits, dtype=torch.float64)
    circuit = Circuit(qubits, 1, embedding)
    states = embeddings.FORMS[embedding].embed(angles.T)[0].to(torch.complex128)
    turned = (gates.power(embeddings.turn_of(circuit), qubits) @ states).T.numpy()

    @qml.qnode(qml.device("default.qubit", wires=qubits))
    def expected() -> object:
        oracle.embedding(circuit, angles.numpy())
        return qml.state()

    theirs = expected()
    if embedding == "iqp":  # ours leaves out a global phase
        theirs = theirs * np.exp(-0.25j * angles.square().sum(1, keepdim=True).numpy())
    np.testing.assert_allclose(turned, theirs, atol=1e-14)


@pytest.mark.parametrize("shape", [(4, 1), (1, 3), (4, 3), (2, 5, 3)])
@pytest.mark.parametrize("name", ["amplitude", "angle", "iqp", "iqp_phases"])
def test_vjps_are_those_of_autograd(name: str, shape: tuple[int, ...]) -> None:
    embed, vjp = getattr(embeddings, name), getattr(embeddings, f"{name}_vjp")
    inputs = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    states, saved = embed(inputs)
    grad = torch.randn_like(states)
    (expected,) = torch.autograd.grad(states, inputs, grad)
    torch.testing.assert_close(vjp(grad, saved), expected)
