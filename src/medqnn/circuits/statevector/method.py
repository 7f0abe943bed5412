"""Wide circuits, and data re-uploading, on state vectors.

Where ``compiled`` works out a circuit's matrix and multiplies a batch by it, this applies the
circuit to each state: a gate costs some 2^q operations an image, and a circuit's matrix 4^q. See
``adjoint`` for the mathematics and ``memory`` for what happens to a batch that does not fit.
"""

from __future__ import annotations

from itertools import repeat
from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits.circuit import Circuit
from medqnn.circuits.statevector import adjoint, memory
from medqnn.circuits.statevector.schedule import schedule


class Saved(NamedTuple):
    """What ``evaluate`` keeps for ``gradients``."""

    images: int  # at a time
    states: list[Tensor] | None  # last ones (c, images, N) of each part; none where too many


def evaluate(circuit: Circuit, inputs: Tensor, weights: Tensor) -> tuple[Tensor, Saved]:
    """Values (..., c, circuit.outputs) of inputs (..., c, circuit.inputs), in any float dtype.

    Plain tensor operations, which autograd and ``torch.func`` see through.

    Raises:
        CircuitError: If not even one image's states fit into memory.
    """
    result = torch.promote_types(inputs.dtype, weights.dtype)
    batch, angles = _working(inputs, result), weights.to(_working_dtype(result))
    plan = schedule(circuit, batch.dtype, batch.device)
    images, keep = memory.parts(circuit, batch)
    values, states = [], []
    for part in batch.split(images, dim=1):
        own, state = adjoint.forward(plan, circuit, part, angles)
        values.append(own)
        if keep:
            states.append(state)
    whole = torch.cat(values, dim=1).to(result)
    return _batch_first(whole, inputs), Saved(images, states if keep else None)


def gradients(
    circuit: Circuit, saved: Saved, grad: Tensor, inputs: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor]:
    """Gradients to the inputs and to the weights, of their shapes and dtypes."""
    result = torch.promote_types(inputs.dtype, weights.dtype)
    batch, angles = _working(inputs, result), weights.to(_working_dtype(result))
    plan = schedule(circuit, batch.dtype, batch.device)
    to_batch, to_angles = torch.empty_like(batch), torch.zeros_like(angles)
    pairs = zip(
        batch.split(saved.images, dim=1),
        to_batch.split(saved.images, dim=1),
        _working(grad, result).split(saved.images, dim=1),
        saved.states or repeat(None),
        strict=False,
    )
    for part, to_part, own, kept in pairs:
        state = adjoint.forward(plan, circuit, part, angles)[1] if kept is None else kept
        found, to_own = adjoint.backward(plan, circuit, state, own, part, angles)
        to_part.copy_(found)
        to_angles += to_own
    return _batch_first(to_batch, inputs).to(inputs.dtype), to_angles.to(weights.dtype)


def _working_dtype(result: torch.dtype) -> torch.dtype:
    return torch.promote_types(result, torch.float32)


def _working(tensor: Tensor, result: torch.dtype) -> Tensor:
    """(..., c, n) as (c, B, n), contiguous, in the dtype of the computation."""
    batch = tensor.shape[:-2].numel()
    flat = tensor.to(_working_dtype(result)).reshape(batch, *tensor.shape[-2:])
    return flat.transpose(0, 1).contiguous()


def _batch_first(tensor: Tensor, like: Tensor) -> Tensor:
    """(c, B, n) as (..., c, n)."""
    return tensor.transpose(0, 1).unflatten(0, like.shape[:-2]) if like.dim() > 2 else tensor[:, 0]
