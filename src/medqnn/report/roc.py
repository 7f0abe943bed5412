"""ROC curves: one small plot a class, the networks over each other, so that any number fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.figure import Figure

from medqnn.evaluation.ranking import rank_scores, roc_curve
from medqnn.report.figures import BLUE, GREEN, GREY, ORANGE, as_svg
from medqnn.report.formatting import decimal
from medqnn.report.run_folder import Run, Variant
from medqnn.report.scores import task_of

LOOKS = (
    (BLUE, "-"),
    (ORANGE, "--"),
    (GREEN, "-."),
    ("#D55E00", ":"),
    ("#CC79A7", (0, (6, 1))),
    ("#56B4E9", (0, (3, 1, 1, 1, 1, 1))),
)  # one for each kind of variant


def roc_plots(run: Run) -> Iterator[tuple[str, str]]:
    """For each class that some test images show and some do not, its name and its plot.

    Of two classes there is the second alone, the positive one.
    """
    classes = list(enumerate(run.classes))
    binary = task_of(run.variants[0].metrics) == "binary"
    for number, name in classes[1:] if binary else classes:
        _, positive = _column(run.variants[0], number)
        if positive.any() and not positive.all():
            yield name, roc_plot(run.variants, number)


@as_svg
def roc_plot(variants: Sequence[Variant], number: int) -> Figure:
    """Curve of every variant for one class against the rest, its area in the legend.

    Args:
        variants: at most six.
        number: index of the class or finding.
    """
    figure = Figure((2.9, 2.9), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":")
    for variant, (colour, style) in zip(variants, LOOKS, strict=False):
        score, positive = _column(variant, number)
        area = float(rank_scores(score, positive, np.ones((1, len(score))))[0][0])
        false_positives, true_positives = roc_curve(score, positive)
        axes.plot(
            false_positives,
            true_positives,
            color=colour,
            linestyle=style,
            label=f"{variant.name} {decimal(area)}",
        )
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.set_xticks([0, 0.5, 1], labels=["0", "0.5", "1"])
    axes.set_yticks([0, 0.5, 1], labels=["0", "0.5", "1"])
    axes.set(xlabel="1 − specificity", ylabel="Sensitivity")
    axes.legend(title="AUROC", loc="lower right", fontsize=9, title_fontsize=9)
    return figure


def _column(variant: Variant, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of one class, and which images are of it."""
    labels = variant.predictions.labels
    positive: np.ndarray = labels[:, number] if labels.ndim == 2 else labels == number
    return variant.predictions.probabilities[:, number], positive
