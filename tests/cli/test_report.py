from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from cli.conftest import Medqnn
from medqnn.training.folder import RunFolder


def test_report_is_written_anew(medqnn: Medqnn, tiny_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(tiny_run, tmp_path / "run")
    (run / "report.html").unlink()
    done = medqnn("report", run)
    assert done.code == 0
    assert done.out == f"report: {run / 'report.html'}\n"
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "hybrid" in page
    assert "synthetic" in page


def test_every_format_is_written_once(medqnn: Medqnn, tiny_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(tiny_run, tmp_path / "run")
    (run / "report.html").unlink()
    done = medqnn(
        "report", run, *["--format", "md", "--format", "json", "--format", "card", "--format", "md"]
    )
    assert done.code == 0, done.err
    names = ["report.md", "report.json", "model_card.md"]
    assert done.out.splitlines() == [f"report: {run / name}" for name in names]
    assert all((run / name).stat().st_size > 1000 for name in names)
    assert not (run / "report.html").exists()


def test_a_study_has_no_card(fails: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text("{}")
    line = fails("report", tmp_path, "--format", "json", "--format", "card")
    assert "a study, which has no model card" in line
    assert "--format html, md, json" in line


def test_incomplete_run_has_no_report(
    fails: Callable[..., str], tiny_run: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(tiny_run, tmp_path / "run")
    (run / "report.html").unlink()
    RunFolder(run).mark("interrupted")
    assert "is interrupted, not complete" in fails("report", run)
    assert not (run / "report.html").exists()


def test_folder_that_is_no_run_is_named(fails: Callable[..., str], tmp_path: Path) -> None:
    assert "has no run.json: give the folder of a run" in fails("report", tmp_path)
    assert "has no run.json: give the folder of a run" in fails("report", tmp_path / "nowhere")
