"""Figures of what a quantum layer did with one image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medqnn.explain.quantum import Readout
from medqnn.report.figures import BLUE, GREY, ORANGE, as_svg
from medqnn.report.images import COLOURS

FIGURE = 6.4  # inches across
LEGIBLE = 10  # columns of a table of states that leave room for numbers
BETWEEN = 0.8  # bars of space between two circuits


@as_svg
def share_bars(readouts: Sequence[Readout], shares: np.ndarray) -> Figure:
    """What each expectation value adds to a logit, circuit by circuit.

    Args:
        readouts: F of them.
        shares: float (F,), signed.
    """
    figure = Figure((FIGURE, 2.6), layout="constrained")
    axes = figure.subplots()
    circuits = np.array([one.circuit for one in readouts])
    places = _places(circuits)
    bars = axes.bar(places, shares, width=0.85, color=BLUE, edgecolor="white")
    for bar, share in zip(bars, shares, strict=True):
        if share < 0:
            bar.set(color=ORANGE, hatch="//////", edgecolor="white")
    axes.axhline(0, color=GREY, linewidth=0.8)
    several = len({one.pauli for one in readouts}) > 1
    names = [f"{one.pauli if several else ''}{one.qubit + 1}" for one in readouts]
    axes.set_xticks(places, labels=names, fontsize=8)
    axes.tick_params(axis="x", length=0)
    _name_circuits(axes, circuits, places)
    axes.set(xlabel=f"Qubit read out ({'Pauli and ' if several else ''}number)", ylabel="Logit")
    return figure


def _places(circuits: np.ndarray) -> np.ndarray:
    """Where bars stand, float (F,): those of a circuit (int, (F,)) together, in their order."""
    order = np.argsort(circuits, kind="stable")
    places = np.empty(len(order))
    places[order] = np.arange(len(order)) + BETWEEN * circuits[order]
    return places


def _name_circuits(axes: Axes, circuits: np.ndarray, places: np.ndarray) -> None:
    """Each circuit's number above the middle of its bars."""
    for circuit in np.unique(circuits):
        above = (places[circuits == circuit].mean(), 1.02)
        axes.annotate(
            f"circuit {circuit + 1}",
            above,
            xycoords=("data", "axes fraction"),
            ha="center",
            fontsize=8.5,
        )


@as_svg
def embedded_states(embedded: np.ndarray, amplitude: bool) -> Figure:
    """What the circuits were given, a row each.

    Args:
        embedded: float (circuits, 2^q), probabilities of the basis states; or (circuits, q),
            angles in radians.
        amplitude: whether they are probabilities.
    """
    rows, columns = embedded.shape
    figure = Figure((FIGURE, 0.34 * rows + 1.1), layout="constrained")
    axes = figure.subplots()
    shown = embedded if amplitude else np.degrees(embedded)
    limits = (0.0, float(shown.max()) or 1.0) if amplitude else (-180.0, 180.0)
    picture = axes.imshow(shown, cmap=COLOURS, vmin=limits[0], vmax=limits[1], aspect="auto")
    axes.set_yticks(range(rows), labels=[f"circuit {number + 1}" for number in range(rows)])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if amplitude:
        step = max(1, columns // 8)
        width = columns.bit_length() - 1
        numbers = range(0, columns, step)
        axes.set_xticks(numbers, labels=[f"{number:0{width}b}" for number in numbers])
        axes.set_xlabel("Basis state, qubit 1 first")
    else:
        axes.set_xticks(range(columns), labels=[f"qubit {number + 1}" for number in range(columns)])
    if columns <= LEGIBLE:
        for (row, column), value in np.ndenumerate(shown):
            light = (value - limits[0]) / (limits[1] - limits[0]) > 0.6
            text = f"{value:.2f}" if amplitude else f"{value:.0f}°"
            colour = "black" if light else "white"
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)
    bar = figure.colorbar(picture, ax=axes, fraction=0.04, pad=0.02)
    bar.set_label("Probability" if amplitude else "Degrees")
    return figure
