"""The narrow circuit's matrix in machine code, and the gradient back to its angles.

Layer l is D(ω_l) K_l D(φ_l) and then its two-qubit gates P_l: K_l rotates every qubit by R_y, D are
diagonals of phases. The transposed matrix is built from the readout on, V^⊗n P_L being constant:

    Z_L = D_L (V^⊗n P_L)ᵀ,   Z_{l-1} = D_{l-1} P_{l-1}ᵀ K_lᵀ Z_l,   Uᵀ = Z_0

where D_l holds both ω_l and, seen from before P_l, φ_{l+1}. Every step works on rows: a rotation
mixes them in pairs, two-qubit gates rename them, a diagonal multiplies each by a complex number. A
row holds its real parts, then its imaginary ones. Backward undoes the steps on the gradient g to
Z_l: an angle's gradient is the overlap of g with the turned Z_l. Angles are counted with a layer
of zeros before the first and behind the last, so that no step is a special case.
"""

from __future__ import annotations

from collections.abc import Iterator

from medqnn.circuits.native.angles import cosine_and_sine
from medqnn.circuits.native.code import Code, Pointer, Value, Variable
from medqnn.circuits.native.memory import Constants, Steps


def build(code: Code, known: Constants, steps: Steps, weights: Pointer, room: Pointer) -> None:
    """Record the way from one circuit's weights to Z_0: all of ``steps`` is written.

    ``room`` is scratch memory for 4 + 2 width rows of numbers, and no less than ``angles``.
    """
    _turn(code, known, steps, weights, room)
    turned, length = room + known.rows * 4, known.width * 2
    _stage(code, known, steps, known.layers, known.start, room)
    for done in code.range(0, known.layers):
        layer = known.layers - done
        stage = steps.stages + layer * known.rows * length
        for i in code.range(0, known.size * length, code.lanes):
            turned.put(i, stage.vector(i))
        _rotate(code, known, steps, layer, turned, back=True)
        _stage(code, known, steps, layer - 1, turned, room)


def _turn(code: Code, known: Constants, steps: Steps, weights: Pointer, room: Pointer) -> None:
    """Cosines and sines of half the angles."""
    for a in code.range(0, known.angles, code.lanes):
        half = Variable(code, known.offsets.vector(a))
        for p in code.range(0, known.weights):
            slope = known.slopes.vector(p * known.angles + a)
            half.set(code.fused(code.splat(weights[p]), slope, half.get()))
        cos, sin = cosine_and_sine(code, half.get())
        steps.cosines.put(a, cos)
        steps.sines.put(a, sin)


def _stage(
    code: Code,
    known: Constants,
    steps: Steps,
    layer: Value,
    source: Pointer,
    room: Pointer,
) -> None:
    """Z_l = D_l P_lᵀ · source, and D_l itself."""
    size, length = known.size, known.width * 2
    states, signs = known.states + layer * size, known.signs + layer * size
    behind, ahead = room, room + known.rows * 2
    _phases(code, known, steps, layer, 2, behind)
    _phases(code, known, steps, layer + 1, 0, ahead)
    diagonal = steps.diagonals + layer * known.rows * 2
    stage = steps.stages + layer * known.rows * length
    for n in code.range(0, size):
        state, sign = states[n], signs[n]
        cos, sin = _times(behind[n], behind[size + n], ahead[state], ahead[size + state])
        diagonal[n], diagonal[size + n] = sign * cos, sign * sin
        _turn_row(code, known, source + state * length, stage + n * length, sign * cos, sign * sin)


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


def _turn_row(
    code: Code, known: Constants, source: Pointer, into: Pointer, cos: Value, sin: Value
) -> None:
    """A row times cos + i sin."""
    across, width = (code.splat(cos), code.splat(sin)), known.width
    for x in code.range(0, width, code.lanes):
        real, imag = _times(source.vector(x), source.vector(width + x), *across)
        into.put(x, real)
        into.put(width + x, imag)


def _rotate(
    code: Code, known: Constants, steps: Steps, layer: Value, rows: Pointer, back: bool
) -> None:
    """K_l · rows in place, or K_lᵀ · rows."""
    for qubit in code.range(0, known.qubits):
        angle = (layer * known.qubits + qubit) * 3 + 1
        sine = steps.sines[angle]
        cos, sin = code.splat(steps.cosines[angle]), code.splat(-sine if back else sine)
        for zero, one in _pairs(code, known, qubit, rows):
            first, second = zero.vector(), one.vector()
            zero.put(0, cos * first - sin * second)
            one.put(0, code.fused(sin, first, cos * second))


