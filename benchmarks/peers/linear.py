"""``nn.Linear`` of the same input and output widths: the floor, another function."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from peers.problem import Problem, Step

DTYPES = ("float32",)
DEVICES = ("cpu", "cuda")
PACKAGES = ("torch",)


def build(problem: Problem) -> Step:
    inputs, cotangent = (
        torch.from_numpy(array).to(problem.device).flatten(1)
        for array in (problem.inputs, problem.cotangent)
    )
    inputs.requires_grad_()
    layer = nn.Linear(inputs.shape[1], cotangent.shape[1], device=problem.device)
    wanted = (inputs, *layer.parameters())

    def run() -> tuple[Tensor, Tensor, Tensor]:
        values = layer(inputs)
        return values, *torch.autograd.grad(values, wanted, cotangent)[:2]

    return run
