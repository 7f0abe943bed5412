"""How runs look in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from medqnn.evaluation.words import in_words
from medqnn.report.scores import MEDMNIST, scores, task_of
from medqnn.training.folder import RunFolder

console = Console(markup=False)  # names of files may hold brackets

COLUMNS = {"precision": "prec.", "recall": "recall", "f1": "F1"}
COLUMNS_OF_FINDINGS = {"recall": "sens.", "specificity": "spec.", "auroc": "AUROC"}
SIDE_BY_SIDE = 2  # networks whose columns fit 80 characters; of more the last column is shown


def decoding(items: Iterable[Any], total: int) -> Iterator[Any]:
    """A progress bar over images being decoded."""
    return iter(track(items, "reading images", total, console=console))


def show_run(folder: RunFolder) -> None:
    """Classes, main scores and attention of every variant side by side, and the comparisons."""
    facts = folder.facts()
    evaluations = {name: folder.read_json(f"{name}/metrics.json") for name in facts["variants"]}
    if facts["data"].get("task"):
        console.print(f"task: {facts['data']['task']}")
    show_scores(evaluations, facts["data"]["patients_known"])
    located = {name: metrics.get("localisation", {}) for name, metrics in evaluations.items()}
    if any(located.values()):
        console.print(_localisation(located))
    if facts.get("trained_under"):  # older runs lack it
        console.print(
            f"circuits were trained under the noise of {facts['trained_under']}; these scores are "
            f"of exact simulation: see `medqnn noise {folder.path}`"
        )
    for comparison in folder.read_json("comparisons.json"):
        console.print(comparison["words"])


def show_scores(evaluations: dict[str, dict[str, Any]], patients_known: bool) -> None:
    """Scores by class and over all of ``evaluate()`` results, by name, side by side."""
    console.print(_class_report(evaluations))
    console.print(_all_scores(evaluations, patients_known))


def show_differences(comparison: dict[str, Any]) -> None:
    """What ``compare()`` found, as a table and in words."""
    unit = "patient" if comparison["patients_known"] else "image"
    title = f"Difference {comparison['a']} − {comparison['b']}, 95% interval by {unit}"
    table = Table(title=title)
    table.add_column("")
    table.add_column("difference", justify="right")
    for score in scores(comparison):
        row = comparison["differences"][score.key]
        record = {"estimate": row["difference"], "low": row["low"], "high": row["high"]}
        table.add_row(score.title, interval(record, "+.3f"))
    console.print(table)
    console.print(in_words(comparison))


def interval(score: dict[str, float | None], form: str = ".3f") -> str:
    """An estimate with its interval: ``0.912 (0.880 to 0.941)``."""
    low, high = score["low"], score["high"]
    estimate = number(score["estimate"], form)
    if low is None or high is None:
        return estimate
    return f"{estimate} ({low:{form}} to {high:{form}})"


def number(value: float | None, form: str = ".3f") -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else f"{value:{form}}"


def _class_report(evaluations: dict[str, dict[str, Any]]) -> Table:
    first = next(iter(evaluations.values()))
    findings = task_of(first) == "multi-label"
    columns = list((COLUMNS_OF_FINDINGS if findings else COLUMNS).items())
    if len(evaluations) > SIDE_BY_SIDE:
        columns = columns[-1:]
    table = Table(title=f"Test images by {'finding' if findings else 'class'}")
    table.add_column("")
    for name in evaluations:
        for _, title in columns:
            table.add_column(f"{name}\n{title}", justify="right")
    table.add_column("\nimages", justify="right")
    for row, record in first["class_report"].items():
        cells = [
            number(_measure(metrics, row, key))
            for metrics in evaluations.values()
            for key, _ in columns
        ]
        table.add_row(row, *cells, f"{record['support']:.0f}")
    return table


def _measure(metrics: dict[str, Any], row: str, key: str) -> float | None:
    """From the report, or, as it has no AUROC, from the scores."""
    if key in metrics["class_report"][row]:
        value: float | None = metrics["class_report"][row][key]
        return value
    every = metrics["scores"]
    estimate: float | None = every.get(f"{key}[{row}]", every[key])["estimate"]
    return estimate


def _all_scores(evaluations: dict[str, dict[str, Any]], patients_known: bool) -> Table:
    first = next(iter(evaluations.values()))
    of = f"of {first['patients']} patients" if patients_known else "of unknown patients"
    unit = "patients" if patients_known else "images"
    title = f"{first['images']} test images {of}; 95% interval by resampling {unit}"
    table = _side_by_side(title, "", evaluations)
    for score in scores(first):
        cells = (interval(metrics["scores"][score.key]) for metrics in evaluations.values())
        table.add_row(score.title, *cells)
    if all(metrics.get("medmnist") for metrics in evaluations.values()):
        for key, (title, _) in MEDMNIST.items():
            table.add_row(title, *(number(m["medmnist"][key]) for m in evaluations.values()))
    return table


def _localisation(located: dict[str, dict[str, Any]]) -> Table:
    title = "Jaccard index of attention and tumour mask"
    table = _side_by_side(title, "attended: map at least", located)
    for column in next(value for value in located.values() if value):
        level = column.removeprefix("jaccard@")
        title = f"its {level[1:]} quantile" if level.startswith("q") else level
        table.add_row(title, *(interval(values[column]) for values in located.values()))
    return table


def _side_by_side(title: str, head: str, names: Iterable[str]) -> Table:
    """A table with one column a network; of many in few characters no word is cut."""
    table = Table(title=title)
    table.add_column(head, min_width=len("(one-vs-rest)"))
    for name in names:
        table.add_column(name, justify="right")
    return table
