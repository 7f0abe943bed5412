from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pennylane as qml
import pytest
import torch

from export.circuits import CIRCUITS, draw, layer_of, values
from medqnn.errors import CircuitError
from medqnn.export.pennylane import from_pennylane, tapes, to_pennylane, to_qnode
from medqnn.layers import QuantumLayer

STRONG, BASIC = (2, 3, 3), (2, 3)


def torch_layer(shape: tuple[int, ...], program: Callable[..., list[Any]]) -> Any:
    """PennyLane's own, of 3 wires; float64."""

    @qml.qnode(qml.device("default.qubit", wires=3), interface="torch")
    def node(inputs: Any, weights: Any) -> list[Any]:
        return program(inputs, weights)

    return qml.qnn.TorchLayer(node, {"weights": shape})


def strong_of_amplitudes(inputs: Any, weights: Any) -> list[Any]:
    qml.AmplitudeEmbedding(inputs, range(3), normalize=True)
    qml.StronglyEntanglingLayers(weights, range(3), imprimitive=qml.CZ)
    return [qml.expval(pauli(wire)) for pauli in (qml.PauliY, qml.PauliX) for wire in range(3)]


def basic_of_angles(inputs: Any, weights: Any) -> list[Any]:
    qml.AngleEmbedding(inputs, range(3))  # by R_x
    qml.BasicEntanglerLayers(weights, range(3))
    return [qml.expval(qml.PauliZ(wire)) for wire in range(3)]


@pytest.mark.parametrize("name", CIRCUITS)
def test_tapes_give_our_expectation_values(name: str) -> None:
    layer = layer_of(CIRCUITS[name])
    inputs = draw(layer, batch=2)
    results = qml.execute(tapes(layer, inputs), qml.device("default.qubit", wires=5))
    found = torch.stack([torch.stack(list(result)) for result in results])
    expected = values(layer, inputs).flatten(0, 1).flatten(1)
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=0)


def test_qnode_takes_batches_and_its_gradients_are_ours() -> None:
    layer = layer_of(CIRCUITS["iqp, real_amplitudes"], circuits=1)
    inputs = draw(layer, batch=3)[:, 0].requires_grad_()
    weights = layer.weight.detach()[0].requires_grad_()
    found = torch.stack(to_qnode(layer.circuit)(inputs, weights), dim=-1)
    torch.testing.assert_close(found.detach(), layer(inputs).detach(), atol=1e-10, rtol=0)
    grads = torch.autograd.grad(found.square().sum(), (inputs, weights))
    ours = torch.autograd.grad(layer(inputs).square().sum(), (inputs, layer.weight))
    torch.testing.assert_close(grads, (ours[0], ours[1][0]), atol=1e-10, rtol=0)


@pytest.mark.parametrize(
    ("shape", "program", "width"),
    [(STRONG, strong_of_amplitudes, 8), (BASIC, basic_of_angles, 3)],
)
def test_torch_layers_become_parallel_circuits_and_back(
    shape: tuple[int, ...], program: Callable[..., list[Any]], width: int
) -> None:
    theirs = [torch_layer(shape, program) for _ in range(2)]
    layer = from_pennylane(*theirs)
    assert isinstance(layer, QuantumLayer)
    assert torch.equal(layer.weight[1], theirs[1].qnode_weights["weights"])
    inputs = torch.randn(4, 2 * width, generator=torch.Generator().manual_seed(0))
    expected = torch.cat([own(x) for own, x in zip(theirs, inputs.chunk(2, -1), strict=True)], -1)
    torch.testing.assert_close(layer(inputs), expected.float(), atol=1e-5, rtol=0)
    back = to_pennylane(layer)
    found = torch.cat([own(x) for own, x in zip(back, inputs.chunk(2, -1), strict=True)], -1)
    torch.testing.assert_close(found.float(), expected.float(), atol=1e-5, rtol=0)


def reach_of_two(inputs: Any, weights: Any) -> list[Any]:
    qml.AngleEmbedding(inputs, range(3), rotation="Y")
    qml.StronglyEntanglingLayers(weights, range(3), ranges=[2, 2])
    return [qml.expval(qml.PauliZ(wire)) for wire in range(3)]


def by_hand(inputs: Any, weights: Any) -> list[Any]:
    qml.AngleEmbedding(inputs, range(3), rotation="Y")
    for wire in range(3):
        qml.Rot(*weights[0, wire], wires=wire)
    return [qml.expval(qml.PauliZ(wire)) for wire in range(3)]


def one_wire(inputs: Any, weights: Any) -> list[Any]:
    qml.AngleEmbedding(inputs, range(3), rotation="Y")
    qml.StronglyEntanglingLayers(weights, range(3))
    return [qml.expval(qml.PauliZ(1))]


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (reach_of_two, "differs from the Torch layer"),
        (by_hand, "StronglyEntanglingLayers or BasicEntanglerLayers"),
        (one_wire, "measures"),
    ],
)
def test_other_torch_layers_are_refused(program: Callable[..., list[Any]], words: str) -> None:
    with pytest.raises(CircuitError, match=words):
        from_pennylane(torch_layer(STRONG, program))


def probabilities(inputs: Any, weights: Any) -> Any:
    qml.AngleEmbedding(inputs, range(3), rotation="Y")
    qml.StronglyEntanglingLayers(weights, range(3))
    return qml.probs(wires=[0])


def test_what_measures_no_paulis_or_is_no_torch_layer_is_refused() -> None:
    with pytest.raises(CircuitError, match="give expectation values of PauliX, Y or Z"):
        from_pennylane(torch_layer(STRONG, probabilities))
    with pytest.raises(CircuitError, match=r"an object of QNode is given: .* qml.qnn.TorchLayer"):
        from_pennylane(torch_layer(STRONG, one_wire).qnode)


def test_torch_layers_of_different_circuits_are_refused() -> None:
    with pytest.raises(CircuitError, match="2 Torch layers: give at least one, all of the same"):
        from_pennylane(
            torch_layer(STRONG, strong_of_amplitudes), torch_layer(BASIC, basic_of_angles)
        )
    with pytest.raises(CircuitError, match="0 Torch layers"):
        from_pennylane()
