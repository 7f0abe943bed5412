from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.conftest import Medqnn
from medqnn.cli.show import console
from medqnn.training.folder import RunFolder


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "width", 80)


def test_help_teaches_by_example(medqnn: Medqnn) -> None:
    done = medqnn("diagnose", "--help")
    assert done.code == 0
    assert "Example: medqnn diagnose hqcm-ebtc" in done.words


def test_system_is_diagnosed_without_a_run(medqnn: Medqnn, tmp_path: Path) -> None:
    done = medqnn("diagnose", "hqcnn-medmnist", "--samples", 20)
    assert done.code == 0, done
    assert "hqcnn-medmnist: 4 qubits, depth 3, 60 weights a circuit" in done.out
    assert "7% of its weights" in done.words
    assert "Fisher" not in done.out
    assert "…" not in done.out
    rows = [line.split("│")[1:-1] for line in done.out.splitlines() if line.startswith("│")]
    eight = next(row for row in rows if row[0].strip() == "8" and len(row) == 10)
    assert float(eight[-1]) == pytest.approx(1.95, abs=0.01)  # the plateau
    assert float(eight[-2]) == pytest.approx(1.95, abs=0.15)
    haar = next(row for row in rows if row[0].strip() == "Haar")
    assert haar[3].strip() == "0.824"  # 14/17


def test_run_is_diagnosed_and_reported(medqnn: Medqnn, tiny_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(tiny_run, tmp_path / "run")
    done = medqnn("diagnose", run, "--samples", 20, "--seed", 5)
    assert done.code == 0, done
    assert "…" not in done.out
    found = json.loads((run / "diagnostics.json").read_text())
    assert (found["samples"], found["seed"]) == (20, 5)
    for name, head in found["heads"]["variants"].items():
        rows = [line.split("│")[1:-1] for line in done.out.splitlines() if f" {name} " in line]
        fisher, influence = ([cell.strip() for cell in row] for row in rows if len(row) > 1)
        assert fisher[1:4] == [
            f"{head['weights']:,}",
            str(head["fisher"]["rank"]),
            str(head["fisher"]["needed_90"]),
        ]
        assert influence[3] == f"{head['trained']:.1%}"
        assert influence[5] == f"{head['bypassed']:.1%}"
    assert 'id="circuit"' in (run / "report.html").read_text(encoding="utf-8")


def test_what_is_neither_run_nor_system_is_named(
    fails: Callable[..., str], tmp_path: Path, tiny_run: Path
) -> None:
    assert "no recipe 'hqcm'" in fails("diagnose", "hqcm")
    assert "has no run.json" in fails("diagnose", tmp_path)
    run = shutil.copytree(tiny_run, tmp_path / "run")
    RunFolder(run).mark("interrupted")
    assert "is interrupted, not complete" in fails("diagnose", run)


def test_too_few_samples_are_a_usage_error(medqnn: Medqnn) -> None:
    done = medqnn("diagnose", "hqcm-ebtc", "--samples", 1)
    assert done.code == 2
    assert "samples" in done.err
