from __future__ import annotations

import pytest
import torch

from medqnn.circuits import Circuit, compiled, methods, native, statevector


def fastest(circuit: Circuit, images: int) -> methods.Method:
    inputs, weights = torch.zeros(()), torch.zeros(1, *circuit.weight_shape)
    return methods.fastest(circuit, inputs.expand(images, 1, circuit.inputs), weights)


@pytest.mark.parametrize(
    ("qubits", "images", "expected"),
    [
        (5, 1, native),
        (5, 4096, native),
        (12, 1, native),
        (14, 4, native),
        (13, 1, statevector),
        (16, 64, statevector),
    ],
)
def test_circuits_up_to_14_qubits_are_machine_code(
    qubits: int, images: int, expected: methods.Method
) -> None:
    assert fastest(Circuit(qubits, 2, "angle"), images) is expected


@pytest.mark.parametrize(
    ("qubits", "images", "expected"),
    [
        (5, 1, compiled),
        (8, 8, statevector),
        (8, 4096, compiled),
        (10, 64, statevector),
        (11, 2**20, statevector),
    ],
)
def test_without_machine_code_few_images_of_wide_circuits_are_state_vectors(
    qubits: int, images: int, expected: methods.Method
) -> None:
    assert fastest(Circuit(qubits, 2, "iqp"), images) is expected


def test_circuits_too_deep_to_keep_all_their_layers_are_state_vectors() -> None:
    assert fastest(Circuit(12, 500, "angle"), 8) is native
    assert fastest(Circuit(12, 512, "angle"), 8) is statevector


def test_repeated_uploads_are_no_matrix() -> None:
    circuit = Circuit(3, 2, "iqp", reupload=True)
    assert fastest(circuit, 64) is statevector
    assert methods.traced(circuit) is statevector
