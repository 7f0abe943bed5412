"""The report's tables, as text in cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from medqnn.report.formatting import (
    UNDEFINED,
    decimal,
    interval,
    p_value,
    seconds,
    signed,
    whole,
)
from medqnn.report.run_folder import Run, Variant
from medqnn.report.scores import MEDMNIST, scores, task_of

PARTS = {"train": "training", "val": "validation", "test": "test"}
UNITS = {"images": "p by image", "patients": "p by patient"}  # of Wilcoxon's tests
MEASURES = {"precision": "Precision", "recall": "Recall", "f1": "F1"}
MEASURES_OF_FINDINGS = {
    "auroc": "AUROC",
    "recall": "Sensitivity",
    "specificity": "Specificity",
    "precision": "Precision",
}
# An average of Table 1 that is also a score has that score's interval.
AVERAGES = {
    ("macro average", "recall"): "balanced_accuracy",
    ("macro average", "f1"): "macro_f1",
    ("weighted average", "recall"): "accuracy",
    ("weighted average", "f1"): "weighted_f1",
    ("macro average", "auroc"): "auroc",
}


class Cell(NamedTuple):
    """A figure, and below it in small print its interval or count."""

    text: str
    note: str = ""


class Row(NamedTuple):
    """One line of a table."""

    head: str
    cells: list[Cell]


class Table(NamedTuple):
    """Column titles include that of the row heads; groups are titles that span (n) columns."""

    columns: list[str]
    rows: list[Row]
    groups: Sequence[tuple[str, int]] = ()


def score_table(variants: Sequence[Variant], main: bool = False) -> Table:
    """Scores with intervals, one column a variant; MedMNIST's own below where it has them."""
    rows = []
    for score in scores(variants[0].metrics):
        if score.main or not main:
            records = [variant.metrics["scores"][score.key] for variant in variants]
            cells = [Cell(score.text(r["estimate"]), interval(r, score.text)) for r in records]
            rows.append(Row(score.title, cells))
    if all(variant.metrics.get("medmnist") for variant in variants):
        for key, (title, text) in MEDMNIST.items():
            rows.append(Row(title, [Cell(text(v.metrics["medmnist"][key])) for v in variants]))
    return Table(["Score", *(variant.name for variant in variants)], rows)


def class_table(variants: Sequence[Variant]) -> Table:
    """Table 1 of the HQCM-EBTC paper: precision, recall and F1 by class for every variant."""
    findings = task_of(variants[0].metrics) == "multi-label"
    measures = MEASURES_OF_FINDINGS if findings else MEASURES
    head, count = ("Finding", "Present in") if findings else ("Class", "Images")
    report = variants[0].metrics["class_report"]
    rows = []
    for name in report:
        cells = [_class_cell(v.metrics, name, measure) for v in variants for measure in measures]
        rows.append(Row(name, [*cells, Cell(whole(report[name]["support"]))]))
    return Table(
        [head, *(list(measures.values()) * len(variants)), count],
        rows,
        [("", 1), *((variant.name, len(measures)) for variant in variants), ("", 1)],
    )


def _class_cell(metrics: dict[str, Any], name: str, measure: str) -> Cell:
    score = AVERAGES.get((name, measure), f"{measure}[{name}]")
    record = metrics["scores"].get(score, {})
    value = metrics["class_report"][name].get(measure, record.get("estimate"))
    return Cell(decimal(value), interval(record))


def cost_table(variants: Sequence[Variant]) -> Table:
    """Size and cost of each network."""
    facts: dict[str, tuple[str, Callable[[Any], str]]] = {
        "parameters": ("Trainable parameters", whole),
        "head_parameters": ("of these, where the quantum layer is or was", whole),
        "epochs": ("Epochs trained", whole),
        "best_epoch": ("Epoch whose weights are tested", whole),
        "seconds_per_epoch": ("Seconds an epoch", seconds),
    }
    rows = [
        Row(title, [Cell(text(variant.metrics.get(key))) for variant in variants])
        for key, (title, text) in facts.items()
    ]
    return Table(["Network", *(variant.name for variant in variants)], rows)


