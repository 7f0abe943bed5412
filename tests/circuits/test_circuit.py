from __future__ import annotations

import dataclasses

import pytest

from medqnn.circuits import Circuit
from medqnn.errors import CircuitError, MedqnnError


def test_defaults_are_those_of_hqcm_ebtc() -> None:
    circuit = Circuit(5, 2)
    assert (circuit.embedding, circuit.readouts, circuit.entangler) == ("amplitude", "Y", "cnot")
    assert (circuit.dimension, circuit.inputs, circuit.outputs) == (32, 32, 5)
    assert (circuit.ansatz, circuit.pooling) == ("strong", False)
    assert circuit.weight_shape == (2, 5, 3)


def test_widths_of_an_angle_circuit_with_three_readouts() -> None:
    circuit = Circuit(4, 3, "angle", "ZXY")
    assert (circuit.dimension, circuit.inputs, circuit.outputs) == (16, 4, 12)


def test_weights_of_ry_rz_strong_are_five_a_qubit() -> None:
    assert Circuit(4, 3, ansatz="ry_rz_strong").weight_shape == (3, 4, 5)


@pytest.mark.parametrize(
    ("qubits", "outputs", "weights"), [(1, 2, 6), (2, 2, 15), (4, 4, 30), (5, 6, 36)]
)
def test_pooling_leaves_the_even_qubits_and_adds_three_weights_a_pair(
    qubits: int, outputs: int, weights: int
) -> None:
    circuit = Circuit(qubits, 2, "angle", "ZX", pooling=True)
    assert list(circuit.measured) == list(range(0, qubits, 2))
    assert circuit.outputs == outputs
    assert circuit.weight_shape == (weights,)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("qubits", 0),
        ("qubits", 11),
        ("depth", 0),
        ("embedding", "basis"),
        ("readouts", ""),
        ("readouts", "XX"),
        ("readouts", "XI"),
        ("readouts", "y"),
        ("entangler", "swap"),
        ("ansatz", "weak"),
    ],
)
def test_a_field_out_of_range_names_itself_its_value_and_the_mend(
    field: str, value: object
) -> None:
    with pytest.raises(CircuitError) as caught:
        Circuit(**{"qubits": 3, "depth": 1, field: value})
    message = str(caught.value)
    assert field in message
    assert repr(value) in message
    assert "give" in message
    assert "\n" not in message
    assert isinstance(caught.value, MedqnnError)


def test_a_circuit_is_a_value() -> None:
    circuit = Circuit(3, 2)
    assert hash(circuit) == hash(Circuit(3, 2))
    with pytest.raises(dataclasses.FrozenInstanceError):
        circuit.qubits = 4
