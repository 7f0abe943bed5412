from __future__ import annotations

import pytest
import torch

from medqnn.circuits import Circuit, noise
from medqnn.circuits import expectations as noiseless
from medqnn.circuits.noise import Channel, Noise, ReadoutError, trajectories
from medqnn.errors import CircuitError

from .. import oracle
from .mixed import FULL
from .test_exact import EVERY_KIND


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("circuit", EVERY_KIND, ids=repr)
def test_means_are_the_mixed_states_within_their_errors(circuit: Circuit) -> None:
    inputs, weights, _ = oracle.draw(circuit, 2, 3, seed=0)
    exact = noise.expectations(circuit, inputs, weights, FULL)
    found = trajectories.expectations(circuit, inputs, weights, FULL, 600, seeded(1))
    scores = (found.values - exact) / found.errors
    assert scores.abs().max() < 4.5
    assert 0.5 < scores.square().mean().sqrt() < 1.7
    assert found.errors.max() < 1 / 600**0.5


@pytest.mark.parametrize("circuit", EVERY_KIND, ids=repr)
def test_without_channels_one_trajectory_is_exact(circuit: Circuit) -> None:
    inputs, weights, _ = oracle.draw(circuit, 2, 3, seed=0)
    coherent = Noise(readout=(ReadoutError(0.1, 0.2),), over_rotation=0.1)
    found = trajectories.probabilities(circuit, inputs, weights, coherent, 1, seeded(0))
    expected = noise.probabilities(circuit, inputs, weights, coherent)
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)


def test_a_wide_circuit_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Phase flips before ⟨Z⟩ and joint depolarising have known effects at any width."""
    monkeypatch.setattr(trajectories, "AMPLITUDES", 2**14)
    circuit = Circuit(10, 1, "angle", "Z", "cnot", "hardware_efficient", coupling=((3, 7),))
    inputs, weights, _ = oracle.draw(circuit, 1, 2, seed=0)
    noisy = Noise(two_qubit=(Channel("depolarising", 0.3),))
    found = trajectories.expectations(circuit, inputs, weights, noisy, 300, seeded(0))
    kept = torch.ones(10, dtype=torch.float64)
    kept[[3, 7]] = 1 - 16 / 15 * 0.3
    expected = noiseless(circuit, inputs, weights) * kept
    far = (found.values - expected).abs() - 1e-12
    assert (far < 4.5 * found.errors).all()
    assert found.errors[..., [3, 7]].min() > 0


def test_the_seed_decides_and_no_image_or_zeros_will_do() -> None:
    circuit = Circuit(3, 1)
    inputs, weights, _ = oracle.draw(circuit, 2, 3, seed=0)
    inputs[0, 0] = 0.0
    one, same, other = (
        trajectories.expectations(circuit, inputs, weights, FULL, 20, seeded(seed)).values
        for seed in (0, 0, 1)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert one[0, 0].count_nonzero() == 0
    empty = trajectories.expectations(circuit, inputs[:0], weights, FULL, 20, seeded(0))
    assert empty.values.shape == (0, 2, 3)
    with pytest.raises(CircuitError, match="count is 1: give at least 2"):
        trajectories.expectations(circuit, inputs, weights, FULL, 1, seeded(0))
