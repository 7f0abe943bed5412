from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from medqnn.report.html import write_report
from medqnn.report.run_folder import read_run
from medqnn.report.subgroups import LONGEST, forest, section

from .page import Page
from .runs import make_run, read_json

Maker = Callable[..., Path]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("runs") / "run", attributes=True, attention=False)


@pytest.fixture(scope="module")
def page(path: Path) -> Page:
    return Page(write_report(path))


def measured(path: Path, name: str, attribute: int = 0) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = read_json(path / name / "metrics.json")["subgroups"][attribute][
        "groups"
    ]
    return groups


def drawn(path: Path, score: str = "accuracy") -> Figure:
    draw: Callable[..., Figure] = forest.__wrapped__  # type: ignore[attr-defined]
    return draw(read_run(path).variants, 0, score, score)


def test_no_attributes_no_section(run: Path) -> None:
    assert "subgroups" not in Page(write_report(run)).sections


def test_rows_show_the_numbers_of_the_metrics(path: Path, page: Page) -> None:
    hybrid, dense = (measured(path, name) for name in ("hybrid", "dense"))
    assert [group["group"] for group in hybrid] == ["F", "M"]
    rows = page.rows["subgroups"]
    for one, other in zip(hybrid, dense, strict=True):
        at = next(n for n, row in enumerate(rows) if row[0] == one["group"])
        few = " too few to judge" if one["few"] else ""
        assert rows[at][1:4] == ["hybrid", str(one["images"]), f"{one['patients']}{few}"]
        assert rows[at + 1][:4] == ["", "dense", "", ""]
        for row, group in ((rows[at], one), (rows[at + 1], other)):
            record, gain = group["scores"]["auroc"], group["differences"]["accuracy"]
            assert row[6] == "{estimate:.3f} {low:.3f} to {high:.3f}".format(**record)
            numbers = [100 * gain[key] for key in ("estimate", "low", "high")]
            assert row[7] == "{:+.1f} {:+.1f} to {:+.1f}".format(*numbers)


def test_cuts_and_unknown_values_are_stated(path: Path, page: Page) -> None:
    sex, age = read_json(path / "hybrid" / "metrics.json")["subgroups"]
    assert sex["unknown"] == 4
    text = page.text("subgroups")
    assert "4 images have no value" in text
    assert "cut at {:.4g} and {:.4g}".format(*age["cuts"]) in text
    assert "fewer than ten patients" in text


def test_the_figure_draws_difference_and_interval(path: Path) -> None:
    (axes,) = drawn(path).axes
    groups = {"hybrid": measured(path, "hybrid"), "dense": measured(path, "dense")}
    bars = [line for line in axes.lines[1:] if len(line.get_xdata()) == 2]
    marks = [line for line in axes.lines[1:] if len(line.get_xdata()) == 1]
    gains = [group["differences"]["accuracy"] for own in groups.values() for group in own]
    few = [group["few"] for own in groups.values() for group in own]
    assert set(few) == {True}
    for bar, mark, gain in zip(bars, marks, gains, strict=True):
        np.testing.assert_allclose(bar.get_xdata(), [100 * gain["low"], 100 * gain["high"]])
        np.testing.assert_allclose(mark.get_xdata(), [100 * gain["estimate"]])
        assert to_rgb(mark.get_markerfacecolor()) == (1, 1, 1)  # too few to judge
    assert [text.get_text() for text in axes.get_yticklabels()] == ["F", "M"]


def test_long_names_are_cut_and_undefined_ones_left_out(path: Path) -> None:
    variants = read_run(path).variants
    for variant in variants:
        (first, _) = variant.metrics["subgroups"][0]["groups"]
        first["group"] = "x" * 60
        first["differences"]["accuracy"] = {"estimate": None, "low": None, "high": None}
    draw: Callable[..., Figure] = forest.__wrapped__  # type: ignore[attr-defined]
    (axes,) = draw(variants, 0, "accuracy", "accuracy").axes
    assert len(axes.get_yticklabels()[0].get_text()) == LONGEST
    assert sum(len(line.get_xdata()) == 1 for line in axes.lines) == len(variants)


def test_findings_are_held_against_each_other_by_auroc(run_maker: Maker, tmp_path: Path) -> None:
    path = run_maker(
        tmp_path / "run",
        classes=("a", "b", "none"),
        attention=False,
        multilabel=True,
        attributes=True,
        patients_known=False,
    )
    shown = section(read_run(path))
    assert shown["subgroup_score"] == "mean AUROC"
    columns = shown["attributes"][0]["table"].columns
    assert columns == ["Group", "Network", "Images", "Right answers", "AUROC", "AUROC − rest"]
