"""The noise model of the optimisers' comparison, against the rule by which hardware measures."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from medqnn.circuits import Circuit, expectations
from medqnn.layers import QuantumConv2d, QuantumLayer

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from _shot_noise import noisy_expectations, shot_noise

SHOTS = 10
ANGLE = Circuit(3, 2, "angle", "Z")
AMPLITUDE = Circuit(3, 2, "amplitude", "Y")
BATCH, COPIES = 4, 4000


def drawn(circuit: Circuit) -> tuple[Tensor, Tensor, Tensor]:
    """Inputs (B, 1, n), weights (1, d, q, 3) and gradients to the outputs (B, 1, outputs)."""
    random = torch.Generator().manual_seed(0)
    shapes = (BATCH, 1, circuit.inputs), (1, *circuit.weight_shape), (BATCH, 1, circuit.outputs)
    inputs, weights, cotangent = (
        torch.randn(shape, generator=random, dtype=torch.float64) for shape in shapes
    )
    return inputs, weights, cotangent


def noises(circuit: Circuit) -> tuple[Tensor, Tensor]:
    """Noise in the gradients to inputs (B, copies, n) and weights (copies, d, q, 3)."""
    inputs, weights, cotangent = drawn(circuit)
    spread = inputs.expand(-1, COPIES, -1).clone().requires_grad_()
    copies = weights.expand(COPIES, -1, -1, -1).clone().requires_grad_()
    random = torch.Generator().manual_seed(1)
    cotangents = cotangent.expand(-1, COPIES, -1)
    noisy = noisy_expectations(circuit, spread, copies, SHOTS, random)
    exact = expectations(circuit, spread, copies)
    measured = torch.autograd.grad(noisy, (spread, copies), cotangents)
    true = torch.autograd.grad(exact, (spread, copies), cotangents)
    return measured[0] - true[0], measured[1] - true[1]


def shifted(circuit: Circuit, weights: Tensor, inputs: Tensor, place: int) -> list[Tensor]:
    """Values at an angle ± π/2: the weight at a flat place."""
    values = []
    for sign in (1, -1):
        moved = weights.clone()
        moved.view(-1)[place] += sign * math.pi / 2
        values.append(expectations(circuit, inputs, moved))
    return values


@pytest.mark.parametrize("circuit", [ANGLE, AMPLITUDE])
def test_noise_of_weights_is_the_bound_of_the_parameter_shift_rule(circuit: Circuit) -> None:
    inputs, weights, cotangent = drawn(circuit)
    bound = cotangent.square().sum().item() / (2 * SHOTS)
    noise = noises(circuit)[1]
    assert noise.mean().abs() < 0.05 * math.sqrt(bound)
    torch.testing.assert_close(
        noise.var(dim=0), torch.full(weights.shape[1:], bound).double(), rtol=0.15, atol=0
    )
    weights.requires_grad_()
    (true,) = torch.autograd.grad(
        (expectations(circuit, inputs, weights) * cotangent).sum(), weights
    )
    for place in range(weights.numel()):
        up, down = shifted(circuit, weights.detach(), inputs, place)
        rule = (cotangent * (up - down) / 2).sum()
        torch.testing.assert_close(rule, true.view(-1)[place])
        variance = cotangent.square() * ((1 - up**2) + (1 - down**2)) / (4 * SHOTS)
        assert 0.4 * bound < variance.sum() <= bound


def test_noise_of_angles_is_their_own_samples() -> None:
    cotangent = drawn(ANGLE)[2]
    noise = noises(ANGLE)[0]
    bound = cotangent.square().sum(-1) / (2 * SHOTS)  # (B, 1)
    torch.testing.assert_close(noise.var(dim=1), bound.expand(-1, 3), rtol=0.15, atol=0)


def test_noise_of_amplitudes_is_that_of_measuring_two_neighbouring_states() -> None:
    inputs, weights, cotangent = drawn(AMPLITUDE)
    length = inputs.norm(dim=-1, keepdim=True)
    unit = inputs / length
    raw = 2 * cotangent.square().sum(-1, keepdim=True) * (1 + unit**2) / SHOTS  # (B, 1, n)
    across = torch.eye(AMPLITUDE.inputs) - unit.mT @ unit  # projection (B, n, n)
    expected = (across.square() @ raw.mT).squeeze(-1) / length.squeeze(-1) ** 2
    noise = noises(AMPLITUDE)[0]
    torch.testing.assert_close(noise.var(dim=1), expected, rtol=0.15, atol=0)
    along = (noise * unit).sum(-1)
    torch.testing.assert_close(along, torch.zeros_like(along))

    inputs.requires_grad_()
    (true,) = torch.autograd.grad(
        (expectations(AMPLITUDE, inputs, weights) * cotangent).sum(), inputs
    )
    rule = torch.zeros_like(true)
    for place in range(AMPLITUDE.inputs):
        step = torch.zeros(AMPLITUDE.inputs).double()
        step[place] = 1
        up, down = (expectations(AMPLITUDE, unit + sign * step, weights) for sign in (1, -1))
        here = unit[..., place : place + 1]
        rule[..., place] = (cotangent * ((1 + here) * up - (1 - here) * down)).sum(-1)
    rule = (rule - unit * (unit * rule).sum(-1, keepdim=True)) / length
    torch.testing.assert_close(rule, true)


def test_state_of_zeros_stays_without_gradient() -> None:
    inputs = torch.zeros(2, 1, 8, requires_grad=True)
    weights = torch.zeros(1, *AMPLITUDE.weight_shape, requires_grad=True)
    random = torch.Generator().manual_seed(0)
    noisy_expectations(AMPLITUDE, inputs, weights, SHOTS, random).sum().backward()
    assert (inputs.grad == 0).all()


@pytest.mark.parametrize(
    ("layer", "shape"), [(QuantumLayer(3, 2), (5, 16)), (QuantumConv2d(2, 8, 2), (2, 2, 4, 4))]
)
def test_layers_are_noisy_inside_the_context_alone(
    layer: torch.nn.Module, shape: tuple[int, ...]
) -> None:
    images = torch.rand(shape)

    def gradient(shots: int | None, seed: int) -> Tensor:
        layer.zero_grad()
        with shot_noise(layer, shots, seed):
            values = layer(images)
            values.square().sum().backward()
        return layer.weight.grad.clone()

    exact = gradient(None, 0)
    one, again, other = gradient(5, 1), gradient(5, 1), gradient(5, 2)
    assert torch.equal(one, again)
    assert not torch.allclose(one, other)
    assert not torch.allclose(one, exact)
    assert torch.equal(gradient(None, 0), exact)
