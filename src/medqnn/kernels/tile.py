"""What works on a tile of a batch in machine code: products, embeddings and their gradients.

Within a tile the image is the last dimension.
Whole vectors are computed, so where the batch ends before the tile, numbers without meaning stand
behind the last image; nothing of them reaches another image or a sum over images.
"""

from __future__ import annotations

from medqnn.kernels.angles import cosine_and_sine
from medqnn.kernels.code import Code, Pointer, Value, Variable
from medqnn.kernels.contract import LEAST_SQUARED_NORM
from medqnn.kernels.memory import Batch, Constants, Embedded
from medqnn.kernels.rows import alike, clear
from medqnn.kernels.sums import LongSum, in_chunks


def product(
    code: Code,
    left: tuple[Pointer, Value | int, Value | int],
    right: tuple[Pointer, Value | int],
    into: tuple[Pointer, Value | int],
    shape: tuple[Value, Value, Value],
    add: bool = False,
) -> None:
    """Record into = left · right, or += with ``add``, for ``shape`` rows, terms and columns.

    ``left`` comes with the strides of its rows and columns; the others with the stride of their
    rows, for their columns lie side by side. Rows and columns are rounded up to what is computed
    at once: a block by a vector.
    """
    rows, terms, columns = shape
    column_of, row_of, row_into = left[0], right[0], into[0]
    for x in code.range(0, columns, code.lanes):
        for first in code.range(0, rows, code.block):
            corners = [row_into + (first + row) * into[1] + x for row in range(code.block)]
            sums = [Variable(code, code.splat(0.0)) for _ in corners]
            for k in code.range(0, terms):
                factors = (row_of + k * right[1] + x).vector()
                column = column_of + first * left[1] + k * left[2]
                for row, total in enumerate(sums):
                    factor = code.splat(column[code.integer(left[1]) * row])
                    total.set(code.fused(factor, factors, total.get()))
            for corner, total in zip(corners, sums, strict=True):
                corner.put(0, corner.vector() + total.get() if add else total.get())


def embed(code: Code, known: Constants, room: Embedded, inputs: Batch, count: Value) -> None:
    """Record the embedded states; those behind the last image are finite, of amplitudes zero."""
    with code.either(known.amplitudes) as (amplitudes, angles):
        with amplitudes:
            _embed_amplitudes(code, known, room, inputs, count)
        with angles:
            _embed_angles(code, known, room, inputs, count)


def embedding_vjp(code: Code, known: Constants, room: Embedded, into: Batch, count: Value) -> None:
    """Record the gradients to the inputs, from those to the states, which are overwritten."""
    with code.either(known.amplitudes) as (amplitudes, angles):
        with amplitudes:
            _amplitudes_vjp(code, known, room, into, count)
        with angles:
            _angles_vjp(code, known, room, into, count)


def _embed_amplitudes(
    code: Code, known: Constants, room: Embedded, inputs: Batch, count: Value
) -> None:
    """``embeddings.amplitude``; the inverse norms stay in ``spare``."""
    states = room.states
    clear(code, states, known.size * room.tile)
    for b in code.range(0, count):
        image = inputs.start + b * inputs.image
        for n in code.range(0, known.size):
            states[n * room.tile + b] = image[n * inputs.number]
    for b in code.range(0, room.tile, code.lanes):
        squares = LongSum(code)
        for n in in_chunks(code, known.size, [squares]):
            number = states.vector(n * room.tile + b)
            squares.set(code.fused(number, number, squares.get()))
        inverse = code.inverse_root(squares.whole(), LEAST_SQUARED_NORM)
        room.spare.put(b, inverse)
        for n in code.range(0, known.size):
            states.put(n * room.tile + b, inverse * states.vector(n * room.tile + b))


def _amplitudes_vjp(
    code: Code, known: Constants, room: Embedded, into: Batch, count: Value
) -> None:
    """``embeddings.amplitude_vjp``."""
    states, grad = room.states, room.grads
    for b in code.range(0, room.tile, code.lanes):
        radial = LongSum(code)
        for n in in_chunks(code, known.size, [radial]):
            place = n * room.tile + b
            radial.set(code.fused(grad.vector(place), states.vector(place), radial.get()))
        for n in code.range(0, known.size):
            place = n * room.tile + b
            across = grad.vector(place) - radial.whole() * states.vector(place)
            grad.put(place, across * room.spare.vector(b))
    for b in code.range(0, count):
        image = into.start + b * into.image
        for n in code.range(0, known.size):
            image[n * into.number] = grad[n * room.tile + b]


def _embed_angles(
    code: Code, known: Constants, room: Embedded, inputs: Batch, count: Value
) -> None:
    """``embeddings.angle``: from the last qubit on, each doubles the states."""
    states = room.states
    for b in code.range(0, room.tile, code.lanes):
        states.put(b, code.splat(1.0))
        room.spare.put(b, code.splat(0.0))
    half = Variable(code, code.integer(1))
    for done in code.range(0, known.qubits):
        known_states = half.get()
        inputs.gather(code, known.qubits - 1 - done, room.spare, count)
        for b in code.range(0, room.tile, code.lanes):
            cos, sin = cosine_and_sine(code, code.splat(0.5) * room.spare.vector(b))
            for n in code.range(0, known_states):
                state = states.vector(n * room.tile + b)
                states.put((known_states + n) * room.tile + b, sin * state)
                states.put(n * room.tile + b, cos * state)
        half.set(known_states + known_states)


def _angles_vjp(code: Code, known: Constants, room: Embedded, into: Batch, count: Value) -> None:
    """½ Σ g_1 ψ_0 - g_0 ψ_1 over pairs of states that the qubit's bit tells apart."""
    states, grad = room.states, room.grads
    for qubit in code.range(0, known.qubits):
        for b in code.range(0, room.tile, code.lanes):
            overlap = LongSum(code)
            for number in in_chunks(code, known.size >> 1, [overlap]):
                row, step = alike(code, known, qubit, 1, number)
                zero, one = row * room.tile + b, (row + step) * room.tile + b
                up = code.fused(grad.vector(one), states.vector(zero), overlap.get())
                overlap.set(up - grad.vector(zero) * states.vector(one))
            room.spare.put(b, code.splat(0.5) * overlap.whole())
        into.scatter(code, qubit, room.spare, count)
