"""How runs look in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from medqnn.training.folder import RunFolder

console = Console(markup=False)  # names of files may hold brackets

MAIN_SCORES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro F1",
    "auroc": "AUROC (one-vs-rest)",
    "average_precision": "Average precision",
    "mcc": "MCC",
    "brier": "Brier score",
    "ece": "Calibration error (ECE)",
}


def decoding(items: Iterable[Any], total: int) -> Iterator[Any]:
    """A progress bar over images being decoded."""
    return iter(track(items, "reading images", total, console=console))


def show_run(folder: RunFolder) -> None:
    """Table 1 of every variant side by side, the main scores, attention, and the comparisons."""
    facts = folder.facts()
    scores = {name: folder.read_json(f"{name}/metrics.json") for name in facts["variants"]}
    show_scores(scores, facts["data"]["patients_known"])
    located = {name: metrics.get("localisation", {}) for name, metrics in scores.items()}
    if any(located.values()):
        console.print(_localisation(located))
    for comparison in folder.read_json("comparisons.json"):
        console.print(comparison["words"])


def show_scores(scores: dict[str, dict[str, Any]], patients_known: bool = True) -> None:
    """Table 1 and the main scores of ``evaluate()`` results, by name, side by side."""
    console.print(_class_report(scores))
    console.print(_main_scores(scores, patients_known))


def interval(score: dict[str, float | None]) -> str:
    """An estimate with its interval: ``0.912 (0.880 to 0.941)``."""
    estimate, low, high = (score[key] for key in ("estimate", "low", "high"))
    if estimate is None:
        return "–"
    return f"{estimate:.3f}" if low is None else f"{estimate:.3f} ({low:.3f} to {high:.3f})"


def _class_report(scores: dict[str, dict[str, Any]]) -> Table:
    table = Table(title="Table 1: test images by class")
    table.add_column("")
    for name in scores:
        for column in ("prec.", "recall", "F1"):
            table.add_column(f"{name}\n{column}", justify="right")
    table.add_column("\nimages", justify="right")
    reports = [metrics["class_report"] for metrics in scores.values()]
    for row in reports[0]:
        cells = [
            "–" if report[row][key] is None else f"{report[row][key]:.3f}"
            for report in reports
            for key in ("precision", "recall", "f1")
        ]
        table.add_row(row, *cells, f"{reports[0][row]['support']:.0f}")
    return table


def _main_scores(scores: dict[str, dict[str, Any]], patients_known: bool) -> Table:
    first = next(iter(scores.values()))
    of = f"of {first['patients']} patients" if patients_known else "of unknown patients"
    unit = "patients" if patients_known else "images"
    table = Table(title=f"{first['images']} test images {of}; 95% interval by resampling {unit}")
    table.add_column("")
    for name in scores:
        table.add_column(name, justify="right")
    for key, title in MAIN_SCORES.items():
        table.add_row(title, *(interval(m["scores"][key]) for m in scores.values()))
    return table


def _localisation(located: dict[str, dict[str, Any]]) -> Table:
    table = Table(title="Table 2: Jaccard index of attention and tumour mask")
    table.add_column("attended: map at least")
    for name in located:
        table.add_column(name, justify="right")
    for column in next(value for value in located.values() if value):
        level = column.removeprefix("jaccard@")
        title = f"its {level[1:]} quantile" if level.startswith("q") else level
        table.add_row(title, *(interval(values[column]) for values in located.values()))
    return table