def _pairs(
    code: Code, known: Constants, qubit: Value, *tables: Pointer
) -> Iterator[tuple[Pointer, ...]]:
    """Places, vector by vector, of the rows with this qubit 0 and of their partners with it 1."""
    length = known.width * 2
    block = (known.size >> (qubit + 1)) * length
    for high in code.range(0, known.size * length, block + block):
        for x in code.range(0, block, code.lanes):
            yield tuple(table + high + x + half for table in tables for half in (0, block))


def walk(
    code: Code, known: Constants, steps: Steps, grad: Pointer, room: Pointer, weights: Pointer
) -> None:
    """Record the way back from the gradient to Z_0 to one circuit's weights.

    Args:
        code: Where to record.
        known: The circuit's.
        steps: From ``build``.
        grad: (rows, 2 width), the gradient to Z_0; overwritten.
        room: Scratch memory for 2 + 2 width rows of numbers, and for ``angles``.
        weights: (P,), the gradients to be written.
    """
    size, length = known.size, known.width * 2
    moved = room + known.rows * 2
    angles = moved + known.rows * length
    for a in code.range(0, known.angles, code.lanes):
        angles.put(a, code.splat(0.0))
    for layer in code.range(0, known.layers):
        _phase_gradients(code, known, steps, layer, grad, room, angles)
        diagonal = steps.diagonals + layer * known.rows * 2
        for n in code.range(0, size):
            state = (known.states + layer * size)[n]
            back = (diagonal[n], -diagonal[size + n])
            _turn_row(code, known, grad + n * length, moved + state * length, *back)
        for i in code.range(0, size * length, code.lanes):
            grad.put(i, moved.vector(i))
        _rotate(code, known, steps, layer + 1, grad, back=False)
        _rotation_gradients(code, known, steps, layer + 1, grad, angles)
    _phase_gradients(code, known, steps, known.layers, grad, room, angles)
    for p in code.range(0, known.weights):
        total = Variable(code, code.splat(0.0))
        for a in code.range(0, known.angles, code.lanes):
            slope = known.slopes.vector(p * known.angles + a)
            total.set(code.fused(slope, angles.vector(a), total.get()))
        weights[p] = code.total(total.get())


def _rotation_gradients(
    code: Code, known: Constants, steps: Steps, layer: Value, grad: Pointer, angles: Pointer
) -> None:
    """∂L/∂(θ/2) = Σ g_0 z_1 - g_1 z_0 over pairs of rows that the qubit's bit tells apart."""
    stage = steps.stages + layer * known.rows * known.width * 2
    for qubit in code.range(0, known.qubits):
        overlap = Variable(code, code.splat(0.0))
        for grad_0, grad_1, zero, one in _pairs(code, known, qubit, grad, stage):
            along = code.fused(grad_0.vector(), one.vector(), overlap.get())
            overlap.set(along - grad_1.vector() * zero.vector())
        angles[(layer * known.qubits + qubit) * 3 + 1] = code.total(overlap.get())


def _phase_gradients(
    code: Code,
    known: Constants,
    steps: Steps,
    layer: Value,
    grad: Pointer,
    room: Pointer,
    angles: Pointer,
) -> None:
    """To ω_l/2 and φ_{l+1}/2, from D_l's: where exp(-i p) scales a row to z, ∂L/∂p = Im Σ ḡ z."""
    width = known.width
    stage = steps.stages + layer * known.rows * width * 2
    behind, ahead = room, room + known.rows
    for n in code.range(0, known.size):
        g, z = grad + n * width * 2, stage + n * width * 2
        overlap = Variable(code, code.splat(0.0))
        for x in code.range(0, width, code.lanes):
            along = code.fused(g.vector(x), z.vector(width + x), overlap.get())
            overlap.set(along - g.vector(width + x) * z.vector(x))
        behind[n] = code.total(overlap.get())
        ahead[(known.states + layer * known.size)[n]] = behind[n]
    _signed_sums(code, known, behind, angles + layer * known.qubits * 3 + 2)
    _signed_sums(code, known, ahead, angles + (layer + 1) * known.qubits * 3)


def _signed_sums(code: Code, known: Constants, terms: Pointer, into: Pointer) -> None:
    """Σ_n z_j(n) · terms_n to every third place, for each qubit j."""
    for qubit in code.range(0, known.qubits):
        half = known.size >> (qubit + 1)
        total = Variable(code, code.real(0.0))
        for high in code.range(0, known.size, half + half):
            for n in code.range(high, high + half):
                total.set(total.get() + (terms[n] - terms[half + n]))
        into[qubit * 3] = total.get()
