"""A circuit on state vectors in machine code: an image a lane, as many as a vector holds at once.

A row of ``rows`` is one basis state's amplitudes of these images. Forward keeps nothing; backward
runs a tile once more, keeps its states between the layers, and walks back from the gradient to the
last of them, the costate (Jones and Gacon 2020). Lanes behind the last image hold states whose
costates are zero, so no sum over lanes feels them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from medqnn.kernels import rows
from medqnn.kernels.code import Code, Pointer, Value
from medqnn.kernels.memory import CONSTANTS, Batch, Call, Constants, Embedded, Steps
from medqnn.kernels.states_readout import READOUT, Readout, costate, measure
from medqnn.kernels.states_turns import Turns
from medqnn.kernels.tile import embed, embedding_vjp


class Room(NamedTuple):
    """Scratch memory; rows are basis states, filled up to whole vectors."""

    steps: Steps
    turns: Turns
    embedded: Embedded
    turned: Pointer  # (rows, 2 lanes)
    costate: Pointer  # (rows, 2 lanes)
    values: Pointer  # (outputs, lanes)
    phases: Pointer  # double (L + 1, rows): gradients to them, behind each layer's gates
    sums: Pointer  # double (angles,): gradients to half the angles
    angles: Pointer  # these as reals of the kernel
    spare: Pointer  # 4 rows of numbers

    @classmethod
    def divide(cls, code: Code, known: Constants, scratch: Pointer) -> Room:
        """Cut the memory up; ``contract.states_room`` is its size."""
        filled, lanes = known.rows, code.lanes
        steps = Steps.find(known, code.integer(0), scratch)
        stages = (known.layers + 1) * filled
        rotations = (known.layers + 2) * known.qubits
        vectors = [rotations, rotations, rotations, filled, filled, code.integer(1)]
        vectors += [filled * 2, filled * 2, known.outputs]
        places = [steps.stages + stages * 2 * lanes]
        doubles = [count * (lanes // 8) for count in (stages, known.angles)]
        for length in (*(count * lanes for count in vectors), *doubles, known.angles):
            places.append(places[-1] + length)
        states, grads, spare = places[3:6]
        embedded = Embedded(states, grads, spare, lanes)
        return cls(steps, Turns(*places[:3]), embedded, *places[6:])


def forward(code: Code, call: Call) -> None:
    """Record the values, the second batch, from the inputs, the first."""
    known, readout, room = _read(code, call)
    inputs, values = call.batches
    for k in code.range(0, call.circuits):
        _prepare(code, known, room, call.weights + k * known.weights)
        for first, count in _tiles(code, call.images):
            last = _run(code, known, room, inputs.tile(first, k), count, keep=False)
            measure(code, known, readout, last, room.values)
            for j in code.range(0, known.outputs):
                values.tile(first, k).scatter(code, j, room.values + j * code.lanes, count)


def backward(code: Code, call: Call) -> None:
    """Record the gradients to the inputs, the third batch, from inputs and the gradient."""
    known, readout, room = _read(code, call)
    inputs, grad, grad_inputs = call.batches
    for k in code.range(0, call.circuits):
        _prepare(code, known, room, call.weights + k * known.weights)
        rows.clear(code, room.phases, (known.layers + 1) * known.rows * (code.lanes // 8))
        rows.clear(code, room.sums, known.angles * (code.lanes // 8))
        for first, count in _tiles(code, call.images):
            last = _run(code, known, room, inputs.tile(first, k), count, keep=True)
            rows.clear(code, room.values, known.outputs * code.lanes)
            for j in code.range(0, known.outputs):
                grad.tile(first, k).gather(code, j, room.values + j * code.lanes, count)
            costate(code, known, readout, last, room.values, room.costate)
            _walk(code, known, room)
            _to_inputs(code, known, room, grad_inputs.tile(first, k), count)
        _to_weights(code, known, room, call.grad_weights + k * known.weights)


def _read(code: Code, call: Call) -> tuple[Constants, Readout, Room]:
    """The constants, and the scratch memory cut up."""
    known = Constants(*code.read(call.table, CONSTANTS))
    readout = Readout(*code.read(call.table + len(CONSTANTS), READOUT))
    return known, readout, Room.divide(code, known, call.scratch)


def _tiles(code: Code, images: Value) -> Iterator[tuple[Value, Value]]:
    """First image and number of images."""
    for first in code.range(0, images, code.lanes):
        yield first, code.integer(code.lanes).minimum(images - first)


def _prepare(code: Code, known: Constants, room: Room, weights: Pointer) -> None:
    """What one circuit does to every image."""
    rows.half_angles(code, known, room.steps, weights)
    room.turns.by_weights(code, known, room.steps)
    for layer in code.range(0, known.layers + 1):
        rows.diagonal(code, known, room.steps, layer, room.spare)


def _run(
    code: Code, known: Constants, room: Room, inputs: Batch, count: Value, keep: bool
) -> Pointer:
    """A tile's last state; ``keep`` leaves all in ``steps.stages``."""
    with code.either(known.uploads) as (again, once):
        with again:
            room.turns.by_data(code, known, inputs, count)
            rows.clear(code, room.embedded.states, known.size * code.lanes)
            room.embedded.states.put(0, code.splat(1.0))
        with once:
            embed(code, known, room.embedded, inputs, count)
    for n, real, (cos, sin) in _first_stage(code, known, room):
        number = room.embedded.states.vector(real)
        room.steps.stages.put(n, cos * number)
        room.steps.stages.put(n + code.lanes, sin * number)
    length = known.size * 2 * code.lanes
    stride = length * int(keep)
    for layer in code.range(1, known.layers + 1):
        stage = room.steps.stages + (layer - 1) * stride
        for i in code.range(0, length, code.lanes):
            room.turned.put(i, stage.vector(i))
        room.turns.apply(code, known, layer, room.turned, back=False)
        rows.move(code, known, room.steps, layer, room.turned, stage + stride)
    return room.steps.stages + known.layers * stride


