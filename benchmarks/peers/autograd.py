"""A step of a peer that is differentiated by PyTorch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from peers.problem import Problem, Step

Evaluate = Callable[[Tensor, Tensor], Tensor]
"""Inputs (B, c, n) and weights (c, d, q, 3) to values (B, c, q)."""


def step(problem: Problem, evaluate: Evaluate, *, only_weights: bool = False) -> Step:
    """Values and gradients of ``evaluate``; with ``only_weights`` none to the inputs."""
    inputs, weights, cotangent = (
        torch.from_numpy(array).to(problem.device)
        for array in (problem.inputs, problem.weights, problem.cotangent)
    )
    inputs.requires_grad_(not only_weights)
    weights.requires_grad_()

    def run() -> tuple[Tensor, Tensor | None, Tensor]:
        values = evaluate(inputs, weights)
        wanted = (weights,) if only_weights else (inputs, weights)
        pulled = torch.autograd.grad(values, wanted, cotangent.to(values.dtype))
        return values, None if only_weights else pulled[0], pulled[-1]

    return run


def by_circuit(
    evaluate: Callable[[Tensor, Tensor], Tensor],
) -> Evaluate:
    """For a peer of one circuit at a time: inputs (B, n) and weights (d, q, 3) to (B, q)."""

    def every(inputs: Tensor, weights: Tensor) -> Tensor:
        pairs = zip(inputs.unbind(1), weights, strict=True)
        return torch.stack([evaluate(own, angles) for own, angles in pairs], dim=1)

    return every


def own_weights(
    problem: Problem, evaluate: Callable[[Tensor], Tensor], parameters: list[nn.Parameter]
) -> Step:
    """For a peer whose gates hold their angles: one parameter an angle, in the weights' order."""
    inputs, weights, cotangent = (
        torch.from_numpy(array).to(problem.device)
        for array in (problem.inputs, problem.weights, problem.cotangent)
    )
    inputs.requires_grad_()
    with torch.no_grad():
        for parameter, angle in zip(parameters, weights.flatten(), strict=True):
            parameter.fill_(angle)

    def run() -> tuple[Tensor, Tensor, Tensor]:
        values = evaluate(inputs)
        to_inputs, *pulled = torch.autograd.grad(values, (inputs, *parameters), cotangent)
        return values, to_inputs, torch.cat([one.flatten() for one in pulled]).view_as(weights)

    return run
