"""The narrow circuit on a batch in machine code: the matrix, then tile by tile, and back.

Backward embeds and multiplies once more, for that is faster than to keep all states.
"""

from __future__ import annotations

from typing import NamedTuple

from medqnn.kernels.code import Code, Pointer, Value
from medqnn.kernels.contract import TILE
from medqnn.kernels.matrix import build, walk
from medqnn.kernels.memory import CONSTANTS, Batch, Call, Constants, Embedded, Steps
from medqnn.kernels.rows import clear
from medqnn.kernels.tile import embed, embedding_vjp, product


class Readout(NamedTuple):
    """What else of a circuit is known: its constants behind ``Constants``."""

    filled_outputs: Value  # filled up to whole blocks of rows
    start: Pointer  # (N, 2 width): (V^⊗n)ᵀ
    signs: Pointer  # (filled_outputs, width): probabilities to values


class Room(NamedTuple):
    """Scratch memory: rows of 64 images, but for the last three."""

    embedded: Embedded
    amplitudes: Pointer  # 2 width
    probabilities: Pointer  # width
    values: Pointer  # filled_outputs
    images: Pointer  # (64, rows): the states, image by image
    matrix: Pointer  # (2 width, rows)
    rest: Pointer


def forward(code: Code, call: Call) -> None:
    """Record the values, the second batch, from the inputs, the first."""
    known, readout, room = _read(code, call)
    inputs, values = call.batches
    for k in code.range(0, call.circuits):
        steps = Steps.find(known, k, call.work)
        build(code, known, steps, readout.start, call.weights + k * known.weights, room.rest)
        for first in code.range(0, call.images, TILE):
            count = code.integer(TILE).minimum(call.images - first)
            _amplitudes(code, known, room, steps, inputs.tile(first, k), count)
            for i in code.range(0, known.width * TILE, code.lanes):
                real, imag = (room.amplitudes.vector(i + part) for part in (0, known.width * TILE))
                room.probabilities.put(i, code.fused(real, real, imag * imag))
            shape = (readout.filled_outputs, known.width, count)
            left, right = (readout.signs, known.width, 1), (room.probabilities, TILE)
            product(code, left, right, (room.values, TILE), shape)
            for j in code.range(0, known.outputs):
                values.tile(first, k).scatter(code, j, room.values + j * TILE, count)


def backward(code: Code, call: Call) -> None:
    """Record the gradients to the inputs, the third batch, from inputs and the gradient."""
    known, readout, room = _read(code, call)
    inputs, grad, grad_inputs = call.batches
    length = known.width * 2
    for k in code.range(0, call.circuits):
        steps = Steps.find(known, k, call.work)
        clear(code, room.matrix, length * known.rows)
        for first in code.range(0, call.images, TILE):
            count = code.integer(TILE).minimum(call.images - first)
            _amplitudes(code, known, room, steps, inputs.tile(first, k), count)
            _grad_amplitudes(code, known, readout, room, grad.tile(first, k), count)
            _grad_matrix(code, known, room, count)
            left, right = (steps.stages, length, 1), (room.amplitudes, TILE)
            product(code, left, right, (room.embedded.grads, TILE), (known.rows, length, count))
            embedding_vjp(code, known, room.embedded, grad_inputs.tile(first, k), count)
        transposed, own = room.rest, call.grad_weights + k * known.weights
        for n in code.range(0, known.size):
            for x in code.range(0, length):
                transposed[n * length + x] = room.matrix[x * known.rows + n]
        walk(code, known, steps, transposed, transposed + known.rows * length, own)


def _read(code: Code, call: Call) -> tuple[Constants, Readout, Room]:
    """The constants, and the scratch memory cut up."""
    known = Constants(*code.read(call.table, CONSTANTS))
    readout = Readout(*code.read(call.table + len(CONSTANTS), "npp"))
    rows, width = known.rows, known.width
    places = [call.scratch]
    for count in (rows, rows, 1, width * 2, width, readout.filled_outputs, rows):
        places.append(places[-1] + code.integer(count) * TILE)
    states, grads, spare, *others = places
    rest = places[-1] + rows * width * 2
    embedded = Embedded(states, grads, spare, TILE)
    return known, readout, Room._make([embedded, *others, rest])


def _amplitudes(
    code: Code, known: Constants, room: Room, steps: Steps, inputs: Batch, count: Value
) -> None:
    """Embed a tile and multiply it by the circuit's matrix."""
    embed(code, known, room.embedded, inputs, count)
    length = known.width * 2
    left, right = (steps.stages, 1, length), (room.embedded.states, TILE)
    product(code, left, right, (room.amplitudes, TILE), (length, known.size, count))


def _grad_amplitudes(
    code: Code, known: Constants, readout: Readout, room: Room, grad: Batch, count: Value
) -> None:
    """To real and imaginary parts: twice the part times the gradient to its probability."""
    for j in code.range(0, known.outputs):
        grad.gather(code, j, room.values + j * TILE, count)
    left, right = (readout.signs, 1, known.width), (room.values, TILE)
    product(code, left, right, (room.probabilities, TILE), (known.width, known.outputs, count))
    for i in code.range(0, known.width * TILE, code.lanes):
        twice = room.probabilities.vector(i) + room.probabilities.vector(i)
        for place in (i, known.width * TILE + i):
            room.amplitudes.put(place, twice * room.amplitudes.vector(place))


def _grad_matrix(code: Code, known: Constants, room: Room, count: Value) -> None:
    """Add a tile's share to the gradient to the matrix."""
    for n in code.range(0, known.size):
        for b in code.range(0, count):
            room.images[b * known.rows + n] = room.embedded.states[n * TILE + b]
    left, right = (room.amplitudes, TILE, 1), (room.images, known.rows)
    shape = (known.width * 2, count, known.rows)
    product(code, left, right, (room.matrix, known.rows), shape, add=True)
