from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import beta, entropy, kstest

from diagnostics.test_states import pennylane_state
from medqnn.circuits import Circuit
from medqnn.diagnostics.expressibility import (
    BINS,
    divergence,
    fidelities,
    haar_floor,
    haar_log_masses,
)
from medqnn.diagnostics.states import draw_inputs, draw_weights, states

HALF = (-math.pi / 2, math.pi / 2)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("dimension", [2, 4, 16])
def test_masses_are_those_of_the_beta_distribution(dimension: int) -> None:
    edges = np.linspace(0, 1, BINS + 1)
    expected = -np.diff(beta.sf(edges, 1, dimension - 1))
    np.testing.assert_allclose(np.exp(haar_log_masses(dimension)), expected, rtol=1e-6)
    assert np.exp(haar_log_masses(dimension)).sum() == pytest.approx(1.0)


def test_masses_of_many_qubits_keep_their_logarithm() -> None:
    masses = haar_log_masses(1024)
    assert np.isfinite(masses).all()
    assert masses[-1] == pytest.approx(-1023 * math.log(BINS))


@pytest.mark.parametrize("dimension", [2, 16, 1024])
def test_a_circuit_that_does_nothing_is_as_far_as_can_be(dimension: int) -> None:
    stuck = torch.full((100,), 1.0 + 1e-15, dtype=torch.float64)
    assert divergence(stuck, dimension) == pytest.approx((dimension - 1) * math.log(BINS))


def test_divergence_is_scipys_relative_entropy() -> None:
    sample = torch.rand(3000, dtype=torch.float64, generator=generator())
    counts = np.histogram(sample.numpy(), 10, (0, 1))[0]
    expected = entropy(counts, np.exp(haar_log_masses(4, 10)))
    assert divergence(sample, 4, 10) == pytest.approx(expected)


def test_floor_is_the_bias_of_a_histogram() -> None:
    floor = haar_floor(4, 5000, generator())
    assert floor.mean == pytest.approx((BINS - 1) / (2 * 5000), rel=0.15)
    fewer = haar_floor(4, 1250, generator())
    assert fewer.mean == pytest.approx(4 * floor.mean, rel=0.2)
    assert 0 < floor.sd < floor.mean / 2


def test_fidelities_are_pennylanes_of_the_same_input() -> None:
    circuit = Circuit(3, 1, "amplitude", "Y")
    found = fidelities(circuit, HALF, 5, generator(3))
    again = generator(3)
    inputs = draw_inputs(circuit, 5, HALF, again)
    one, other = (draw_weights(circuit, 5, again) for _ in range(2))
    for value, x, a, b in zip(found, inputs, one, other, strict=True):
        overlap = np.vdot(pennylane_state(circuit, x, a), pennylane_state(circuit, x, b))
        assert value.item() == pytest.approx(abs(overlap) ** 2, abs=1e-12)


def test_states_of_haar_random_vectors_have_these_fidelities() -> None:
    normal = torch.randn(2, 4000, 8, dtype=torch.complex128, generator=generator())
    one, other = normal / normal.norm(dim=-1, keepdim=True)
    sample = (one.conj() * other).sum(1).abs().square()
    assert kstest(sample.numpy(), beta(1, 7).cdf).pvalue > 0.01
    floor = haar_floor(8, 4000, generator())
    assert abs(divergence(sample, 8) - floor.mean) < 4 * floor.sd


def test_gates_make_a_circuit_more_expressive() -> None:
    whole, product = (
        Circuit(4, 3, "angle", "Z", entangler, "ry_rz_strong") for entangler in ("cnot", "none")
    )
    floor = haar_floor(16, 3000, generator())
    reached = [divergence(fidelities(c, HALF, 3000, generator()), 16) for c in (whole, product)]
    assert abs(reached[0] - floor.mean) < 5 * floor.sd
    assert reached[1] > 20 * floor.mean


def test_input_states_are_not_part_of_the_spread() -> None:
    circuit = Circuit(2, 1, "angle", "Z")
    inputs = draw_inputs(circuit, 3, HALF, generator())
    weights = draw_weights(circuit, 3, generator(1))
    same = states(circuit, inputs, weights)
    assert divergence((same.conj() * same).sum(1).abs().square(), 4) == pytest.approx(
        3 * math.log(BINS)
    )
