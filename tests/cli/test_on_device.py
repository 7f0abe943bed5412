from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cli.conftest import Medqnn
from medqnn.cli.on_device import outcome_table
from medqnn.cli.show import console
from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.hardware.outcome import outcome


@pytest.fixture
def copy(tiny_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_run, tmp_path / "run"))


def cells(out: str) -> dict[str, str]:
    """The last cell of each row by the first."""
    lines = [line.split("│")[1:-1] for line in out.splitlines() if line.startswith("│")]
    return {line[0].strip(): line[-1].strip() for line in lines}


def found_in(run: Path) -> dict:
    (path,) = run.glob("devices/*/device.json")
    return json.loads(path.read_text())["variants"]["hybrid"]


def test_the_table_and_the_card_show_the_files_numbers(medqnn: Medqnn, copy: Path) -> None:
    words = ("evaluate", copy, "--device", "lightning.qubit", "--images", 6)
    done = medqnn(*words)
    assert done.code == 0, done.err
    found = found_in(copy)
    assert found["device"]["interval"]["resamples"] == 100  # the recipe's
    right = found["device"]["scores"]["accuracy"]
    row = cells(done.out)
    assert row["Accuracy, device"] == "{estimate:.3f} ({low:.3f} to {high:.3f})".format(**right)
    assert row["Circuits"] == str(5 * 6)
    assert medqnn("report", copy, "--format", "card").code == 0
    card = (copy / "model_card.md").read_text()
    assert "hybrid on PennyLane's lightning.qubit, no shots: Accuracy " in card
    again = medqnn(*words, "--resamples", 150)
    assert again.code == 0, again.err
    scored = found_in(copy)
    for part in ("exact", "device", "comparison"):
        assert scored[part]["interval"]["resamples"] == 150
    assert scored["seconds"] == found["seconds"]  # nothing ran again


def test_findings_are_ranked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(console, "_width", 100)
    random = np.random.default_rng(0)
    labels = random.random((30, 2)) < 0.5
    ids = np.arange(30).astype(str)
    answers = MultiLabelPredictions(ids, ids, labels, random.random((30, 2)), ("mass", "node"))
    one = outcome(answers, answers, np.zeros(2), np.zeros(2), None, 100, 0)
    one |= {"circuits": 30, "seconds": 1.0}
    about = {"target": {"shots": None}, "images": 30, "variants": {"hybrid": one}}
    console.print(outcome_table(about, "default.qubit"))
    row = cells(capsys.readouterr().out)
    auroc = "{estimate:.3f} ({low:.3f} to {high:.3f})".format(**one["device"]["scores"]["auroc"])
    assert row["Mean AUROC, device"] == row["Mean AUROC, exact simulation"] == auroc


def test_faults_are_one_line(fails: Callable[..., str], copy: Path, tmp_path: Path) -> None:
    assert "leave out --shots, --images" in fails("evaluate", copy, "--shots", 9, "--images", 2)
    line = fails("evaluate", copy, "--resamples", 200, "--seed", 1)
    assert "was scored when it was trained: leave out --resamples, --seed" in line
    device = ("evaluate", copy, "--device", "no.such")
    assert "cannot open the device 'no.such'" in fails(*device)
    assert "is not KEY=VALUE" in fails(*device, "--option", "seed")
