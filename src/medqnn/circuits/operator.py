"""The circuits as one opaque operator, which is how ``torch.compile`` sees them.

Its code generation does not know complex numbers; an operator keeps the graph whole.
"""

from __future__ import annotations

import ast
from dataclasses import astuple
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from medqnn.circuits import methods
from medqnn.circuits.circuit import Circuit


def fields_of(circuit: Circuit) -> str:
    """A circuit as an operator can take it: the ``repr`` of its fields in order."""
    return repr(astuple(circuit))


@lru_cache(maxsize=64)
def _circuit(fields: str) -> Circuit:
    return Circuit(*ast.literal_eval(fields))


@torch.library.custom_op("medqnn::expectations", mutates_args=())
def expectations(inputs: Tensor, weights: Tensor, fields: str) -> Tensor:
    """``expectation.expectations``, the circuit given as ``fields_of`` writes it."""
    circuit = _circuit(fields)
    with torch.autocast(inputs.device.type, enabled=False):
        method = methods.fastest(circuit, inputs, weights)
        return method.evaluate(circuit, inputs, weights)[0].contiguous()


@expectations.register_fake
def _(inputs: Tensor, weights: Tensor, fields: str) -> Tensor:
    dtype = torch.promote_types(inputs.dtype, weights.dtype)
    return inputs.new_empty(*inputs.shape[:-1], _circuit(fields).outputs, dtype=dtype)


@torch.library.custom_op("medqnn::expectations_backward", mutates_args=())
def _backward(grad: Tensor, inputs: Tensor, weights: Tensor, fields: str) -> tuple[Tensor, Tensor]:
    circuit = _circuit(fields)
    with torch.autocast(inputs.device.type, enabled=False):
        method = methods.fastest(circuit, inputs, weights)
        _, saved = method.evaluate(circuit, inputs, weights)
        grads = method.gradients(circuit, saved, grad, inputs, weights)
        return grads[0].contiguous(), grads[1].contiguous()


@_backward.register_fake
def _(grad: Tensor, inputs: Tensor, weights: Tensor, fields: str) -> tuple[Tensor, Tensor]:
    return torch.empty_like(inputs).contiguous(), torch.empty_like(weights).contiguous()


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    *tensors, ctx.fields = inputs
    ctx.save_for_backward(*tensors)


def _vjp(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    return *_backward(grad, *ctx.saved_tensors, ctx.fields), None


expectations.register_autograd(_vjp, setup_context=_setup)
