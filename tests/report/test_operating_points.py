from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from medqnn.report.operating_points import operating_table, section
from medqnn.report.run_folder import read_run

from .runs import read_json

Maker = Callable[..., Path]


def cells(points: list[dict[str, Any]]) -> list[str]:
    """The cells of a row, from one point of each variant."""
    result = []
    for point in points:
        for measure in ("sensitivity", "specificity"):
            numbers = [point[measure][key] for key in ("estimate", "low", "high")]
            result.append("{:.1%} {:.1%} to {:.1%}".format(*numbers))
    return result


def shown(path: Path) -> dict[str, list[str]]:
    """The table's rows by their heads."""
    rows = operating_table(read_run(path).variants).rows
    return {row.head: [f"{cell.text} {cell.note}" for cell in row.cells] for row in rows}


def points(path: Path) -> list[list[dict[str, Any]]]:
    """For each row the points of all variants."""
    names = ("hybrid", "dense")
    lists = [read_json(path / name / "metrics.json")["operating_points"] for name in names]
    return [list(pair) for pair in zip(*lists, strict=True)]


def test_two_classes_have_the_second_as_positive(run_maker: Maker, tmp_path: Path) -> None:
    path = run_maker(tmp_path / "run", classes=("well", "ill"), attention=False)
    expected = {f"{pair[0]['wanted']:.0%}": cells(pair) for pair in points(path)}
    assert shown(path) == expected
    assert list(expected) == ["80%", "90%", "95%"]
    assert section(read_run(path))["operating_negatives"] == (4 * 8, 4 * 8)


def test_each_class_has_three_rows(run: Path) -> None:
    heads = [f"{pair[0]['class']}, {pair[0]['wanted']:.0%}" for pair in points(run)]
    assert shown(run) == dict(zip(heads, map(cells, points(run)), strict=True))
    assert len(heads) == 4 * 3
    beside = section(read_run(run))
    assert beside["operating_alone"] is None
    assert beside["operating_negatives"] == (4 * 7, 4 * 10)  # 12 patients validate


def test_of_many_findings_one_specificity_is_shown(run_maker: Maker, tmp_path: Path) -> None:
    path = run_maker(
        tmp_path / "run", classes=(*"abcdefgh", "none"), attention=False, multilabel=True
    )
    assert list(shown(path)) == [f"{name}, 90%" for name in "abcdefgh"]
    assert section(read_run(path))["operating_alone"] == 0.9
