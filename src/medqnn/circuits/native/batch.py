"""The narrow circuit on a batch in machine code: the matrix, then tile by tile, and back.

Backward embeds and multiplies once more, for that is faster than to keep all states.
"""

from __future__ import annotations

from typing import Any

from medqnn.circuits.native.code import Code, Pointer, Value
from medqnn.circuits.native.matrix import build, walk
from medqnn.circuits.native.memory import TILE, Batch, Constants, Room, Steps
from medqnn.circuits.native.tile import (
    amplitudes_vjp,
    angles_vjp,
    clear,
    embed_amplitudes,
    embed_angles,
    product,
)

FORWARD = "ippp" + "nn" + "pnnn" * 2
BACKWARD = "ippp" + "nn" + "pnnn" * 3
"""Kinds of the arguments, as in ``Code.record``."""


def forward(
    code: Code,
    table: Pointer,
    work: Pointer,
    scratch: Pointer,
    weights: Pointer,
    circuits: Value,
    images: Value,
    *batches: Any,
) -> None:
    """Record the values: from the constants, c and B, and inputs and values as ``Batch``."""
    known = Constants.read(code, table)
    room, inputs, values = Room.divide(known, scratch), Batch(*batches[:4]), Batch(*batches[4:])
    for k in code.range(0, circuits):
        steps = Steps.find(known, k, work)
        build(code, known, steps, weights + k * known.weights, room.rest)
        for first in code.range(0, images, TILE):
            count = code.integer(TILE).minimum(images - first)
            _amplitudes(code, known, room, steps, inputs.tile(first, k), count)
            for i in code.range(0, known.width * TILE, code.lanes):
                real, imag = (room.amplitudes.vector(i + part) for part in (0, known.width * TILE))
                room.probabilities.put(i, code.fused(real, real, imag * imag))
            shape = (known.filled_outputs, known.width, count)
            left, right = (known.readout, known.width, 1), (room.probabilities, TILE)
            product(code, left, right, (room.values, TILE), shape)
            for j in code.range(0, known.outputs):
                values.tile(first, k).scatter(code, j, room.values + j * TILE, count)


def backward(
    code: Code,
    table: Pointer,
    work: Pointer,
    scratch: Pointer,
    weights: Pointer,
    circuits: Value,
    images: Value,
    *batches: Any,
) -> None:
    """Record the gradients: ``weights`` and the third ``Batch``, inputs, are written."""
    known = Constants.read(code, table)
    room, inputs = Room.divide(known, scratch), Batch(*batches[:4])
    grad, grad_inputs = Batch(*batches[4:8]), Batch(*batches[8:])
    length = known.width * 2
    for k in code.range(0, circuits):
        steps = Steps.find(known, k, work)
        clear(code, room.matrix, length * known.rows)
        for first in code.range(0, images, TILE):
            count = code.integer(TILE).minimum(images - first)
            _amplitudes(code, known, room, steps, inputs.tile(first, k), count)
            _grad_amplitudes(code, known, room, grad.tile(first, k), count)
            _grad_matrix(code, known, room, count)
            left, right = (steps.stages, length, 1), (room.amplitudes, TILE)
            product(code, left, right, (room.grad_states, TILE), (known.rows, length, count))
            _grad_inputs(code, known, room, grad_inputs.tile(first, k), count)
        transposed, own = room.rest, weights + k * known.weights
        for n in code.range(0, known.size):
            for x in code.range(0, length):
                transposed[n * length + x] = room.matrix[x * known.rows + n]
        walk(code, known, steps, transposed, transposed + known.rows * length, own)


def _amplitudes(
    code: Code, known: Constants, room: Room, steps: Steps, inputs: Batch, count: Value
) -> None:
    """Embed a tile and multiply it by the circuit's matrix."""
    with code.either(known.amplitudes) as (amplitudes, angles):
        with amplitudes:
            embed_amplitudes(code, known, room, inputs, count)
        with angles:
            embed_angles(code, known, room, inputs, count)
    length = known.width * 2
    left, right = (steps.stages, 1, length), (room.states, TILE)
    product(code, left, right, (room.amplitudes, TILE), (length, known.size, count))


def _grad_amplitudes(code: Code, known: Constants, room: Room, grad: Batch, count: Value) -> None:
    """To real and imaginary parts: twice the part times the gradient to its probability."""
    for j in code.range(0, known.outputs):
        grad.gather(code, j, room.values + j * TILE, count)
    left, right = (known.readout, 1, known.width), (room.values, TILE)
    product(code, left, right, (room.probabilities, TILE), (known.width, known.outputs, count))
    for i in code.range(0, known.width * TILE, code.lanes):
        twice = room.probabilities.vector(i) + room.probabilities.vector(i)
        for place in (i, known.width * TILE + i):
            room.amplitudes.put(place, twice * room.amplitudes.vector(place))


def _grad_matrix(code: Code, known: Constants, room: Room, count: Value) -> None:
    """Add a tile's share to the gradient to the matrix."""
    for n in code.range(0, known.size):
        for b in code.range(0, count):
            room.images[b * known.rows + n] = room.states[n * TILE + b]
    left, right = (room.amplitudes, TILE, 1), (room.images, known.rows)
    shape = (known.width * 2, count, known.rows)
    product(code, left, right, (room.matrix, known.rows), shape, add=True)


def _grad_inputs(code: Code, known: Constants, room: Room, into: Batch, count: Value) -> None:
    with code.either(known.amplitudes) as (amplitudes, angles):
        with amplitudes:
            amplitudes_vjp(code, known, room, into, count)
        with angles:
            angles_vjp(code, known, room, into, count)
