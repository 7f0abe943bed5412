"""Plots as SVG in data URIs: vector, the text as paths, legible in grey and to the colour-blind.

Colours are those of Okabe and Ito; what a colour tells, a line style, marker or hatch tells too.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from io import BytesIO
from textwrap import fill
from typing import Any, ParamSpec

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medqnn.report.run_folder import Variant
from medqnn.report.tables import PARTS

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#E69F00", "#009E73", "#555555"
STYLE: dict[str, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "legend.frameon": False,
    "text.parse_math": False,  # a class may be called "$"
    "svg.hashsalt": "medqnn",  # the same run gives the same file
}
WIDTH = 4.6  # inches: at a phone's width the text is still legible

P = ParamSpec("P")


def as_svg(draw: Callable[P, Figure]) -> Callable[P, str]:
    """Let a function that draws a figure return it as the data URI of an SVG image."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> str:
        buffer = BytesIO()
        with mpl.rc_context(STYLE):  # type: ignore[arg-type]  # its keys are literals
            draw(*args, **kwargs).savefig(buffer, format="svg", metadata={"Date": None})
        return f"data:image/svg+xml;base64,{b64encode(buffer.getvalue()).decode()}"

    return drawn


@as_svg
def learning_curves(variant: Variant, loss_limit: float) -> Figure:
    """Loss and accuracy by epoch, the best epoch marked.

    Args:
        variant: whose history.
        loss_limit: upper end of the loss axis, the same for all variants so that they compare.
    """
    figure = Figure((WIDTH, 4.8), layout="constrained")
    loss, accuracy = figure.subplots(2, 1, sharex=True)
    _curve(loss, variant, "loss")
    _curve(accuracy, variant, "accuracy")
    loss.set(ylabel="Loss", ylim=(0, loss_limit))
    accuracy.set(ylabel="Accuracy", xlabel="Epoch", ylim=(0, 1.02))
    accuracy.xaxis.get_major_locator().set_params(integer=True)
    _legend_above(loss)
    return figure


def loss_limit(variants: Sequence[Variant]) -> float:
    """Upper end of an axis for all losses; single spikes, 1.5 times the 98% quantile, stand out."""
    columns = [v.history.filter(["train_loss", "val_loss"]) for v in variants]
    losses = np.concatenate([own.to_numpy(dtype=np.float64).ravel() for own in columns])
    losses = losses[np.isfinite(losses)]
    if not losses.size:
        return 1.0
    return float(1.05 * min(losses.max(), 1.5 * np.quantile(losses, 0.98))) or 1.0


def _curve(axes: Axes, variant: Variant, what: str) -> None:
    history, best = variant.history, variant.metrics.get("best_epoch")
    few = len(history) <= 60
    axes.plot(history["epoch"], history[f"train_{what}"], color=BLUE, label="training")
    if f"val_{what}" in history:
        axes.plot(
            history["epoch"],
            history[f"val_{what}"],
            color=ORANGE,
            linestyle="--",
            marker="o" if few else None,
            markersize=3.5,
            label="validation",
        )
    if best is not None:
        axes.axvline(best, color=GREY, linestyle=":", label=f"tested epoch ({best})")


def wrapped(name: str) -> str:
    """A long name on several lines."""
    return fill(name, 22)


def _legend_above(axes: Axes) -> None:
    axes.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1), columnspacing=1.2)


@as_svg
def confusion(counts: np.ndarray, classes: Sequence[str]) -> Figure:
    """Confusion matrix: the number of images in each cell, and its share of the row.

    Args:
        counts: (K, K) int, rows true classes, columns predicted ones.
        classes: K names.
    """
    k = len(classes)
    side = max(WIDTH, 0.7 * k + 1.6)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure((side, 0.9 * side), layout="constrained")
    axes = figure.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.spines[:].set_visible(False)
    names = [wrapped(name) for name in classes]
    axes.set_xticks(range(k), labels=names, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(k), labels=names)
    axes.set(xlabel="Predicted class", ylabel="True class")
    axes.tick_params(length=0)
    for (true, predicted), count in np.ndenumerate(counts):
        fraction = share[true, predicted]
        axes.text(
            predicted,
            true,
            f"{count}\n{fraction:.0%}",
            ha="center",
            va="center",
            color="white" if fraction > 0.55 else "black",
        )
    return figure


@as_svg
def class_distribution(images: Mapping[str, pd.DataFrame]) -> Figure:
    """Images of each class in each part of the split, as bars that lie.

    Args:
        images: by class, as `Run.by_class` gives them.
    """
    names = list(images)
    figure = Figure((1.3 * WIDTH, 0.55 * len(names) + 1), layout="constrained")
    axes = figure.subplots()
    looks = zip(PARTS.items(), (BLUE, ORANGE, GREEN), ("", "///", "..."), strict=True)
    for i, ((part, title), colour, hatch) in enumerate(looks):
        bars = axes.barh(
            np.arange(len(names)) + 0.28 * (i - 1),
            [int((rows["part"] == part).sum()) for rows in images.values()],
            height=0.26,
            color=colour,
            hatch=hatch,
            edgecolor="white",
            label=title,
        )
        axes.bar_label(bars, fontsize=8, padding=2)
    axes.set_yticks(range(len(names)), labels=[wrapped(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel("Images")
    _legend_above(axes)
    return figure


@as_svg
def reliability(bins: Sequence[dict[str, Any]]) -> Figure:
    """Accuracy against confidence, and below it how many images each bin holds.

    Args:
        bins: as `medqnn.evaluation.evaluate.evaluate` gives them, in order.
    """
    figure = Figure((WIDTH, 4.8), layout="constrained")
    curve, histogram = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    filled = [record for record in bins if record["count"]]
    curve.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="as sure as right")
    curve.plot(
        [record["confidence"] for record in filled],
        [record["accuracy"] for record in filled],
        color=BLUE,
        marker="o",
        markersize=5,
        label="this network",
    )
    curve.set(ylabel="Accuracy", xlim=(0, 1.02), ylim=(0, 1.05))
    _legend_above(curve)
    width = bins[0]["high"] - bins[0]["low"]
    histogram.bar(
        [record["low"] for record in bins],
        [record["count"] for record in bins],
        width=width,
        align="edge",
        color=BLUE,
        edgecolor="white",
    )
    histogram.set(xlabel="Confidence (the highest probability)", ylabel="Images")
    return figure
