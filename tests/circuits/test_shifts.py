from __future__ import annotations

import pytest
import torch
from torch import Tensor

from medqnn.circuits import Circuit, noise, shots
from medqnn.circuits.noise import Noise
from medqnn.circuits.shifts import parameter_shift, rules, spsa
from medqnn.errors import CircuitError

from . import oracle
from .noise.mixed import FULL

CIRCUITS = [
    Circuit(2, 2, "angle", "ZX"),
    Circuit(3, 1, "amplitude", "Y", "cnot", "ry_rz_strong", pooling=True),
    Circuit(2, 1, "angle", "Y", "none", pooling=True),
    Circuit(2, 2, "angle", "Z", "cz", "basic", reupload=True),
]


@pytest.mark.parametrize("noisy", [Noise(), FULL], ids=["noiseless", "noisy"])
@pytest.mark.parametrize("circuit", CIRCUITS, ids=repr)
def test_parameter_shift_is_the_exact_derivative(circuit: Circuit, noisy: Noise) -> None:
    inputs, weights, _ = oracle.draw(circuit, 2, 2, seed=0)

    def evaluate(weights: Tensor) -> Tensor:
        return noise.expectations(circuit, inputs, weights, noisy)

    found = parameter_shift(circuit, evaluate, weights)
    whole = torch.autograd.functional.jacobian(evaluate, weights).flatten(4)
    own = torch.stack([whole[:, k, :, k] for k in range(2)], dim=1)
    torch.testing.assert_close(found, own, atol=1e-10, rtol=0)


def test_a_plain_weight_takes_two_runs_and_a_pooled_one_more() -> None:
    runs = [len(rule) for rule in rules(Circuit(2, 1, "angle", pooling=True))]
    assert runs[:6] == [2] * 6
    assert runs[6:] == [4, 4, 8]
    up, down = rules(Circuit(1, 1))[0]
    assert up == pytest.approx((torch.pi / 2, 0.5))
    assert down == pytest.approx((-torch.pi / 2, -0.5))


def test_from_shots_it_is_right_on_average() -> None:
    circuit = Circuit(2, 1, "angle", "Z")
    inputs, weights, _ = oracle.draw(circuit, 1, 1, seed=0)
    generator = torch.Generator().manual_seed(0)
    runs = [
        parameter_shift(
            circuit, lambda w: shots.sample(circuit, inputs, w, 200, generator), weights
        )
        for _ in range(20)
    ]
    drawn = torch.stack(runs)
    exact = parameter_shift(
        circuit, lambda w: noise.expectations(circuit, inputs, w, Noise()), weights
    )
    spread = drawn.std(0).clamp_min(1e-9) / 20**0.5
    assert ((drawn.mean(0) - exact).abs() / spread).max() < 4.5


def test_spsa_is_right_on_average() -> None:
    circuit = Circuit(2, 1, "angle", "Z")
    inputs, weights, _ = oracle.draw(circuit, 1, 3, seed=0)

    def loss(weights: Tensor) -> Tensor:
        return noise.expectations(circuit, inputs, weights, Noise()).square().sum()

    exact = torch.autograd.functional.jacobian(loss, weights)
    generator = torch.Generator().manual_seed(0)
    draws = torch.stack([spsa(loss, weights, generator, step=0.01) for _ in range(150)])
    spread = draws.std(0) / 150**0.5
    assert ((draws.mean(0) - exact).abs() / spread).max() < 4.5
    generator.manual_seed(0)
    together = spsa(loss, weights, generator, step=0.01, draws=150)
    torch.testing.assert_close(together, draws.mean(0))
    with pytest.raises(CircuitError, match="draws 0: give a step above 0 and 1 draw or more"):
        spsa(loss, weights, generator, draws=0)
