from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as sk

from medqnn.layers.twins import VARIANTS
from medqnn.report import roc
from medqnn.report.run_folder import Run, read_run

from .runs import CLASSES

roc_figure = roc.roc_plot.__wrapped__  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def read(run: Path) -> Run:
    return read_run(run)


def test_every_class_has_a_plot_with_the_curve_of_each_network(read: Run) -> None:
    assert [name for name, _ in roc.roc_plots(read)] == list(CLASSES)
    for number in range(len(CLASSES)):
        axes = roc_figure(read.variants, number).axes[0]
        texts = [text.get_text() for text in axes.get_legend().get_texts()]
        curves = axes.lines[1:]
        for variant, text, curve in zip(read.variants, texts, curves, strict=True):
            predictions = variant.predictions
            truth, score = predictions.labels == number, predictions.probabilities[:, number]
            assert text == f"{variant.name} {sk.roc_auc_score(truth, score):.3f}"
            area = np.trapezoid(curve.get_ydata(), curve.get_xdata())
            assert area == pytest.approx(sk.roc_auc_score(truth, score))


def test_networks_are_told_apart_in_grey(read: Run) -> None:
    assert len({str(style) for _, style in roc.LOOKS}) == len(roc.LOOKS) == len(VARIANTS)
    lines = roc_figure(read.variants, 0).axes[0].lines
    assert len({line.get_linestyle() for line in lines}) == 3


def test_of_two_classes_the_positive_one_is_drawn(
    run_maker: Callable[..., Path], tmp_path: Path
) -> None:
    classes = ("rest", "1 + 2")
    binary = read_run(run_maker(tmp_path / "run", classes=classes, attention=False))
    assert [name for name, _ in roc.roc_plots(binary)] == ["1 + 2"]


def test_a_class_without_test_images_has_no_curve(read: Run) -> None:
    hybrid = read.variants[0]
    labels = np.where(hybrid.predictions.labels == 2, 1, hybrid.predictions.labels)
    bare = replace(hybrid, predictions=replace(hybrid.predictions, labels=labels))
    names = [name for name, _ in roc.roc_plots(replace(read, variants=[bare]))]
    assert names == ["healthy", "meningioma", "pituitary"]


def test_findings_are_drawn_from_their_own_columns(
    run_maker: Callable[..., Path], tmp_path: Path
) -> None:
    classes = ("effusion", "mass", "hernia", "none")
    path = run_maker(tmp_path / "run", classes=classes, attention=False, multilabel=True)
    read = read_run(path)
    assert [name for name, _ in roc.roc_plots(read)] == list(classes[:3])
    predictions = read.variants[0].predictions
    expected = sk.roc_auc_score(predictions.labels[:, 1], predictions.probabilities[:, 1])
    legend = roc_figure(read.variants, 1).axes[0].get_legend()
    assert legend.get_texts()[0].get_text() == f"hybrid {expected:.3f}"
