"""The narrow circuit's matrix in machine code, and the gradient back to its angles.

The transposed matrix is built from the readout on, V^⊗n P_L being constant:

    Z_L = D_L (V^⊗n P_L)ᵀ,   Z_{l-1} = D_{l-1} P_{l-1}ᵀ K_lᵀ Z_l,   Uᵀ = Z_0

Its rows are worked on as ``rows`` says. Backward undoes the steps on the gradient g to Z_l: an
angle's gradient is the overlap of g with the turned Z_l.
"""

from __future__ import annotations

from medqnn.kernels import rows
from medqnn.kernels.code import Code, Pointer, Value
from medqnn.kernels.memory import Constants, Steps


def build(
    code: Code, known: Constants, steps: Steps, start: Pointer, weights: Pointer, room: Pointer
) -> None:
    """Record the way from one circuit's weights to Z_0: all of ``steps`` is written.

    ``start`` is (V^⊗n P_L)ᵀ, and ``room`` scratch memory for 4 + 2 width rows of numbers.
    """
    rows.half_angles(code, known, steps, weights)
    turned, length = room + known.rows * 4, known.width * 2
    _stage(code, known, steps, known.layers, start, room)
    for done in code.range(0, known.layers):
        layer = known.layers - done
        stage = steps.stages + layer * known.rows * length
        for i in code.range(0, known.size * length, code.lanes):
            turned.put(i, stage.vector(i))
        _rotate(code, known, steps, layer, turned, back=True)
        _stage(code, known, steps, layer - 1, turned, room)


def _stage(
    code: Code, known: Constants, steps: Steps, layer: Value, source: Pointer, room: Pointer
) -> None:
    """Z_l = D_l P_lᵀ · source, and D_l itself."""
    rows.diagonal(code, known, steps, layer, room)
    stage = steps.stages + layer * known.rows * known.width * 2
    rows.move(code, known, steps, layer, source, stage, transposed=True)


def _rotate(
    code: Code, known: Constants, steps: Steps, layer: Value, table: Pointer, back: bool
) -> None:
    """K_l · rows in place, or K_lᵀ · rows."""

    def turn(qubit: Value) -> tuple[Value, Value]:
        angle = (layer * known.qubits + qubit) * 3 + 1
        sine = steps.sines[angle]
        return code.splat(steps.cosines[angle]), code.splat(-sine if back else sine)

    rows.rotate(code, known, turn, table)


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
    rows.clear(code, angles, known.angles)
    for layer in code.range(0, known.layers):
        _phase_gradients(code, known, steps, layer, grad, room, angles)
        rows.move(code, known, steps, layer, grad, moved, conjugate=True)
        for i in code.range(0, size * length, code.lanes):
            grad.put(i, moved.vector(i))
        _rotate(code, known, steps, layer + 1, grad, back=False)
        stage = steps.stages + (layer + 1) * known.rows * length
        overlaps = rows.rotation_gradients(code, known, stage, grad)  # in turn, for K_lᵀ turns back
        for qubit, overlap in overlaps:
            angles[((layer + 1) * known.qubits + qubit) * 3 + 1] = code.total(overlap)
    _phase_gradients(code, known, steps, known.layers, grad, room, angles)
    rows.to_weights(code, known, angles, weights)


def _phase_gradients(
    code: Code,
    known: Constants,
    steps: Steps,
    layer: Value,
    grad: Pointer,
    room: Pointer,
    angles: Pointer,
) -> None:
    """To ω_l/2 and φ_{l+1}/2."""
    behind, ahead = room, room + known.rows
    stage = steps.stages + layer * known.rows * known.width * 2
    for n, overlap in rows.overlaps(code, known, grad, stage):
        behind[n] = ahead[(known.states + layer * known.size)[n]] = overlap
    rows.phase_gradients(code, known, layer, behind, ahead, angles)
