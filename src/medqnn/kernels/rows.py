"""A circuit's steps on rows of complex numbers in machine code, and their gradients.

Layer l is D(ω_l) K_l D(φ_l) and then its two-qubit gates P_l: K_l rotates every qubit by R_y, D are
diagonals of phases. Between two rotations stand P_l and D_l, which holds both ω_l and, seen from
before P_l, φ_{l+1}. A row belongs to a basis state and holds its numbers' real parts, then the
imaginary ones: a column of the circuit's matrix or an image's amplitude each. So a rotation mixes
rows in pairs, two-qubit gates rename them, and a diagonal multiplies each by a complex number.
Angles are counted with a layer of zeros before the first and behind the last, so that no step is a
special case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from medqnn.kernels.angles import cosine_and_sine
from medqnn.kernels.code import Code, Pointer, Value, Variable
from medqnn.kernels.memory import Constants, Steps
from medqnn.kernels.sums import LongSum, in_chunks

TOGETHER = (3, 1)
"""Qubits rotated in one pass through the rows: as many threes as there are, the rest one by one."""


def clear(code: Code, start: Pointer, count: Value | int) -> None:
    """Record zeros."""
    for i in code.range(0, count, code.lanes):
        start.put(i, code.splat(0.0))


def half_angles(code: Code, known: Constants, steps: Steps, weights: Pointer) -> None:
    """Record the cosines and sines of half the angles."""
    for a in code.range(0, known.angles, code.lanes):
        half = Variable(code, known.offsets.vector(a))
        for p in code.range(0, known.weights):
            slope = known.slopes.vector(p * known.angles + a)
            half.set(code.fused(code.splat(weights[p]), slope, half.get()))
        cos, sin = cosine_and_sine(code, half.get())
        steps.cosines.put(a, cos)
        steps.sines.put(a, sin)


def diagonal(code: Code, known: Constants, steps: Steps, layer: Value, room: Pointer) -> None:
    """Record D_l, with the signs that P_l gives; ``room`` is scratch memory for 4 rows' length."""
    size = known.size
    states, signs = known.states + layer * size, known.signs + layer * size
    behind, ahead = room, room + known.rows * 2
    _phases(code, known, steps, layer, 2, behind)
    _phases(code, known, steps, layer + 1, 0, ahead)
    into = steps.diagonals + layer * known.rows * 2
    for n in code.range(0, size):
        state, sign = states[n], signs[n]
        cos, sin = _times(behind[n], behind[size + n], ahead[state], ahead[size + state])
        into[n], into[size + n] = sign * cos, sign * sin


def _phases(
    code: Code, known: Constants, steps: Steps, layer: Value, which: int, into: Pointer
) -> None:
    """exp(-i Σ_j a_j z_j / 2) for every state, real parts and then imaginary: qubit by qubit."""
    size = known.size
    into[0], into[size] = code.real(1.0), code.real(0.0)
    half = Variable(code, code.integer(1))
    for done in code.range(0, known.qubits):
        angle = (layer * known.qubits + (known.qubits - 1 - done)) * 3 + which
        cos, sin = steps.cosines[angle], steps.sines[angle]
        done_states = half.get()
        for n in code.range(0, done_states):
            real, imag = into[n], into[size + n]
            one, zero = _times(real, imag, cos, sin), _times(real, imag, cos, -sin)
            into[done_states + n], into[size + done_states + n] = one
            into[n], into[size + n] = zero
        half.set(done_states + done_states)


def _times(a: Value, b: Value, c: Value, d: Value) -> tuple[Value, Value]:
    """(a + ib)(c + id)."""
    return a * c - b * d, a * d + b * c


def move(
    code: Code,
    known: Constants,
    steps: Steps,
    layer: Value,
    source: Pointer,
    into: Pointer,
    transposed: bool = False,
    conjugate: bool = False,
) -> None:
    """Record into = P_l D_l · source, or D_l P_lᵀ · source; both ways round is the inverse."""
    for n, state, factor in _places(code, known, steps, layer, conjugate):
        here, there = (state, n) if transposed else (n, state)
        _turn_row(code, known, source + here, into + there, factor)


def _places(
    code: Code, known: Constants, steps: Steps, layer: Value, conjugate: bool
) -> Iterator[tuple[Value, Value, tuple[Value, Value]]]:
    """Where each row and the one that P_l makes of it begin, and D_l's number for it."""
    length, states = known.width * 2, known.states + layer * known.size
    numbers = steps.diagonals + layer * known.rows * 2
    for n in code.range(0, known.size):
        cos, sin = numbers[n], numbers[known.size + n]
        yield n * length, states[n] * length, (cos, -sin if conjugate else sin)


def _turn_row(
    code: Code, known: Constants, source: Pointer, into: Pointer, factor: tuple[Value, Value]
) -> None:
    """A row times cos + i sin."""
    cos, sin = (code.splat(part) for part in factor)
    for x in code.range(0, known.width, code.lanes):
        real, imag = _times(source.vector(x), source.vector(known.width + x), cos, sin)
        into.put(x, real)
        into.put(known.width + x, imag)


