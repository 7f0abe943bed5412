from __future__ import annotations

import pytest
import torch

from medqnn.circuits import Circuit, methods, statevector


def fastest(circuit: Circuit, images: int) -> methods.Method:
    inputs, weights = torch.zeros(()), torch.zeros(1, *circuit.weight_shape)
    return methods.fastest(circuit, inputs.expand(images, 1, circuit.inputs), weights)


@pytest.mark.parametrize(
    ("qubits", "images", "on_states"),
    [
        (5, 1, False),
        (6, 1, False),
        (8, 8, True),
        (8, 4096, False),
        (10, 64, True),
        (11, 2**20, True),
    ],
)
def test_few_images_of_wide_circuits_are_state_vectors(
    qubits: int, images: int, on_states: bool
) -> None:
    assert (fastest(Circuit(qubits, 2, "angle"), images) is statevector) == on_states


def test_repeated_uploads_are_no_matrix() -> None:
    circuit = Circuit(3, 2, "angle", reupload=True)
    assert fastest(circuit, 64) is statevector
    assert methods.traced(circuit) is statevector
