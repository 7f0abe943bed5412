"""Expectation values of a batch as one differentiable operation."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import torch
from torch import Tensor

from medqnn.circuits import compiled
from medqnn.circuits.circuit import Circuit
from medqnn.errors import CircuitError


def expectations(circuit: Circuit, inputs: Tensor, weights: Tensor) -> Tensor:
    """Evaluate c circuits of one form, each with its own weights, on a batch.

    The result is exact (no shots). First derivatives take the closed form of
    ``compiled.backward``; higher ones, and ``torch.func``'s transforms, go through autograd.
    ``torch.compile`` sees one opaque operator: no graph break, and its backward evaluates the
    circuit once more. A sub-vector of zeros has no quantum state and gives zeros, with zero
    gradients. Half precision and autocast are computed in float32.

    Args:
        circuit: What to evaluate.
        inputs: Real, shape (..., c, circuit.inputs): amplitudes before normalisation, or angles
            in radians.
        weights: Real, radians, shape (c, d, q, 3): (φ, θ, ω) of each rotation.

    Returns:
        Values in [-1, 1], shape (..., c, circuit.outputs), in the dtype that the two arguments
        promote to. Readouts in the circuit's order, each over qubits 0 to q - 1.

    Raises:
        CircuitError: If a shape or dtype does not fit the circuit.
    """
    _check(circuit, inputs, weights)
    if torch.compiler.is_compiling():
        values: Tensor = _operator(inputs, weights, *astuple(circuit))
    elif torch._C._are_functorch_transforms_active():
        values = _evaluate(circuit, inputs, weights)[0]
    else:
        values = _Expectations.apply(circuit, inputs, weights)
    return values


class _Expectations(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, circuit: Circuit, inputs: Tensor, weights: Tensor) -> Tensor:
        ctx.circuit = circuit
        ctx.save_for_backward(inputs, weights)
        with torch.autocast(inputs.device.type, enabled=False):
            values, ctx.saved = _evaluate(circuit, inputs, weights)
        return values

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor, Tensor]:
        inputs, weights = ctx.saved_tensors
        with torch.autocast(grad.device.type, enabled=False):
            if torch.is_grad_enabled():  # somebody wants a second derivative
                values, _ = _evaluate(ctx.circuit, inputs, weights)
                return None, *torch.autograd.grad(
                    values, (inputs, weights), grad, create_graph=True
                )
            return None, *_gradients(ctx.circuit, ctx.saved, grad, inputs, weights)


@torch.library.custom_op("medqnn::expectations", mutates_args=())
def _operator(
    inputs: Tensor,
    weights: Tensor,
    qubits: int,
    depth: int,
    embedding: str,
    readouts: str,
    entangler: str,
) -> Tensor:
    """The same for ``torch.compile``, which has no code generation for complex numbers."""
    circuit = Circuit(qubits, depth, embedding, readouts, entangler)  # type: ignore[arg-type]
    with torch.autocast(inputs.device.type, enabled=False):
        return _evaluate(circuit, inputs, weights)[0].contiguous()


@_operator.register_fake
def _(inputs: Tensor, weights: Tensor, *spec: Any) -> Tensor:
    dtype = torch.promote_types(inputs.dtype, weights.dtype)
    return inputs.new_empty(*inputs.shape[:-1], Circuit(*spec).outputs, dtype=dtype)


@torch.library.custom_op("medqnn::expectations_backward", mutates_args=())
def _operator_backward(
    grad: Tensor,
    inputs: Tensor,
    weights: Tensor,
    qubits: int,
    depth: int,
    embedding: str,
    readouts: str,
    entangler: str,
) -> tuple[Tensor, Tensor]:
    circuit = Circuit(qubits, depth, embedding, readouts, entangler)  # type: ignore[arg-type]
    with torch.autocast(inputs.device.type, enabled=False):
        _, saved = _evaluate(circuit, inputs, weights)
        return _gradients(circuit, saved, grad, inputs, weights)


@_operator_backward.register_fake
def _(grad: Tensor, inputs: Tensor, weights: Tensor, *spec: Any) -> tuple[Tensor, Tensor]:
    return torch.empty_like(inputs).contiguous(), torch.empty_like(weights).contiguous()


def _operator_setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs[:2])
    ctx.spec = inputs[2:]


def _operator_vjp(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    return *_operator_backward(grad, *ctx.saved_tensors, *ctx.spec), *[None] * len(ctx.spec)


_operator.register_autograd(_operator_vjp, setup_context=_operator_setup)


def _evaluate(circuit: Circuit, inputs: Tensor, weights: Tensor) -> tuple[Tensor, compiled.Saved]:
    """``compiled.forward`` for any batch shape and floating dtype."""
    result = torch.promote_types(inputs.dtype, weights.dtype)
    working = torch.promote_types(result, torch.float32)
    flat = inputs.to(working).reshape(-1, *inputs.shape[-2:])
    values, saved = compiled.forward(circuit, flat, weights.to(working))
    return values.reshape(*inputs.shape[:-1], circuit.outputs).to(result), saved


def _gradients(
    circuit: Circuit, saved: compiled.Saved, grad: Tensor, inputs: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor]:
    """``compiled.backward`` for any batch shape and floating dtype."""
    flat = grad.to(saved.states.dtype).reshape(-1, *grad.shape[-2:])
    grad_inputs, grad_weights = compiled.backward(circuit, saved, flat)
    grad_inputs = grad_inputs.reshape(inputs.shape).to(inputs.dtype)
    return grad_inputs.contiguous(), grad_weights.to(weights.dtype)


def _check(circuit: Circuit, inputs: Tensor, weights: Tensor) -> None:
    if weights.dim() != 4 or weights.shape[1:] != circuit.weight_shape:
        expected = ("c", *circuit.weight_shape)
        raise CircuitError(f"weights have shape {tuple(weights.shape)}: give {expected}")
    expected = (weights.shape[0], circuit.inputs)
    if inputs.dim() < 2 or inputs.shape[-2:] != expected:
        raise CircuitError(
            f"inputs have shape {tuple(inputs.shape)}: the last two dimensions must be "
            f"{expected}, circuits and numbers to embed in each"
        )
    if not (inputs.is_floating_point() and weights.is_floating_point()):
        raise CircuitError(
            f"inputs are {inputs.dtype} and weights {weights.dtype}: convert both to a real "
            "floating-point dtype"
        )
