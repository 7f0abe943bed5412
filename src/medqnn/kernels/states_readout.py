"""Expectation values of state vectors in machine code, and the costate behind them.

Rows of states are as in ``states_batch``. ⟨X⟩ = 2 Re Σ ψ̄_0 ψ_1, ⟨Y⟩ = 2 Im Σ ψ̄_0 ψ_1 and
⟨Z⟩ = Σ |ψ_0|² - |ψ_1|², over pairs of basis states that the qubit's bit tells apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from medqnn.kernels.code import Code, Pointer, Value, Variable
from medqnn.kernels.memory import Constants
from medqnn.kernels.rows import alike, clear
from medqnn.kernels.sums import LongSum, in_chunks


class Readout(NamedTuple):
    """What is known of the readout: constants behind ``Constants``."""

    readouts: Value
    measured: Value  # qubits
    qubits: Pointer  # int64 (measured,)
    paulis: Pointer  # (readouts, 3): how much of ⟨X⟩/2, ⟨Y⟩/2 and ⟨Z⟩ makes each


READOUT = "nnip"
"""Kinds of the fields, as in ``Code.record``."""


def measure(
    code: Code, known: Constants, readout: Readout, state: Pointer, values: Pointer
) -> None:
    """Record the values (outputs, lanes) of a state."""
    for place in code.range(0, readout.measured):
        sums = [LongSum(code) for _ in "XYZ"]
        for zero, one in _pairs(code, known, readout.qubits[place], sums):
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
                value = code.fused(share, total.whole(), value)
            values.put((r * readout.measured + place) * code.lanes, value)


def costate(
    code: Code, known: Constants, readout: Readout, state: Pointer, grads: Pointer, into: Pointer
) -> None:
    """Record ∂L/∂Re ψ + i ∂L/∂Im ψ = 2 Σ_P g_P P ψ, from g (outputs, lanes)."""
    clear(code, into, known.size * 2 * code.lanes)
    for place in code.range(0, readout.measured):
        sums = [Variable(code, code.splat(0.0)) for _ in "XYZ"]
        for r in code.range(0, readout.readouts):
            own = grads.vector((r * readout.measured + place) * code.lanes)
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
                into.put(at, into.vector(at) + part)


def _pairs(
    code: Code, known: Constants, qubit: Value, sums: Sequence[LongSum] = ()
) -> Iterator[tuple[Value, Value]]:
    """Where the rows with this qubit 0, and their partners with it 1, begin."""
    length = 2 * code.lanes
    for number in in_chunks(code, known.size >> 1, sums):
        row, step = alike(code, known, qubit, 1, number)
        yield row * length, (row + step) * length


def _halves(code: Code, state: Pointer, zero: Value, one: Value) -> list[Value]:
    """Real and imaginary parts of both rows."""
    return [state.vector(row + part) for row in (zero, one) for part in (0, code.lanes)]
