from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from explain.scored import Scored, scored
from medqnn.errors import RunError
from medqnn.explain.score_words import words
from medqnn.report.explained import (
    curve_plot,
    difference_table,
    faithful_table,
    level_table,
    pointing_table,
    section,
)
from medqnn.report.html import write_report
from medqnn.report.run_folder import read_run
from medqnn.report.tables import Table
from medqnn.training.folder import RunFolder

from .page import Page

__all__ = ["scored"]


@pytest.fixture(scope="module")
def explained(scored: Scored, run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with the small run's scores, and its report."""
    path = Path(shutil.copytree(run, tmp_path_factory.mktemp("page") / "run"))
    for file in scored.folder.path.iterdir():
        shutil.copy(file, path)
    write_report(path)
    return path


@pytest.fixture
def summary(scored: Scored) -> dict[str, Any]:
    return scored.scores.summary


def row(table: Table, head: str) -> list[str]:
    """Text and small print of each cell."""
    cells = next(row.cells for row in table.rows if row.head == head)
    return [f"{cell.text} {cell.note}".strip() for cell in cells]


def shown(one: dict[str, Any], form: str = ".3f") -> str:
    return f"{one['estimate']:{form}} {one['low']:{form}} to {one['high']:{form}}"


def test_a_run_that_was_not_scored_has_no_section(run: Path) -> None:
    assert section(read_run(run)) == {"explained": None}


def test_the_page_has_words_tables_and_plots(explained: Path, summary: dict[str, Any]) -> None:
    page = Page(explained / "report.html")
    text = page.text("explained")
    assert all(one in text for one in words(summary))
    alternatives = [str(attributes.get("alt")) for tag, attributes in page.tags if tag == "img"]
    for kind in ("Deletion", "Insertion"):
        drawn = [one for one in alternatives if one.startswith(f"{kind} curves by")]
        assert len(drawn) == 4
    one = summary["scores"]["dense"]["occlusion"]["energy"]
    assert page.row("explained", "Occlusion, dense")[1] == shown(one)
    assert "Usual place, no network" in text
    assert f"of {summary['checked']} images" in text


def test_a_page_without_masks_says_so(
    explained: Path, summary: dict[str, Any], tmp_path: Path
) -> None:
    path = Path(shutil.copytree(explained, tmp_path / "run"))
    places = {"flat": {}, "usual place": {}}
    bare = summary | {"located": 0, "ahead": places, "differences": {}}
    RunFolder(path).write_json("explain.json", bare)
    text = Page(write_report(path)).text("explained")
    assert "Left out: scores against masks" in text
    assert "Where the maps point" not in text
    assert "The same maps of two networks" not in text


def test_tables_show_the_summarys_numbers(summary: dict[str, Any]) -> None:
    scores = summary["scores"]
    own, blind = scores["hybrid"]["grad-cam"], scores["no network"]["random"]
    pointing = pointing_table(summary)
    heads = [one.head for one in pointing.rows]
    assert heads[:3] == ["Attention, hybrid", "Attention, dense", "Grad-CAM, hybrid"]
    assert heads[-3:] == ["Flat, no network", "Random, no network", "Usual place, no network"]
    assert not [head for head in heads if head.startswith("Random order")]
    keys = ("pointing", "energy", "average_precision", "best_dice")
    for head, one in (("Grad-CAM, hybrid", own), ("Random, no network", blind)):
        expected = [*(shown(one[key]) for key in keys), str(one["energy"]["images"])]
        assert row(pointing, head) == expected
    dice = level_table(summary, "dice")
    assert dice.columns[1:] == [
        "τ = 0.99", "τ = 0.90", "τ = 0.75", "top 1%", "top 10%", "top 25%"
    ]  # fmt: skip
    assert row(dice, "Grad-CAM, hybrid")[3] == shown(own["dice@q0.99"])
    faithful = faithful_table(summary)
    keys = ("deletion", "deletion_gain", "insertion", "insertion_gain")
    keys += ("sanity_head", "sanity_all", "stability")
    slow = scores["hybrid"]["occlusion"]
    assert row(faithful, "Occlusion, hybrid") == [shown(slow[key]) for key in keys]
    random = row(faithful, "Random order, dense")
    assert random[0] == shown(scores["dense"]["random"]["deletion"])
    assert random[1] == random[4] == "–"
    assert sum(span for _, span in faithful.groups) == len(faithful.columns)


def test_differences_stand_with_their_tests(summary: dict[str, Any]) -> None:
    table = difference_table(summary)
    one = summary["differences"]["dense"]["occlusion"]["stability"]
    difference, p = row(table, "Occlusion: under noise")
    assert difference == shown(one, "+.3f")
    assert p.endswith(f"n = {one['patients']}")
    assert table.columns == ["Map and score", "Difference", "p over patients"]
    summary = summary | {"differences": summary["differences"] | {"none": {}}}
    assert row(difference_table(summary), "Occlusion: under noise")[2:] == ["–", "–"]


def drawn(draw: Callable[..., str]) -> Callable[..., Figure]:
    """The figure itself, before it becomes text."""
    return draw.__wrapped__  # type: ignore[attr-defined,no-any-return]


def test_curves_are_drawn_with_their_random_order() -> None:
    shares, own = [0.0, 0.5, 1.0], {"hybrid": [0.9, 0.3, 0.1], "dense": [0.8, 0.7, 0.2]}
    chance = {"hybrid": [0.9, 0.6, 0.1], "dense": [0.8, 0.5, 0.2]}
    axes = drawn(curve_plot)(shares, own, chance, "deletion").axes[0]
    lines = [list(line.get_ydata()) for line in axes.lines[:4]]
    assert lines == [chance["hybrid"], own["hybrid"], chance["dense"], own["dense"]]
    assert list(axes.lines[0].get_xdata()) == [0.0, 50.0, 100.0]
    assert axes.lines[0].get_linewidth() < axes.lines[1].get_linewidth()
    assert axes.lines[1].get_linestyle() != axes.lines[3].get_linestyle()
    assert axes.get_xlabel() == "Pixels blurred, %"
    assert drawn(curve_plot)(shares, own, chance, "insertion").axes[0].get_xlabel() != (
        axes.get_xlabel()
    )


def test_broken_files_are_named(explained: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(explained, tmp_path / "run"))
    (path / "explain.csv").write_text("variant\n")
    with pytest.raises(RunError, match=r"explain\.csv is missing or broken"):
        section(read_run(path))
