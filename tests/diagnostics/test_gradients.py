from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
import torch
from scipy.stats import unitary_group

from circuits import oracle
from medqnn.circuits import Circuit
from medqnn.diagnostics import gradients
from medqnn.diagnostics.gradients import (
    Gradients,
    decay,
    gradient_variance,
    plateau,
    summarise,
    weight_gradients,
)
from medqnn.diagnostics.states import draw_inputs, draw_weights

HALF = (-math.pi / 2, math.pi / 2)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    "circuit",
    [
        Circuit(3, 2, "amplitude", "Y", "cnot"),
        Circuit(3, 1, "angle", "ZX", "cz", "ry_rz_strong"),
        Circuit(4, 1, "angle", "Z", "cnot", pooling=True),
    ],
    ids=repr,
)
def test_gradients_are_pennylanes(circuit: Circuit) -> None:
    inputs = draw_inputs(circuit, 3, HALF, generator())
    weights = draw_weights(circuit, 3, generator(1))
    found = weight_gradients(circuit, inputs, weights)
    assert found.shape == (3, circuit.outputs, math.prod(circuit.weight_shape))
    for one, own, ours in zip(inputs, weights, found, strict=True):
        own = own[None].requires_grad_()
        values = oracle.expectations(circuit, one[None, None], own)[0, 0]
        for value, row in zip(values, ours, strict=True):
            (theirs,) = torch.autograd.grad(value, own, retain_graph=True)
            torch.testing.assert_close(row, theirs.flatten(), atol=1e-12, rtol=1e-10)


def test_variances_of_one_qubit_are_those_by_hand() -> None:
    # ⟨Z⟩ = cos θ cos x - sin θ sin x cos φ, with x in ±π/2: Var ∂θ = 1/4 + 1/8, Var ∂φ = 1/8
    found = gradient_variance(Circuit(1, 1, "angle", "Z"), HALF, 20_000, generator())
    assert abs(found.variance - 1 / 4) < 4 * found.error < 0.01
    assert found.live_pairs == pytest.approx(2 / 3)
    assert found.dead_weights == pytest.approx(1 / 3)  # ω


def test_range_of_the_angles_counts() -> None:
    # with x = 0: ⟨Z⟩ = cos θ, so that θ alone lives
    found = gradient_variance(Circuit(1, 1, "angle", "Z"), (0.0, 0.0), 20_000, generator())
    assert abs(found.variance - 1 / 2) < 4 * found.error < 0.02
    assert found.dead_weights == pytest.approx(2 / 3)


def test_standard_error_is_the_spread_over_repeats() -> None:
    circuit, draws = Circuit(1, 1, "angle", "Z"), generator()
    repeats = [gradient_variance(circuit, HALF, 100, draws) for _ in range(600)]
    spread = np.std([one.variance for one in repeats], ddof=1)
    assert np.mean([one.error for one in repeats]) == pytest.approx(spread, rel=0.1)


def test_readouts_of_a_product_circuit_feel_their_own_qubit_alone() -> None:
    circuit = Circuit(3, 2, "amplitude", "Y", "none")
    found = gradient_variance(circuit, HALF, 50, generator())
    assert found.live_pairs == pytest.approx(1 / 3)
    assert found.dead_weights == 0.0  # Y does not commute with the last rotation about z


def test_weights_behind_every_readout_are_dead() -> None:
    for circuit, dead in (
        (Circuit(4, 3, "angle", "Z", "cnot", "ry_rz_strong"), 4 / 60),
        (Circuit(4, 2, "angle", "Z"), 4 / 24),
        (Circuit(5, 2, "amplitude", "Y"), 0.0),
    ):
        found = gradient_variance(circuit, HALF, 50, generator())
        assert found.dead_weights == pytest.approx(dead)


@pytest.mark.parametrize("qubits", [2, 5])
def test_deep_circuits_end_on_the_plateau(qubits: int) -> None:
    circuit = Circuit(qubits, 12, "angle", "Z")
    found = gradient_variance(circuit, HALF, 2000, generator())
    assert found.variance == pytest.approx(plateau(qubits), rel=0.03)


def test_plateau_is_that_of_haar_random_unitaries() -> None:
    random = np.random.default_rng(0)
    z, y = np.diag([1.0, 1, -1, -1]), np.kron([[0, -1j], [1j, 0]], np.eye(2))
    ends = unitary_group(4, seed=random).rvs(40_000)
    starts = unitary_group(4, seed=random).rvs(40_000)[:, :, 0]
    readouts = ends.conj().swapaxes(1, 2) @ z @ ends
    slopes = 0.5j * (y @ readouts - readouts @ y)
    found = np.einsum("si,sij,sj->s", starts.conj(), slopes, starts).real
    assert found.var() == pytest.approx(plateau(2), rel=0.03)


def test_variance_is_about_the_mean_and_unbiased() -> None:
    values = torch.tensor([1.0, 2.0, 6.0], dtype=torch.float64)[:, None, None]
    assert summarise(values).variance == pytest.approx(np.var([1, 2, 6], ddof=1))


def test_gradients_that_all_vanish_are_told() -> None:
    nothing = torch.full((5, 2, 3), 1e-17, dtype=torch.float64)
    assert summarise(nothing) == Gradients(0.0, 0.0, 0.0, 1.0)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = Circuit(3, 2, "angle", "Z")
    whole = gradient_variance(circuit, HALF, 50, generator())
    monkeypatch.setattr(gradients, "CHUNK", 200)
    assert gradient_variance(circuit, HALF, 50, generator()) == pytest.approx(whole)


def test_decay_is_the_slope_by_least_squares() -> None:
    widths = [2, 3, 4, 5, 6]
    exact = decay(widths, [0.3 * 2 ** (-0.7 * q) for q in widths])
    assert exact == pytest.approx((0.7, 0.0), abs=1e-7)
    rough = [0.1, 0.06, 0.02, 0.015, 0.006]
    fit = sm.OLS(np.log2(rough), sm.add_constant(widths)).fit()
    assert decay(widths, rough) == pytest.approx((-fit.params[1], fit.bse[1]))