def rotate(
    code: Code, known: Constants, turn: Callable[[Value], tuple[Value, Value]], rows: Pointer
) -> None:
    """Record K · rows in place, from the cosine and sine of half each qubit's angle, as vectors."""
    for qubit, count in _together(code, known):
        turns = [turn(qubit + own) for own in range(count)]
        for (places,) in _groups(code, known, qubit, count, [rows]):
            vectors = [place.vector() for place in places]
            for own, (cos, sin) in enumerate(turns):
                for zero, one in _pairs(count, own):
                    first, second = vectors[zero], vectors[one]
                    vectors[zero] = cos * first - sin * second
                    vectors[one] = code.fused(sin, first, cos * second)
            for place, vector in zip(places, vectors, strict=True):
                place.put(0, vector)


def _together(code: Code, known: Constants) -> Iterator[tuple[Value, int]]:
    """First qubit and number of those that are worked on together."""
    done = Variable(code, code.integer(0))
    for count in TOGETHER:
        for qubit in code.range(done.get(), known.qubits - (count - 1), count):
            yield qubit, count
            done.set(qubit + count)


def alike(
    code: Code, known: Constants, qubit: Value, count: int, number: Value
) -> tuple[Value, Value]:
    """Of rows that differ in ``count`` qubits alone: the first of a set, and how far apart.

    ``qubit`` is the first of them; there are size >> count sets.
    """
    behind = known.qubits - (qubit + count)
    step = code.integer(1) << behind
    return ((number >> behind) << (behind + count)) + (number & (step - 1)), step


def _groups(
    code: Code,
    known: Constants,
    qubit: Value,
    count: int,
    tables: Sequence[Pointer],
    sums: Sequence[LongSum] = (),
) -> Iterator[list[list[Pointer]]]:
    """Places, vector by vector, of the 2^count rows that differ in these qubits alone."""
    length = known.width * 2
    for number in in_chunks(code, known.size >> count, sums):
        first, step = alike(code, known, qubit, count, number)
        for x in code.range(first * length, first * length + length, code.lanes):
            block = step * length
            yield [[table + x + block * row for row in range(2**count)] for table in tables]


def _pairs(count: int, own: int) -> list[tuple[int, int]]:
    """Of ``_groups``' rows, those with one of its qubits 0 and their partners with it 1."""
    bit = 2 ** (count - 1 - own)
    return [(row, row + bit) for row in range(2**count) if not row & bit]


def rotation_gradients(
    code: Code, known: Constants, grad: Pointer, stage: Pointer
) -> Iterator[tuple[Value, Value]]:
    """Each qubit and Σ g_1 z_0 - g_0 z_1 over pairs that its bit tells apart: ∂L/∂(θ/2), by lane.

    Both must stand on the same side of K.
    """
    for qubit, count in _together(code, known):
        ups, downs = ([LongSum(code) for _ in range(count)] for _ in range(2))
        for g, z in _groups(code, known, qubit, count, (grad, stage), (*ups, *downs)):
            gs, zs = ([place.vector() for place in rows] for rows in (g, z))
            for own, (up, down) in enumerate(zip(ups, downs, strict=True)):
                for zero, one in _pairs(count, own):
                    up.set(code.fused(gs[one], zs[zero], up.get()))
                    down.set(code.fused(gs[zero], zs[one], down.get()))
        for own, (up, down) in enumerate(zip(ups, downs, strict=True)):
            yield qubit + own, up.whole() - down.whole()


def overlaps(
    code: Code, known: Constants, grad: Pointer, stage: Pointer
) -> Iterator[tuple[Value, Value]]:
    """Each row and its Im Σ ḡ z: where exp(-i p) scales a row to z, ∂L/∂p."""
    width = known.width
    for n in code.range(0, known.size):
        g, z = grad + n * width * 2, stage + n * width * 2
        overlap = Variable(code, code.splat(0.0))
        for x in code.range(0, width, code.lanes):
            along = code.fused(g.vector(x), z.vector(width + x), overlap.get())
            overlap.set(along - g.vector(width + x) * z.vector(x))
        yield n, code.total(overlap.get())


def phase_gradients(
    code: Code, known: Constants, layer: Value, behind: Pointer, ahead: Pointer, angles: Pointer
) -> None:
    """Record ∂L/∂(ω_l/2) and ∂L/∂(φ_{l+1}/2) from the rows' phases before and behind P_l.

    Both tables are overwritten.
    """
    _signed_sums(code, known, behind, angles + layer * known.qubits * 3 + 2)
    _signed_sums(code, known, ahead, angles + (layer + 1) * known.qubits * 3)


def _signed_sums(code: Code, known: Constants, terms: Pointer, into: Pointer) -> None:
    """Σ_n z_j(n) · terms_n to every third place, for each qubit j; qubits done are summed over."""
    for qubit in code.range(0, known.qubits):
        half = known.size >> (qubit + 1)
        total = Variable(code, code.double(code.real(0.0)))
        for n in code.range(0, half):
            zero, one = terms[n], terms[half + n]
            total.set(total.get() + code.double(zero - one))
            terms[n] = zero + one
        into[qubit * 3] = code.rounded(total.get())


def to_weights(code: Code, known: Constants, angles: Pointer, weights: Pointer) -> None:
    """Record the gradients to the weights, from those to half the angles."""
    for p in code.range(0, known.weights):
        total = Variable(code, code.splat(0.0))
        for a in code.range(0, known.angles, code.lanes):
            slope = known.slopes.vector(p * known.angles + a)
            total.set(code.fused(slope, angles.vector(a), total.get()))
        weights[p] = code.total(total.get())
