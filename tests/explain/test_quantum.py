from __future__ import annotations

import math

import numpy as np
import pennylane as qml
import pytest
import torch

from circuits import oracle
from explain.toys import frozen, noise
from medqnn.circuits import Circuit
from medqnn.errors import EvaluationError
from medqnn.explain.quantum import Gate, amplitudes, circuit_of, contributions
from medqnn.layers import VARIANTS, QuantumConv2d, QuantumLayer
from medqnn.models import SYSTEMS
from models.small import images, small

TARGETS = torch.tensor([2, 0, 3])


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_contributions_add_up_to_the_logit(system: str, variant: str) -> None:
    model, batch = frozen(small(system, variant)), images(system, 3)
    found = contributions(model, batch, TARGETS)
    logits = model(batch).logits.gather(1, TARGETS[:, None])[:, 0]
    scale = found.values.abs().sum(1).max().item()
    torch.testing.assert_close(
        found.values.sum(1) + found.at_zero, logits, atol=0.01 * scale, rtol=0
    )
    assert found.values.shape == (3, len(found.names))
    quantum = variant in ("hybrid", "product", "frozen")
    assert (found.readouts is None) != quantum
    assert bool(found.by_circuit()) == quantum
    if not quantum:
        assert found.names[0] == "feature 1"


@pytest.mark.parametrize("variant", ["hybrid", "dense"])
def test_a_linear_classifiers_are_weight_times_value(variant: str) -> None:
    model, batch = frozen(small("hqcm-ebtc", variant)), images("hqcm-ebtc", 3)
    found = contributions(model, batch, TARGETS)
    expected = model.classifier.weight[TARGETS] * model(batch).features
    torch.testing.assert_close(found.values, expected)
    torch.testing.assert_close(found.at_zero, model.classifier.bias[TARGETS])


def test_names_follow_the_layers_output() -> None:
    model = frozen(small("hybrid-mri", qubits=3, circuits=2))
    model.head.circuit = Circuit(3, 2, "angle", "ZX")
    model.classifier = frozen(torch.nn.Linear(12, 4))
    found = contributions(model, images("hybrid-mri", 3), TARGETS)
    assert found.names[:4] == (
        "circuit 1, qubit 1, Z",
        "circuit 1, qubit 2, Z",
        "circuit 1, qubit 3, Z",
        "circuit 1, qubit 1, X",
    )
    assert found.names[-1] == "circuit 2, qubit 3, X"
    values = found.values.view(3, 2, 2, 3)
    assert list(found.by_circuit()) == ["circuit 1", "circuit 2"]
    torch.testing.assert_close(found.by_circuit()["circuit 2"], values[:, 1].sum((1, 2)))


def test_a_quantum_convolutions_are_summed_over_places() -> None:
    model, batch = frozen(small("hqcnn-gvco", pooling=True)), images("hqcnn-gvco", 3)
    model.classifier = frozen(torch.nn.Linear(8 * 16, 4))  # so that the shares are known
    found = contributions(model, batch, TARGETS)
    each = model.classifier.weight[TARGETS] * model(batch).features
    torch.testing.assert_close(found.values, each.view(3, 8, 16).sum(2))
    assert found.names[:3] == (
        "circuit 1, qubit 1, Z",
        "circuit 1, qubit 3, Z",
        "circuit 2, qubit 1, Z",
    )


def test_wrong_input_is_refused() -> None:
    model = frozen(small("hqcm-ebtc"))
    with pytest.raises(EvaluationError, match="classes 0 to 3"):
        contributions(model, images("hqcm-ebtc", 1), torch.tensor([4]))
    with pytest.raises(EvaluationError, match="give float32"):
        contributions(model, noise(1, 2, 32, 32), torch.tensor([0]))
    with pytest.raises(EvaluationError, match="give float32"):
        amplitudes(model, noise(1, 2, 32, 32))


def test_amplitudes_are_pennylanes_probabilities() -> None:
    model, batch = frozen(small("hqcm-ebtc")), images("hqcm-ebtc", 2)
    model.projection.bias += 0.1
    read: list[torch.Tensor] = []
    model.head.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
    found = amplitudes(model, batch)
    assert found is not None
    assert found.shape == (2, 5, 32)
    device = qml.device("default.qubit", wires=5)

    @qml.qnode(device)
    def embedded(vector: np.ndarray) -> object:
        qml.AmplitudeEmbedding(vector, range(5), normalize=True)
        return qml.probs(wires=range(5))

    for image in range(2):
        for circuit in range(5):
            vector = read[0][image].view(5, 32)[circuit].double().numpy()
            np.testing.assert_allclose(found[image, circuit], embedded(vector), atol=1e-6)


def test_a_vector_of_zeros_has_no_state() -> None:
    model = frozen(small("hqcm-ebtc"))
    model.projection.bias -= 100.0
    found = amplitudes(model, images("hqcm-ebtc", 1))
    assert found is not None
    assert not found.any()


