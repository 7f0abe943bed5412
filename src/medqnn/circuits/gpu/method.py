"""Circuits on a GPU, up to 9 qubits: a batch in one launch, its gradients in another.

Triton, which comes with PyTorch's CUDA builds, makes a kernel at the first use, which takes it
seconds, and keeps it on disk. Where it cannot, or the kernels do not find what PyTorch's operations
do, these serve: ``compiled`` and ``statevector``.
"""

from __future__ import annotations

import math
import threading
from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits import statevector
from medqnn.circuits.circuit import Circuit
from medqnn.circuits.gpu import launch
from medqnn.circuits.gpu.tables import tables
from medqnn.circuits.native.method import DTYPES, PLAIN
from medqnn.errors import CircuitError

MAX_QUBITS = 9
"""Widest circuit in float32 whose state and costate one warp holds in registers; in float64, 8."""

_making = threading.Lock()
_works: dict[tuple[object, ...], bool] = {}


class Saved(NamedTuple):
    """What ``evaluate`` keeps for ``gradients``; they need no states."""

    inputs: Tensor  # (B, c, n)
    weights: Tensor  # (c, P), a row in memory


def serves(circuit: Circuit, inputs: Tensor, weights: Tensor) -> bool:
    """Whether this method can evaluate these tensors.

    It reads the GPU's memory, so tensors must have some, and what watches PyTorch's operations sees
    none here. The first call for a form of circuit makes its kernels and tries them, so that what
    stops them stops them here.
    """
    return (
        inputs.is_cuda
        and weights.is_cuda
        and circuit.qubits <= MAX_QUBITS
        and circuit.embedding != "iqp"
        and not torch._C._len_torch_dispatch_stack()
        and {type(inputs), type(weights)} <= PLAIN
        and {inputs.dtype, weights.dtype} <= DTYPES
        and circuit.dimension * _working(inputs, weights).itemsize <= 4 * 2**MAX_QUBITS
        and _work(circuit, inputs, weights)
    )


def evaluate(circuit: Circuit, inputs: Tensor, weights: Tensor) -> tuple[Tensor, Saved]:
    """Expectation values, in memory as the inputs are: batch last or circuits and outputs last.

    Args:
        circuit: What to evaluate; ``serves`` says which.
        inputs: (..., c, circuit.inputs), of ``DTYPES``, any strides. Half precision is computed in
            float32.
        weights: (c, *circuit.weight_shape), of ``DTYPES``, on the same device.

    Returns:
        (..., c, circuit.outputs) in the dtype that the two promote to, and what ``gradients``
        needs.
    """
    flat, angles = _flat(inputs), _in_memory(weights).flatten(1).contiguous()
    images, circuits, _ = flat.shape
    result = torch.promote_types(inputs.dtype, weights.dtype)
    if flat.stride(0) == 1:
        values = flat.new_empty((circuits, circuit.outputs, images), dtype=result).permute(2, 0, 1)
    else:
        values = flat.new_empty((images, circuits, circuit.outputs), dtype=result)
    working = _working(inputs, weights)
    table = tables(circuit, working, flat.device)
    launch.forward(launch.form(circuit, working), table, flat, angles, values)
    if inputs.dim() != 3:
        values = values.reshape(*inputs.shape[:-1], circuit.outputs)
    return values, Saved(flat, angles)


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
    flat, angles = saved
    working = _working(inputs, weights)
    form, table = launch.form(circuit, working), tables(circuit, working, flat.device)
    grad_inputs = torch.empty_like(flat)
    found = launch.backward(form, table, flat, angles, _flat(grad), grad_inputs)
    return grad_inputs.reshape(inputs.shape), found.reshape(weights.shape).to(weights.dtype)


def _working(inputs: Tensor, weights: Tensor) -> torch.dtype:
    """The dtype of the computation."""
    result = torch.promote_types(inputs.dtype, weights.dtype)
    return torch.promote_types(result, torch.float32)


def _flat(tensor: Tensor) -> Tensor:
    """(..., c, n) as (B, c, n)."""
    tensor = _in_memory(tensor)
    return tensor.reshape(tensor.shape[:-2].numel(), *tensor.shape[-2:])


def _in_memory(tensor: Tensor) -> Tensor:
    """With its numbers as they stand in memory."""
    if not tensor.data_ptr() and tensor.numel():
        if not torch._is_zerotensor(tensor):
            raise CircuitError("a tensor's memory was given back: it has a shape, but no numbers")
        tensor = tensor.clone()
    return tensor.resolve_neg()


def _work(circuit: Circuit, inputs: Tensor, weights: Tensor) -> bool:
    """Whether the kernels can be made for such tensors, and start."""
    form = launch.form(circuit, _working(inputs, weights))
    key = form, inputs.dtype, weights.dtype, inputs.device
    if key not in _works:
        with _making:
            if key not in _works:
                _works[key] = _start(circuit, inputs, weights)
    return _works[key]


def _start(circuit: Circuit, inputs: Tensor, weights: Tensor) -> bool:
    """Whether the kernels start, and find what PyTorch's operations do for a tile and an image."""
    form = launch.form(circuit, torch.float32)
    shape = form.tile + 1, 1, circuit.inputs
    autocast = torch.autocast(inputs.device.type, enabled=False)
    try:
        with torch.inference_mode(False), torch.no_grad(), autocast:
            batch, angles = _waves(inputs, shape), _waves(weights, (1, *circuit.weight_shape))
            grad, saved = evaluate(circuit, batch, angles)
            ours = grad, *gradients(circuit, saved, grad, batch, angles)
            values, kept = statevector.evaluate(circuit, batch, angles)
            theirs = values, *statevector.gradients(circuit, kept, grad, batch, angles)
            return all(map(_close, ours, theirs))
    except Exception:  # no Triton, no C compiler for its launcher, a GPU that it does not know
        return False


def _waves(like: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Numbers from -3 to 3, no two alike."""
    count = torch.arange(math.prod(shape), dtype=torch.float64, device=like.device)
    return 3.0 * (count + 1.0).sin().reshape(shape).to(like.dtype)


def _close(one: Tensor, other: Tensor) -> bool:
    tolerance = torch.finfo(one.dtype).eps ** 0.5 * other.abs().max().clamp_min(1.0)
    return bool((one - other).abs().max() <= tolerance)
