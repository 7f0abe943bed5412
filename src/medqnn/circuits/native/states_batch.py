"""A circuit on state vectors in machine code: an image a lane, as many as a vector holds at once.

A row of ``rows`` is one basis state's amplitudes of these images. Forward keeps nothing; backward
runs a tile once more, keeps its states between the layers, and walks back from the gradient to the
last of them, the costate (Jones and Gacon 2020).
Lanes behind the last image hold zeros, and so do their costates, so no sum over lanes feels them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from medqnn.circuits.native import rows
from medqnn.circuits.native.code import Code, Pointer, Value, Variable
from medqnn.circuits.native.memory import CONSTANTS, Batch, Constants, Embedded, Steps, steps_size
from medqnn.circuits.native.tile import embed, embedding_vjp

FORWARD = "ippp" + "nn" + "pnnn" * 2
BACKWARD = "ipppp" + "nn" + "pnnn" * 3
"""Kinds of the arguments, as in ``Code.record``."""


class Readout(NamedTuple):
    """What else of a circuit is known: its constants behind ``Constants``."""

    readouts: Value
    measured: Value  # qubits
    qubits: Pointer  # int64 (measured,)
    paulis: Pointer  # (readouts, 3): how much of ⟨X⟩/2, ⟨Y⟩/2 and ⟨Z⟩ makes each


class Room(NamedTuple):
    """Scratch memory; rows are basis states, filled up to whole vectors."""

    steps: Steps
    embedded: Embedded
    turned: Pointer  # (rows, 2 lanes)
    costate: Pointer  # (rows, 2 lanes)
    values: Pointer  # (outputs, lanes)
    phases: Pointer  # (L + 1, rows): gradients to them, behind each layer's gates
    before: Pointer  # 4 rows of numbers: those before the gates
    angles: Pointer


def room_size(layers: int, rows: int, lanes: int, outputs: int, angles: int) -> int:
    """Numbers of ``Room``: it grows with the depth, not with the batch."""
    tile = (6 * rows + outputs + 1) * lanes
    return steps_size(layers, rows, lanes, angles) + tile + (layers + 1 + 4) * rows + angles


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
    known, readout, room = _read(code, table, scratch)
    inputs, values = Batch(*batches[:4]), Batch(*batches[4:])
    for k in code.range(0, circuits):
        _prepare(code, known, room, weights + k * known.weights)
        for first in code.range(0, images, code.lanes):
            count = code.integer(code.lanes).minimum(images - first)
            last = _run(code, known, room, inputs.tile(first, k), count, keep=False)
            _measure(code, known, readout, room, last)
            for j in code.range(0, known.outputs):
                values.tile(first, k).scatter(code, j, room.values + j * code.lanes, count)


def backward(
    code: Code,
    table: Pointer,
    work: Pointer,
    scratch: Pointer,
    weights: Pointer,
    grad_weights: Pointer,
    circuits: Value,
    images: Value,
    *batches: Any,
) -> None:
    """Record the gradients: ``grad_weights`` and the third ``Batch``, inputs, are written."""
    known, readout, room = _read(code, table, scratch)
    inputs, grad, grad_inputs = (Batch(*batches[i : i + 4]) for i in (0, 4, 8))
    for k in code.range(0, circuits):
        _prepare(code, known, room, weights + k * known.weights)
        rows.clear(code, room.angles, known.angles)
        rows.clear(code, room.phases, (known.layers + 1) * known.rows)
        for first in code.range(0, images, code.lanes):
            count = code.integer(code.lanes).minimum(images - first)
            last = _run(code, known, room, inputs.tile(first, k), count, keep=True)
            _grad_state(code, known, readout, room, last, grad.tile(first, k), count)
            _walk(code, known, room)
            embedding_vjp(code, known, room.embedded, grad_inputs.tile(first, k), count)
        for layer in code.range(0, known.layers + 1):
            ahead = room.phases + layer * known.rows
            for n in code.range(0, known.size):
                room.before[n] = ahead[(known.states + layer * known.size)[n]]
            rows.phase_gradients(code, known, layer, room.before, ahead, room.angles)
        rows.to_weights(code, known, room.angles, grad_weights + k * known.weights)


def _read(code: Code, table: Pointer, scratch: Pointer) -> tuple[Constants, Readout, Room]:
    """The constants, and the scratch memory cut up."""
    known = Constants(*code.read(table, CONSTANTS))
    readout = Readout(*code.read(table + len(CONSTANTS), "nnip"))
    filled, lanes = known.rows, code.lanes
    steps = Steps.find(known, code.integer(0), scratch)
    stages = (known.layers + 1) * filled
    places = [steps.stages + stages * 2 * lanes]
    vectors = (filled, filled, code.integer(1), filled * 2, filled * 2, known.outputs)
    for length in (*(count * lanes for count in vectors), stages, filled * 4):
        places.append(places[-1] + length)
    states, grads, spare, *others = places
    return known, readout, Room(steps, Embedded(states, grads, spare, lanes), *others)


def _prepare(code: Code, known: Constants, room: Room, weights: Pointer) -> None:
    rows.half_angles(code, known, room.steps, weights)
    for layer in code.range(0, known.layers + 1):
        rows.diagonal(code, known, room.steps, layer, room.before)


def _run(
    code: Code, known: Constants, room: Room, inputs: Batch, count: Value, keep: bool
) -> Pointer:
    """A tile's last state; ``keep`` leaves all in ``steps.stages``."""
    embed(code, known, room.embedded, inputs, count)
    _lift(code, known, room)
    stride = known.size * (2 * code.lanes if keep else 0)
    for layer in code.range(1, known.layers + 1):
        stage = room.steps.stages + (layer - 1) * stride
        for i in code.range(0, known.size * 2 * code.lanes, code.lanes):
            room.turned.put(i, stage.vector(i))
        rows.rotate(code, known, room.steps, layer, room.turned, back=False)
        rows.scatter(code, known, room.steps, layer, room.turned, stage + stride)
    return room.steps.stages + known.layers * stride


