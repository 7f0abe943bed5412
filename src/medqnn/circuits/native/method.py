"""Circuits in machine code: a batch in one call, and no compiler needed.

Two kernels: ``states_batch`` applies the circuit to each image's state, ``matrix_batch`` multiplies
a batch by the circuit's matrix. The code of each is the same for all circuits. LLVM (llvmlite)
makes it for this processor, which takes about a second a kernel and dtype, on Linux (x86-64) once a
machine: see ``kernels``. A call runs on one core and outside Python's lock, and gives the same bits
every time.
``compiled`` and ``statevector`` are what it must equal, and what serves where this does not.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from medqnn import kernels
from medqnn.circuits.circuit import Circuit
from medqnn.circuits.native.tables import BITS, Tables, tables
from medqnn.errors import CircuitError
from medqnn.kernels.contract import Kernel

MATRIX_QUBITS = 7
"""Widest circuit that may be a matrix here."""

MAX_QUBITS = 14
"""Widest circuit; from 13 on its states leave the caches, and few images fill too few lanes."""

MOST_NUMBERS = 2**21
"""Amplitudes of one image in all layers that backward keeps, at most: 256 MiB for 16 images in
float32; several times as many where the ansatz or an upload takes several steps a layer."""

MOST_KEPT = 2**25
"""Bytes of scratch memory that a thread keeps at most: those of 14 qubits and a few layers."""

PLAIN = {Tensor, torch.nn.Parameter}
DTYPES = {torch.float16, torch.bfloat16, torch.float32, torch.float64}
_own = threading.local()
_making = threading.Lock()  # many threads may want the first at once
if hasattr(os, "register_at_fork"):  # a child must not find code half made
    os.register_at_fork(
        before=_making.acquire, after_in_parent=_making.release, after_in_child=_making.release
    )


class Functions(NamedTuple):
    """A kernel's machine code for one dtype."""

    forward: Callable[..., None]
    backward: Callable[..., None]


_functions: dict[tuple[torch.dtype, Kernel], Functions | None] = {}


class Saved(NamedTuple):
    """What ``evaluate`` keeps for ``gradients``."""

    code: Functions
    tables: Tables
    inputs: Tensor  # (B, c, n)
    angles: Tensor  # (c, *circuit.weight_shape)
    work: Tensor


def serves(circuit: Circuit, inputs: Tensor, weights: Tensor) -> bool:
    """Whether this method can evaluate these tensors, and is the fastest (``benchmarks/wide.py``).

    It reads memory, so tensors must have some: a subclass, such as a fake tensor, may not. What
    watches PyTorch's operations, such as a tracer, sees none here.
    """
    if not (
        circuit.qubits <= MAX_QUBITS
        and not torch._C._len_torch_dispatch_stack()
        and {type(inputs), type(weights)} <= PLAIN
        and {inputs.dtype, weights.dtype} <= DTYPES
        and inputs.is_cpu
        and weights.is_cpu
        and circuit.embedding != "iqp"
        and (circuit.depth + 1) * circuit.dimension <= MOST_NUMBERS
    ):
        return False
    images = inputs.shape[:-2].numel()
    filled = circuit.qubits <= 12 or images >= 4
    return filled and functions(_working(inputs, weights), kernel(circuit, images)) is not None


def kernel(circuit: Circuit, images: int) -> Kernel:
    """The faster one.

    For each image a matrix costs r 4^q for r readouts, and states d q 2^q; before the first image
    a matrix costs d q 4^q. Where they cross was measured at 2 to 7 qubits
    (``benchmarks/native.py``).
    """
    size = circuit.dimension
    deep = 16 * circuit.depth > len(circuit.readouts) * size
    many = 16 * images >= size**2
    narrow = circuit.qubits <= MATRIX_QUBITS and not circuit.reupload
    return "matrix" if narrow and deep and many else "states"


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
    working = _working(inputs, weights)
    flat, angles = _flat(inputs, working), _in_memory(weights, working).contiguous()
    images, circuits, _ = flat.shape
    chosen = kernel(circuit, images)
    table, code = tables(circuit, working, chosen), functions(working, chosen)
    assert code is not None, "evaluate is for what serves() said yes to"
    strides = flat.stride()
    if strides[0] == 1:
        values = flat.new_empty((circuits, table.outputs, images)).permute(2, 0, 1)
    else:
        values = flat.new_empty((images, circuits, table.outputs))
    work, scratch = flat.new_empty(circuits * table.work), _scratch(flat, table)
    code.forward(
        table.address,
        work.data_ptr(),
        scratch.data_ptr(),
        angles.data_ptr(),
        0,
        circuits,
        images,
        flat.data_ptr(),
        *strides,
        values.data_ptr(),
        *values.stride(),
    )
    if inputs.dim() != 3:
        values = values.reshape(*inputs.shape[:-1], table.outputs)
    result = torch.promote_types(inputs.dtype, weights.dtype)
    return _in_memory(values, result), Saved(code, table, flat, angles, work)


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
    code, table, flat, angles, work = saved
    grad = _flat(grad, flat.dtype)
    grad_inputs = torch.empty_like(flat)
    grad_weights = torch.empty_like(angles)
    scratch = _scratch(flat, table)
    images, circuits, _ = flat.shape
    code.backward(
        table.address,
        work.data_ptr(),
        scratch.data_ptr(),
        angles.data_ptr(),
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


def _scratch(like: Tensor, table: Tables) -> Tensor:
    """Memory to work in, the thread's own; new one would be zeroed by the system at each call."""
    scratch: Tensor | None = getattr(_own, "scratch", None)
    if scratch is None or scratch.dtype is not like.dtype or len(scratch) < table.scratch:
        scratch = like.new_empty(table.scratch)
        if scratch.nbytes <= MOST_KEPT:
            _own.scratch = scratch
    return scratch


def _flat(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """(..., c, n) as (B, c, n)."""
    tensor = _in_memory(tensor, dtype)
    if tensor.dim() == 3:
        return tensor
    return tensor.reshape(tensor.shape[:-2].numel(), *tensor.shape[-2:])


def _in_memory(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """In a dtype, and with its numbers as they stand in memory."""
    if not tensor.data_ptr() and tensor.numel():
        if not torch._is_zerotensor(tensor):
            raise CircuitError("a tensor's memory was given back: it has a shape, but no numbers")
        tensor = tensor.clone()
    return (tensor if tensor.dtype is dtype else tensor.to(dtype)).resolve_neg()


def _working(inputs: Tensor, weights: Tensor) -> torch.dtype:
    """The dtype of the computation."""
    result = torch.promote_types(inputs.dtype, weights.dtype)
    return result if result in BITS else torch.float32


def functions(dtype: torch.dtype, kernel: Kernel) -> Functions | None:
    """A kernel's machine code for a dtype, made once a process; None where none can be made."""
    key = dtype, kernel
    if key not in _functions:
        with _making:
            if key not in _functions:
                _functions[key] = _made(dtype, kernel)
    return _functions[key]


def _made(dtype: torch.dtype, kernel: Kernel) -> Functions | None:
    try:
        return Functions(**kernels.functions(kernel, BITS[dtype]))
    except (ImportError, OSError, RuntimeError):  # no llvmlite, its library, or such a processor
        return None
