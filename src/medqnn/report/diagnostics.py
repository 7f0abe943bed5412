"""The report's section on the circuit and the heads, of a run that `medqnn diagnose` looked at."""

from __future__ import annotations

from statistics import mean
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from medqnn.diagnostics.diagnose import FILE, own_cell
from medqnn.report.figures import BLUE, GREEN, GREY, ORANGE, WIDTH, as_svg
from medqnn.report.formatting import UNDEFINED, decimal, percent, whole
from medqnn.report.roc import LOOKS
from medqnn.report.run_folder import Run
from medqnn.report.tables import Cell, Row, Table
from medqnn.training.folder import RunFolder

SMALLEST = 1e-8  # share of the trace below which the figure cuts a spectrum off


def section(run: Run) -> dict[str, Any]:
    """What the template needs; ``diagnosed`` is None where the run was not diagnosed.

    Raises:
        RunError: If diagnostics.json is broken.
    """
    if not (run.folder / FILE).exists():
        return {"diagnosed": None}
    found = RunFolder(run.folder).read_json(FILE)
    return {
        "diagnosed": found,
        "own": own_cell(found),
        "gradient_plot": gradient_plot(found),
        "spectrum_plot": spectrum_plot(found["heads"]["variants"]),
        "coverage": coverage_table(found),
        "fisher": fisher_table(found["heads"]["variants"]),
        "influence": influence_table(found["heads"]["variants"]),
    }


@as_svg
def gradient_plot(found: dict[str, Any]) -> Figure:
    """Variance of gradients by width, at depth 1, the circuit's own and the deepest.

    Args:
        found: as `medqnn.diagnostics.diagnose` gives it.
    """
    figure = Figure((WIDTH, 3.6), layout="constrained")
    axes = figure.subplots()
    own, deepest = found["circuit"]["depth"], found["decay"][-1]["depth"]
    looks = zip((BLUE, ORANGE, GREEN), ("o-", "s--", "^-."), strict=True)
    for depth, (colour, look) in zip(sorted({1, own, deepest}), looks, strict=False):
        cells = [cell for cell in found["gradients"] if cell["depth"] == depth]
        name = f"depth {depth}{' (its own)' if depth == own else ''}"
        axes.plot(*_curve(cells), look, color=colour, markersize=5, label=name)
    axes.plot(*_curve(found["plateau"]), ":", color=GREY, label="plateau")
    axes.axvline(found["circuit"]["qubits"], color=GREY, linewidth=0.8)
    axes.set_yscale("log", base=2)
    axes.yaxis.set_major_formatter("{x:.2g}")
    axes.set(xlabel="Qubits (upright line: its own)", ylabel="Variance of gradients")
    axes.legend(loc="lower left", fontsize=9)
    return figure


def _curve(cells: list[dict[str, Any]]) -> tuple[list[int], list[float]]:
    return [cell["qubits"] for cell in cells], [cell["variance"] for cell in cells]


@as_svg
def spectrum_plot(variants: dict[str, dict[str, Any]]) -> Figure:
    """Each head's Fisher eigenvalues as shares of their sum, largest first.

    Args:
        variants: of the heads, at most six.
    """
    figure = Figure((WIDTH, 3.6), layout="constrained")
    axes = figure.subplots()
    for (name, head), (colour, style) in zip(variants.items(), LOOKS, strict=False):
        shares = [share for share in (head["fisher"] or {}).get("shares", []) if share > SMALLEST]
        if shares:
            axes.plot(range(1, len(shares) + 1), shares, color=colour, linestyle=style, label=name)
    for axis, set_scale in ((axes.xaxis, axes.set_xscale), (axes.yaxis, axes.set_yscale)):
        set_scale("log")
        axis.set_major_formatter("{x:g}")  # matplotlib's own is in TeX
        axis.set_minor_formatter(NullFormatter())
    axes.set(xlabel="Eigenvalue, the largest first", ylabel="Share of the sum")
    if axes.lines:
        axes.legend(loc="lower left", fontsize=9)
    return figure


def coverage_table(found: dict[str, Any]) -> Table:
    """Expressibility and entanglement by depth, the product circuit's and Haar's beside them."""
    keys = ("kl", "kl_product", "q", "q_product")
    own, haar = found["circuit"]["depth"], found["haar"]
    rows = []
    for row in found["by_depth"]:
        cells = [Cell(decimal(abs(row[key]))) for key in keys]
        cells[2] = Cell(decimal(row["q"]), f"sd {row['q_sd']:.3f}")
        rows.append(Row(f"{row['depth']}{' (its own)' if row['depth'] == own else ''}", cells))
    floor = Cell(decimal(haar["kl"]), f"sd {haar['kl_sd']:.3f}")
    rows.append(Row("Haar-random", [floor, Cell(""), Cell(decimal(haar["q"])), Cell("")]))
    groups = [("", 1), ("Distance from Haar (KL)", 2), ("Entanglement (Q)", 2)]
    return Table(["Depth", *(["Circuit", "Without gates"] * 2)], rows, groups)


def fisher_table(variants: dict[str, dict[str, Any]]) -> Table:
    """Rank, spectrum and effective dimension of every head."""
    rows = []
    for name, head in variants.items():
        fisher, count = head["fisher"], head["weights"]
        if fisher is None:
            rows.append(Row(name, [Cell("0"), *[Cell(UNDEFINED)] * 4]))
            continue
        size = fisher["effective_dimension"]
        dimension = Cell(UNDEFINED)
        if size is not None:
            dimension = Cell(f"{size:.1f}", f"{size / count:.0%} of the weights")
        largest = percent(fisher["shares"][0] if fisher["shares"] else None)
        counts = [whole(count), whole(fisher["rank"]), whole(fisher["needed_90"])]
        rows.append(Row(name, [*map(Cell, counts), Cell(largest), dimension]))
    titles = ["Weights", "Rank", "Hold 90%", "Largest", "Effective dimension"]
    return Table(["Head of", *titles], rows)


def influence_table(variants: dict[str, dict[str, Any]]) -> Table:
    """What each head's weights decide, and accuracy without the trained ones."""
    rows = []
    for name, head in variants.items():
        shares, redrawn = head["shares"] or {}, head["redrawn"]
        drawn = Cell(UNDEFINED)
        if redrawn:
            span = f"{percent(min(redrawn))} to {percent(max(redrawn))}"
            drawn = Cell(percent(mean(redrawn)), span)
        decided = [Cell(percent(shares.get(key))) for key in ("total", "weights")]
        ends = Cell(percent(head["trained"])), Cell(percent(head["bypassed"]))
        rows.append(Row(name, [*decided, ends[0], drawn, ends[1]]))
    groups = [("", 1), ("Decided by the weights", 2), ("Accuracy", 3)]
    return Table(
        ["Head of", "In all", "All images alike", "Trained", "Redrawn", "Bypassed"], rows, groups
    )
