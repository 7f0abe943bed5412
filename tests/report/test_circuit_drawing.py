from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from medqnn.circuits.circuit import Circuit
from medqnn.explain.quantum import Gate, circuit_of
from medqnn.layers import QuantumConv2d, QuantumLayer
from medqnn.report import circuit_drawing as drawing
from medqnn.report.circuit_drawing import Part, degrees, parts

LAYERS: dict[str, Callable[[], QuantumLayer | QuantumConv2d]] = {
    "hqcm-ebtc": lambda: QuantumLayer(5, 2, 2),
    "pooling": lambda: QuantumConv2d(1, 2, 2, stride=2, pooling=True),
    "ry_rz": lambda: QuantumLayer(4, 1, 3, "angle", "Z", "cnot", "ry_rz_strong"),
    "cz": lambda: QuantumLayer(3, 1, 1, "angle", "XZ", "cz"),
    "product": lambda: QuantumLayer(3, 1, 2, "amplitude", "Y", "none"),
    "one qubit": lambda: QuantumLayer(1, 1, 1, "angle", "Z"),
}


def figure(circuit: Circuit, layers: list[list[Gate]]) -> Figure:
    """The figure itself, before it becomes text."""
    return drawing.circuit_drawing.__wrapped__(circuit, layers)  # type: ignore[attr-defined,no-any-return]


@pytest.fixture(params=LAYERS)
def drawn(request: pytest.FixtureRequest) -> tuple[Circuit, list[list[Gate]]]:
    torch.manual_seed(3)
    layer = LAYERS[request.param]()
    return layer.circuit, circuit_of(layer)[-1]


def test_every_gate_is_drawn_once_in_order_of_time(
    drawn: tuple[Circuit, list[list[Gate]]],
) -> None:
    circuit, layers = drawn
    columns = drawing._columns(circuit, layers)
    for column in columns:
        covered = [wire for part in column for wire in part.covered]
        assert len(covered) == len(set(covered))  # nothing over anything else
    *before, last = columns
    for wire in range(circuit.qubits):
        on_wire = [part for column in before for part in column if wire in part.wires]
        assert on_wire == [part for part in parts(circuit, layers) if wire in part.wires]
    assert [part.wires for part in last] == [(wire,) for wire in circuit.measured]
    rows = list(drawing._rows(columns))
    assert [column for row in rows for column in row] == columns
    assert max(drawing._width(row) for row in rows) <= drawing.WIDEST + drawing.BOX


def test_boxes_say_the_trained_angles(drawn: tuple[Circuit, list[list[Gate]]]) -> None:
    circuit, layers = drawn
    axes = figure(circuit, layers).axes[0]
    lines = [line for text in axes.texts for line in text.get_text().split("\n")]
    turns = [line.split()[1] for line in lines if "°" in line]
    angles = [angle for layer in layers for gate in layer for angle in gate.angles]
    assert sorted(turns) == sorted(degrees(angle) for angle in angles)
    gates = [gate for layer in layers for gate in layer if not gate.angles]
    circles = [patch for patch in axes.patches if isinstance(patch, Circle)]
    assert len(circles) == 2 * len(gates)
    assert sum(text.get_text().startswith("⟨") for text in axes.texts) == len(circuit.measured)


def test_a_turn_about_three_axes_is_read_from_top_to_bottom() -> None:
    gate = Gate("Rot", (0,), (math.pi / 6, math.pi / 2, -math.pi / 4))
    box = list(parts(Circuit(1, 1, "angle", "Z"), [[gate]]))[-1]
    assert box == Part("box", (0,), "z 30°\ny 90°\nz 315°")


def test_a_gate_joins_control_and_target() -> None:
    circuit = Circuit(3, 1, "angle", "Z")
    for name, filled in (("CNOT", 1), ("CZ", 2)):
        axes = figure(circuit, [[Gate(name, (2, 0))]]).axes[0]
        circles = [patch for patch in axes.patches if isinstance(patch, Circle)]
        dots = [one for one in circles if one.get_facecolor() == (0, 0, 0, 1)]
        assert len(dots) == filled
        control, target = circles[0].center[1], circles[1].center[1]
        assert control - target == pytest.approx(2 * drawing.WIRE)  # the first wire is above


def test_a_gate_never_crosses_a_box_between_its_wires() -> None:
    layers = [[Gate("RZ", (1,), (1.0,))], [Gate("CNOT", (0, 2))]]
    columns = drawing._columns(Circuit(3, 1, "angle", "Z"), layers)
    assert [[part.wires for part in column] for column in columns[1:3]] == [[(1,)], [(0, 2)]]


def test_degrees_are_whole_and_of_one_turn() -> None:
    assert [degrees(angle) for angle in (0, -0.001, math.pi, 7 * math.pi, -math.pi / 2)] == [
        "0°",
        "0°",
        "180°",
        "180°",
        "270°",
    ]


def test_a_wide_circuit_goes_on_in_the_next_row() -> None:
    wide, narrow = (
        figure(layer.circuit, circuit_of(layer)[0])
        for layer in (QuantumLayer(4, 1, 6, "angle"), QuantumLayer(4, 1, 1, "angle"))
    )
    assert wide.get_size_inches()[0] == narrow.get_size_inches()[0]  # alike in scale
    names = [text.get_text() for text in wide.axes[0].texts]
    assert names.count("qubit 4") > 1
    assert [text.get_text() for text in narrow.axes[0].texts].count("qubit 4") == 1


def test_the_same_circuit_gives_the_same_file() -> None:
    layer = QuantumLayer(2, 1, 1)
    gates = circuit_of(layer)[0]
    first, second = (drawing.circuit_drawing(layer.circuit, gates) for _ in range(2))
    assert first == second
    assert first.startswith("data:image/svg+xml;base64,")
