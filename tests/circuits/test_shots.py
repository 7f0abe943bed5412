from __future__ import annotations

import pytest
import torch
from scipy import stats

from medqnn.circuits import Circuit, expectations, shots
from medqnn.circuits import noise as noises
from medqnn.circuits.noise import Channel, Noise
from medqnn.errors import CircuitError

from . import oracle
from .noise.mixed import FULL


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_counts_are_a_multinomial_draw() -> None:
    """Every outcome's counts over many draws, against the binomial's mean and variance."""
    chances = torch.tensor([0.5, 0.0, 0.1, 0.15, 0.0, 0.0, 0.05, 0.2])
    drawn = shots.counts(chances.expand(4000, 8), 50, seeded())
    assert (drawn.sum(-1) == 50).all()
    assert (drawn == drawn.round()).all()
    assert drawn[:, chances == 0].count_nonzero() == 0
    expected = 50 * chances.double()
    spread = (expected * (1 - chances.double()) / 4000).sqrt()
    assert ((drawn.mean(0) - expected).abs() <= 4.5 * spread).all()
    covariance = drawn[:, [0, 7]].T.cov()
    assert covariance[0, 1] == pytest.approx(-50 * 0.5 * 0.2, rel=0.1)
    assert covariance[0, 0] == pytest.approx(50 * 0.25, rel=0.1)


def test_one_shot_is_one_outcome_by_chance() -> None:
    chances = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    drawn = shots.counts(chances.expand(5000, 4), 1, seeded())
    assert stats.chisquare(drawn.sum(0).numpy(), 5000 * chances.numpy()).pvalue > 1e-4


@pytest.mark.parametrize("noise", [None, FULL], ids=["noiseless", "noisy"])
@pytest.mark.parametrize("embedding", ["amplitude", "angle", "iqp"])
def test_means_are_expectation_values(embedding: str, noise: Noise | None) -> None:
    circuit = Circuit(3, 2, embedding, "YZ", pooling=True)
    inputs, weights, _ = oracle.draw(circuit, 2, 3, seed=0)
    exact = noises.expectations(circuit, inputs, weights, noise or Noise())
    values = shots.sample(circuit, inputs, weights, 20_000, seeded(), noise)
    spread = ((1 - exact.square()) / 20_000).sqrt()
    scores = (values - exact) / spread
    assert scores.abs().max() < 4.5
    assert 0.4 < scores.square().mean().sqrt() < 1.5


def test_readouts_of_a_circuit_come_from_the_same_shots() -> None:
    """A Bell pair: both qubits always agree, and their mean over odd shots is an odd number."""
    circuit = Circuit(2, 1, "angle", "Z", "cnot", "real_amplitudes")
    weights, inputs = torch.zeros(1, 1, 2), torch.tensor([[[torch.pi / 2, 0.0]]])
    values = shots.sample(circuit, inputs, weights, 7, seeded())
    assert values[0, 0, 0] == values[0, 0, 1]
    assert values[0, 0, 0] * 7 % 2 == 1
    assert values.abs().max() < 1


def test_a_wide_noisy_circuit() -> None:
    circuit = Circuit(8, 1, "angle", "Z", "cnot", "hardware_efficient", coupling=((0, 1),))
    inputs, weights, _ = oracle.draw(circuit, 1, 2, seed=0)
    noisy = Noise(before_readout=(Channel("bit_flip", 0.1),))
    values = shots.sample(circuit, inputs, weights, 400, seeded(), noisy)
    exact = 0.8 * expectations(circuit, inputs, weights)
    assert ((values - exact).abs() < 6 * 400**-0.5).all()


def test_seed_zeros_dtype_and_errors() -> None:
    circuit = Circuit(2, 1)
    inputs, weights, _ = oracle.draw(circuit, 2, 3, seed=0, dtype=torch.float32)
    inputs[1, 0] = 0.0
    one, same, other = (
        shots.sample(circuit, inputs, weights, 10, seeded(seed)) for seed in (0, 0, 1)
    )
    assert one.dtype == torch.float32
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert one[1, 0].count_nonzero() == 0
    with pytest.raises(CircuitError, match="shots is 0: give at least 1"):
        shots.sample(circuit, inputs, weights, 0, seeded())