def _lift(code: Code, known: Constants, room: Room) -> None:
    """The embedded states, which are real, times D_0."""
    for n, real, (cos, sin) in _lifted(code, known, room):
        number = room.embedded.states.vector(real)
        room.steps.stages.put(n, cos * number)
        room.steps.stages.put(n + code.lanes, sin * number)


def _drop(code: Code, known: Constants, room: Room) -> None:
    """The gradient to the embedded states, from the costate behind D_0."""
    for n, real, (cos, sin) in _lifted(code, known, room):
        up, across = room.costate.vector(n), room.costate.vector(n + code.lanes)
        room.embedded.grads.put(real, code.fused(cos, up, sin * across))


def _lifted(code: Code, known: Constants, room: Room) -> Any:
    for n in code.range(0, known.size):
        factor = (room.steps.diagonals[n], room.steps.diagonals[known.size + n])
        yield n * (2 * code.lanes), n * code.lanes, tuple(code.splat(part) for part in factor)


def _pairs(code: Code, known: Constants, qubit: Value) -> Any:
    """Where the rows with this qubit 0, and their partners with it 1, begin."""
    length = 2 * code.lanes
    half = (known.size >> (qubit + 1)) * length
    for high in code.range(0, known.size * length, half + half):
        for zero in code.range(high, high + half, length):
            yield zero, zero + half


def _halves(code: Code, state: Pointer, zero: Value, one: Value) -> list[Value]:
    """Real and imaginary parts of both rows."""
    return [state.vector(row + part) for row in (zero, one) for part in (0, code.lanes)]


def _measure(code: Code, known: Constants, readout: Readout, room: Room, state: Pointer) -> None:
    for place in code.range(0, readout.measured):
        sums = [Variable(code, code.splat(0.0)) for _ in "XYZ"]
        for zero, one in _pairs(code, known, readout.qubits[place]):
            a, b, c, d = _halves(code, state, zero, one)
            along, across, apart = (number.get() for number in sums)
            sums[0].set(code.fused(a, c, code.fused(b, d, along)))
            sums[1].set(code.fused(a, d, across - b * c))
            here, there = code.fused(a, a, b * b), code.fused(c, c, d * d)
            sums[2].set(apart + (here - there))
        for r in code.range(0, readout.readouts):
            value = code.splat(0.0)
            for pauli, total in enumerate(sums):
                share = code.splat(readout.paulis[r * 3 + pauli])
                value = code.fused(share, total.get(), value)
            room.values.put((r * readout.measured + place) * code.lanes, value)


def _grad_state(
    code: Code,
    known: Constants,
    readout: Readout,
    room: Room,
    state: Pointer,
    grad: Batch,
    count: Value,
) -> None:
    """The costate ∂L/∂Re ψ + i ∂L/∂Im ψ = 2 Σ_P g_P P ψ."""
    rows.clear(code, room.values, known.outputs * code.lanes)
    for j in code.range(0, known.outputs):
        grad.gather(code, j, room.values + j * code.lanes, count)
    rows.clear(code, room.costate, known.size * 2 * code.lanes)
    for place in code.range(0, readout.measured):
        sums = [Variable(code, code.splat(0.0)) for _ in "XYZ"]
        for r in code.range(0, readout.readouts):
            own = room.values.vector((r * readout.measured + place) * code.lanes)
            for pauli, total in enumerate(sums):
                share = code.splat(readout.paulis[r * 3 + pauli])
                total.set(code.fused(share, own, total.get()))
        x, y, half_z = (total.get() for total in sums)
        z = half_z + half_z
        for zero, one in _pairs(code, known, readout.qubits[place]):
            a, b, c, d = _halves(code, state, zero, one)
            parts = (
                code.fused(x, c, code.fused(y, d, z * a)),
                code.fused(x, d, z * b - y * c),
                code.fused(x, a, -code.fused(y, b, z * c)),
                code.fused(x, b, y * a - z * d),
            )
            places = (zero, zero + code.lanes, one, one + code.lanes)
            for at, part in zip(places, parts, strict=True):
                room.costate.put(at, room.costate.vector(at) + part)


def _walk(code: Code, known: Constants, room: Room) -> None:
    """From the last costate to the embedded states' gradient, through all layers."""
    length = known.size * 2 * code.lanes
    for done in code.range(0, known.layers):
        layer = known.layers - done
        stage, phases = room.steps.stages + layer * length, room.phases + layer * known.rows
        rows.overlaps(code, known, room.costate, stage, phases)
        turned = room.turned
        rows.gather(code, known, room.steps, layer, room.costate, turned, conjugate=True)
        rows.rotate(code, known, room.steps, layer, turned, back=True)
        before = room.steps.stages + (layer - 1) * length
        rows.rotation_gradients(code, known, layer, turned, before, room.angles)
        for i in code.range(0, length, code.lanes):
            room.costate.put(i, turned.vector(i))
    rows.overlaps(code, known, room.costate, room.steps.stages, room.phases)
    _drop(code, known, room)
