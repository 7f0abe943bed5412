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
    ("ansatz", "shape", "pooled"),
    [("basic", (3, 4), 18), ("hardware_efficient", (3, 4, 2), 30), ("real_amplitudes", (3, 4), 18)],
)
def test_weights_of_one_angle_a_qubit_have_no_dimension_for_it(
    ansatz: str, shape: tuple[int, ...], pooled: int
) -> None:
    assert Circuit(4, 3, ansatz=ansatz).weight_shape == shape
    assert Circuit(4, 3, ansatz=ansatz, pooling=True).weight_shape == (pooled,)


@pytest.mark.parametrize("embedding", ["angle", "angle_x", "angle_z", "iqp"])
def test_every_embedding_but_amplitudes_reads_a_number_a_qubit(embedding: str) -> None:
    assert Circuit(5, 1, embedding).inputs == 5


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
        ("qubits", 25),
        ("depth", 0),
        ("embedding", "basis"),
        ("readouts", ""),
        ("readouts", "XX"),
        ("readouts", "XI"),
        ("readouts", "y"),
        ("entangler", "swap"),
        ("ansatz", "weak"),
        ("reupload", True),
        ("coupling", ((0, 1),)),
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


def test_the_widest_circuit() -> None:
    assert Circuit(24, 1, "angle").outputs == 24


@pytest.mark.parametrize(
    "coupling", [(), (0, 1), ((0, 0),), ((0, 3),), ((-1, 0),), ((0, 1, 2),), ((0, 1), (0, 1)), 3]
)
def test_a_coupling_that_does_not_fit(coupling: object) -> None:
    with pytest.raises(CircuitError, match="0 to 2, each pair once") as caught:
        Circuit(3, 1, ansatz="hardware_efficient", coupling=coupling)
    assert repr(coupling) in str(caught.value)


def test_a_coupling_read_from_a_file_is_made_hashable() -> None:
    circuit = Circuit(3, 1, ansatz="hardware_efficient", coupling=[[2, 0], [0, 1]])
    assert circuit.coupling == ((2, 0), (0, 1))
    assert hash(circuit) == hash(dataclasses.replace(circuit))
