from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from cli.conftest import Medqnn
from medqnn.robustness import results
from robustness.measured import measured_run

__all__ = ["measured_run"]
pytestmark = pytest.mark.usefixtures("hundred_columns")


@pytest.fixture
def copy(measured_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(measured_run, tmp_path / "run"))


def cells(out: str, corruption: str, variant: str) -> list[str]:
    """A network's cells in the first table that has the corruption."""
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines()]
    start = next(i for i, line in enumerate(lines) if line and line[0].startswith(corruption))
    return next(line for line in lines[start:] if line[1] == variant)[2:]


def test_the_tables_show_the_files_numbers(medqnn: Medqnn, copy: Path) -> None:
    done = medqnn("robustness", copy)
    assert done.code == 0, done.err
    assert done.err == ""
    table = pd.read_csv(copy / "robustness.csv")
    for name, columns in (("Rotation, 5 to 30", 7), ("PGD", 6)):
        for variant in ("hybrid", "dense"):
            own = table[table["variant"] == variant]
            rows = own[own["corruption"] == name.partition(",")[0]]["accuracy"]
            clean = own[own["kind"] == "clean"]["accuracy"].iloc[0]
            expected = [f"{value:.3f}" for value in (clean, *rows, rows.mean())]
            assert cells(done.out, name, variant) == expected
            assert len(expected) == columns
    assert "Jaccard index of attention (top 1% of each map)" in done.words
    means = json.loads((copy / "robustness.json").read_text())
    ahead = means["differences"]["dense"]["mean corrupted"]
    expected = "{estimate:+.3f} ({low:+.3f} to {high:+.3f})".format(**ahead)
    assert expected in done.out
    assert f"right on {means['baseline']:.1%}" in done.words


def test_a_run_is_measured_once_and_its_report_follows(
    medqnn: Medqnn, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 'id="robustness"' not in (copy / "report.html").read_text()
    done = medqnn("robustness", copy, "--images", 4)
    assert done.code == 0, done.err
    assert "measuring run" in done.out
    assert "4 test images" in done.out
    assert 'id="robustness"' in (copy / "report.html").read_text()
    monkeypatch.setattr(results, "measure", None)
    again = medqnn("robustness", copy, "--images", 4)
    assert again.code == 0
    assert again.out.splitlines()[-1] == done.out.splitlines()[-1]


def test_several_runs_are_shown_as_means(medqnn: Medqnn, copy: Path, measured_run: Path) -> None:
    done = medqnn("robustness", copy, measured_run)
    assert done.code == 0, done.err
    assert "mean over 2 runs" in done.words
    means = json.loads((copy / "robustness.json").read_text())["variants"]["hybrid"]
    assert f"{means['mean corrupted']['estimate']:.3f} ± 0.000" in done.out
    one = medqnn("robustness", copy).out
    assert cells(done.out, "JPEG", "dense") == cells(one, "JPEG", "dense")


def test_a_network_that_only_guesses_is_said_to(medqnn: Medqnn, copy: Path) -> None:
    path = copy / "robustness.json"
    content = json.loads(path.read_text())
    for name, low in (("hybrid", 0.9), ("dense", 0.2)):
        content["variants"][name]["clean"]["low"] = low
    path.write_text(json.dumps(content | {"baseline": 0.25}))
    words = medqnn("robustness", copy).words
    assert "dense is not surely better on clean images than the commonest answer" in words
    assert "hybrid is not surely better" not in words


def test_faults_are_one_line(fails: Callable[..., str], copy: Path, tmp_path: Path) -> None:
    assert "has no run.json" in fails("robustness", tmp_path)
    facts = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps(facts | {"status": "interrupted"}))
    assert "is interrupted, not complete" in fails("robustness", copy)
