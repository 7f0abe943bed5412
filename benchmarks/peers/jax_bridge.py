"""A step of a peer written in JAX, called from PyTorch as a layer of a network would be."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import jax
import torch
from torch import Tensor

from peers import autograd
from peers.problem import Problem, Step


def step(problem: Problem, single: Callable[[Any, Any], Any]) -> Step:
    """Jit and vmap ``single``, one circuit on one input, over circuits and batch.

    Float64 is a setting of JAX and part of what a compiled function is found by, so it holds
    during the step alone.
    """
    # a peer asks for complex128 and is content with complex64
    warnings.filterwarnings("ignore", message="Explicitly requested dtype")
    evaluate = bridged(jax.vmap(jax.vmap(single), in_axes=(0, None)))
    run = autograd.step(problem, evaluate)

    def in_its_precision() -> Any:
        with jax.enable_x64(problem.inputs.dtype == "float64"):
            return run()

    return in_its_precision


def bridged(layer: Callable[[Any, Any], Any]) -> autograd.Evaluate:
    """Two jitted calls: the values, and in backward the gradients (values computed once more)."""
    forward = jax.jit(layer)
    backward = jax.jit(lambda grad, *arguments: jax.vjp(layer, *arguments)[1](grad))

    class Bridge(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *arguments: Tensor) -> Tensor:
            ctx.arrays = [a.detach().numpy() for a in arguments]
            return torch.from_dlpack(forward(*ctx.arrays))

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
            pulled = backward(grad.contiguous().numpy(), *ctx.arrays)
            return tuple(map(torch.from_dlpack, pulled))

    return Bridge.apply
