from __future__ import annotations

import math

import numpy as np
import pennylane as qml
import pytest
import torch

from circuits import oracle
from medqnn.circuits import Circuit, expectations
from medqnn.diagnostics.states import (
    draw_inputs,
    draw_weights,
    embedded,
    expectation_values,
    states,
)

CIRCUITS = [
    Circuit(1, 2, "angle", "Z"),
    Circuit(3, 2, "amplitude", "Y", "cnot"),
    Circuit(4, 2, "angle", "ZX", "cz"),
    Circuit(4, 2, "angle", "Z", "cnot", "ry_rz_strong"),
    Circuit(5, 1, "angle", "Z", "cnot", pooling=True),
    Circuit(7, 1, "amplitude", "XY", "cz"),
]
RANGE = (0.3, 1.1)


def drawn(circuit: Circuit, count: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    inputs = draw_inputs(circuit, count, RANGE, generator)
    return inputs, draw_weights(circuit, count, generator)


def pennylane_state(circuit: Circuit, inputs: torch.Tensor, weights: torch.Tensor) -> np.ndarray:
    wires = range(circuit.qubits)

    @qml.qnode(qml.device("default.qubit", wires=circuit.qubits))
    def program() -> object:
        if circuit.embedding == "amplitude":
            qml.AmplitudeEmbedding(inputs.numpy(), wires, normalize=True)
        else:
            qml.AngleEmbedding(inputs.numpy(), wires, rotation="Y")
        oracle.ansatz(circuit, weights.numpy())
        return qml.state()

    return np.asarray(program())


@pytest.mark.parametrize("circuit", CIRCUITS, ids=repr)
def test_states_are_pennylanes_up_to_a_phase(circuit: Circuit) -> None:
    inputs, weights = drawn(circuit)
    ours = states(circuit, inputs, weights).numpy()
    for state, one, own in zip(ours, inputs, weights, strict=True):
        overlap = np.vdot(state, pennylane_state(circuit, one, own))
        assert abs(overlap) == pytest.approx(1.0, abs=1e-12)
        assert np.linalg.norm(state) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("circuit", CIRCUITS, ids=repr)
def test_values_are_those_of_the_compiled_circuit(circuit: Circuit) -> None:
    inputs, weights = drawn(circuit)
    each = torch.stack(
        [expectations(circuit, x[None], w[None])[0] for x, w in zip(inputs, weights, strict=True)]
    )
    torch.testing.assert_close(expectation_values(circuit, inputs, weights), each)


def test_angles_keep_their_range_and_weights_take_the_full_turn() -> None:
    inputs, weights = drawn(Circuit(4, 3, "angle", "Z"), 2000)
    assert inputs.shape == (2000, 4)
    assert weights.shape == (2000, 3, 4, 3)
    assert RANGE[0] <= inputs.min() < RANGE[0] + 0.01
    assert RANGE[1] - 0.01 < inputs.max() <= RANGE[1]
    assert 0.0 <= weights.min() < 0.01
    assert 2 * math.pi - 0.01 < weights.max() < 2 * math.pi
    assert inputs.dtype == weights.dtype == torch.float64


def test_amplitudes_are_rectified_and_never_all_zero() -> None:
    inputs, _ = drawn(Circuit(1, 1), 2000)  # of two numbers, a quarter would be zeros
    assert inputs.min() == 0.0
    assert inputs.any(dim=1).all()
    lone = inputs[:, 0] == 1.0
    assert 0.2 < lone.double().mean() < 0.3
    assert (inputs[lone, 1] == 0.0).all()
    norms = embedded(Circuit(1, 1), inputs).norm(dim=1)
    torch.testing.assert_close(norms, torch.ones_like(norms))
