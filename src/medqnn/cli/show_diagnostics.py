"""How a circuit's diagnostics look in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from statistics import mean
from typing import Any

from rich.progress import track
from rich.table import Table

from medqnn.cli.show import console
from medqnn.diagnostics.diagnose import own_cell


def working(items: Iterable[Any], total: int) -> Iterator[Any]:
    """A progress bar over whatever is worked at."""
    return iter(track(items, "diagnosing", total, console=console))


def show_diagnostics(found: dict[str, Any]) -> None:
    """Every table with a sentence on how to read it; see ``diagnostics.diagnose``."""
    circuit = found["circuit"]
    console.print(
        f"{found['system']}: {circuit['qubits']} qubits, depth {circuit['depth']}, "
        f"{circuit['weights']} weights a circuit; {found['inputs']}"
    )
    console.print(_gradients(found))
    console.print(
        "The smaller, the weaker what training feels. The last row says how fast it falls: as "
        "2^(-decay · qubits); 1 is the plateau's rate, 0 none.\n"
    )
    console.print(_own(found))
    console.print(_coverage(found))
    console.print(
        "KL near Haar's: random weights reach all states about evenly. Haar's is what as many "
        "random states give by chance. Q is 0 without entanglement; 'no gates' is the embedding "
        "alone, and the product twin.\n"
    )
    if "heads" in found:
        _show_heads(found["heads"])


def _gradients(found: dict[str, Any]) -> Table:
    depths = [fit["depth"] for fit in found["decay"]]
    table = _table("1000 × variance of a readout's gradient", "qubits", *map(str, depths))
    table.add_column("plateau", justify="right")
    cells = {(c["qubits"], c["depth"]): c["variance"] for c in found["gradients"]}
    for limit in found["plateau"]:
        q = limit["qubits"]
        row = (*(cells[q, depth] for depth in depths), limit["variance"])
        table.add_row(str(q), *(f"{1000 * value:.3g}" for value in row))
    table.add_section()
    table.add_row("decay", *(f"{fit['exponent']:.2f}" for fit in found["decay"]))
    return table


def _own(found: dict[str, Any]) -> str:
    """What holds of the system's own width and depth, in words."""
    own = own_cell(found)
    fit = next(fit for fit in found["decay"] if fit["depth"] == own["depth"])
    return (
        f"Its own circuit: gradients vary by {own['variance']:.3g} (standard error "
        f"{own['error']:.1g}, standard deviation {own['variance'] ** 0.5:.2g}); decay "
        f"{fit['exponent']:.2f} ± {fit['error']:.2f}. Without effect on any readout are "
        f"{own['dead_weights']:.0%} of its weights; {own['live_pairs']:.0%} of the pairs of a "
        "readout and a weight have a gradient at all, and these alone are averaged.\n"
    )


def _coverage(found: dict[str, Any]) -> Table:
    title = f"Expressibility (KL from Haar, nats) and entanglement (Q), {found['pairs']:,} draws"
    columns = ("KL", "KL, product", "Q", "sd of Q", "Q, no gates")
    table = _table(title, "depth", *columns)
    for row in found["by_depth"]:
        keys = ("kl", "kl_product", "q", "q_sd", "q_product")
        own = row["depth"] == found["circuit"]["depth"]
        cells = (f"{abs(row[key]):.3f}" for key in keys)
        table.add_row(str(row["depth"]), *cells, style="bold" if own else None)
    table.add_section()
    haar = found["haar"]
    table.add_row("Haar", f"{haar['kl']:.3f} ± {haar['kl_sd']:.3f}", "", f"{haar['q']:.3f}")
    return table


def _show_heads(heads: dict[str, Any]) -> None:
    console.print(_fisher(heads))
    console.print(
        "Rank counts the directions of the weights that move the answer at all; 90% how many hold "
        "nine tenths of the Fisher information; the effective dimension how many the training "
        "images can tell apart.\n"
    )
    console.print(_influence(heads))
    console.print(
        "Decided by weights: share of the variance of the probabilities, over images and redrawn "
        "weights, that goes with the weights; alike: by moving all images alike. Redrawn: the "
        "head's weights random again, all else as trained. Bypassed: its output replaced by its "
        "mean, which leaves one answer to all."
    )


def _fisher(heads: dict[str, Any]) -> Table:
    title = f"Fisher information of the heads' weights, {heads['images']} test images"
    columns = ("weights", "rank", "90%", "largest", "eff. dim.", "of weights")
    table = _table(title, "", *columns)
    for name, head in heads["variants"].items():
        fisher, weights = head["fisher"], head["weights"]
        if fisher is None:
            table.add_row(name, "0", *("–" for _ in columns[1:]))
            continue
        largest = f"{fisher['shares'][0]:.0%}" if fisher["shares"] else "–"
        dimension = fisher["effective_dimension"]
        size = (
            ("–", "–") if dimension is None else (f"{dimension:.1f}", f"{dimension / weights:.0%}")
        )
        counts = (f"{weights:,}", str(fisher["rank"]), str(fisher["needed_90"]))
        table.add_row(name, *counts, largest, *size)
    return table


def _influence(heads: dict[str, Any]) -> Table:
    title = f"What the heads' weights decide, {heads['draws']} redraws"
    columns = ("decided by\nweights", "of which\nalike", "trained", "redrawn\n(range)", "bypassed")
    table = _table(title, "", *columns)
    for name, head in heads["variants"].items():
        shares, redrawn = head["shares"], head["redrawn"]
        decided = (f"{shares['total']:.1%}", f"{shares['weights']:.1%}") if shares else ("–", "–")
        drawn = "–"
        if redrawn:
            drawn = f"{mean(redrawn):.1%} ({min(redrawn):.0%} to {max(redrawn):.0%})"
        table.add_row(name, *decided, f"{head['trained']:.1%}", drawn, f"{head['bypassed']:.1%}")
    return table


def _table(title: str, head: str, *columns: str) -> Table:
    table = Table(title=title)
    table.add_column(head)
    for column in columns:
        table.add_column(column, justify="right")
    return table
