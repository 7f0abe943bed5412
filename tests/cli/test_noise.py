from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

from cli.conftest import Medqnn
from medqnn.devices import load
from medqnn.under_noise import results
from under_noise.measured import noisy_run

__all__ = ["noisy_run"]
pytestmark = pytest.mark.usefixtures("hundred_columns")
SAME = ("--profile", "ibm-eagle", "--shots", 16, "--shots", 32)


@pytest.fixture
def copy(noisy_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(noisy_run, tmp_path / "run"))


@pytest.fixture
def unmeasurable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "measure", None)


def test_the_tables_show_the_files_numbers(medqnn: Medqnn, copy: Path, unmeasurable: None) -> None:
    done = medqnn("noise", copy, *SAME)
    assert done.code == 0, done.err
    assert done.err == ""
    table = pd.read_csv(copy / "noise.csv").set_index(["variant", "device", "mitigation"])
    own = table.loc[("hybrid", "ibm-eagle", "both")]
    limit = own[own["shots"].isna()].iloc[0]
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.out.splitlines()]
    on_devices, by_shots = (line for line in lines if "both mitigations" in line)
    assert on_devices[2:] == [
        "{accuracy:.3f} ({low:.3f} to {high:.3f})".format(**limit),
        "{:+.1f} ({:+.1f} to {:+.1f})".format(
            *(100 * limit[f"difference{end}"] for end in ("", "_low", "_high"))
        ),
        f"{limit['auroc']:.3f}",
        f"{limit['deviation']:.4f}",
    ]
    drawn = own.sort_values("shots").iloc[0]
    assert by_shots[2] == f"{drawn['accuracy']:.3f} ±{drawn['sd']:.3f}".replace("±0", "±")
    assert by_shots[4] == f"{limit['accuracy']:.3f}"
    assert [line[1] for line in lines if line[:1] == ["dense"]] == ["no circuits"]
    baseline = json.loads((copy / "noise.json").read_text())["baseline"]
    assert f"right on {baseline:.1%}" in done.words


def test_a_run_is_measured_once_and_its_report_follows(
    medqnn: Medqnn, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 'id="noise"' not in (copy / "report.html").read_text()
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(load("ionq-aria").model_dump(mode="json")))
    words = ("noise", copy, "--images", 4, "--profile", path, "--shots", 8)
    done = medqnn(*words)
    assert done.code == 0, done.err
    assert "measuring under noise" in done.out
    assert "4 test images" in done.out
    assert 'id="noise"' in (copy / "report.html").read_text()
    monkeypatch.setattr(results, "measure", None)
    again = medqnn(*words)
    assert again.code == 0
    assert again.out.splitlines()[-1] == done.out.splitlines()[-1]


def test_a_network_that_only_guesses_is_said_to(
    medqnn: Medqnn, copy: Path, unmeasurable: None
) -> None:
    content = json.loads((copy / "noise.json").read_text())
    (copy / "noise.json").write_text(json.dumps(content | {"baseline": 1.0, "trained_for": "X1"}))
    words = medqnn("noise", copy, *SAME).words
    assert "dense is not surely better without noise than the commonest answer" in words
    assert "trained under the noise of X1" in words


def test_faults_are_one_line(fails: Callable[..., str], copy: Path, tmp_path: Path) -> None:
    assert "has no run.json" in fails("noise", tmp_path)
    assert "give one of ibm-eagle, ibm-heron-r2" in fails("noise", copy, "--profile", "eagle")
    facts = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps(facts | {"variants": ["dense"]}))
    assert "has a quantum layer: train one" in fails("noise", copy)
