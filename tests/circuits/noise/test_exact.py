from __future__ import annotations

import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from torch import Tensor

from medqnn.circuits import Circuit, noise
from medqnn.circuits import expectations as noiseless
from medqnn.circuits.gates import z_eigenvalues
from medqnn.circuits.noise import Channel, Noise, ReadoutError
from medqnn.errors import CircuitError

from .. import oracle
from . import mixed

EVERY_KIND = [
    Circuit(3, 2, "amplitude", "YX"),
    Circuit(3, 1, "angle", "XYZ", "cz"),
    Circuit(2, 2, "angle", "Z", "cnot", "ry_rz_strong"),
    Circuit(3, 1, "amplitude", "Z", "cnot", "strong", pooling=True),
    Circuit(2, 2, "angle", "Y", "none", "ry_rz_strong", pooling=True),
    Circuit(3, 2, "angle_x", "ZY", "cnot", "basic"),
    Circuit(2, 2, "angle_z", "X", "cz", "real_amplitudes"),
    Circuit(3, 1, "iqp", "YZ", "cnot", "hardware_efficient", coupling=((2, 0), (0, 1))),
    Circuit(2, 2, "angle", "ZX", reupload=True),
    Circuit(2, 2, "iqp", "Y", "cz", "basic", reupload=True),
    Circuit(1, 2, "angle", "XYZ"),
]
NO_SHRINKING = (Phase.explicit, Phase.generate)  # the oracle takes a second an example
SMALL = st.builds(
    Circuit,
    qubits=st.integers(1, 3),
    depth=st.integers(1, 2),
    embedding=st.sampled_from(["amplitude", "angle", "angle_x", "angle_z", "iqp"]),
    readouts=st.sampled_from(["Z", "YX"]),
    entangler=st.sampled_from(["cnot", "cz", "none"]),
    ansatz=st.sampled_from(["strong", "ry_rz_strong", "basic", "hardware_efficient"]),
)


def assert_equals_default_mixed(circuit: Circuit, noisy: Noise, seed: int) -> None:
    """Values and gradients to inputs and weights, to 1e-10 in float64."""
    drawn = oracle.draw(circuit, circuits=2, batch=2, seed=seed)
    ours = oracle.gradients(lambda *a: noise.expectations(*a, noisy), circuit, *drawn)
    theirs = oracle.gradients(lambda *a: mixed.expectations(*a, noisy), circuit, *drawn)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other.real, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("circuit", EVERY_KIND, ids=repr)
def test_every_kind_of_circuit_under_every_noise_is_pennylanes(circuit: Circuit) -> None:
    assert_equals_default_mixed(circuit, mixed.FULL, seed=0)


@settings(max_examples=6, deadline=None, derandomize=True, phases=NO_SHRINKING)
@given(SMALL, mixed.NOISES, st.integers(0, 999))
def test_values_and_gradients_are_pennylanes(circuit: Circuit, noisy: Noise, seed: int) -> None:
    assert_equals_default_mixed(circuit, noisy, seed)


@pytest.mark.parametrize("circuit", EVERY_KIND, ids=repr)
@pytest.mark.parametrize("folds", [1, 3])
def test_without_noise_it_is_the_exact_circuit_folded_or_not(circuit: Circuit, folds: int) -> None:
    drawn = oracle.draw(circuit, circuits=2, batch=3, seed=1)
    ours = oracle.gradients(
        lambda *a: noise.expectations(*a, Noise(), folds=folds), circuit, *drawn
    )
    theirs = oracle.gradients(oracle.expectations, circuit, *drawn)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=1e-10)


def test_folding_multiplies_depolarising() -> None:
    """Joint depolarising on two qubits commutes with all gates, so three times is the cube."""
    circuit = Circuit(2, 1, "angle", "Z", ansatz="hardware_efficient")
    inputs, weights, _ = oracle.draw(circuit, 2, 3, seed=0)
    noisy = Noise(two_qubit=(Channel("depolarising", 0.1),))
    folded = noise.expectations(circuit, inputs, weights, noisy, folds=3)
    scaled = noise.expectations(circuit, inputs, weights, noisy.scaled(3.0))
    torch.testing.assert_close(folded, scaled, atol=1e-12, rtol=0)
    exact = noiseless(circuit, inputs, weights)
    torch.testing.assert_close(folded, exact * (1 - 16 / 15 * 0.1) ** 3, atol=1e-12, rtol=0)


