"""What is written and shown of studies that went wrong, or are of findings."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch

from medqnn.cli.show_study import show_study
from medqnn.errors import RunError
from medqnn.report.study import write_study_report
from medqnn.study.folder import SHARED, Cell, StudyFolder
from medqnn.study.jobs import TrainCell
from medqnn.study.leaderboard import as_text, gather
from medqnn.study.plan import start
from medqnn.study.results import write_results
from medqnn.study.table import write_table
from medqnn.training.recipe import load
from study.tiny import SETS
from training.tiny import write_medmnist


def whole(study: StudyFolder) -> dict:
    """Results, page, table and leaderboard of what there is."""
    write_table(study)
    results = write_results(study)
    write_study_report(study.path)
    show_study(study, results, {})
    assert len(as_text(gather(study.path))) > 0
    return results


@pytest.fixture
def lacking(tiny_study: Path, tmp_path: Path) -> StudyFolder:
    """A study whose runs a test may remove."""
    return StudyFolder(Path(shutil.copytree(tiny_study, tmp_path / "study")))


def lose(study: StudyFolder, *cells: Cell) -> None:
    for cell in cells:
        shutil.rmtree(study.run(cell).path)


def test_a_study_of_findings(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    data = write_medmnist(tmp_path / "findings.npz", findings=3)
    sets = (*SETS, "variants=[hybrid,none]", "training.epochs=1")
    study = start(load("hqcnn-medmnist", sets), str(data), tmp_path / "s", seeds=2, margin=0.02)
    for cell in study.plan().cells(SHARED):
        TrainCell(cell).do(study)
    results = whole(study)
    assert results[SHARED]["main_score"] == "auroc"
    assert results[SHARED]["no_better"] == []
    text = as_text(gather(study.path))
    assert text["accuracy"].tolist() == ["", ""]
    assert all(text["AUROC"])


def test_a_twin_without_any_run_is_told_of(lacking: StudyFolder) -> None:
    lose(lacking, *(Cell(SHARED, "dense", 1, seed) for seed in (0, 1)))
    results = whole(lacking)
    assert list(results) == ["tuned"]
    lose(lacking, *(Cell("tuned", "dense", 1, seed) for seed in (0, 1)))
    with pytest.raises(RunError, match=r"no runs that could be compared: see failures\.csv"):
        write_results(lacking)


def test_a_twin_that_shares_no_seed_cannot_be_told(lacking: StudyFolder) -> None:
    lose(lacking, Cell(SHARED, "hybrid", 1, 0), Cell(SHARED, "dense", 1, 1))
    result = whole(lacking)[SHARED]
    assert result["verdict"]["code"] == "cannot tell"
    assert result["variants"]["hybrid"]["missing"] == [[1, 0]]
    assert result["twins"]["dense"]["pairs"] == 0


def test_a_seed_that_all_lack_is_told_of(lacking: StudyFolder) -> None:
    lose(lacking, Cell(SHARED, "hybrid", 1, 1), Cell(SHARED, "dense", 1, 1))
    result = whole(lacking)[SHARED]
    assert result["variants"]["dense"] | {"scores": None} == {
        "runs": 1,
        "missing": [[1, 1]],
        "scores": None,
    }
    shown = as_text(gather(lacking.path))
    assert shown["runs"].tolist()[:2] == ["1 (1 missing)"] * 2


def test_studies_of_one_name_stay_apart(tiny_study: Path, tmp_path: Path) -> None:
    for place in ("a", "b"):
        shutil.copytree(tiny_study, tmp_path / place / "study")
    (tmp_path / "c").mkdir()
    shutil.copy(tiny_study / "results.json", tmp_path / "c")  # no study
    assert gather(tmp_path)["study"].unique().tolist() == ["a/study", "b/study"]


def test_networks_that_learnt_nothing_are_named(tiny_study: Path) -> None:
    results = pd.read_json(tiny_study / "results.json")
    assert 0.3 < results["shared"]["floor"] < 0.7
