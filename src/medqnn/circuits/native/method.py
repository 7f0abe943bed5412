"""Narrow circuits in machine code made on the spot: a batch in one call, and no compiler needed.

The code is the same for all circuits. LLVM (llvmlite) makes it at the first use in a process, for
this processor, which takes about half a second a dtype. A call runs on one core and outside
Python's lock, and gives the same bits every time. ``compiled`` is what it must equal, and what
serves where this does not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits.circuit import Circuit
from medqnn.circuits.native.tables import BITS, Tables, tables

MAX_QUBITS = 7
"""Widest circuit for which this is faster than ``compiled`` (measured)."""

PLAIN = {Tensor, torch.nn.Parameter}
DTYPES = {torch.float16, torch.bfloat16, torch.float32, torch.float64}
_making = threading.Lock()  # many threads may want the first at once


class Functions(NamedTuple):
    """The machine code for one dtype."""

    forward: Callable[..., None]
    backward: Callable[..., None]


class Saved(NamedTuple):
    """What ``evaluate`` keeps for ``gradients``."""

    tables: Tables
    inputs: Tensor  # (B, c, n)
    work: Tensor


def serves(circuit: Circuit, inputs: Tensor, weights: Tensor) -> bool:
    """Whether this method can evaluate these tensors, and is the fastest.

    It reads memory, so tensors must have some: a subclass, such as a fake tensor, may not.
    """
    return (
        circuit.qubits <= MAX_QUBITS
        and {type(inputs), type(weights)} <= PLAIN
        and {inputs.dtype, weights.dtype} <= DTYPES
        and inputs.is_cpu
        and weights.is_cpu
        and circuit.embedding != "iqp"
        and not circuit.reupload
        and available()
    )


@cache
def available() -> bool:
    """Whether llvmlite is installed, and its library can be loaded."""
    try:
        import llvmlite.binding  # noqa: F401
    except (ImportError, OSError):
        return False
    return True


def evaluate(circuit: Circuit, inputs: Tensor, weights: Tensor) -> tuple[Tensor, Saved]:
    """Expectation values, in memory as the inputs are: batch last or circuits and outputs last.

    Args:
        circuit: What to evaluate; ``serves`` says which.
        inputs: (..., c, circuit.inputs), of ``DTYPES`` on the CPU, any strides. Angles are exact to
            rounding up to a million radians. Half precision is computed in float32.
        weights: (c, *circuit.weight_shape), of ``DTYPES``.

    Returns:
        (..., c, circuit.outputs) in the dtype that the two promote to, and what ``gradients``
        needs.
    """
    result = torch.promote_types(inputs.dtype, weights.dtype)
    working = result if result in BITS else torch.float32
    table = tables(circuit, working)
    flat, weights = _flat(inputs, working), _in_memory(weights, working).contiguous()
    images, circuits, _ = flat.shape
    strides = flat.stride()
    if strides[0] == 1:
        values = flat.new_empty((circuits, table.outputs, images)).permute(2, 0, 1)
    else:
        values = flat.new_empty((images, circuits, table.outputs))
    work, scratch = flat.new_empty(circuits * table.work), flat.new_empty(table.scratch)
    functions(working).forward(
        table.address,
        work.data_ptr(),
        scratch.data_ptr(),
        weights.data_ptr(),
        circuits,
        images,
        flat.data_ptr(),
        *strides,
        values.data_ptr(),
        *values.stride(),
    )
    if inputs.dim() != 3:
        values = values.reshape(*inputs.shape[:-1], table.outputs)
    return _in_memory(values, result), Saved(table, flat, work)


def gradients(
    circuit: Circuit, saved: Saved, grad: Tensor, inputs: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor]:
    """Gradients to the inputs and the weights, of their shapes and dtypes.

    Args:
        circuit: As in ``evaluate``.
        saved: From ``evaluate``.
        grad: Gradient to the values (..., c, circuit.outputs), any strides.
        inputs: As in ``evaluate``.
        weights: As in ``evaluate``.
    """
    table, flat, work = saved
    grad = _flat(grad, flat.dtype)
    grad_inputs = torch.empty_like(flat)
    grad_weights = flat.new_empty(weights.shape)
    scratch = flat.new_empty(table.scratch)
    images, circuits, _ = flat.shape
    functions(flat.dtype).backward(
        table.address,
        work.data_ptr(),
        scratch.data_ptr(),
        grad_weights.data_ptr(),
        circuits,
        images,
        flat.data_ptr(),
        *flat.stride(),
        grad.data_ptr(),
        *grad.stride(),
        grad_inputs.data_ptr(),
        *grad_inputs.stride(),
    )
    if inputs.dim() != 3:
        grad_inputs = grad_inputs.reshape(inputs.shape)
    return _in_memory(grad_inputs, inputs.dtype), _in_memory(grad_weights, weights.dtype)


def _flat(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """(..., c, n) as (B, c, n)."""
    tensor = _in_memory(tensor, dtype)
    return tensor if tensor.dim() == 3 else tensor.reshape(-1, *tensor.shape[-2:])


def _in_memory(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """In a dtype, and with its numbers as they stand in memory."""
    return (tensor if tensor.dtype is dtype else tensor.to(dtype)).resolve_neg()


def functions(dtype: torch.dtype) -> Functions:
    """The machine code for a dtype, made once a process."""
    with _making:
        return _made(dtype)


@cache
def _made(dtype: torch.dtype) -> Functions:
    from medqnn.circuits.native import batch
    from medqnn.circuits.native.code import Code
    from medqnn.circuits.native.machine import Machine

    code = Code(BITS[dtype])
    code.record("forward", batch.FORWARD, batch.forward)
    code.record("backward", batch.BACKWARD, batch.backward)
    machine = Machine(code)
    return Functions(machine.function("forward"), machine.function("backward"))
