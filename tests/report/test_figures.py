from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from medqnn.report import figures
from medqnn.report.run_folder import Run, read_run

from .runs import CLASSES


@pytest.fixture(scope="module")
def read(run: Path) -> Run:
    return read_run(run)


def drawn(draw: Callable[..., str]) -> Callable[..., Figure]:
    """The figure itself, before it becomes text."""
    return draw.__wrapped__  # type: ignore[attr-defined,no-any-return]


def test_a_figure_is_svg_that_loads_nothing_and_comes_out_the_same_twice(read: Run) -> None:
    first, second = (figures.learning_curves(read.variants[0], 2.0) for _ in range(2))
    assert first == second
    kind, _, data = first.partition(",")
    assert kind == "data:image/svg+xml;base64"
    tree = ElementTree.fromstring(b64decode(data))
    assert tree.tag.endswith("svg")
    links = [v for e in tree.iter() for k, v in e.attrib.items() if k.endswith("href")]
    assert links
    assert all(link.startswith("#") for link in links)
    assert not any(element.tag.endswith("}text") for element in tree.iter())  # paths, no fonts


def test_curves_are_the_history_with_the_best_epoch_marked(read: Run) -> None:
    variant = read.variants[0]
    loss, accuracy = drawn(figures.learning_curves)(variant, 2.0).axes
    for axes, what in ((loss, "loss"), (accuracy, "accuracy")):
        train, validation, best = axes.lines
        assert np.array_equal(train.get_ydata(), variant.history[f"train_{what}"])
        assert np.array_equal(validation.get_ydata(), variant.history[f"val_{what}"])
        assert set(best.get_xdata()) == {variant.metrics["best_epoch"]}
        assert len({line.get_linestyle() for line in axes.lines}) == 3  # told apart in grey


def test_the_loss_axis_holds_all_but_spikes(read: Run) -> None:
    ordinary = figures.loss_limit(read.variants)
    losses = [v.history[["train_loss", "val_loss"]].to_numpy().max() for v in read.variants]
    assert ordinary >= max(losses)
    spiked = read.variants[0].history.copy()
    spiked.loc[3, "val_loss"] = 1e6
    assert figures.loss_limit([replace(read.variants[0], history=spiked)]) < 1e6 * 0.9


def test_a_diverged_loss_still_gives_an_axis(read: Run) -> None:
    history = read.variants[0].history.assign(train_loss=np.nan, val_loss=np.inf)
    assert figures.loss_limit([replace(read.variants[0], history=history)]) == 1.0


def test_confusion_shows_counts_and_shares_of_the_row() -> None:
    figure = drawn(figures.confusion)(np.array([[3, 1], [0, 0]]), ["a", "b"])
    assert [text.get_text() for text in figure.axes[0].texts] == [
        "3\n75%",
        "1\n25%",
        "0\n0%",
        "0\n0%",
    ]


def test_a_class_may_be_called_anything() -> None:
    assert figures.confusion(np.eye(2, dtype=int), ["$\\frac$", "<b>&"]).startswith("data:")


def test_distribution_has_a_bar_for_each_class_and_part(read: Run) -> None:
    figure = drawn(figures.class_distribution)(read.by_class())
    lengths = [bar.get_width() for bar in figure.axes[0].patches]
    assert lengths == [60, 36, 24, 24] + 2 * [20, 12, 8, 8]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == list(CLASSES)
    assert len({bar.get_hatch() for bar in figure.axes[0].patches}) == 3


def test_reliability_draws_the_bins_that_hold_images(read: Run) -> None:
    bins = read.variants[0].metrics["reliability"]
    curve, histogram = drawn(figures.reliability)(bins).axes
    filled = [b for b in bins if b["count"]]
    assert list(curve.lines[1].get_ydata()) == [b["accuracy"] for b in filled]
    assert list(curve.lines[1].get_xdata()) == [b["confidence"] for b in filled]
    assert [bar.get_height() for bar in histogram.patches] == [b["count"] for b in bins]