@pytest.mark.parametrize("circuit", EVERY_KIND, ids=repr)
def test_probabilities_hold_the_expectation_values(circuit: Circuit) -> None:
    inputs, weights, _ = oracle.draw(circuit, 2, 3, seed=2)
    chances = noise.probabilities(circuit, inputs, weights, mixed.FULL)
    assert chances.shape == (3, 2, len(circuit.readouts), circuit.dimension)
    assert chances.min() >= -1e-12
    torch.testing.assert_close(chances.sum(-1), torch.ones_like(chances[..., 0]))
    signs = z_eigenvalues(circuit.qubits)[:, list(circuit.measured)]
    expected = noise.expectations(circuit, inputs, weights, mixed.FULL)
    torch.testing.assert_close((chances @ signs).flatten(-2), expected, atol=1e-12, rtol=0)


def test_each_qubit_has_its_own_readout_error() -> None:
    circuit = Circuit(3, 1, "angle", "ZY")
    inputs, weights, _ = oracle.draw(circuit, 1, 4, seed=0)
    errors = (ReadoutError(0.0, 0.0), ReadoutError(0.3, 0.1), ReadoutError(0.0, 0.5))
    exact = noise.expectations(circuit, inputs, weights, Noise())
    told = noise.expectations(circuit, inputs, weights, Noise(readout=errors))
    slopes, offsets = torch.tensor([1.0, 0.6, 0.5] * 2), torch.tensor([0.0, -0.2, 0.5] * 2)
    torch.testing.assert_close(told, exact * slopes + offsets)
    with pytest.raises(CircuitError, match=r"3 readout errors for 2 qubits: give none, one.*or 2"):
        noise.expectations(Circuit(2, 1), torch.ones(1, 1, 4), torch.ones(1, 1, 2, 3),
                           Noise(readout=errors))  # fmt: skip


@pytest.mark.parametrize("lead", [(), (0,), (2, 3)])
@pytest.mark.parametrize("embedding", ["amplitude", "angle", "iqp"])
def test_any_leading_dimensions_and_dtype(lead: tuple[int, ...], embedding: str) -> None:
    circuit = Circuit(2, 1, embedding, "XZ")
    weights = torch.randn(3, 1, 2, 3, requires_grad=True)
    inputs = torch.randn(*lead, 3, circuit.inputs, dtype=torch.bfloat16, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        values = noise.expectations(circuit, inputs, weights, mixed.FULL)
    assert values.shape == (*lead, 3, 4)
    assert values.dtype == torch.float32
    values.sum().backward()
    assert inputs.grad.dtype == torch.bfloat16
    flat = inputs.detach().float().reshape(-1, 3, circuit.inputs)
    expected = noise.expectations(circuit, flat, weights.detach(), mixed.FULL)
    torch.testing.assert_close(values.detach().reshape(-1, 3, 4), expected)


def test_a_vector_of_zeros_gives_zeros() -> None:
    circuit, weights = Circuit(2, 1), torch.randn(1, 1, 2, 3)
    inputs = torch.zeros(1, 1, 4, requires_grad=True)
    values = noise.expectations(circuit, inputs, weights, mixed.FULL)
    assert values.count_nonzero() == 0
    values.sum().backward()
    assert inputs.grad.count_nonzero() == 0


def test_second_derivatives() -> None:
    circuit = Circuit(2, 1, "amplitude", "Y")
    inputs, weights, _ = oracle.draw(circuit, 1, 2, seed=0)

    def evaluate(inputs: Tensor, weights: Tensor) -> Tensor:
        return noise.expectations(circuit, inputs, weights, mixed.FULL)

    pair = (inputs.requires_grad_(), weights.requires_grad_())
    assert torch.autograd.gradgradcheck(evaluate, pair)


@pytest.mark.parametrize("embedding", ["amplitude", "angle", "iqp"])
def test_constants_of_inference_serve_training(embedding: str) -> None:
    circuit = Circuit(2, 3, embedding, "X")
    inputs, weights, _ = oracle.draw(circuit, 1, 2, seed=0)
    with torch.inference_mode():
        noise.expectations(circuit, inputs, weights, mixed.FULL)
        noise.probabilities(circuit, inputs, weights, mixed.FULL)
    pair = inputs.requires_grad_(), weights.requires_grad_()
    for evaluate in (noise.expectations, noise.probabilities):
        values = evaluate(circuit, *pair, mixed.FULL)
        grads = torch.autograd.grad(values.square().sum(), pair)
        assert all(grad.abs().max() > 0 for grad in grads)


def test_a_wide_circuit_is_sent_to_trajectories() -> None:
    circuit = Circuit(9, 1)
    with pytest.raises(CircuitError, match=r"9 qubits.*at most 8.*trajectories"):
        noise.expectations(circuit, torch.ones(1, 1, 512), torch.ones(1, 1, 9, 3), Noise())
