from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd

from cli.conftest import Medqnn
from study.tiny import tiny_data, tiny_study

__all__ = ["tiny_data", "tiny_study"]


def test_leaderboard_is_written_as_page_markdown_and_table(
    medqnn: Medqnn, tiny_study: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny_study, tmp_path / "runs" / "one")
    done = medqnn("leaderboard", tmp_path / "runs", "--out", tmp_path / "out")
    assert done.code == 0, done.err
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        f"leaderboard.{ending}" for ending in ("html", "md", "csv")
    }
    assert len(pd.read_csv(tmp_path / "out" / "leaderboard.csv")) == 4
    assert "hqcnn-medmnist on stripes, tuned recipes: " in done.words
    assert not list((tmp_path / "runs").glob("leaderboard.*"))


def test_report_makes_the_page_of_a_study_anew(
    medqnn: Medqnn, tiny_study: Path, tmp_path: Path
) -> None:
    study = Path(shutil.copytree(tiny_study, tmp_path / "one"))
    before = (study / "report.html").read_bytes()
    (study / "report.html").unlink()
    done = medqnn("report", study)
    assert done.code == 0, done.err
    assert (study / "report.html").read_bytes() == before


def test_no_studies_is_one_line(medqnn: Medqnn, tmp_path: Path) -> None:
    done = medqnn("leaderboard", tmp_path)
    assert done.code == 2
    assert "holds no study with results" in done.err
