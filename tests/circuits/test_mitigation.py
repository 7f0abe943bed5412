from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from medqnn.circuits import Circuit, noise
from medqnn.circuits import expectations as noiseless
from medqnn.circuits.mitigation import Mitigation, extrapolate, invert_readout, mitigated
from medqnn.circuits.noise import Channel, Noise, ReadoutError
from medqnn.devices import load
from medqnn.errors import CircuitError

from . import oracle

AT = (1.0, 1.5, 3.0)


def test_linear_is_the_regression_line() -> None:
    values = torch.tensor([[0.5, -0.2], [0.3, -0.3], [0.2, 0.1]], dtype=torch.float64)
    expected = np.polyfit(AT, values.numpy(), 1)[1]
    np.testing.assert_allclose(extrapolate(values, AT, "linear").numpy(), expected)


def test_richardson_is_the_polynomial_through_all() -> None:
    values = torch.tensor([[0.5, -0.2], [0.4, -0.3], [0.2, -0.3]], dtype=torch.float64)
    expected = np.polyfit(AT, values.numpy(), 2)[2]
    np.testing.assert_allclose(extrapolate(values, AT, "richardson").numpy(), expected)


def test_exponential_is_exact_for_a_decay_and_a_line_where_there_is_none() -> None:
    at = torch.tensor(AT, dtype=torch.float64)
    decays = torch.stack((0.8 * torch.exp(-at), -0.6 * torch.exp(-0.3 * at)), dim=1)
    found = extrapolate(decays, AT, "exponential")
    np.testing.assert_allclose(found.numpy(), [0.8, -0.6])
    crossing = torch.tensor([[0.1], [0.0], [-0.1]], dtype=torch.float64)
    assert extrapolate(crossing, AT, "exponential") == extrapolate(crossing, AT, "linear")


def test_values_stay_expectation_values() -> None:
    assert extrapolate(torch.tensor([0.9, 0.1]), (1.0, 2.0), "richardson") == 1.0
    assert extrapolate(torch.tensor([[0.3]]), (1.0,), "richardson") == 0.3


def test_inverted_readout_is_exact() -> None:
    circuit = Circuit(4, 1, "angle", "ZX", pooling=True)
    inputs, weights, _ = oracle.draw(circuit, 2, 3, seed=0)
    errors = tuple(ReadoutError(0.01 * q, 0.1 + 0.02 * q) for q in range(4))
    told = noise.expectations(circuit, inputs, weights, Noise(readout=errors))
    found = invert_readout(told, circuit, errors)
    torch.testing.assert_close(found, noiseless(circuit, inputs, weights))
    assert invert_readout(torch.ones(4), circuit, errors).max() == 1.0
    with pytest.raises(CircuitError, match=r"P\(1\|0\) = 0.5, P\(0\|1\) = 0.48 cannot be inv"):
        invert_readout(told, circuit, (ReadoutError(0.5, 0.48),) * 4)


@pytest.mark.parametrize("fit", ["linear", "richardson", "exponential"])
@pytest.mark.parametrize("device", ["ibm-eagle", "ionq-aria"])
def test_less_bias_than_without(device: str, fit: str) -> None:
    circuit = Circuit(4, 3, "angle", "Z", "cnot", "ry_rz_strong")
    inputs, weights, _ = oracle.draw(circuit, 1, 20, seed=0)
    noisy = load(device).noise()

    def evaluate(noisy: Noise) -> Tensor:
        return noise.expectations(circuit, inputs, weights, noisy)

    exact = noiseless(circuit, inputs, weights)
    raw = (evaluate(noisy) - exact).abs().mean()
    told = mitigated(circuit, noisy, evaluate, Mitigation(factors=(1.0,)))
    found = mitigated(circuit, noisy, evaluate, Mitigation(fit=fit))
    bias, readout_alone = (found - exact).abs().mean(), (told - exact).abs().mean()
    assert bias < 0.35 * raw
    assert bias < readout_alone < raw


def test_without_readout_and_with_depolarising_alone_it_is_exact() -> None:
    circuit = Circuit(2, 1, "angle", "Z", ansatz="hardware_efficient")
    inputs, weights, _ = oracle.draw(circuit, 1, 5, seed=0)
    noisy = Noise(two_qubit=(Channel("depolarising", 0.2),), readout=(ReadoutError(0.1, 0.1),))
    rule = Mitigation(readout=False, fit="exponential")
    found = mitigated(
        circuit, noisy, lambda n: noise.expectations(circuit, inputs, weights, n), rule
    )
    torch.testing.assert_close(found, 0.8 * noiseless(circuit, inputs, weights))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"factors": ()}, r"factors are \(\): give numbers of 1 or more"),
        ({"factors": (0.5, 1.0)}, "give numbers of 1 or more, each once"),
        ({"factors": (1.0, 1.0)}, "each once"),
        ({"fit": "cubic"}, "fit is 'cubic': give linear, richardson or exponential"),
    ],
)
def test_a_rule_out_of_range_says_so(arguments: dict, says: str) -> None:
    with pytest.raises(CircuitError, match=says):
        Mitigation(**arguments)