def mcnemar_table(comparison: dict[str, Any]) -> Table:
    """Images by which of the two models is right."""
    a, b, counts = comparison["a"], comparison["b"], comparison["mcnemar"]
    return Table(
        ["", f"{b} right", f"{b} wrong"],
        [
            Row(f"{a} right", [Cell(whole(counts["both_right"])), Cell(whole(counts["only_a"]))]),
            Row(f"{a} wrong", [Cell(whole(counts["only_b"])), Cell(whole(counts["both_wrong"]))]),
        ],
    )


def difference_table(comparison: dict[str, Any]) -> Table:
    """Paired bootstrap: both models' scores, their difference and its interval."""
    shown = {score.key: score.title for score in scores(comparison)}
    measure, title = ("auroc", "AUROC") if task_of(comparison) == "multi-label" else ("f1", "F1")
    shown |= {f"{measure}[{name}]": f"{title} of {name}" for name in comparison["classes"]}
    rows = []
    for name, head in shown.items():
        record = comparison["differences"][name]
        cells = [decimal(record["a"]), decimal(record["b"]), signed(record["difference"])]
        spread = interval(record, signed) or UNDEFINED
        rows.append(Row(head, [Cell(text) for text in (*cells, spread, _verdict(record))]))
    a, b = comparison["a"], comparison["b"]
    level = f"{comparison['interval']['level']:.0%} interval"
    return Table(["Score", a, b, f"{a} − {b}", level, "Zero is"], rows)


def _verdict(record: dict[str, Any]) -> str:
    if record["low"] is None:
        return UNDEFINED
    return "inside" if record["low"] <= 0 <= record["high"] else "outside"


def localisation_table(
    variants: Sequence[Variant], comparisons: Sequence[dict[str, Any]], patients_known: bool
) -> Table | None:
    """Table 2 of the HQCM-EBTC paper: mean Jaccard index at each τ and Wilcoxon's tests.

    Args:
        variants: Those without attention are left out.
        comparisons: Of the variants.
        patients_known: Whether there is a test by patient.

    Returns:
        None where no variant was scored against masks.
    """
    scored = [variant for variant in variants if variant.metrics.get("localisation")]
    if not scored:
        return None
    units = [unit for unit in UNITS if patients_known or unit == "images"]
    tests = [
        (f"{c['a']} and {c['b']}", {record["column"]: record for record in c["localisation"]})
        for c in comparisons
        if c.get("localisation")
    ]
    rows = []
    for column in scored[0].metrics["localisation"]:
        means = [variant.metrics["localisation"][column] for variant in scored]
        cells = [Cell(decimal(mean["estimate"]), interval(mean)) for mean in means]
        cells += [_test_cell(test.get(column), unit) for _, test in tests for unit in units]
        rows.append(Row(region_name(column), cells))
    columns = [
        "Region",
        *(variant.name for variant in scored),
        *([UNITS[unit] for unit in units] * len(tests)),
    ]
    groups = [("", 1), ("Mean Jaccard index", len(scored))]
    return Table(
        columns, rows, [*groups, *((f"Wilcoxon, {pair}", len(units)) for pair, _ in tests)]
    )


def _test_cell(record: dict[str, Any] | None, unit: str) -> Cell:
    test = record and record.get(unit)
    return Cell(p_value(test["p"]), f"n = {whole(test['n'])}") if test else Cell(UNDEFINED)


def region_name(column: str) -> str:
    """What a column of Jaccard indices took as the attended region: "jaccard@q0.99" is "top 1%"."""
    level = column.removeprefix("jaccard@")
    if level.startswith("q"):
        return f"top {100 * (1 - float(level[1:])):.3g}%"
    return f"τ = {level}"


def split_table(run: Run) -> Table:
    """Images, and patients if they are known, of each class in each part of the split."""
    known = run.facts["data"]["patients_known"]
    units = {"Images": "id", "Patients": "patient"} if known else {"Images": "id"}
    rows = []
    for name, images in {**run.by_class(), "All images": run.split}.items():
        counts = images.groupby("part")[list(units.values())].nunique()
        counts = counts.reindex(list(PARTS), fill_value=0)
        rows.append(Row(name, [Cell(whole(int(count))) for count in counts.to_numpy().ravel()]))
    titles = [(title, len(units)) for title in PARTS.values()]
    head = "Finding" if run.multilabel else "Class"
    return Table([head, *(list(units) * len(PARTS))], rows, [("", 1), *titles])
