from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from medqnn.circuits import Circuit, mitigation
from medqnn.circuits import expectations as noiseless
from medqnn.circuits import noise as noises
from medqnn.circuits.noise import Channel, Noise, ReadoutError
from medqnn.errors import CircuitError
from medqnn.layers import QuantumConv2d, QuantumLayer
from medqnn.layers.noisy import noisy

NOISE = Noise(
    one_qubit=(Channel("depolarising", 0.05),),
    two_qubit=(Channel("depolarising", 0.1),),
    readout=(ReadoutError(0.02, 0.05),),
)


@pytest.fixture
def model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 6), QuantumLayer(3, 2, 2, "angle", "Z"), nn.Linear(6, 2))


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(8, 5, generator=torch.Generator().manual_seed(1))


def of_layer(model: nn.Sequential, images: torch.Tensor, noise: Noise) -> torch.Tensor:
    layer = model[1]
    angles = model[0](images).unflatten(-1, (2, 3))
    return model[2](noises.expectations(layer.circuit, angles, layer.weight, noise).flatten(-2))


def test_the_block_is_noisy_and_the_model_after_it_is_not(
    model: nn.Sequential, images: torch.Tensor
) -> None:
    before = model(images)
    with noisy(model, NOISE) as device:
        assert device is model
        torch.testing.assert_close(device(images), of_layer(model, images, NOISE))
    assert torch.equal(model(images), before)
    with pytest.raises(RuntimeError, match="inside"), noisy(model, NOISE):
        raise RuntimeError("inside")
    assert torch.equal(model(images), before)


def test_shots_are_drawn_by_seed_and_fewer_are_farther_off(
    model: nn.Sequential, images: torch.Tensor
) -> None:
    def run(shots: int, seed: int) -> torch.Tensor:
        with torch.no_grad(), noisy(model, NOISE, shots, seed):
            return model(images)

    assert torch.equal(run(100, 3), run(100, 3))
    assert not torch.equal(run(100, 3), run(100, 4))
    expected = of_layer(model, images, NOISE).detach()
    few, many = ((run(shots, 0) - expected).square().mean().sqrt() for shots in (100, 10_000))
    assert few / many == pytest.approx(10, rel=0.4)


def test_shots_in_training_have_the_gradient_of_the_expectation_value(
    model: nn.Sequential, images: torch.Tensor
) -> None:
    def gradient(shots: int | None) -> tuple[torch.Tensor, torch.Tensor]:
        with noisy(model, NOISE, shots):
            values = model(images)
        return values.detach(), torch.autograd.grad(values.sum(), model[1].weight)[0]

    (exact, through), (drawn, straight) = gradient(None), gradient(50)
    assert (drawn - exact).abs().max() > 0.01
    torch.testing.assert_close(straight, through)


def test_mitigation_brings_it_nearer(model: nn.Sequential, images: torch.Tensor) -> None:
    exact = model(images)
    with noisy(model, NOISE):
        raw = model(images)
    with noisy(model, NOISE, mitigation=mitigation.Mitigation(fit="richardson")):
        better = model(images)
    assert (better - exact).abs().mean() < 0.5 * (raw - exact).abs().mean()


def test_training_under_noise(model: nn.Sequential, images: torch.Tensor) -> None:
    labels = (images[:, 0] > 0).long()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.1)
    losses = []
    with noisy(model, NOISE):
        for _ in range(20):
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(model(images), labels)
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    copy.deepcopy(model)


def test_a_quantum_convolution_is_noisy_too() -> None:
    torch.manual_seed(0)
    layer, images = QuantumConv2d(2, 8, 2, stride=2), torch.randn(3, 2, 4, 4)
    flipped = Noise(before_readout=(Channel("bit_flip", 0.1),))
    with noisy(nn.Sequential(layer), flipped):
        values = layer(images)
    torch.testing.assert_close(values, 0.8 * layer(images))


def test_a_wide_layer_is_averaged_over_trajectories_and_not_trained() -> None:
    torch.manual_seed(0)
    layer = QuantumLayer(9, 1, 1, "angle", "Z", ansatz="real_amplitudes", entangler="none")
    angles = torch.randn(2, 9)
    flips = Noise(before_readout=(Channel("bit_flip", 0.1),))
    with noisy(layer, flips), torch.no_grad():
        values = layer(angles)
    circuit = Circuit(9, 1, "angle", "Z", "none", "real_amplitudes")
    expected = 0.8 * noiseless(circuit, angles[:, None], layer.weight)[:, 0].detach()
    assert ((values - expected).abs() < 6 / 256**0.5).all()
    assert not torch.equal(values, expected)
    with noisy(layer, flips), pytest.raises(CircuitError, match=r"9 qubits.*up to 8.*no_grad"):
        layer(angles)


def test_a_model_without_a_quantum_layer_is_refused() -> None:
    with pytest.raises(CircuitError, match="no quantum layer"), noisy(nn.Linear(2, 2), NOISE):
        pass
