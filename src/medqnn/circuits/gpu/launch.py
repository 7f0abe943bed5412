"""The kernels of ``gpu`` on a batch, in the shape that suits a circuit and its dtype."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from medqnn.circuits.circuit import Circuit
from medqnn.circuits.gpu.tables import Tables

TILE_NUMBERS = {torch.float32: 128, torch.float64: 64}
"""Amplitudes that a program holds at once, where one image has fewer."""

FORWARD = {"num_warps": 1, "enable_fp_fusion": True}
BACKWARD = {**FORWARD, "maxnreg": 255}
"""Options: one warp a program, so that no thread waits for those of another; fused products and
sums, whatever Triton's default; and all registers that a thread can have, for left to itself the
compiler may take half of them and spill."""


class Form(NamedTuple):
    """What a kernel's code depends on beside dtypes: its constants, by their names."""

    tile: int  # images
    qubits: int
    columns: int
    embedding: int  # as in ``embedding``: amplitudes, angles, uploads by the steps
    every: int  # of so many qubits one is read out
    row_x: int  # among the readouts, or -1
    row_y: int
    row_z: int


def form(circuit: Circuit, dtype: torch.dtype) -> Form:
    """That of a circuit computed in float32 or float64."""
    return Form(
        max(1, TILE_NUMBERS[dtype] // circuit.dimension),
        circuit.qubits,
        1 << (circuit.qubits - 1).bit_length(),
        0 if circuit.embedding == "amplitude" else 2 if circuit.reupload else 1,
        circuit.measured.step,
        *(circuit.readouts.find(pauli) for pauli in "XYZ"),
    )


def forward(form: Form, table: Tables, inputs: Tensor, weights: Tensor, values: Tensor) -> None:
    """Write the values (B, c, outputs) of inputs (B, c, n) and weights (c, P), a row in memory."""
    from medqnn.circuits.gpu import kernels

    circuits, tiles = len(weights), -(-len(inputs) // form.tile)
    if circuits * tiles:
        with torch.cuda.device_of(inputs):
            kernels.forward[(circuits * tiles,)](
                circuits, len(inputs), table.steps, weights.shape[1],
                weights, table.reals, table.integers,
                inputs, *inputs.stride(), values, *values.stride(),
                **form._asdict(), **FORWARD,
            )  # fmt: skip


def backward(
    form: Form, table: Tables, inputs: Tensor, weights: Tensor, grad: Tensor, grad_inputs: Tensor
) -> Tensor:
    """Write the gradients to the inputs, and return those to the weights, (c, P)."""
    from medqnn.circuits.gpu import kernels

    circuits, tiles = len(weights), -(-len(inputs) // form.tile)
    shape = tiles, circuits, table.slots, weights.shape[1]
    found = table.reals.new_empty(shape) if table.slots == 1 else table.reals.new_zeros(shape)
    if circuits * tiles:
        with torch.cuda.device_of(inputs):
            kernels.backward[(circuits * tiles,)](
                circuits, len(inputs), table.steps, weights.shape[1],
                weights, table.reals, table.integers,
                inputs, *inputs.stride(), grad, *grad.stride(), grad_inputs, *grad_inputs.stride(),
                found, found[0, 0].numel(), **form._asdict(), **BACKWARD,
            )  # fmt: skip
    return found[0, :, 0] if tiles * table.slots == 1 else found.sum((0, 2))
