"""Expectation values of a batch as one differentiable operation."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from medqnn.circuits import methods, operator
from medqnn.circuits.circuit import Circuit
from medqnn.errors import CircuitError


def expectations(circuit: Circuit, inputs: Tensor, weights: Tensor) -> Tensor:
    """Evaluate c circuits of one form, each with its own weights, on a batch.

    The result is exact (no shots). First derivatives take the method's closed form (see
    ``methods``); higher ones, and ``torch.func``'s transforms, go through autograd.
    ``torch.compile`` sees one opaque operator: no graph break, and its backward evaluates the
    circuit once more. A sub-vector of zeros has no quantum state and gives zeros, with zero
    gradients. Half precision and autocast are computed in float32.

    Args:
        circuit: What to evaluate.
        inputs: Real, shape (..., c, circuit.inputs): amplitudes before normalisation, or angles
            in radians.
        weights: Real, radians, shape (c, *circuit.weight_shape), by default (c, d, q, 3): (φ, θ, ω)
            of each rotation.

    Returns:
        Values in [-1, 1], shape (..., c, circuit.outputs), in the dtype that the two arguments
        promote to. Readouts in the circuit's order, each over the measured qubits. In memory the
        batch is the last dimension, as it had best be in ``inputs``.

    Raises:
        CircuitError: If a shape or dtype does not fit the circuit, or a tensor is sparse or of
            another layout than the usual, or the two are on different devices.
    """
    _check(circuit, inputs, weights)
    if torch.compiler.is_compiling():
        values: Tensor = operator.expectations(inputs, weights, operator.fields_of(circuit))
    elif torch._C._are_functorch_transforms_active():
        with _full_precision(inputs.device):
            values = methods.traced(circuit).evaluate(circuit, inputs, weights)[0]
    else:
        values = _apply(circuit, inputs, weights)
    return values


class _Expectations(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, circuit: Circuit, inputs: Tensor, weights: Tensor) -> Tensor:
        ctx.circuit, ctx.method = circuit, methods.fastest(circuit, inputs, weights)
        ctx.save_for_backward(inputs, weights)
        with _full_precision(inputs.device):
            values: Tensor
            values, ctx.saved = ctx.method.evaluate(circuit, inputs, weights)
        return values

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        inputs, weights = ctx.saved_tensors  # gone if the graph was: that is autograd's error
        saved = ctx.saved
        if not torch._C._autograd._get_current_graph_task_keep_graph():
            ctx.saved = None  # as autograd does with saved_tensors
        with _full_precision(grad.device):
            if torch.is_grad_enabled():
                return None, *_twice_differentiable(ctx, grad, inputs, weights)
            return None, *ctx.method.gradients(ctx.circuit, saved, grad, inputs, weights)


_apply: Callable[..., Tensor] = _Expectations.apply


def _twice_differentiable(
    ctx: Any, grad: Tensor, inputs: Tensor, weights: Tensor
) -> tuple[Tensor | None, Tensor | None]:
    """The gradients as a graph, through autograd: somebody wants a second derivative."""
    values, _ = methods.traced(ctx.circuit).evaluate(ctx.circuit, inputs, weights)
    needed = ctx.needs_input_grad[1:]
    wanted = [tensor for tensor, need in zip((inputs, weights), needed, strict=True) if need]
    grads = iter(torch.autograd.grad(values, wanted, grad, create_graph=True))
    return (next(grads) if needed[0] else None), (next(grads) if needed[1] else None)


def _full_precision(device: torch.device) -> AbstractContextManager[Any]:
    """No autocast; entered only where there is some, for entering costs a tenth of a step."""
    if device.type != "meta" and torch.is_autocast_enabled(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


def _check(circuit: Circuit, inputs: Tensor, weights: Tensor) -> None:
    if weights.dim() == 0 or weights.shape[1:] != circuit.weight_shape:
        expected = ("c", *circuit.weight_shape)
        raise CircuitError(f"weights have shape {tuple(weights.shape)}: give {expected}")
    grouped = (weights.shape[0], circuit.inputs)
    if inputs.dim() < 2 or inputs.shape[-2:] != grouped:
        raise CircuitError(
            f"inputs have shape {tuple(inputs.shape)}: the last two dimensions must be "
            f"{grouped}, circuits and numbers to embed in each"
        )
    if not (
        inputs.is_floating_point()
        and weights.is_floating_point()
        and inputs.layout is weights.layout is torch.strided
        and inputs.device == weights.device
    ):
        _require_numbers(inputs, weights)


def _require_numbers(inputs: Tensor, weights: Tensor) -> None:
    """Refuse what holds no real numbers in the usual layout; off the path of every call."""
    for name, tensor in (("inputs", inputs), ("weights", weights)):
        if not tensor.is_floating_point():
            raise CircuitError(
                f"{name} are {tensor.dtype}: convert inputs and weights to a real floating-point "
                "dtype"
            )
        if tensor.layout is not torch.strided:
            raise CircuitError(
                f"{name} have the layout {tensor.layout}: convert them by .to_dense()"
            )
    raise CircuitError(
        f"inputs are on {inputs.device} and weights on {weights.device}: move both to one device"
    )
