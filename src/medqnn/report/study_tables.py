"""Tables of a study's report."""

from __future__ import annotations

from typing import Any

import pandas as pd

from medqnn.report.formatting import UNDEFINED, interval, p_value, signed, whole
from medqnn.report.scores import CLASSES, FINDINGS, Score
from medqnn.report.tables import Cell, Row, Table

BIASED = ("ece",)  # resampling raises it, so that its interval would not hold the estimate


def paired(result: dict[str, Any]) -> dict[str, Any]:
    """The result without variants that have no run, and without twins that share none."""
    kept = {
        "variants": {name: one for name, one in result["variants"].items() if one["scores"]},
        "twins": {name: one for name, one in result["twins"].items() if one["differences"]},
    }
    return {**result, **kept}


def variant_table(result: dict[str, Any], runs: pd.DataFrame) -> Table:
    """Mean scores over runs, one column a variant, and what a run costs."""
    variants = result["variants"]
    done = runs[runs["status"] == "complete"].groupby("variant")
    median = done[["parameters", "seconds", "epochs"]].median()
    rows = [_score_row(score, variants) for score in _scores(result)]
    for title, column in (("Weights", "parameters"), ("Epochs", "epochs"), ("Seconds", "seconds")):
        rows.append(Row(title, [Cell(whole(round(median[column][name]))) for name in variants]))
    rows.append(Row("Runs", [Cell(whole(variant["runs"])) for variant in variants.values()]))
    return Table(["", *variants], rows)


def _score_row(score: Score, variants: dict[str, Any]) -> Row:
    records = [variant["scores"][score.key] for variant in variants.values()]
    notes = ["" if score.key in BIASED else interval(record, score.text) for record in records]
    texts = (score.text(record["estimate"]) for record in records)
    return Row(score.title, [Cell(text, note) for text, note in zip(texts, notes, strict=True)])


def comparison_table(result: dict[str, Any]) -> Table:
    """Every test of the main score, one column a twin."""
    main = result["main_score"]
    columns = [_tests(twin, main) for twin in result["twins"].values()]
    rows = [Row(head, [column[head] for column in columns]) for head in columns[0]]
    return Table(["Hybrid −", *result["twins"]], rows)


def _tests(twin: dict[str, Any], main: str) -> dict[str, Cell]:
    tests, gain = twin["scores"][main], twin["differences"][main]
    ranks, effect = tests["signed_rank"], tests["effect"]
    return {
        "Verdict": Cell(twin["verdict"]["code"]),
        "Difference": Cell(signed(gain["estimate"]), interval(gain, signed)),
        "Corrected t, Holm's p": Cell(_p(tests["p_holm"]), interval(tests["corrected_t"], signed)),
        "Equivalence, p": Cell(
            _p(tests["equivalence"]["p"]), interval(tests["equivalence"], signed)
        ),
        "Wilcoxon, p": Cell(_p(ranks["p"]), f"at least {_p(ranks['smallest_p'])}"),
        "Effect size d": Cell(_two(effect["d_z"])),
        "Runs won": Cell(_share(effect["superiority"]), interval(effect, _share)),
        "Seeds to settle": Cell(_seeds(twin["verdict"])),
        "Pairs of runs": Cell(whole(twin["pairs"])),
    }


def difference_table(result: dict[str, Any]) -> Table:
    """Differences of all tested scores with intervals and corrected p-values."""
    twins = result["twins"]
    tested = next(iter(twins.values()))["scores"]
    titles = {score.key: score.title for score in _every(result)}
    rows = [
        Row(
            titles[key],
            [
                Cell(
                    signed(twin["differences"][key]["estimate"]),
                    f"{interval(twin['differences'][key], signed)}, "
                    f"p {_p(twin['scores'][key]['p_holm'])}",
                )
                for twin in twins.values()
            ],
        )
        for key in tested
    ]
    return Table(["Hybrid −", *twins], rows)


def image_table(result: dict[str, Any]) -> Table:
    """McNemar's and DeLong's tests: how many single runs reject, and the averaged models."""
    rows = []
    for name, twin in result["twins"].items():
        tests = twin["per_image"]
        for what, test in (("McNemar", tests.get("mcnemar")), *_delong(tests["delong"])):
            if test is None:
                continue
            single, whole_test = test["single_runs"], test["ensemble"]
            rows.append(
                Row(
                    f"{name}: {what}",
                    [
                        Cell(whole(single["runs"])),
                        Cell(whole(single["a_higher"])),
                        Cell(whole(single["b_higher"])),
                        Cell(_p(whole_test["p"]) if whole_test else UNDEFINED),
                    ],
                )
            )
    columns = ["", "Runs tested", "Hybrid better, p < 0.05", "Twin better", "Averaged models, p"]
    return Table(columns, rows)


def fold_table(folds: list[dict[str, Any]]) -> Table:
    """Images of each part of each split."""
    rows = [
        Row(
            str(number),
            [
                *(Cell(whole(fold[part])) for part in ("train", "val", "test")),
                Cell("leaks" if fold["leak"] else "none found"),
            ],
        )
        for number, fold in enumerate(folds, start=1)
    ]
    return Table(["Split", "Training", "Validation", "Test", "Copies across"], rows)


def run_table(runs: pd.DataFrame) -> Table:
    """Runs that are whole and that are lacking, by variant."""
    rows = []
    for (recipe, variant), own in runs.groupby(["recipe", "variant"], sort=False):
        done = own["status"] == "complete"
        rows.append(
            Row(
                f"{variant}, {recipe}",
                [
                    Cell(whole(int(done.sum()))),
                    Cell(whole(int((~done).sum()))),
                    Cell(f"{own['seconds'].sum() / 60:.1f}"),
                ],
            )
        )
    return Table(["Runs", "Complete", "Missing", "Minutes of training"], rows)


def failure_table(failures: pd.DataFrame) -> Table | None:
    """Every failure; None if there was none."""
    if failures.empty:
        return None
    rows = [
        Row(str(row.job), [Cell(str(row.fault)), Cell("yes" if row.tried_again else "given up")])
        for row in failures.itertuples()
    ]
    return Table(["Run", "What happened", "Tried again"], rows)


def _scores(result: dict[str, Any]) -> list[Score]:
    """Those of every class together; recalls of single classes are in the table of runs."""
    known = next(iter(result["variants"].values()))["scores"]
    return [score for score in _every(result) if score.key in known]


def _every(result: dict[str, Any]) -> tuple[Score, ...]:
    return FINDINGS if result["main_score"] == "auroc" else CLASSES


def _delong(tests: dict[str, Any] | None) -> list[tuple[str, Any]]:
    return [(f"DeLong, {name}", test) for name, test in (tests or {}).items()]


def _p(value: float | None) -> str:
    return UNDEFINED if value is None else p_value(value)


def _two(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:+.2f}"


def _share(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:.0%}"


def _seeds(verdict: dict[str, Any]) -> str:
    """Of each split; what no number of seeds would settle has none."""
    if verdict["code"] != "cannot tell":
        return "settled"
    needed = verdict["seeds_needed"]
    return "no number" if needed is None else whole(needed)
