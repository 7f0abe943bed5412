"""The circuits as one opaque operator, which is how ``torch.compile`` sees them.

Its code generation does not know complex numbers; an operator keeps the graph whole.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from medqnn.circuits import methods
from medqnn.circuits.circuit import Circuit


@torch.library.custom_op("medqnn::expectations", mutates_args=())
def expectations(
    inputs: Tensor,
    weights: Tensor,
    qubits: int,
    depth: int,
    embedding: str,
    readouts: str,
    entangler: str,
    ansatz: str,
    pooling: bool,
) -> Tensor:
    """``expectation.expectations``, the circuit given by its fields in order."""
    circuit = Circuit(qubits, depth, embedding, readouts, entangler, ansatz, pooling)  # type: ignore[arg-type]
    with torch.autocast(inputs.device.type, enabled=False):
        method = methods.fastest(circuit, inputs, weights)
        return method.evaluate(circuit, inputs, weights)[0].contiguous()


@expectations.register_fake
def _(inputs: Tensor, weights: Tensor, *spec: Any) -> Tensor:
    dtype = torch.promote_types(inputs.dtype, weights.dtype)
    return inputs.new_empty(*inputs.shape[:-1], Circuit(*spec).outputs, dtype=dtype)


@torch.library.custom_op("medqnn::expectations_backward", mutates_args=())
def _backward(
    grad: Tensor,
    inputs: Tensor,
    weights: Tensor,
    qubits: int,
    depth: int,
    embedding: str,
    readouts: str,
    entangler: str,
    ansatz: str,
    pooling: bool,
) -> tuple[Tensor, Tensor]:
    circuit = Circuit(qubits, depth, embedding, readouts, entangler, ansatz, pooling)  # type: ignore[arg-type]
    with torch.autocast(inputs.device.type, enabled=False):
        method = methods.fastest(circuit, inputs, weights)
        _, saved = method.evaluate(circuit, inputs, weights)
        grads = method.gradients(circuit, saved, grad, inputs, weights)
        return grads[0].contiguous(), grads[1].contiguous()


@_backward.register_fake
def _(grad: Tensor, inputs: Tensor, weights: Tensor, *spec: Any) -> tuple[Tensor, Tensor]:
    return torch.empty_like(inputs).contiguous(), torch.empty_like(weights).contiguous()


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs[:2])
    ctx.spec = inputs[2:]


def _vjp(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    return *_backward(grad, *ctx.saved_tensors, *ctx.spec), *[None] * len(ctx.spec)


expectations.register_autograd(_vjp, setup_context=_setup)
