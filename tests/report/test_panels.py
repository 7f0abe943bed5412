from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from medqnn.errors import RunError
from medqnn.report import panels
from medqnn.report.run_folder import Run, read_run

from .runs import CLASSES, SIZE


@pytest.fixture(scope="module")
def read(run: Path) -> Run:
    return read_run(run)


def test_two_variants_make_the_six_columns_of_the_paper(read: Run) -> None:
    columns = panels.case_columns(read)
    assert columns == [
        "Image",
        "Mask",
        "Attention of hybrid",
        "Attention of dense",
        "Overlay of hybrid",
        "Overlay of dense",
    ]
    cases = list(panels.cases(read))
    assert len(cases) == 5
    assert {len(case.panels) for case in cases} == {6}
    assert len({panel.source for panel in cases[4].panels}) == 6


def test_every_figure_below_a_map_is_that_of_its_image(run: Path, read: Run) -> None:
    case = next(case for case in panels.cases(read) if case.label != CLASSES[0])
    for column, name in ((2, "hybrid"), (3, "dense")):
        table = pd.read_csv(run / name / "localisation.csv", dtype={"id": str}).set_index("id")
        scored = table.loc[case.name]
        lines = case.panels[column].lines
        assert lines[0] == f"J {scored['jaccard@0.75']:.3f} (τ = 0.75)"
        assert lines[1] == f"J {scored['jaccard@q0.99']:.3f} (top 1%)"


def test_predicted_class_is_called_right_or_wrong(read: Run) -> None:
    predictions = read.variants[1].predictions
    labels = read.split.set_index("id")["label"]
    for case in panels.cases(read):
        predicted, verdict = case.panels[3].lines[-1].split(": ")
        row = int(np.flatnonzero(predictions.ids == case.name)[0])
        assert predicted == CLASSES[predictions.probabilities[row].argmax()]
        assert verdict == ("right" if predicted == labels[case.name] else "wrong")
        assert case.label == labels[case.name]


def test_an_image_without_tumour_has_no_index(read: Run) -> None:
    case = next(case for case in panels.cases(read) if case.label == CLASSES[0])
    assert case.panels[1].lines == ["no tumour marked"]
    assert not any(line.startswith("J ") for panel in case.panels for line in panel.lines)


def test_the_map_is_the_sigmoid_of_logits_interpolated(read: Run) -> None:
    hybrid = read.variants[0]
    attention = np.array([[[-4.0, 4.0], [-4.0, 4.0]]], dtype=np.float16)
    flat = replace(hybrid, attention={"ids": np.array(["x"]), "maps": attention})
    values = panels.attention_map(flat, "x", 4)
    assert values[0] == pytest.approx(expit([-4, -2, 2, 4]), abs=1e-6)


def test_a_missing_map_is_an_error_that_names_it(read: Run) -> None:
    with pytest.raises(RunError, match=r"hybrid/attention\.npz has 0 maps of image nobody"):
        panels.attention_map(read.variants[0], "nobody", SIZE)


def test_samples_are_sorted_by_class(read: Run) -> None:
    assert read.gallery is not None
    for name, pictures in panels.samples(read):
        assert len(pictures) == (read.gallery["labels"] == name).sum()


def test_nothing_kept_gives_nothing_to_show(run_maker: Callable[..., Path], tmp_path: Path) -> None:
    bare = read_run(run_maker(tmp_path / "run", variants=("hybrid",), attention=False))
    assert panels.attended(bare) == []
    assert list(panels.cases(bare)) == []
    assert list(panels.samples(replace(bare, gallery=None))) == []