def test_angles_are_what_the_circuit_turns_by() -> None:
    model, batch = frozen(small("hybrid-mri", circuits=2)), images("hybrid-mri", 2)
    read: list[torch.Tensor] = []
    model.head.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
    found = amplitudes(model, batch)
    assert found is not None
    assert torch.equal(found, read[0].view(2, 2, 4))
    assert found.abs().max() <= math.pi / 2


def test_angles_of_a_quantum_convolution_are_means_over_patches() -> None:
    model, batch = frozen(small("hqcnn-gvco")), images("hqcnn-gvco", 2)
    read: list[torch.Tensor] = []
    model.head.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
    found = amplitudes(model, batch)
    maps = read[0]  # (2, 4, 8, 8), patches of 2×2
    corners = [maps[:, :, row::2, column::2].mean((2, 3)) for row in (0, 1) for column in (0, 1)]
    torch.testing.assert_close(found, torch.stack(corners, dim=-1))


def test_every_circuit_of_a_channel_reads_the_same_angles() -> None:
    model = frozen(small("hqcnn-gvco"))
    model.head = frozen(QuantumConv2d(4, 32, 2, stride=2))
    model.classifier = frozen(torch.nn.Linear(32 * 16, 4))
    found = amplitudes(model, images("hqcnn-gvco", 1))
    assert found is not None
    assert found.shape == (1, 8, 4)
    assert torch.equal(found[:, 0::2], found[:, 1::2])
    assert not torch.equal(found[:, 0], found[:, 2])


@pytest.mark.parametrize("variant", ["dense", "matched", "none"])
@pytest.mark.parametrize("system", ["hqcm-ebtc", "hqcnn-gvco"])
def test_classical_twins_embed_nothing(system: str, variant: str) -> None:
    assert amplitudes(frozen(small(system, variant)), images(system, 1)) is None


CIRCUITS = [
    QuantumLayer(5, 2, 2),
    QuantumLayer(4, 1, 2, "angle", "Z", "cz"),
    QuantumLayer(4, 1, 2, "angle", "Z", ansatz="ry_rz_strong"),
    QuantumLayer(3, 1, 2, "angle", "Z", entangler="none"),
    QuantumLayer(1, 2, 2, "angle", "Z"),
    QuantumConv2d(2, 4, 2, pooling=True),
    QuantumConv2d(1, 3, (5, 1), pooling=True),
    QuantumConv2d(1, 2, 2, entangler="none", pooling=True),
]


@pytest.mark.parametrize("layer", CIRCUITS, ids=repr)
def test_gates_are_pennylanes(layer: QuantumLayer | QuantumConv2d) -> None:
    drawn = circuit_of(layer)
    assert len(drawn) == len(layer.weight)
    for circuit, weights in zip(drawn, layer.weight.detach().double().numpy(), strict=True):
        with qml.queuing.AnnotatedQueue() as queue:
            for gate in (gate for part in circuit for gate in part):
                getattr(qml, gate.name)(*gate.angles, wires=gate.qubits)
        tape = qml.tape.QuantumScript.from_queue(queue)
        matrix = qml.matrix(tape, wire_order=range(layer.circuit.qubits))
        expected = oracle.ansatz_matrix(layer.circuit, weights)
        np.testing.assert_allclose(matrix, expected, atol=1e-6)


@pytest.mark.parametrize("entangler", ["cnot", "cz"])
def test_gates_stand_in_the_order_of_pennylanes_tape(entangler: str) -> None:
    layer = QuantumLayer(5, 1, 2, entangler=entangler)
    (circuit,) = circuit_of(layer)
    template = qml.StronglyEntanglingLayers(
        layer.weight[0].detach().double().numpy(),
        range(5),
        imprimitive=oracle.IMPRIMITIVE[entangler],
    )
    names = {"Rot": "Rot", "CNOT": "CNOT", "CZ": "CZ"}
    tape = [
        Gate(names[gate.name], tuple(gate.wires), tuple(float(angle) for angle in gate.data))
        for gate in template.decomposition()
    ]
    assert [len(part) for part in circuit] == [10, 10]
    for ours, theirs in zip([gate for part in circuit for gate in part], tape, strict=True):
        assert ours[:2] == theirs[:2]
        assert ours.angles == pytest.approx(theirs.angles)


def test_gates_without_a_weight_are_not_drawn() -> None:
    (circuit,) = circuit_of(QuantumLayer(4, 1, 1, "angle", "Z", ansatz="ry_rz_strong"))
    assert [gate.name for gate in circuit[0]] == ["RY", "RZ"] * 4 + ["CNOT"] * 4
    assert [gate.name for gate in circuit[1]] == ["Rot"] * 4 + ["CNOT"] * 4
