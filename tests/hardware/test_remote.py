"""Circuits on devices give what the exact simulation gives, through broken lines too."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hardware.flaky import FlakyTarget, UnableTarget
from medqnn.circuits import Circuit, expectations
from medqnn.errors import CircuitError, RunError
from medqnn.hardware.remote import TRIES, Remote
from medqnn.hardware.target import Target
from medqnn.layers import QuantumConv2d, QuantumLayer
from medqnn.layers.evaluated import evaluated_by, quantum_layers

CIRCUITS = [
    Circuit(3, 2, "amplitude", "Y"),
    Circuit(2, 1, "angle", "XZ"),
    Circuit(4, 1, "angle", "Z", pooling=True),
    Circuit(1, 1, "angle", "Z"),
]


def numbers(circuit: Circuit, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs of 3 images and 2 circuits, and weights."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(3, 2, circuit.inputs, generator=generator)
    return inputs, torch.randn(2, *circuit.weight_shape, generator=generator)


@pytest.mark.parametrize("device", ["default.qubit", "lightning.qubit", "default.mixed"])
@pytest.mark.parametrize("circuit", CIRCUITS, ids=str)
def test_a_device_without_shots_agrees_with_the_simulation(circuit: Circuit, device: str) -> None:
    inputs, weights = numbers(circuit)
    remote = Remote(Target(device), pytest.fail)
    values = remote(circuit, inputs, weights)
    torch.testing.assert_close(values, expectations(circuit, inputs, weights), atol=1e-5, rtol=0)
    assert values.dtype == torch.float32
    assert remote.circuits == 6
    np.testing.assert_allclose(np.concatenate(remote.values), values.flatten(), atol=1e-6)


def test_shots_scatter_as_they_should() -> None:
    circuit = CIRCUITS[1]
    inputs, weights = numbers(circuit)
    shots = 400
    values = Remote(Target("default.qubit", shots, (("seed", 1),)), pytest.fail)(
        circuit, inputs, weights
    )
    exact = expectations(circuit, inputs, weights)
    assert (values != exact).any()
    spread = ((1 - exact**2) / shots).sqrt().clamp_min(1 / shots)
    assert ((values - exact).abs() < 5 * spread).all()
    counts = (values + 1) / 2 * shots  # of +1
    torch.testing.assert_close(counts, counts.round(), atol=1e-3, rtol=0)


def test_a_broken_line_is_tried_again_with_longer_pauses() -> None:
    said: list[str] = []
    pauses: list[float] = []
    circuit = CIRCUITS[0]
    inputs, weights = numbers(circuit)
    remote = Remote(FlakyTarget("flaky", failing=(0, 1)), said.append, pauses.append)
    values = remote(circuit, inputs, weights)
    torch.testing.assert_close(values, expectations(circuit, inputs, weights), atol=1e-5, rtol=0)
    assert pauses == [2.0, 4.0]
    assert len(said) == 2
    assert "ConnectionError: the line is broken" in said[0]


def test_a_line_that_stays_broken_ends_in_one_sentence() -> None:
    pauses: list[float] = []
    remote = Remote(FlakyTarget("flaky", failing=tuple(range(99))), lambda _: None, pauses.append)
    with pytest.raises(RunError, match=rf"'flaky' failed {TRIES} times .*same command"):
        remote(CIRCUITS[0], *numbers(CIRCUITS[0]))
    assert len(pauses) == TRIES - 1


def test_vectors_of_zeros_give_zeros_and_no_images_give_none() -> None:
    circuit = CIRCUITS[0]
    inputs, weights = numbers(circuit)
    inputs[1, 0] = 0.0
    remote = Remote(Target("lightning.qubit"), pytest.fail)
    values = remote(circuit, inputs, weights)
    torch.testing.assert_close(values, expectations(circuit, inputs, weights), atol=1e-5, rtol=0)
    assert remote.circuits == 5
    assert remote(circuit, inputs[:0], weights).shape == (0, 2, 3)


def test_a_device_that_does_not_take_the_circuits_is_not_tried_again() -> None:
    remote = Remote(UnableTarget("unable"), lambda _: pytest.fail("tried again"))
    with pytest.raises(RunError, match=r"does not take these circuits .*no such gate"):
        remote(CIRCUITS[0], *numbers(CIRCUITS[0]))


def test_a_model_is_evaluated_elsewhere_for_a_while_only() -> None:
    model = torch.nn.Sequential(QuantumConv2d(1, 4, 2, 2), torch.nn.Flatten(), QuantumLayer(4))
    first, second = quantum_layers(model)
    images = torch.rand(2, 1, 4, 4)
    exact = model(images)
    remote = Remote(Target("lightning.qubit"), pytest.fail)
    with evaluated_by(model, remote):
        torch.testing.assert_close(model(images), exact, atol=1e-5, rtol=0)
    assert remote.circuits == 2 * 4 + 2
    with pytest.raises(CircuitError), evaluated_by(model, remote):
        model(torch.rand(2, 3, 4))  # a mistake within
    assert first.evaluate is second.evaluate is expectations
