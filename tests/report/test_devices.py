from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from medqnn.errors import RunError
from medqnn.evaluation.predictions import Predictions
from medqnn.hardware.outcome import outcome
from medqnn.report.devices import section
from medqnn.report.html import write_report
from medqnn.report.json_report import write_json
from medqnn.report.markdown import write_markdown
from medqnn.report.model_card import write_card
from medqnn.report.on_devices import section as on_devices
from medqnn.report.run_folder import read_run
from medqnn.training.folder import RunFolder
from training.tiny import tiny_run
from under_noise.measured import noisy_run

from .page import Page

__all__ = ["noisy_run", "tiny_run"]


@pytest.fixture
def copy(noisy_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(noisy_run, tmp_path / "run"))


@pytest.fixture
def found() -> dict[str, Any]:
    """As `medqnn evaluate --device` leaves it: 8 of 10 images right, 10 by exact simulation."""
    ids, labels = np.arange(10).astype(str), np.arange(10) % 2
    exact = Predictions(ids, ids, labels, np.eye(2)[labels], ("a", "b"))
    device = replace(
        exact, probabilities=np.eye(2)[np.where(ids.astype(int) < 2, 1 - labels, labels)]
    )
    one = outcome(exact, device, np.zeros(2), np.zeros(2), 4000, 100, 0)
    one |= {"circuits": 20, "seconds": 12.34}
    options = {"noise_model": "FakeTorino", "token": "a secret"}
    target = {"device": "qiskit.aer", "shots": 4000, "options": options}
    return {"target": target, "images": 10, "variants": {"hybrid": one}}


def change(path: Path, **entries: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def test_a_run_that_never_met_a_device_says_so(tiny_run: Path, tmp_path: Path) -> None:
    assert section(read_run(tiny_run)) == {"under_noise": [], "on_devices": []}
    card = write_card(Path(shutil.copytree(tiny_run, tmp_path / "run"))).read_text()
    assert "circuits are simulated. Other hardware was not tried here.\n- Files" in card


def test_simulated_noise_is_told_by_the_tables_numbers(copy: Path) -> None:
    change(copy / "noise.json", baseline=-1.0)
    table = pd.read_csv(copy / "noise.csv").query("variant == 'hybrid' and shots.isna()")
    exact, noisy = (
        table.query(f"device == '{name}' and mitigation == 'none'").iloc[0]
        for name in ("exact", "ibm-eagle")
    )
    images = json.loads((copy / "noise.json").read_text())["images"]
    (line,) = section(read_run(copy))["under_noise"]  # the dense twin has no circuits
    assert line == (
        "hybrid under the simulated noise of ibm-eagle, unmitigated, without shot noise: accuracy "
        "{accuracy:.1%} ({low:.1%} to {high:.1%})".format(**noisy)
        + f" on {images} test images, without noise {exact['accuracy']:.1%}."
    )
    assert f"- {line}\n- Files" in write_card(copy).read_text()


def test_guessing_and_noise_in_training_are_not_kept_quiet(copy: Path) -> None:
    change(copy / "noise.json", baseline=1.0, trained_for="X1")
    (line,) = section(read_run(copy))["under_noise"]
    assert line.endswith(
        "not surely better than the commonest answer; trained under the noise of X1."
    )


def test_devices_are_told_without_secrets(copy: Path, found: dict[str, Any]) -> None:
    RunFolder(copy).write_json("devices/torino/device.json", found)
    low, high = (
        found["variants"]["hybrid"]["device"]["scores"]["accuracy"][e] for e in ("low", "high")
    )
    line = (
        "hybrid on PennyLane's qiskit.aer noise_model=FakeTorino, 4,000 shots: Accuracy 80.0% "
        f"({low:.1%} to {high:.1%}) on 10 test images, by exact simulation 100.0%; the same "
        "answers for 80.0%."
    )
    assert section(read_run(copy))["on_devices"] == [line]
    card = write_card(copy).read_text()
    assert f"circuits are simulated.\n- {line.replace('_', chr(92) + '_')}\n- hybrid under" in card
    assert "secret" not in card


def test_the_pages_show_a_row_a_network_and_device(copy: Path, found: dict[str, Any]) -> None:
    RunFolder(copy).write_json("devices/torino/device.json", found)
    one = found["variants"]["hybrid"]
    spread = (
        "{low:.1%} to {high:.1%}".format(**one[which]["scores"]["accuracy"])
        for which in ("device", "exact")
    )
    expected = [
        "Accuracy",
        *(f"{text} {own}" for text, own in zip(("80.0%", "100.0%"), spread, strict=True)),
        "80.0% of 10 images",
        f"0.0000 {one['values']['by_shots']:.4f} by shots alone",
        "20",
        "12.3",
    ]
    head = "hybrid on qiskit.aer noise_model=FakeTorino, 4,000 shots"
    page = write_report(copy)
    assert Page(page).row("on-devices", head) == expected
    assert "secret" not in page.read_text()
    text = write_markdown(copy).read_text()
    assert "## On devices" in text
    assert f"| {head.replace('_', chr(92) + '_')} | Accuracy | 80.0% (" in text
    (kept,) = json.loads(write_json(copy).read_text())["devices"]
    assert kept["variants"] == found["variants"]


def test_a_page_without_devices_is_silent(tiny_run: Path) -> None:
    assert on_devices(read_run(tiny_run)) == {"device_table": None}


def test_a_broken_file_is_named(copy: Path) -> None:
    RunFolder(copy).write_json("devices/torino/device.json", {"images": 3})
    with pytest.raises(RunError, match=r"torino/device\.json is broken"):
        write_card(copy)
