"""Gradients as a quantum computer would measure them: exact ones with added shot noise.

A quantum computer estimates an expectation value f of a Pauli operator from N shots, with variance
(1 - f²)/N. The gradient of the loss L(f_1, f_2, …) to a rotation angle θ is then measured by the
parameter-shift rule, f' = ½ [f(θ + π/2) - f(θ - π/2)], so that with c_bj = ∂L/∂f_bj of sample b and
output j, each f measured on its own,

    Var(∂L/∂θ) = Σ_bj c_bj² [(1 - f₊²) + (1 - f₋²)] / (4N)  ≤  Σ_bj c_bj² / (2N).

An embedded angle belongs to one sample and has that sample's terms alone; a weight is shared and
sums over the samples. For an amplitude-embedded x with u = x/|x|, f = uᵀMu and, f± being measured
on the states (u ± e_i)/|u ± e_i|,

    ∂f/∂u_i = 2(Mu)_i = (1 + u_i) f₊ - (1 - u_i) f₋,   variance ≤ 2 (1 + u_i²) / N;

then the part along u is projected out and the rest divided by |x|. We add Gaussian noise of the
upper bounds: they cost nothing, and with |f| far from 1 the variance is near them. The loss itself
stays exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn

from medqnn.circuits import Circuit, expectations
from medqnn.layers.evaluated import evaluated_by


@contextmanager
def shot_noise(model: nn.Module, shots: int | None, seed: int) -> Iterator[None]:
    """Add the noise of so many shots to a model's gradients, at quantum layers; None adds none."""
    random = torch.Generator().manual_seed(seed)

    def noisy(circuit: Circuit, inputs: Tensor, weights: Tensor) -> Tensor:
        return noisy_expectations(circuit, inputs, weights, shots, random)

    with nullcontext() if shots is None else evaluated_by(model, noisy):
        yield


def noisy_expectations(
    circuit: Circuit, inputs: Tensor, weights: Tensor, shots: int, random: torch.Generator
) -> Tensor:
    """``circuits.expectations`` of inputs (..., c, n), with noise in its gradients."""
    if not torch.is_grad_enabled():
        return expectations(circuit, inputs, weights)
    inputs, weights = inputs.view_as(inputs), weights.view_as(weights)
    outputs = expectations(circuit, inputs, weights)
    values = inputs.detach()
    powers: list[Tensor] = []  # Σ_j c_bj², (..., c); set before the hooks below read it
    outputs.register_hook(lambda c: powers.append(c.square().sum(-1)))

    def draw(gradient: Tensor, variance: Tensor) -> Tensor:
        return torch.randn(gradient.shape, generator=random) * variance.sqrt()

    def weight_noise(gradient: Tensor) -> Tensor:
        total = powers[0].flatten(0, -2).sum(0).view(-1, *[1] * (gradient.dim() - 1))
        return gradient + draw(gradient, total / (2 * shots))

    def input_noise(gradient: Tensor) -> Tensor:
        power = powers[0].unsqueeze(-1)
        if circuit.embedding == "angle":
            return gradient + draw(gradient, power / (2 * shots))
        length = values.norm(dim=-1, keepdim=True)
        unit = values / length
        noise = draw(gradient, 2 * power * (1 + unit.square()) / shots)
        noise = (noise - unit * (unit * noise).sum(-1, keepdim=True)) / length
        return gradient + noise.where(length > 0, 0.0)  # zeros have no state, and no gradient

    if inputs.requires_grad:
        inputs.register_hook(input_noise)
    weights.register_hook(weight_noise)
    return outputs
