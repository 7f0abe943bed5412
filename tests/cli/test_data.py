from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from cli.conftest import Medqnn
from data.auditing.planted import leaking_folder
from medqnn.data.auditing.audit import audit
from medqnn.data.class_folders import read_class_folders
from medqnn.data.split_file import apply_split

Fails = Callable[..., str]


@pytest.fixture(scope="module")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return leaking_folder(tmp_path_factory.mktemp("data") / "leaking set")


def test_a_leaking_set_ends_with_code_1(medqnn: Medqnn, leaking: Path, tmp_path: Path) -> None:
    done = medqnn("data", "audit", leaking, "--out", tmp_path / "audit")
    assert done.code == 1
    assert "LEAK: 5 of 8 images of test" in done.words
    assert "mirrored or turned" in done.words
    assert {path.name for path in (tmp_path / "audit").iterdir()} == {
        "audit.html",
        "audit.json",
        "images.csv",
        "pairs.csv",
    }


def test_a_clean_set_ends_with_code_0(medqnn: Medqnn, tmp_path: Path) -> None:
    files = tmp_path / "a.html", tmp_path / "a.json"
    done = medqnn("data", "audit", "phantom:16", "--html", files[0], "--json", files[1])
    assert done.code == 0
    assert "nothing to warn of" in done.words
    assert json.loads(files[1].read_text())["leaking"] is False
    assert "Audit of phantom" in files[0].read_text()


def test_problems_are_listed(medqnn: Medqnn, tmp_path: Path) -> None:
    root = leaking_folder(tmp_path / "[set]")
    (root / "train/a/07.png").write_bytes(b"")
    done = medqnn("data", "audit", root)
    assert "cannot be read │ 1 │ train/a/07.png" in done.words
    assert "cannot be read: 1 of 33 images" in done.words


def test_no_data_set_ends_with_code_2(fails: Fails, tmp_path: Path) -> None:
    assert "does not exist" in fails("data", "audit", tmp_path / "nowhere")


def test_a_split_without_leaks(medqnn: Medqnn, leaking: Path, tmp_path: Path) -> None:
    out = tmp_path / "split.csv"
    done = medqnn(
        *("data", "split", leaking, "--out", out, "--fractions", 0.5, 0.25, 0.25, "--seed", 3)
    )
    assert done.code == 0, done.err
    assert "groups that belong together: 27" in done.words
    assert list(pd.read_csv(out)) == ["id", "split", "group"]
    table = apply_split(read_class_folders(leaking), out)
    assert set(table.rows["split"]) == {"train", "val", "test"}
    assert not audit(table).leaking


def test_patients_alone(medqnn: Medqnn, leaking: Path, tmp_path: Path) -> None:
    out = tmp_path / "split.csv"
    done = medqnn("data", "split", leaking, "--groups", "patients", "--out", out)
    assert done.code == 0, done.err
    assert pd.read_csv(out)["group"].nunique() == 33


def test_a_split_is_not_overwritten(
    medqnn: Medqnn, fails: Fails, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert medqnn("data", "split", "phantom:64").code == 0
    assert (tmp_path / "split.csv").is_file()
    assert "split.csv exists" in fails("data", "split", "phantom:64")


def test_fractions_must_be_shares(fails: Fails, leaking: Path, tmp_path: Path) -> None:
    words = ("--fractions", 0.5, 0.5, 0.5, "--out", tmp_path / "s.csv")
    assert "of sum 1" in fails("data", "split", leaking, *words)
    assert not (tmp_path / "s.csv").exists()
