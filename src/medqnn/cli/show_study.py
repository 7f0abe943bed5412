"""How studies look in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from medqnn.cli.show import console, interval, number
from medqnn.report.study_tables import paired
from medqnn.study.folder import StudyFolder
from medqnn.study.jobs import Job
from medqnn.study.launch import Failures, State, Watch

SHOWN = 16  # running jobs, at most
SCORES = {"accuracy": "accuracy", "auroc": "AUROC", "ece": "calibration error"}


def show_plan(study: StudyFolder) -> None:
    """What is about to be done."""
    facts, plan = study.facts(), study.plan()
    data = facts["data"]
    runs = len(plan.variants) * len(plan.seeds) * plan.folds * (2 if plan.tune else 1)
    console.print(
        f"{facts['system']} on {data['name']}: {data['images']} images, {data['task']}, split "
        f"{data['split_rule']}",
        soft_wrap=True,
    )
    console.print(
        f"{runs} runs: {', '.join(plan.variants)}; {len(plan.seeds)} seeds; {plan.folds} "
        f"split{'s' if plan.folds > 1 else ''}"
        + (f"; shared recipe, and tuned by {plan.tune} trials each" if plan.tune else "")
        + f"; into {study.path}",
        soft_wrap=True,
    )
    leaks = {fold["leak"] for fold in facts["folds"] if fold["leak"]}
    for leak in sorted(leaks):
        console.print(f"LEAKING SPLIT: {leak}", soft_wrap=True, style="bold red")


@contextmanager
def watching(study: StudyFolder) -> Iterator[Watch]:
    """A bar over all jobs, and below it the epochs of those that are running."""
    columns = (TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        total = progress.add_task("runs")
        bars: dict[Job, Any] = {}

        def watch(state: State) -> None:
            failed = f", {len(state.failures)} failed" if state.failures else ""
            progress.update(
                total, total=state.total, completed=state.done, description=f"runs{failed}"
            )
            for job in bars.keys() - set(state.running):
                progress.remove_task(bars.pop(job))
            for job in state.running[:SHOWN]:
                if job not in bars:
                    bars[job] = progress.add_task(job.name, total=job.steps(study))
                progress.update(bars[job], completed=_lines(study, job))

        yield watch


def _lines(study: StudyFolder, job: Job) -> int:
    """Steps of a job that are done."""
    try:
        return max(job.history(study).read_text("utf-8").count("\n") - 1, 0)
    except OSError:  # none yet
        return 0


def show_study(study: StudyFolder, results: dict[str, Any], failures: Failures) -> None:
    """What came out: scores of every variant, the hybrid against each twin, and the verdict."""
    for name, fault in failures.items():
        console.print(f"failed twice: {name}: {fault}", soft_wrap=True, style="bold red")
    for recipe, whole in results.items():
        result = paired(whole)
        heading = f"{recipe} recipe" if len(results) > 1 else "the same recipe for all"
        console.print(_variants(study, recipe, heading, result))
        console.print(_twins(heading, result))
        for name, twin in whole["twins"].items():
            console.print(f"{name}: {twin['verdict']['sentence']}", soft_wrap=True)
        if whole["no_better"]:
            console.print(
                "not surely better than always giving the commonest answer "
                f"({whole['floor']:.1%}): {', '.join(whole['no_better'])}",
                soft_wrap=True,
            )
        console.print(result["verdict"]["sentence"], soft_wrap=True, style="bold")
    console.print(f"table: {study.path / 'table.csv'}", soft_wrap=True)
    console.print(f"report: {study.path / 'report.html'}", soft_wrap=True)


def _variants(study: StudyFolder, recipe: str, heading: str, result: dict[str, Any]) -> Table:
    """Mean scores with their intervals."""
    known = next(iter(result["variants"].values()))["scores"]
    titles = {key: title for key, title in SCORES.items() if key in known}
    runs = pd.read_csv(study.path / "table.csv").query("recipe == @recipe").groupby("variant")
    table = Table(title=f"Test scores, {heading}; mean over runs, 95% interval")
    for title in ("", "runs", "weights", *titles.values(), "seconds"):
        table.add_column(title, justify="right" if title else "left")
    for name, variant in result["variants"].items():
        own = runs.get_group(name)
        scores = [interval(variant["scores"][key]) for key in titles]
        if "ece" in titles:  # resampling raises it, so that its interval would not hold it
            scores[-1] = number(variant["scores"]["ece"]["estimate"])
        seconds = f"{own['seconds'].median():.0f}"
        weights = f"{own['parameters'].median():.0f}"
        table.add_row(name, str(variant["runs"]), weights, *scores, seconds)
    return table


def _twins(heading: str, result: dict[str, Any]) -> Table:
    """Differences of the main score and their tests."""
    main = result["main_score"]
    table = Table(title=f"{SCORES[main]}: {result['hybrid']} − twin, {heading}")
    columns = ("", "pairs", "difference", "p (Holm)", "Wilcoxon p (least)", "wins", "verdict")
    for title in columns:
        table.add_column(title, justify="right" if title not in ("", "verdict") else "left")
    for name, twin in result["twins"].items():
        tests = twin["scores"][main]
        ranks = tests["signed_rank"]
        table.add_row(
            name,
            str(twin["pairs"]),
            interval(twin["differences"][main], "+.3f"),
            number(tests["p_holm"], ".2g"),
            f"{number(ranks['p'], '.2g')} ({number(ranks['smallest_p'], '.2g')})",
            number(tests["effect"]["superiority"], ".0%"),
            twin["verdict"]["code"],
        )
    return table
