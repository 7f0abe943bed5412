"""A trained circuit as a drawing: wires, turns with their angles, two-qubit gates, readout."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from medqnn.circuits.circuit import Circuit
from medqnn.explain.quantum import Gate
from medqnn.report.figures import as_svg

WIDEST = 7.2  # inches of a row; what goes on is drawn in the next
WIRE = 0.56  # inches from wire to wire
BOX, LINE = 0.62, 0.26  # widths of a box and of a two-qubit gate
MARGIN = 0.62  # for the names of the wires
TINT, GROUND = "#DCEBF5", "#FFFFFF"
SMALL, PLAIN = 7.5, 9.0  # points
AXES = {"RZ": "z", "RY": "y"}
BELOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
TURNS = ("z", "y", "z")  # of a Rot, in order of time


class Part(NamedTuple):
    """Something on some wires, in a column.

    Attributes:
        kind: "box", or the two-qubit gate's name.
        wires: those of a box, from the first to the last; control and target of a gate.
        text: in the box.
    """

    kind: str
    wires: tuple[int, ...]
    text: str = ""

    @property
    def width(self) -> float:
        """Inches."""
        return BOX if self.kind == "box" else LINE

    @property
    def covered(self) -> range:
        """The wires that nothing else may stand on."""
        return range(min(self.wires), max(self.wires) + 1)


@as_svg
def circuit_drawing(circuit: Circuit, layers: Sequence[Sequence[Gate]]) -> Figure:
    """Time runs from left to right, in several rows where one would be too wide.

    Args:
        circuit: its width, embedding and readout.
        layers: one circuit of `medqnn.explain.quantum.circuit_of`.
    """
    rows = list(_rows(_columns(circuit, layers)))
    heights = circuit.qubits * WIRE
    width = MARGIN + WIDEST + BOX  # of all drawings, so that their scales are alike
    figure = Figure((width, len(rows) * (heights + 0.2)))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(len(rows) * (heights + 0.2), 0), aspect="equal")
    axes.set_axis_off()
    for number, row in enumerate(rows):
        _draw(axes, row, number * (heights + 0.2) + WIRE / 2 + 0.1, circuit.qubits)
    return figure


def degrees(angle: float) -> str:
    """An angle in radians as whole degrees from 0 to 359."""
    return f"{round(math.degrees(angle)) % 360}°"


def parts(circuit: Circuit, layers: Sequence[Sequence[Gate]]) -> Iterator[Part]:
    """All that is drawn before the readout, in order of time."""
    every = range(circuit.qubits)
    if circuit.embedding == "amplitude":
        yield Part("box", tuple(every), f"{circuit.dimension}\nampli-\ntudes")
    else:
        yield from (Part("box", (wire,), f"y x{str(wire + 1).translate(BELOW)}") for wire in every)
    for layer in layers:
        yield from _turns([gate for gate in layer if gate.angles])
        yield from (Part(gate.name, gate.qubits) for gate in layer if not gate.angles)


def _turns(gates: Sequence[Gate]) -> Iterator[Part]:
    """A box for each wire that is turned, a line for each axis."""
    for wire in sorted({gate.qubits[0] for gate in gates}):
        lines = []
        for gate in gates:
            if gate.qubits == (wire,):
                axes = TURNS if gate.name == "Rot" else (AXES[gate.name],)
                turns = zip(axes, gate.angles, strict=True)
                lines += [f"{axis} {degrees(angle)}" for axis, angle in turns]
        yield Part("box", (wire,), "\n".join(lines))


def _columns(circuit: Circuit, layers: Sequence[Sequence[Gate]]) -> list[list[Part]]:
    """Parts that stand above each other: each as early as its wires are free, the readout last."""
    columns: list[list[Part]] = []
    free = [0] * circuit.qubits  # the first column in which a wire is
    for part in parts(circuit, layers):
        first = max(free[wire] for wire in part.covered)
        if first == len(columns):
            columns.append([])
        columns[first].append(part)
        for wire in part.covered:
            free[wire] = first + 1
    read = "\n".join(f"⟨{pauli}⟩" for pauli in circuit.readouts)
    return [*columns, [Part("box", (wire,), read) for wire in circuit.measured]]


def _rows(columns: list[list[Part]]) -> Iterator[list[list[Part]]]:
    """Columns in rows of `WIDEST` at most, hardly different in length."""
    count = math.ceil(_width(columns) / WIDEST)
    limit = max(_width(columns) / count + BOX / 2, BOX)
    row: list[list[Part]] = []
    for column in columns:
        if row and _width([*row, column]) > limit:
            yield row
            row = []
        row.append(column)
    yield row


def _width(columns: Sequence[Sequence[Part]]) -> float:
    return sum(max(part.width for part in column) + 0.08 for column in columns)


def _draw(axes: Axes, row: Sequence[Sequence[Part]], top: float, wires: int) -> None:
    end = MARGIN + _width(row)
    for wire in range(wires):
        y = top + wire * WIRE
        axes.plot([MARGIN - 0.06, end], [y, y], color="black", linewidth=0.8, zorder=1)
        axes.text(MARGIN - 0.12, y, f"qubit {wire + 1}", ha="right", va="center", size=PLAIN)
    x = MARGIN
    for column in row:
        width = _width([column])
        for part in column:
            draw = _box if part.kind == "box" else _gate
            draw(axes, part, x + width / 2, top)
        x += width


def _box(axes: Axes, part: Part, x: float, top: float) -> None:
    first, last = top + part.wires[0] * WIRE, top + part.wires[-1] * WIRE
    half = WIRE / 2 - 0.035
    corner, height = (x - BOX / 2, first - half), last - first + 2 * half
    turned = "°" in part.text
    colour = TINT if turned else GROUND
    look: dict[str, Any] = {"facecolor": colour, "edgecolor": "black", "linewidth": 0.8}
    axes.add_patch(Rectangle(corner, BOX, height, zorder=2, **look))
    size = SMALL if "\n" in part.text else PLAIN
    middle = (first + last) / 2
    axes.text(x, middle, part.text, ha="center", va="center", size=size, linespacing=1.1, zorder=3)


def _gate(axes: Axes, part: Part, x: float, top: float) -> None:
    """A dot on the control; on the target of a CNOT ⊕, of a CZ another dot."""
    control, target = (top + wire * WIRE for wire in part.wires)
    axes.plot([x, x], [control, target], color="black", linewidth=1, zorder=2)
    axes.add_patch(Circle((x, control), 0.045, facecolor="black", zorder=3))
    if part.kind == "CZ":
        axes.add_patch(Circle((x, target), 0.045, facecolor="black", zorder=3))
        return
    axes.add_patch(Circle((x, target), 0.1, facecolor=GROUND, edgecolor="black", zorder=3))
    axes.plot([x - 0.1, x + 0.1], [target, target], color="black", linewidth=0.8, zorder=4)
    axes.plot([x, x], [target - 0.1, target + 0.1], color="black", linewidth=0.8, zorder=4)