def _first_stage(
    code: Code, known: Constants, room: Room
) -> Iterator[tuple[Value, Value, tuple[Value, Value]]]:
    """Where each row begins, and in the embedded states, which are real; D_0's number for it."""
    for n in code.range(0, known.size):
        cos, sin = room.steps.diagonals[n], room.steps.diagonals[known.size + n]
        yield n * (2 * code.lanes), n * code.lanes, (code.splat(cos), code.splat(sin))


def _walk(code: Code, known: Constants, room: Room) -> None:
    """From the last costate to the first, through all layers; the gradients are added up."""
    length, turned = known.size * 2 * code.lanes, room.turned
    for done in code.range(0, known.layers):
        layer = known.layers - done
        stage, before = (room.steps.stages + (layer - less) * length for less in (0, 1))
        _add_phases(code, known, room, layer, stage)
        rows.move(
            code, known, room.steps, layer, room.costate, turned, transposed=True, conjugate=True
        )
        room.turns.apply(code, known, layer, turned, back=True)
        for qubit, overlap in rows.rotation_gradients(code, known, turned, before):
            *_, grad = room.turns.at(code, known, layer, qubit)
            grad.put(0, overlap)
        for i in code.range(0, length, code.lanes):
            room.costate.put(i, turned.vector(i))
    _add_phases(code, known, room, code.integer(0), room.steps.stages)
    room.turns.to_angles(code, known, code.doubles(room.sums))


def _add_phases(code: Code, known: Constants, room: Room, layer: Value, stage: Pointer) -> None:
    into = code.doubles(room.phases) + layer * known.rows
    for n, overlap in rows.overlaps(code, known, room.costate, stage):
        into[n] = into[n] + code.double(overlap)


def _to_inputs(code: Code, known: Constants, room: Room, into: Batch, count: Value) -> None:
    for n, real, (cos, sin) in _first_stage(code, known, room):
        up, across = room.costate.vector(n), room.costate.vector(n + code.lanes)
        room.embedded.grads.put(real, code.fused(cos, up, sin * across))
    with code.either(known.uploads) as (again, once):
        with again:
            room.turns.data_vjp(code, known, into, count)
        with once:
            embedding_vjp(code, known, room.embedded, into, count)


def _to_weights(code: Code, known: Constants, room: Room, weights: Pointer) -> None:
    for a in code.range(0, known.angles):
        room.angles[a] = code.rounded(code.doubles(room.sums)[a])
    behind, ahead = room.spare, room.spare + known.rows
    for layer in code.range(0, known.layers + 1):
        for n in code.range(0, known.size):
            ahead[n] = code.rounded((code.doubles(room.phases) + layer * known.rows)[n])
        for n in code.range(0, known.size):
            behind[n] = ahead[(known.states + layer * known.size)[n]]
        rows.phase_gradients(code, known, layer, behind, ahead, room.angles)
    rows.to_weights(code, known, room.angles, weights)
