from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from cli.conftest import Medqnn
from medqnn.evaluation.multilabel import MultiLabelPredictions
from medqnn.evaluation.predictions import Predictions, read_predictions, write_predictions


def write(path: Path, right: np.ndarray) -> Path:
    """Predictions of 40 images of 10 patients, right where said."""
    labels = np.arange(40) % 2
    chosen = np.where(right, labels, 1 - labels)
    p = np.where(np.eye(2)[chosen] == 1, 0.8, 0.2)
    ids, patients = np.arange(40).astype(str), (np.arange(40) // 4).astype(str)
    write_predictions(path, Predictions(ids, patients, labels, p, ("healthy", "glioma")))
    return path


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """One model is right on 36 of 40 images, the other on 24 of them and 2 more."""
    one = np.arange(40) < 36
    other = (np.arange(40) < 24) | (np.arange(40) >= 38)
    return write(tmp_path / "one.csv", one), write(tmp_path / "other.csv", other)


def test_two_tables_are_compared(medqnn: Medqnn, pair: tuple[Path, Path]) -> None:
    done = medqnn("compare", *pair, "--resamples", 100)
    assert done.code == 0
    assert "one is right on 90.0% and other on 65.0% of 40 images of 10 patients" in done.words
    assert "+0.250 (" in done.out
    assert f"gives p = {binomtest(12, 14).pvalue:.2g}" in done.words


def test_order_decides_the_sign(medqnn: Medqnn, pair: tuple[Path, Path]) -> None:
    assert "-0.250 (" in medqnn("compare", *reversed(pair), "--resamples", 100).out


def test_variants_of_a_run_are_compared(medqnn: Medqnn, tiny_run: Path) -> None:
    done = medqnn("compare", tiny_run / "hybrid", tiny_run / "dense", "--resamples", 100)
    assert done.code == 0
    accuracies = [
        read_predictions(tiny_run / name / "predictions.csv").correct.mean()
        for name in ("hybrid", "dense")
    ]
    assert "hybrid is right on {:.1%} and dense on {:.1%}".format(*accuracies) in done.words


def test_files_of_one_name_are_told_apart(
    medqnn: Medqnn, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "b").mkdir()
    twin = pair[1].rename(tmp_path / "b" / "one.csv")
    done = medqnn("compare", pair[0], twin, "--resamples", 100)
    words = done.words.replace(" ", "")
    assert f"{pair[0]}isrighton90.0%and{twin}on65.0%" in words


def test_names_in_brackets_are_printed_as_they_are(
    medqnn: Medqnn, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    odd = pair[0].rename(tmp_path / "net[seed]x.csv")
    done = medqnn("compare", odd, pair[1], "--resamples", 100)
    assert done.code == 0
    assert "net[seed]x is right on" in done.words


def test_other_images_cannot_be_compared(
    fails: Callable[..., str], pair: tuple[Path, Path], tiny_run: Path
) -> None:
    fails("compare", pair[0], tiny_run / "dense")


def test_missing_file_is_named(fails: Callable[..., str], pair: tuple[Path, Path]) -> None:
    assert "nowhere.csv cannot be read" in fails("compare", pair[0], "nowhere.csv")


def test_run_folder_in_place_of_a_variants_is_refused(
    fails: Callable[..., str], tiny_run: Path
) -> None:
    assert "predictions.csv" in fails("compare", tiny_run, tiny_run)


def write_findings(path: Path, skill: float, known: bool) -> Path:
    """Predictions of two findings on 40 images."""
    random, ids = np.random.default_rng(3), np.arange(40).astype(str)
    labels = np.stack([np.arange(40) % 3 == 0, np.arange(40) % 5 == 0], axis=1)
    p = 1 / (1 + np.exp(-random.normal(skill * (labels - 0.5))))
    patients = (np.arange(40) // 4).astype(str) if known else ids
    write_predictions(path, MultiLabelPredictions(ids, patients, labels, p, ("mass", "hernia")))
    return path


def test_findings_are_compared_by_auroc(medqnn: Medqnn, tmp_path: Path) -> None:
    a, b = (write_findings(tmp_path / f"{n}.csv", n, known=True) for n in (4, 1))
    done = medqnn("compare", a, b, "--resamples", 100)
    assert done.code == 0, done
    assert "4 has a mean AUROC of" in done.words
    assert "over 2 findings on 40 images of 10 patients" in done.words
    assert "McNemar" not in done.words


def test_unknown_patients_are_not_spoken_of(medqnn: Medqnn, tmp_path: Path) -> None:
    a, b = (write_findings(tmp_path / f"{n}.csv", n, known=False) for n in (4, 1))
    words = medqnn("compare", a, b, "--resamples", 100).words
    assert "95% interval by image" in words
    for said in ("of unknown patients", "names no patients"):
        assert said in words
        words = words.replace(said, "")
    assert "patient" not in words


def test_one_patient_alone_has_differences_without_intervals(
    medqnn: Medqnn, pair: tuple[Path, Path]
) -> None:
    for path in pair:
        table = read_predictions(path)
        write_predictions(path, replace(table, patients=np.full(len(table), "P")))
    done = medqnn("compare", *pair, "--resamples", 100)
    assert done.code == 0, done
    assert "one patient alone gives no interval" in done.words
    assert "+0.250 " in done.out


def test_classes_and_findings_cannot_be_compared(
    fails: Callable[..., str], pair: tuple[Path, Path], tmp_path: Path
) -> None:
    findings = write_findings(tmp_path / "findings.csv", 1, known=True)
    assert "findings that may occur together" in fails("compare", pair[0], findings)
